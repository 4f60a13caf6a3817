"""What the review queue costs as it grows: its first page, a page in its middle by place (keyset) and by number
(OFFSET) side by side, the next case for a moderator, the counts, and the look-alikes of a case's six photos by one pass
over the hashes and photo by photo side by side. With the database's plans."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from listings import photo_bank
from listings.look_alikes import NEAR_IDENTICAL
from listings.models import Photo, ReviewJob
from listings.moderation import claims, queue
from listings.moderation.queue import EVERYTHING, Filters
from recommendations import scratch
from tests.conftest import person

SIZES = (1_000, 10_000, 100_000)
TIMES = 20
FILL = """
WITH made AS (
  INSERT INTO listings_listing (public_id, seller_id, title, description, category, attributes, price, currency,
    condition, status, status_note, revision, edits, fingerprint, lot, created_at, updated_at)
  SELECT lpad(n::text, 10, '0'), %(seller)s, 'Listing ' || n, 'Words of listing ' || n, 'kitchen', '{}', 5, 'EUR',
    'good', 'in_review', '', 1, 1, '', '', now(), now()
  FROM generate_series(1, %(number)s) n RETURNING id
)
INSERT INTO listings_reviewjob (listing_id, revision, kind, state, status_before, cause, policy, risk, rank_at,
  escalated, created_at)
SELECT id, 1, 'check', 'open', 'checking', 'The check was not sure.',
  (ARRAY['weapons', 'drugs', 'counterfeit', ''])[1 + id %% 4], random(), now() - random() * interval '10 days', false,
  now() - random() * interval '10 days'
FROM made
"""
PHOTOS = """
INSERT INTO listings_photo (owner_id, listing_id, position, file, thumb, width, height, sha256, colour, renditions, alt,
  phash, listed_at, created_at)
SELECT seller_id, id, 0, '', '', 800, 600, '', '', '[]', '',
  (SELECT string_agg((random() > 0.5)::int::text, '') FROM generate_series(1, 256) WHERE id > 0)::bit(256), now(), now()
FROM listings_listing
"""
OF_A_CASE = 6  # photos


def run(say: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number in SIZES:
        say(f"A queue of {number:,} …")
        with scratch.catalogue():
            found[str(number)] = _of(number)
    return found


def _of(number: int) -> dict[str, Any]:
    moderator = person("mona", "moderator")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"seller": person("alice", "merchant").pk, "number": number})
        cursor.execute(PHOTOS)
        cursor.execute("ANALYZE")
    hashes = list(Photo.objects.order_by("pk").values_list("phash", flat=True)[:OF_A_CASE])
    middle = queue.open_jobs()[number // 2]
    place = f"{middle.rank_at.isoformat()}_{middle.pk}"
    by_place = queue.open_jobs().filter(rank_at__gte=middle.rank_at)
    asked: dict[str, Callable[[], object]] = {
        "first page": lambda: queue.page(EVERYTHING),
        "middle, by place": lambda: queue.page(EVERYTHING, place),
        "middle, by number": lambda: list(queue.open_jobs()[number // 2 : number // 2 + queue.PAGE]),
        "of one policy": lambda: queue.page(Filters(policy="weapons")),
        "next case": lambda: _next(moderator),
        "counts": queue.tally,
        "look-alikes, one pass": lambda: photo_bank.alike(Photo.objects.all(), hashes, NEAR_IDENTICAL),
        "look-alikes, each": lambda: [list(_near(bits)) for bits in hashes],
    }
    times: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(TIMES):
        for name in random.sample(list(asked), len(asked)):  # in turns: the machine's moods fall on all alike
            begun = time.perf_counter()
            asked[name]()
            times[name].append(1_000 * (time.perf_counter() - begun))
    free = queue.for_moderator(moderator).select_for_update(skip_locked=True, of=("self",))
    return {
        "ms": {name: round(statistics.median(values), 2) for name, values in times.items()},
        "plans": {
            "middle, by place": by_place[: queue.PAGE].explain(),
            "next case": _plan(lambda: free[:1].explain()),
            "counts": queue.tally_rows().explain(),
        },
    }


def _next(moderator: Any) -> None:
    job = claims.take_next(moderator)
    assert job is not None
    ReviewJob.objects.filter(pk=job.pk).update(claimed_by=None, claimed_until=timezone.now() - timedelta(seconds=1))


def _near(bits: str) -> Any:
    return photo_bank.near_to(Photo.objects.filter(phash__isnull=False), bits, NEAR_IDENTICAL).values_list(
        "pk", "distance"
    )


def _plan(explain: Callable[[], str]) -> str:
    """Rows can be locked within a transaction only."""
    with transaction.atomic():
        return explain()


def table(found: dict[str, Any]) -> str:
    names = list(next(iter(found.values()))["ms"])
    lines = ["", "The review queue, ms (median)", f"  {'':<22}" + "".join(f"{int(size):>12,}" for size in found)]
    lines += [f"  {name:<22}" + "".join(f"{of['ms'][name]:>12.2f}" for of in found.values()) for name in names]
    largest = found[max(found, key=int)]
    for name, plan in largest["plans"].items():
        lines += ["", f"  Plan, {name}", *(f"    {line}" for line in plan.splitlines())]
    return "\n".join(lines)
