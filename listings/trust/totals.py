"""How often each listing that owes its checks was shown, in Redis; the database has it a little later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence

import redis
from django.conf import settings

log = logging.getLogger(__name__)
TOTALS = "exposure:totals"  # hash: listing → views

_client: redis.Redis | None = None
_once = threading.Lock()


def add(known: Sequence[tuple[int, int]]) -> list[int]:
    """One view more of each (listing, views as the database has them), in one round trip: the totals. Raises
    RedisError."""
    with _redis().pipeline(transaction=False) as pipe:
        for listing, seen in known:
            pipe.hsetnx(TOTALS, str(listing), seen)  # what a wiped Redis begins again from
            pipe.hincrby(TOTALS, str(listing), 1)
        return [int(total) for total in pipe.execute()[1::2]]


def of(listing: int) -> int:
    """0 where Redis knows none, or is away."""
    try:
        return int(_redis().hget(TOTALS, str(listing)) or 0)
    except redis.RedisError as error:
        log.warning("views are not known now: %s", error)
        return 0


def every() -> dict[int, int]:
    """By listing. Raises RedisError."""
    return {int(listing): int(seen) for listing, seen in _redis().hgetall(TOTALS).items()}


def raise_by(listing: int, number: int) -> None:
    """Raises RedisError."""
    _redis().hincrby(TOTALS, str(listing), number)


def drop(listings: Iterable[int]) -> None:
    """What owes nothing any more begins anew with its next debt. While Redis is away it does not: its cap is sooner
    reached then."""
    keys = list(map(str, listings))
    try:
        if keys:
            _redis().hdel(TOTALS, *keys)
    except redis.RedisError as error:
        log.warning("views are not forgotten now: %s", error)


def forget() -> None:
    """Another Redis, in the same process."""
    global _client
    _client = None


def _redis() -> redis.Redis:
    global _client
    with _once:
        if _client is None:
            _client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)
        return _client
