"""A seller who is known, a category where the gate was measured, and a listing that may be on sale at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from listings import content, policies, submission
from listings.lifecycle import Status
from listings.models import Cell, Debt, Listing, User, ValidationJob
from listings.trust import settings
from models import text
from tests.listings.conftest import WORDS


@pytest.fixture
def earn(merchant: User) -> Callable[..., None]:
    """So many checked listings of a seller, one a day, before today."""

    def give(
        number: int, category: str = "toys", seller: User = merchant, price: str = "20.00", a_day: int = 1
    ) -> None:
        User.objects.filter(pk=seller.pk).update(date_joined=timezone.now() - timedelta(days=300))
        seller.refresh_from_db()
        for day in range(number):
            at = timezone.now() - timedelta(days=1 + day // a_day)
            listing = Listing.objects.create(
                seller=seller,
                title=f"Earlier thing {day}",
                category=category,
                price=price,
                status=Status.ENDED,
                created_at=at,
            )
            ValidationJob.objects.create(
                listing=listing,
                revision=1,
                category=category,
                price=price,
                outcome="published",
                state="done",
                created_at=at,
                finished_at=at,
            )

    return give


@pytest.fixture
def open_cells(set_to: Callable[..., None]) -> Callable[..., None]:
    """Publishing before the heavy checks is switched on, and the gate was measured in a category."""

    def make(category: str = "toys", seen: int = 200, missed: int = 0, upper: float = 0.01) -> None:
        set_to(debts=1)
        for policy in policies.all():
            Cell.objects.create(category=category, policy=policy.id, seen=seen, missed=missed, upper=upper)

    return make


@pytest.fixture
def set_to(moderator: User) -> Callable[..., None]:
    def change(**values: float) -> None:
        for name, value in values.items():
            settings.change(name=name, value=value, actor=moderator, reason="For this very test.")

    return change


@pytest.fixture
def claim() -> Callable[..., str]:
    """What an honest device says of the words."""

    def make(**changes: Any) -> str:
        words = WORDS | changes
        fields = content.text_fields(
            title=words["title"], description=words["description"], category=words["category"], attributes={}, alts=[]
        )
        return json.dumps(text.check_text(fields, where="device"))

    return make


@pytest.fixture
def send(merchant: User, claim: Callable[..., str]) -> Callable[..., Listing]:
    """Submit, as an honest browser does; words may be changed by name."""

    def submit(seller: User = merchant, said: str | None = None, **changes: Any) -> Listing:
        return submission.submit(
            seller=seller, content=WORDS | changes, photos=[], claim=claim(**changes) if said is None else said
        )

    return submit


@pytest.fixture
def owing(
    earn: Callable[..., None],
    open_cells: Callable[..., None],
    set_to: Callable[..., None],
    send: Callable[..., Listing],
) -> Callable[..., Debt]:
    """A listing of a trusted seller that is on sale and owes its heavy checks; no audit."""

    def make(**changes: Any) -> Debt:
        earn(12)
        open_cells()
        set_to(audit_share=0)
        listing = send(**changes)
        return Debt.objects.get(listing=listing)

    return make
