"""Who sees a listing that still owes its checks: views are counted while pages are made, and the caps hold there.

A count is one round trip to Redis, whose answer is the total so far: whoever made the page that reached the cap takes
the listing off the market, workers or not. Totals are written to the database every few seconds by whichever process
comes by; a wiped Redis begins again from there. While Redis is away, each view is counted in the database, and the two
are made even afterwards. A page that names a listing counts as a view, seen or not, and so does each item of an answer
to a device: the caps hold for more than was really seen.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

import redis
from django.conf import settings as django_settings
from django.db import DatabaseError
from django.db.models import F

from ..models import Debt
from . import debts, settings

log = logging.getLogger(__name__)
TOTALS = "exposure:totals"  # hash: debt → views
LOOK_SECONDS = 1.0  # a process knows of a new debt so much later
FOLD_SECONDS = 5.0


class Open(NamedTuple):
    listing: int
    impressions: int  # as the database has it
    cap: int


_open: dict[int, tuple[int, Open]] = {}  # by listing: its debt
_looked, _folded = 0.0, 0.0
_client: redis.Redis | None = None
_once = threading.Lock()


def shown(listings: Iterable[int]) -> None:
    """These are on a page that somebody gets now. Never raises: a page is worth more than a count."""
    global _folded
    try:
        owed = open_debts()
        found = [owed[pk] for pk in dict.fromkeys(listings) if pk in owed]
        if not found:
            return
        for (debt, known), seen in zip(found, _count(found), strict=True):
            if seen >= known.cap:
                hold(debt)
        if time.monotonic() - _folded > FOLD_SECONDS:
            _folded = time.monotonic()
            fold()
    except DatabaseError as error:
        log.warning("views were not counted: %s", error)


def open_debts() -> dict[int, tuple[int, Open]]:
    """By listing: the key of its debt, and what is known of it."""
    global _open, _looked
    if time.monotonic() - _looked > LOOK_SECONDS:
        columns = ("pk", "listing_id", "impressions", "tier", "light_at")
        rows = list(Debt.objects.filter(state=Debt.State.OPEN).order_by().values_list(*columns))
        terms = settings.values() if rows else {}
        _open = {
            listing: (pk, Open(listing, seen, debts.cap(tier, light_at is not None, terms)))
            for pk, listing, seen, tier, light_at in rows
        }
        _looked = time.monotonic()
    return _open


def forget() -> None:
    """The next page looks anew."""
    global _looked, _folded, _client
    _looked, _folded, _client = 0.0, 0.0, None


def hold(debt: int) -> None:
    """Enough people have seen it: off the market until its checks are made."""
    found = Debt.objects.filter(pk=debt, state=Debt.State.OPEN).first()
    if found and debts.call_in(found, Debt.Cause.VIEWS):
        log.info("listing %s was seen often enough for its checks to come first", found.listing_id)


def fold() -> int:
    """Make Redis and the database even: the higher total counts. Returns how many debts were written. Two at once do no
    harm."""
    try:
        totals = {int(debt): int(total) for debt, total in _redis().hgetall(TOTALS).items()}
        owed = dict(Debt.objects.filter(state=Debt.State.OPEN).order_by("pk").values_list("pk", "impressions"))
        written = 0
        for debt, known in owed.items():
            total = totals.get(debt, 0)
            if total > known:
                written += Debt.objects.filter(pk=debt, impressions__lt=total).update(impressions=total)
            elif debt in totals and total < known:
                _redis().hincrby(TOTALS, str(debt), known - total)
        if over := totals.keys() - owed.keys():
            _redis().hdel(TOTALS, *map(str, over))
    except redis.RedisError as error:
        log.warning("views cannot be folded now: %s", error)
        return 0
    return written


def _count(owed: list[tuple[int, Open]]) -> list[int]:
    """Views of each debt so far, this one included."""
    try:
        with _redis().pipeline(transaction=False) as pipe:
            for debt, known in owed:
                pipe.hsetnx(TOTALS, str(debt), known.impressions)
                pipe.hincrby(TOTALS, str(debt), 1)
            return [int(total) for total in pipe.execute()[1::2]]
    except redis.RedisError as error:
        log.warning("views are counted in the database: %s", error)
        keys = [debt for debt, _ in owed]
        Debt.objects.filter(pk__in=keys).update(impressions=F("impressions") + 1)
        seen = dict(Debt.objects.filter(pk__in=keys).values_list("pk", "impressions"))
        return [seen.get(key, 0) for key in keys]


def _redis() -> redis.Redis:
    global _client
    with _once:
        if _client is None:
            _client = redis.Redis.from_url(django_settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)
        return _client
