"""Signed-in clients, and listings in any state without going through the queue."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from listings import photos, submission
from listings.lifecycle import Status
from listings.models import Listing, OwedCheck, Photo, ReviewJob, SettingChange, User
from listings.moderation import queue
from listings.submission import remember
from listings.trust import settings
from models import manifest

# A harmless listing, as a form sends it.
WORDS: dict[str, Any] = {
    "title": "Wooden train set, 24 pieces",
    "description": "Beech tracks, two bridges and a red engine. Played with gently by one child.",
    "category": "toys",
    "attributes": {},
    "price": Decimal("24.50"),
    "currency": "EUR",
    "condition": "good",
}


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def make_listing(merchant: User) -> Callable[..., Listing]:
    def make(title: str = "Blue enamel kettle", **fields: Any) -> Listing:
        values = {
            "seller": merchant,
            "description": "Holds a litre and a half. Two small chips on the lid.",
            "category": "kitchen",
            "price": Decimal("18.50"),
            "status": Status.PUBLISHED,
            "published_at": timezone.now(),
        }
        listing = Listing.objects.create(title=title, **(values | fields))
        remember(listing)
        return listing

    return make


@pytest.fixture
def make_case(make_listing: Callable[..., Listing]) -> Callable[..., ReviewJob]:
    def make(title: str = "Shotgun microphone", **fields: Any) -> ReviewJob:
        listing = make_listing(title, status=Status.IN_REVIEW, published_at=None)
        values = {"cause": "The server's check was not sure.", "policy": "weapons", "revision": 1}
        return queue.open_job(listing, **(values | fields))

    return make


@pytest.fixture
def no_undo(db: None) -> None:
    """Decisions are in force at once."""
    SettingChange.objects.create(
        name="undo_seconds",
        value=0,
        before=20,
        actor=User.objects.create_user("operator", role="moderator"),
        reason="-",
    )
    settings.forget()


@pytest.fixture
def jpeg() -> Callable[..., SimpleUploadedFile]:
    def make(name: str = "kettle.jpg", size: tuple[int, int] = (640, 480), color: str = "#2a6") -> SimpleUploadedFile:
        data = io.BytesIO()
        Image.new("RGB", size, color).save(data, "JPEG")
        return SimpleUploadedFile(name, data.getvalue(), "image/jpeg")

    return make


@pytest.fixture
def form_data() -> Callable[..., dict[str, Any]]:
    def make(**changes: Any) -> dict[str, Any]:
        data = {
            "title": "Wooden train set, 24 pieces",
            "description": "Beech tracks, two bridges and a red engine. Played with gently by one child.",
            "price": "24.50",
            "currency": "EUR",
            "condition": "good",
            "category": "toys",
            "draft_key": "3b6d1c9e-6a53-4f0e-9a55-0c5b4c2f0d11",
            "claim": "",
            "action": "submit",
        }
        return data | changes

    return make


@pytest.fixture
def waited() -> Callable[[], None]:
    """The wait after a fault is over: what is owed may be tried again."""

    def pass_by() -> None:
        OwedCheck.objects.filter(state="owed").update(not_before=None)

    return pass_by


@pytest.fixture
def models_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """The manifest of the published models vanishes for a while (it is read anew at each run)."""

    @contextmanager
    def away() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(manifest, "FILE", "gone.json")
            yield

    return away


@pytest.fixture
def upload(merchant: User) -> Callable[..., Photo]:
    """Store a photo as the sell page does."""

    def make(content: bytes | Path, owner: User = merchant) -> Photo:
        data = content.read_bytes() if isinstance(content, Path) else content
        return photos.store_upload(owner, SimpleUploadedFile("photo.jpg", data, "image/jpeg"))

    return make


@pytest.fixture
def send(merchant: User) -> Callable[..., Listing]:
    """Submit a listing with photos."""

    def make(
        *stored: Photo, seller: User = merchant, title: str = "Dining chair in ash with a woven seat", **more: Any
    ) -> Listing:
        content = {
            "title": title,
            "description": "Solid and comfortable, a few light scratches. From a home without smokers.",
            "category": "furniture",
            "attributes": {},
            "price": Decimal(40),
            "currency": "EUR",
            "condition": "good",
        }
        return submission.submit(seller=seller, content=content, photos=list(stored), **more)

    return make
