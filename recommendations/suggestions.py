"""What somebody may be about to type: from words, neighbours, categories, shops and titles of what is on sale.

Nobody's searches are used, so nothing that one person typed can be shown to another.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery
from django.urls import reverse

from listings import categories
from listings.models import Listing
from listings.queries import CONFIG
from listings.trust import exposure

from . import shops, spelling, vocabulary
from .vocabulary import Vocabulary
from .words import JOINING, UNITS, folded, is_number, spellings, words

WORDS, CATEGORIES, SHOPS, LISTINGS = 5, 2, 1, 3  # at most so many of a kind
SHORTEST = 2  # letters
SHORTEST_TITLE = 3  # letters of a word that titles are looked up by
TITLES = 100  # that words are taken from
SCANNED = 3_000  # completions that are looked at
NO_END = JOINING | set(UNITS.values()) | {"in", "into", "de", "x"}  # nobody searches for "lamp with"


@dataclass(frozen=True)
class Suggestion:
    kind: str  # words, category, shop or listing
    text: str
    url: str


def suggest(typed: str) -> list[Suggestion]:
    """The best first, kind by kind. Nothing for less than two letters."""
    found = words(typed)
    if len("".join(found)) < SHORTEST:
        return []
    known = vocabulary.current()
    is_whole = not typed[-1].isalnum()  # the last word has been ended
    titles = _titles(found, is_whole)
    texts = completions(found, is_whole, [title for title, _, _ in titles], known)
    if not texts:
        text = folded(spelling.corrected(typed.strip(), known))
        texts = [text] if text != folded(typed.strip()) else []
    exposure.shown(pk for _, _, pk in titles[:LISTINGS])
    return [
        *(Suggestion("words", text, f"{reverse('browse')}?{urlencode({'q': text})}") for text in texts),
        *_categories(found),
        *_shops(typed),
        *(Suggestion("listing", title, reverse("item", args=[name])) for title, name, _ in titles[:LISTINGS]),
    ]


def completions(found: list[str], is_whole: bool, titles: list[str], known: Vocabulary) -> list[str]:
    """Whole queries that begin with the words found. titles: some that have these words."""
    last, before = found[-1], found[:-1]
    options: dict[str, float] = {}

    def add(end: str, worth: float) -> None:
        if end.split()[-1] not in NO_END and not (is_number(end) and not before) and end != last:
            text = " ".join([*before, end])
            options[text] = max(options.get(text, 0), worth)

    if before and not is_whole:  # a word that stands in one title with those before it, so that something is found
        for word, number in Counter(word for title in titles for word in set(words(title))).items():
            if word.startswith(last) and word not in before:
                add(word, number + 10 * known.pairs.get(f"{before[-1]} {word}", 0))
    elif not is_whole:
        for word in _beginning(known.sorted_words, last):
            add(word, known.words[word])
    if is_whole or last in known.words:
        for pair in _beginning(known.sorted_pairs, f"{last} "):
            add(pair, known.pairs[pair])
    return heapq.nlargest(WORDS, options, key=lambda text: (options[text], text))


def _beginning(ordered: list[str], prefix: str) -> Iterator[str]:
    at = bisect_left(ordered, prefix)
    for entry in islice(ordered, at, at + SCANNED):
        if not entry.startswith(prefix):
            return
        yield entry


def _categories(found: list[str]) -> list[Suggestion]:
    begun = " ".join(found)
    fitting = [
        category
        for category in categories.all()
        if any(folded(name).startswith(begun) for name in (category.name, *category.name.split()))
    ]
    return [Suggestion("category", each.name, reverse("category", args=[each.id])) for each in fitting[:CATEGORIES]]


def _shops(typed: str) -> list[Suggestion]:
    found = shops.named(typed)[:SHOPS]
    return [Suggestion("shop", each.display_name, reverse("seller", args=[each.username])) for each in found]


def _titles(found: list[str], is_whole: bool) -> list[tuple[str, str, int]]:
    """(title, public id, key) of listings whose title has all the words, the last perhaps only begun; the newest."""
    if max(map(len, found)) < SHORTEST_TITLE:
        return []
    weights = ["A"] * (len(found) - 1) + ["A" if is_whole else "*A"]
    terms = [
        "(" + " | ".join(f"'{each}':{weight}" for each in spellings(word)) + ")"
        for word, weight in zip(found, weights, strict=True)
    ]
    query = SearchQuery(" & ".join(terms), config=CONFIG, search_type="raw")
    rows = Listing.objects.published().filter(search=query).order_by("-published_at", "-pk")
    return list(rows.values_list("title", "public_id", "pk")[:TITLES])
