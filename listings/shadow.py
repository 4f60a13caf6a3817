"""What a release in its shadow would have decided: on what is submitted meanwhile, and on what is stored."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from models import patch, text

from . import content, releases
from .lifecycle import Status
from .models import Decision, Listing, Release, ShadowLook

log = logging.getLogger(__name__)
DAYS = 7  # of stored listings that are gone over ...
LEAST = 200  # ... or so many of the latest, where there are fewer
MOST = 2_000
BATCH = 100


def enqueue(pk: int) -> None:
    from . import tasks  # which knows this module

    tasks.enqueue_shadow(pk)


def look_at(listing_id: int) -> None:
    """Of a submit that was stored this moment. Never raises: the shadow must not cost anybody a listing."""
    try:
        found = releases.in_shadow()
        if found is None:
            return
        listing = Listing.objects.defer("search").get(pk=listing_id)
        ShadowLook.objects.bulk_create(
            [_look(*found, releases.live().release, listing, submitted=True)], ignore_conflicts=True
        )
    except Exception:
        log.exception("the shadow could not look at listing %s", listing_id)


def compare_stored(pk: int) -> int:
    """Go over the stored listings; may run twice. Returns how many were looked at. Raises ModelUnavailable."""
    row = Release.objects.filter(pk=pk, state=Release.State.SHADOW).first()
    if row is None or releases.problem_of(row):
        return 0
    tried, now = releases.of_row(row), releases.read_live()
    keys = list(stored().values_list("pk", flat=True))
    for at in range(0, len(keys), BATCH):
        rows = Listing.objects.filter(pk__in=keys[at : at + BATCH]).prefetch_related("photos").defer("search")
        looks = [_look(pk, tried, now, listing, submitted=False) for listing in rows]
        ShadowLook.objects.bulk_create(looks, ignore_conflicts=True)
    Release.objects.filter(pk=pk, state=Release.State.SHADOW).update(
        compared_at=timezone.now(), compared_with=releases.number_of(now)
    )
    return len(keys)


def stored() -> QuerySet[Listing]:
    """Listings of the last DAYS, or the latest ones, whatever became of them."""
    rows = Listing.objects.order_by("-updated_at", "-pk")
    recent = rows.filter(updated_at__gte=timezone.now() - timedelta(days=DAYS)).count()
    return rows[: min(max(recent, LEAST), MOST)]


def _look(pk: int, tried: patch.Release, now: patch.Release | None, listing: Listing, *, submitted: bool) -> ShadowLook:
    fields = content.fields_of(listing)
    before, after = text.check_text(fields, release=now), text.check_text(fields, release=tried)
    return ShadowLook(
        release_id=pk,
        listing=listing,
        revision=listing.revision,
        submitted=submitted,
        against=releases.number_of(now),
        decided=before["decision"],
        would_be=after["decision"],
        policy=after["policy"],
    )


# --- Figures ----------------------------------------------------------------------------------------------------------
def figures(row: Release) -> dict[str, Any]:
    """looked, submitted, other (decided otherwise), new_warnings, on_approved (of those, listings that a moderator
    approved or that are on sale), approved (looked at), now_caught (of rejected listings that were let through),
    warnings_gone. The examples that it was fitted on are left out."""
    rows = _looks(row).exclude(listing__decisions__in=row.examples.all())
    approved = rows.filter(_approved())
    newly = Q(would_be__in=releases.WARNED) & ~Q(decided__in=releases.WARNED)
    gone = Q(decided__in=releases.WARNED) & ~Q(would_be__in=releases.WARNED)
    rejected = rows.filter(listing__status=Status.REJECTED)
    return {
        "looked": rows.count(),
        "submitted": rows.filter(submitted=True).count(),
        "other": rows.exclude(decided=F("would_be")).count(),
        "new_warnings": rows.filter(newly).count(),
        "approved": approved.count(),
        "on_approved": approved.filter(newly).count(),
        "now_caught": rejected.filter(newly).count(),
        "warnings_gone": rows.filter(gone).count(),
    }


def _looks(row: Release) -> QuerySet[ShadowLook]:
    """Those that say what publishing it would change now. Once it has left its shadow, those of its last comparison:
    beside a release that was rolled back since, its own false alarms would have been none."""
    now = releases.number_of(releases.read_live()) if row.state == Release.State.SHADOW else row.compared_with
    return row.looks.filter(against=now)


def _approved() -> Any:
    by_moderator = Decision.objects.filter(
        listing=OuterRef("listing"), action=Decision.Action.APPROVE, review_job__revision=OuterRef("revision")
    )
    return Q(listing__status=Status.PUBLISHED) | Exists(by_moderator)


def alarming(row: Release) -> str:
    """Why it should not be published, from what its shadow saw; "" when nothing speaks against it."""
    seen = figures(row)
    if seen["on_approved"] > max(releases.FEW_ALARMS, releases.ALARMS * seen["approved"]):
        return (
            f"Refused: of {seen['approved']} listings that are on sale or were approved it would warn "
            f"{seen['on_approved']} that are not warned now."
        )
    return ""


def newly_warned(row: Release, most: int = 10) -> list[ShadowLook]:
    """Approved listings that it would warn, for a person to look at."""
    rows = _looks(row).filter(_approved(), would_be__in=releases.WARNED).exclude(decided__in=releases.WARNED)
    return list(rows.select_related("listing").defer("listing__search").order_by("-pk")[:most])
