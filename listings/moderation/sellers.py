"""What a moderator is to know of a seller beside the case in hand, and what else looks like it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from .. import photo_bank
from ..lifecycle import Status
from ..models import Decision, Listing, Photo, Report, ReviewJob, Strike, User
from ..trust import settings
from ..trust.tiers import Tier, standing
from . import strikes

LAST = 5
ALIKE = 6


@dataclass(frozen=True)
class Standing:
    seller: User
    tier: str
    on_sale: int
    listings: int
    rejections: int
    overturned: int
    reports: int
    strikes: list[Strike]
    last: list[Decision]


def of(job: ReviewJob) -> Standing:
    """Of a blind job, as it was when it was first asked: what came then would say how it was decided."""
    seller = job.listing.seller
    by_status = dict(
        Listing.objects.filter(seller=seller).order_by().values_list("status").annotate(number=Count("pk"))
    )
    decided, living = Decision.objects.filter(listing__seller=seller), strikes.living(seller)
    if job.is_blind and job.about is not None:
        decided = decided.filter(created_at__lt=job.about.review_job.created_at)
        living = living.filter(created_at__lt=job.about.review_job.created_at)
    return Standing(
        seller=seller,
        tier=Tier(standing(seller, job.listing.category, settings.values()).tier).name.lower(),
        on_sale=by_status.get(Status.PUBLISHED, 0),
        listings=sum(by_status.values()),
        rejections=decided.violations().count(),
        overturned=decided.filter(action=Decision.Action.OVERTURN).count(),
        reports=Report.objects.filter(listing__seller=seller).count(),
        strikes=list(living),
        last=list(decided.exclude(review_job=job).select_related("listing", "moderator")[:LAST]),
    )


def look_alikes(job: ReviewJob) -> list[tuple[Listing, str]]:
    """Other listings with the same words or with nearly the same photo, and why each is named."""
    listing = job.listing
    others = Listing.objects.exclude(pk=listing.pk).select_related("seller").prefetch_related("photos")
    others = others.defer("search")
    found = {}
    if listing.fingerprint:
        for twin in others.filter(fingerprint=listing.fingerprint).order_by("-pk")[:ALIKE]:
            found[twin.pk] = (twin, "the same words")
    for photo in listing.photos.all():
        if photo.phash is None or len(found) >= ALIKE:
            continue
        rows = Photo.objects.filter(listing__isnull=False, phash__isnull=False).exclude(listing=listing)
        near = list(photo_bank.near_to(rows, photo.phash, photo_bank.SAME)[:ALIKE])
        for twin in others.filter(pk__in=[each.listing_id for each in near]):
            found.setdefault(twin.pk, (twin, f"a photo like photo {photo.position + 1}"))
    return list(found.values())[:ALIKE]
