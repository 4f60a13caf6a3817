"""Another seller's photo under one's own name: the same picture, put up earlier by somebody else."""

from __future__ import annotations

import time
from datetime import datetime

from django.utils import timezone
from PIL import ImageOps

from . import photo_bank, photo_files
from .checks import LOOK_ALIKES
from .lifecycle import Status
from .models import Listing, Photo, Verdict, VerdictDecision, Where

# Bits of 256. Re-encoded, rescaled or grey copies are within 16; the demo's drawings of like things 24 and more apart.
NEAR_IDENTICAL = 20
LIVE = (Status.CHECKING, Status.IN_REVIEW, Status.PUBLISHED, Status.PAUSED)


def check(listing: Listing, photo: Photo) -> list[Verdict]:
    """An unsaved verdict. Raises OSError."""
    began = time.perf_counter()
    twin, distance = nearest_first(listing, photo)
    detail = {}
    if twin and twin.listing:
        detail = {"of": twin.listing.public_id, "title": twin.listing.title, "distance": distance}
    return [
        Verdict(
            photo=photo,
            where=Where.CLOUD,
            model=LOOK_ALIKES,
            decision=VerdictDecision.WARN if twin else VerdictDecision.PASS,
            digest=photo.sha256,
            detail=detail,
            ms=round((time.perf_counter() - began) * 1000, 3),
        )
    ]


def find(listing: Listing, photo: Photo) -> Photo | None:
    """The photo of `nearest_first`. Raises OSError."""
    return nearest_first(listing, photo)[0]


def nearest_first(listing: Listing, photo: Photo) -> tuple[Photo | None, int]:
    """A near-identical photo of a live listing, as it is or mirrored, of the seller who put the picture up first, if
    that is another one; and how many bits differ. Raises OSError.

    Who was first: by when the picture first came to any listing of theirs, live or not. So whoever sells the thing once
    more is at ease beside copies that others made meanwhile, and nobody is first by keeping a photo in a draft.
    """
    bits = photo_bank.known(photo)
    if bits is None:
        return None, 0
    mirrored = photo_bank.phash(ImageOps.mirror(photo_files.decoded(photo, photo_bank.SIDE)))
    views = [view for view in (bits, mirrored) if view]
    distances = dict(photo_bank.alike(Photo.objects.all(), views, NEAR_IDENTICAL))
    rows = Photo.objects.filter(listed_at__isnull=False, pk__in=list(distances)).select_related("listing")
    rows = rows.only("owner", "listed_at", "listing__status", "listing__public_id", "listing__title")
    near = sorted(rows, key=_age)
    first: dict[int, tuple[datetime, int]] = {}  # by seller
    for twin in near:
        first.setdefault(twin.owner_id, _age(twin))
    own = first.get(listing.seller_id, (timezone.now(), photo.pk))
    shown = [
        twin for twin in near if twin.owner_id != listing.seller_id and twin.listing and twin.listing.status in LIVE
    ]
    earliest = min(
        (twin for twin in shown if first[twin.owner_id] < own), key=lambda twin: first[twin.owner_id], default=None
    )
    return earliest, min(distances[earliest.pk]) if earliest else 0


def _age(photo: Photo) -> tuple[datetime, int]:
    return photo.listed_at or photo.created_at, photo.pk
