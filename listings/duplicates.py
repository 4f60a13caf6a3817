"""The same words on sale twice."""

from __future__ import annotations

from django.db.models import Q

from .lifecycle import Status
from .models import Listing

LIVE = [Status.CHECKING, Status.IN_REVIEW, Status.PUBLISHED, Status.PAUSED]


def find(listing: Listing) -> Listing | None:
    """An earlier or published listing with the same words; the seller's own first.

    Earlier: of two that wait at the same moment only the younger one is the duplicate.
    """
    others = Listing.objects.filter(fingerprint=listing.fingerprint, status__in=LIVE).exclude(pk=listing.pk)
    others = others.filter(Q(pk__lt=listing.pk) | Q(status=Status.PUBLISHED)).only("seller_id", "title", "public_id")
    return others.filter(seller=listing.seller).first() or others.order_by("pk").first()
