"""Another seller's photo under one's own name: the same picture, put up earlier by somebody else."""

from __future__ import annotations

import time

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
    twin = find(listing, photo)
    detail = {}
    if twin and twin.listing:
        distance = int(getattr(twin, "distance", 0))  # near_to adds it
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
    """The earliest photo of a live listing that is near-identical, as it is or mirrored, if it is another seller's.

    Whoever put the picture up first is at ease, also beside copies of it.
    """
    bits = photo_bank.known(photo)
    if bits is None:
        return None
    mirrored = photo_bank.phash(ImageOps.mirror(photo_files.decoded(photo, photo_bank.SIDE)))
    rows = Photo.objects.filter(listing__status__in=LIVE, phash__isnull=False, pk__lt=photo.pk)
    found = [
        twin
        for view in (bits, mirrored)
        if view
        for twin in photo_bank.near_to(rows, view, NEAR_IDENTICAL).order_by("pk").select_related("listing")[:1]
    ]
    first = min(found, key=lambda twin: twin.pk, default=None)
    return first if first and first.owner_id != listing.seller_id else None
