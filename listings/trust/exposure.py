"""Who sees a listing that still owes its checks: views are counted while pages are made, and the caps hold there.

A page asks which of its listings owe checks; each of these is counted in Redis, whose answer is the total so far:
whoever made the page that reached the cap takes the listing off the market, workers or not. It is written to the
database now and then, the first view at once; a wiped Redis begins again from there. While Redis is away, each view is
counted in the database. A page that names a listing counts as a view, seen or not, and so does each item of an answer
to a device: the caps hold for more than was really seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import NamedTuple

import redis
from django.db import DatabaseError
from django.db.models import F

from ..models import Debt, Listing
from . import debts, settings, totals
from .tiers import Tier

log = logging.getLogger(__name__)
WRITTEN_EACH = 10  # views; what a wiped Redis may lose of a listing


class Owing(NamedTuple):
    debt: int
    listing: int
    impressions: int  # as the database has it
    cap: int


def shown(listings: Iterable[int]) -> None:
    """These are on a page that somebody gets now. Never raises: a page is worth more than a count."""
    try:
        found = owing(listings)
        if not found:
            return
        for each, seen in zip(found, _count(found), strict=True):
            if seen >= each.cap:
                hold(each, seen)
            elif seen % WRITTEN_EACH == 0 or not each.impressions:  # that anybody saw it is never lost
                _write({each.listing: seen})
    except (DatabaseError, Listing.DoesNotExist) as error:
        log.warning("views were not counted: %s", error)


def owing(listings: Iterable[int]) -> list[Owing]:
    """Those that are on sale before their checks. What left the market while this page was made was seen, too."""
    pks = set(listings)
    if not pks:
        return []
    columns = ("pk", "listing_id", "impressions", "tier", "light_at", "state")
    unpaid = Debt.objects.filter(state__in=Debt.UNPAID, listing__in=pks).order_by("listing_id")
    rows = list(unpaid.values_list(*columns))
    if late := [pk for pk, _, seen, *_, state in rows if state == Debt.State.LEFT and not seen]:
        Debt.objects.filter(pk__in=late, impressions=0).update(impressions=1)
    opened = [row for row in rows if row[-1] == Debt.State.OPEN]
    terms = settings.values() if opened else {}
    return [Owing(pk, listing, seen, cap(tier, at is not None, terms)) for pk, listing, seen, tier, at, _ in opened]


def cap(tier: int, light_made: bool, terms: dict[str, float]) -> int:
    """Views that a listing may have while it owes its checks."""
    most = terms["heavy_cap"] if light_made else terms["light_cap"]
    return int(most if tier >= Tier.TRUSTED else most / 2)


def hold(owed: Owing, seen: int) -> None:
    """Enough people have seen it: off the market until its checks are made."""
    _write({owed.listing: seen})
    found = Debt.objects.filter(pk=owed.debt, state=Debt.State.OPEN).first()
    if found and debts.call_in(found, Debt.Cause.VIEWS):
        log.info("listing %s was seen often enough for its checks to come first", owed.listing)


def fold() -> int:
    """Make Redis and the database even: the higher total counts. What owes nothing any more leaves Redis. Returns how
    many debts were written."""
    try:
        counted = totals.every()
        owed = dict(Debt.objects.filter(state__in=Debt.UNPAID).values_list("listing_id", "impressions"))
        for listing, known in owed.items():
            if listing in counted and counted[listing] < known:
                totals.raise_by(listing, known - counted[listing])
    except redis.RedisError as error:
        log.warning("views cannot be folded now: %s", error)
        return 0
    written = _write(counted)
    totals.drop(counted.keys() - owed.keys())
    return written


def _write(counted: dict[int, int]) -> int:
    """To the last debt of each listing, where it is more than it has; what is closed is counted no longer."""
    last = Debt.objects.filter(listing__in=counted).order_by("listing_id", "-pk").distinct("listing_id")
    behind = [row for row in last if row.state in Debt.UNPAID and row.impressions < counted[row.listing_id]]
    for row in behind:
        row.impressions = counted[row.listing_id]
    return Debt.objects.bulk_update(behind, ["impressions"], batch_size=1_000)


def _count(owed: list[Owing]) -> list[int]:
    """Views of each so far, this one included."""
    try:
        return totals.add([(each.listing, each.impressions) for each in owed])
    except redis.RedisError as error:
        log.warning("views are counted in the database: %s", error)
        keys = [each.debt for each in owed]
        Debt.objects.filter(pk__in=keys).update(impressions=F("impressions") + 1)
        seen = dict(Debt.objects.filter(pk__in=keys).values_list("pk", "impressions"))
        return [seen.get(key, 0) for key in keys]
