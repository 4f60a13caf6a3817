"""What a moderator is to know of a seller beside the case in hand, and what else looks like it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

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
    if len(found) >= ALIKE:
        return list(found.values())
    hashed = [(photo.position, photo.phash) for photo in listing.photos.all() if photo.phash is not None]
    elsewhere = Photo.objects.filter(Q(listing__gt=listing.pk) | Q(listing__lt=listing.pk))
    near = photo_bank.alike(elsewhere, [bits for _, bits in hashed], photo_bank.SAME)
    nearest = {place: _nearest(near, place) for place in range(len(hashed))}
    of_photo = Photo.objects.filter(pk__in={pk for keys in nearest.values() for pk in keys})
    listing_of = dict(of_photo.values_list("pk", "listing_id"))
    twins = {twin.pk: twin for twin in others.filter(pk__in=set(listing_of.values()))}
    for place, keys in nearest.items():
        for alike in (twins.get(listing_of.get(pk) or 0) for pk in keys):
            if alike is not None:
                found.setdefault(alike.pk, (alike, f"a photo like photo {hashed[place][0] + 1}"))
    return list(found.values())[:ALIKE]


def _nearest(near: list[tuple[int, list[int]]], place: int) -> list[int]:
    """Keys of the photos nearest to the hash at this place, as `photo_bank.alike` gives them."""
    within = sorted((bits[place], pk) for pk, bits in near if bits[place] <= photo_bank.SAME)
    return [pk for _, pk in within[:ALIKE]]
