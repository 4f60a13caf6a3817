"""Who sees a listing that still owes its checks: views are counted while pages are made, and the caps hold there.

A count is one HINCRBY in Redis, and its answer tells at once whether the cap is reached: whoever made that page takes
the listing off the market, workers or not. Counts are folded into the database every few seconds, by whichever process
comes by; what a wiped Redis loses is what was counted since. While Redis is away, each view is counted in the database.
A page that names a listing counts as a view, seen or not, and so does each item of an answer to a device: the caps hold
for more than was really seen.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

import redis
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from ..models import Debt
from . import debts, settings

log = logging.getLogger(__name__)
COUNTS, TAKEN = "exposure:counts", "exposure:taken"  # hashes: debt → views; being counted, being folded
LOOK_SECONDS = 1.0  # a process knows of a new debt so much later
FOLD_SECONDS = 5.0
FOLDING = 7_301_846  # key of the advisory lock: one folds at a time


class Open(NamedTuple):
    listing: int
    impressions: int  # folded
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
        for (debt, known), seen in zip(found, _count([debt for debt, _ in found]), strict=True):
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
        terms = settings.values()
        rows = Debt.objects.filter(state=Debt.State.OPEN).order_by()
        columns = ("pk", "listing_id", "impressions", "tier", "light_at")
        _open = {
            listing: (pk, Open(listing, seen, debts.cap(tier, light_at is not None, terms)))
            for pk, listing, seen, tier, light_at in rows.values_list(*columns)
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
    """Add what Redis counted to the debts; returns how many views. One at a time; a second comer leaves it to the
    first. Between adding and forgetting a crash counts twice, never not at all."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [FOLDING])
                if not cursor.fetchone()[0]:
                    return 0
            client = _redis()
            if not client.exists(TAKEN) and not (client.exists(COUNTS) and client.rename(COUNTS, TAKEN)):
                return 0
            counts = {int(debt): int(number) for debt, number in client.hgetall(TAKEN).items()}
            for debt in sorted(counts):
                Debt.objects.filter(pk=debt).update(impressions=F("impressions") + counts[debt])
            transaction.on_commit(lambda: client.delete(TAKEN))
    except redis.RedisError as error:
        log.warning("views cannot be folded now: %s", error)
        return 0
    return sum(counts.values())


def _count(keys: list[int]) -> list[int]:
    """Views of each debt so far, this one included."""
    try:
        with _redis().pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hincrby(COUNTS, str(key), 1)
                pipe.hget(TAKEN, str(key))
            found = pipe.execute()
    except redis.RedisError as error:
        log.warning("views are counted in the database: %s", error)
        Debt.objects.filter(pk__in=keys).update(impressions=F("impressions") + 1)
        seen = dict(Debt.objects.filter(pk__in=keys).values_list("pk", "impressions"))
        return [seen.get(key, 0) for key in keys]
    known = {debt: each.impressions for debt, each in _open.values()}
    return [
        known.get(key, 0) + int(now) + int(taken or 0)
        for key, now, taken in zip(keys, found[::2], found[1::2], strict=True)
    ]


def _redis() -> redis.Redis:
    global _client
    with _once:
        if _client is None:
            _client = redis.Redis.from_url(django_settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)
        return _client
