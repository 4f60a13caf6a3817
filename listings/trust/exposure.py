"""Who sees a listing that still owes its checks: views are counted while pages are made, and the caps hold there.

A page asks which of its listings owe checks; each of these is counted in Redis, whose answer is the total so far:
whoever made the page that reached the cap takes the listing off the market, workers or not. A total is of the
listing, not of one debt, so that an edit does not begin it anew. It is written to the database now and then; a wiped
Redis begins again from there. While Redis is away, each view is counted in the database. A page that names a listing
counts as a view, seen or not, and so does each item of an answer to a device: the caps hold for more than was really
seen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import NamedTuple

import redis
from django.conf import settings as django_settings
from django.db import DatabaseError
from django.db.models import F

from ..models import Debt, Listing
from . import settings

log = logging.getLogger(__name__)
TOTALS = "exposure:totals"  # hash: listing → views
WRITTEN_EACH = 10  # views; what a wiped Redis may lose of a listing
TRUSTED = 2  # tiers.Tier

_client: redis.Redis | None = None
_once = threading.Lock()


class Owing(NamedTuple):
    debt: int
    listing: int
    impressions: int  # as the database has it
    cap: int


def shown(listings: Iterable[int]) -> None:
    """These are on a page that somebody gets now. Never raises: a page is worth more than a count."""
    try:
        found = owing(listings)
        for each, seen in zip(found, _count(found), strict=True) if found else ():
            if seen >= each.cap:
                hold(each, seen)
            elif seen % WRITTEN_EACH == 0:
                _write({each.listing: seen})
    except (DatabaseError, Listing.DoesNotExist) as error:
        log.warning("views were not counted: %s", error)


def owing(listings: Iterable[int]) -> list[Owing]:
    """Those that are on sale before their checks."""
    pks = set(listings)
    if not pks:
        return []
    rows = list(
        Debt.objects.filter(state=Debt.State.OPEN, listing__in=pks)
        .order_by("listing_id")
        .values_list("pk", "listing_id", "impressions", "tier", "light_at")
    )
    if not rows:
        return []
    terms = settings.values()
    return [Owing(pk, listing, seen, cap(tier, at is not None, terms)) for pk, listing, seen, tier, at in rows]


def cap(tier: int, light_made: bool, terms: dict[str, float]) -> int:
    """Views that a listing may have while it owes its checks."""
    most = terms["heavy_cap"] if light_made else terms["light_cap"]
    return int(most if tier >= TRUSTED else most / 2)


def hold(owed: Owing, seen: int) -> None:
    """Enough people have seen it: off the market until its checks are made."""
    from . import debts

    _write({owed.listing: seen})
    found = Debt.objects.filter(pk=owed.debt, state=Debt.State.OPEN).first()
    if found and debts.call_in(found, Debt.Cause.VIEWS):
        log.info("listing %s was seen often enough for its checks to come first", owed.listing)


def total(listing: int) -> int:
    """Views that Redis counted of a listing; 0 where it knows none, or is away."""
    try:
        return int(_redis().hget(TOTALS, str(listing)) or 0)
    except redis.RedisError as error:
        log.warning("views are not known now: %s", error)
        return 0


def drop(listings: Iterable[int]) -> None:
    """What owes nothing any more begins anew with its next debt. While Redis is away it does not: the caps are sooner
    reached then."""
    try:
        _redis().hdel(TOTALS, *map(str, listings))
    except redis.RedisError as error:
        log.warning("views are not forgotten now: %s", error)


def fold() -> int:
    """Make Redis and the database even: the higher total counts. Returns how many debts were written."""
    try:
        totals = {int(listing): int(seen) for listing, seen in _redis().hgetall(TOTALS).items()}
        owed = dict(Debt.objects.filter(state=Debt.State.OPEN).values_list("listing_id", "impressions"))
        for listing, known in owed.items():
            if listing in totals and totals[listing] < known:
                _redis().hincrby(TOTALS, str(listing), known - totals[listing])
    except redis.RedisError as error:
        log.warning("views cannot be folded now: %s", error)
        return 0
    return _write({pk: seen for pk, seen in totals.items() if pk in owed and seen > owed[pk]})


def forget() -> None:
    """Another Redis, in the same process."""
    global _client
    _client = None


def _write(totals: dict[int, int]) -> int:
    """To the open debts of these listings, where it is more than they have."""
    rows = list(Debt.objects.filter(state=Debt.State.OPEN, listing__in=totals))
    behind = [row for row in rows if row.impressions < totals[row.listing_id]]
    for row in behind:
        row.impressions = totals[row.listing_id]
    return Debt.objects.bulk_update(behind, ["impressions"], batch_size=1_000)


def _count(owed: list[Owing]) -> list[int]:
    """Views of each so far, this one included."""
    try:
        with _redis().pipeline(transaction=False) as pipe:
            for each in owed:
                pipe.hsetnx(TOTALS, str(each.listing), each.impressions)
                pipe.hincrby(TOTALS, str(each.listing), 1)
            return [int(seen) for seen in pipe.execute()[1::2]]
    except redis.RedisError as error:
        log.warning("views are counted in the database: %s", error)
        keys = [each.debt for each in owed]
        Debt.objects.filter(pk__in=keys).update(impressions=F("impressions") + 1)
        seen = dict(Debt.objects.filter(pk__in=keys).values_list("pk", "impressions"))
        return [seen.get(key, 0) for key in keys]


def _redis() -> redis.Redis:
    global _client
    with _once:
        if _client is None:
            _client = redis.Redis.from_url(django_settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)
        return _client
