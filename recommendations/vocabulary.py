"""The words of the catalogue: in how many titles on sale each word, stem and pair of neighbours stands.

Ranking takes its statistics from here, spelling and suggestions their words. A task makes it anew when listings changed
(`refresh`); every process keeps the newest in memory (`current`). An empty one is no error: words that nobody counted
are rare ones then, and nothing is corrected or suggested.
"""

from __future__ import annotations

import json
import math
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max
from django.utils import timezone

from listings.models import Listing

from .models import CatalogueWords
from .words import stem, words

WORDS_KEPT = 300_000  # the most frequent ones; a million listings have about as many
PAIRS_KEPT = 200_000
PAIR_LISTINGS = 2  # a pair in one title alone says nothing
WORD_CHARS = 40
READING = 2  # one more whenever words.py reads titles in another way: they are counted anew then
CHECK_SECONDS = 10.0  # how often a process asks whether there is a newer one
REST_FACTOR = 20  # making it may take a twentieth of a worker's time


@dataclass(frozen=True)
class Vocabulary:
    """words, stems, pairs: how many titles on sale hold them."""

    listings: int = 0
    average_words: float = 8.0
    words: dict[str, int] = field(default_factory=dict)
    stems: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, int] = field(default_factory=dict)

    def idf(self, *stems: str) -> float:
        """How rare a stem is, or several that mean one thing: BM25's weight, never below 0."""
        found = sum(self.stems.get(stem, 0) for stem in stems)
        return math.log(1 + (max(self.listings, found) - found + 0.5) / (found + 0.5))

    def knows(self, word: str) -> bool:
        return word in self.words or stem(word) in self.stems

    @cached_property
    def sorted_words(self) -> list[str]:
        return sorted(word for word in self.words if not word[0].isdigit() and len(word) > 2)

    @cached_property
    def sorted_pairs(self) -> list[str]:
        return sorted(self.pairs)

    @cached_property
    def by_length(self) -> dict[int, list[str]]:
        """Words of letters alone, by how many they have."""
        found: dict[int, list[str]] = {}
        for word in self.sorted_words:
            found.setdefault(len(word), []).append(word)
        return found


EMPTY = Vocabulary()


def count(titles: Iterable[str]) -> Vocabulary:
    totals: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
    listings = length = 0
    for title in titles:
        found = [word for word in words(title) if len(word) <= WORD_CHARS]
        listings += 1
        length += len(found)
        totals[0].update(set(found))
        totals[1].update({stem(word) for word in found})
        totals[2].update({f"{one} {two}" for one, two in pairwise(found)})
    return Vocabulary(
        listings,
        length / listings if listings else EMPTY.average_words,
        dict(totals[0].most_common(WORDS_KEPT)),
        dict(totals[1].most_common(WORDS_KEPT)),
        {pair: number for pair, number in totals[2].most_common(PAIRS_KEPT) if number >= PAIR_LISTINGS},
    )


def state() -> str:
    """Changes whenever a listing comes, goes or is edited, or is read in another way."""
    found = Listing.objects.published().aggregate(number=Count("pk"), last=Max("updated_at"))
    return f"{READING} {found['number']} {found['last'].isoformat() if found['last'] else ''}"


def refresh(force: bool = False) -> bool:
    """Count again if the catalogue changed, and not too often for its size. True if it was counted."""
    now = state()
    kept = CatalogueWords.objects.filter(pk=1).values("of_change", "built_at", "listings").first()
    if kept and not force:
        seconds = kept["listings"] * 20e-6 * REST_FACTOR
        if kept["of_change"] == now or (timezone.now() - kept["built_at"]).total_seconds() < seconds:
            return False
    titles = Listing.objects.published().order_by("pk").values_list("title", flat=True)
    found = count(titles.iterator(chunk_size=5_000))
    packed = zlib.compress(
        json.dumps({"words": found.words, "stems": found.stems, "pairs": found.pairs}, ensure_ascii=False).encode(), 6
    )
    with transaction.atomic():
        CatalogueWords.objects.update_or_create(
            pk=1,
            defaults={
                "built_at": timezone.now(),
                "of_change": now,
                "listings": found.listings,
                "average_words": found.average_words,
                "counts": packed,
            },
        )
    _kept.forget()
    return True


class _Kept:
    """The vocabulary in this process's memory, with the database it is of."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.database: str | None = None
        self.built_at: datetime | None = None
        self.asked_at = 0.0
        self.vocabulary = EMPTY

    def current(self) -> Vocabulary:
        with self.lock:
            database = str(connection.settings_dict["NAME"])
            if self.database != database:
                self.forget()
            if self.database and time.monotonic() - self.asked_at < CHECK_SECONDS:
                return self.vocabulary
            row = CatalogueWords.objects.filter(pk=1).values_list("built_at", flat=True).first()
            if row is None:
                self.vocabulary = EMPTY
            elif row != self.built_at or self.database is None:
                self.vocabulary = _load()
            self.database, self.built_at, self.asked_at = database, row, time.monotonic()
            return self.vocabulary


def _load() -> Vocabulary:
    row = CatalogueWords.objects.get(pk=1)
    counts: dict[str, Any] = json.loads(zlib.decompress(bytes(row.counts)))
    return Vocabulary(row.listings, row.average_words, counts["words"], counts["stems"], counts["pairs"])


_kept = _Kept()


def current() -> Vocabulary:
    """The newest vocabulary, at most some seconds late."""
    return _kept.current()


def forget() -> None:
    """The next `current` reads from the database."""
    _kept.forget()
