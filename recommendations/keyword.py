"""Which listings hold the words of a query, and how well each matches.

PostgreSQL finds the candidates: listings with any of the words, those with the rarest words first. BM25 and the rest of
what `search` weighs are worked out here, over the candidates' titles, with the catalogue's own statistics.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from django.contrib.postgres.search import SearchQuery
from django.db.models import Case, FloatField, Q, Value, When
from django.db.models.expressions import Combinable

from listings.models import ListingQuerySet
from listings.queries import CONFIG

from .vocabulary import Vocabulary
from .words import CHARS, JOINING, Other, Phrase, apart_from, is_number, others, spellings, stem, words

WORDS_READ = 24  # of a query, each once
LIMIT = 300  # candidates
# Rows that are looked at for a query before its commonest words only count and no longer find: what has only "white" of
# "white corner shelf" would come last anyway.
ROWS = 6_000
IN_DESCRIPTION = 0.4  # what a word in the description is worth to one in the title, when candidates are chosen
K1, B = 1.2, 0.75
JOINED = 0.5  # what a word that only joins others counts
FOR = re.compile(r"\s(?:for|fits|compatible)\s")
TAIL = re.compile(r"\s(?:in|with|for|by|from)\s|\s[-–]\s|[,(]")  # what comes after it is no longer the thing itself
FEATURES = (
    "bm25",  # of the title, as a share of what a title of average length with every word once or more could have
    "coverage",  # share of the query's words, by rarity, that the title has
    "described",  # the same for those that only the description has
    "numbers",  # share of the query's numbers that the title has; one half if the query has none
    "no_number",  # it has numbers, and the title none of them
    "grams",  # share of the query's letter triples that the title has: other endings, joined words, slips
    "pairs",  # share of neighbours in the query that are neighbours in the title
    "head",  # both are about the same thing: "drill bits" and "Steel drill bits, 13 pieces"
    "first",  # the query's first word, often a brand
    "aside",  # the title says words of the query only after "for": "Battery for Lenovo laptop" is no laptop
    "title_share",  # share of the title's words, by rarity, that the query asks for
)


@dataclass(frozen=True)
class Asked:
    """A query as read. stems: each once, as they stand; weights: float64 [n], how rare each is; lexemes: for the
    database, each word once; others: {stem: in which other words the same may be said}."""

    text: str
    stems: tuple[str, ...]
    sequence: tuple[str, ...]
    weights: np.ndarray
    lexemes: tuple[str, ...]
    others: dict[str, tuple[Other, ...]]


def ask(text: str, vocabulary: Vocabulary) -> Asked:
    found = words(text[:CHARS])[:WORDS_READ]
    sequence = tuple(stem(word) for word in found)
    stems = tuple(dict.fromkeys(sequence))
    also = others(sequence)
    rarities = [vocabulary.idf(each, *_words(also.get(each, ()))) for each in stems]
    weights = np.array([rarities[at] * (JOINED if each in JOINING else 1) for at, each in enumerate(stems)])
    by_stem = {stem(word): word for word in reversed(found)}
    return Asked(text, stems, sequence, weights, tuple(by_stem[each] for each in stems), also)


def _words(also: tuple[Other, ...]) -> list[str]:
    """Those that are one word."""
    return [other.phrase[0] for other in also if len(other.phrase) == 1]


def _has(lexeme: str, weight: str = "") -> SearchQuery:
    return SearchQuery(_spelled(lexeme, weight), config=CONFIG, search_type="raw")


def _spelled(lexeme: str, weight: str = "") -> str:
    """In any of its spellings. Lexemes are letters or digits with . or / between: nothing in them ends the quotes."""
    return "(" + " | ".join(f"'{each}'{weight}" for each in spellings(lexeme)) + ")"


def _says(phrases: list[Phrase], weight: str = "") -> SearchQuery:
    """Any of the phrases."""
    either = []
    for phrase in phrases:
        here = " <-> ".join(_spelled(each, weight) for each in phrase)
        not_in = [" <-> ".join(map(_spelled, other)) for other in apart_from(phrase[0]) if len(phrase) == 1]
        either.append("(" + " & ".join([here, *(f"!({each})" for each in not_in)]) + ")")
    return SearchQuery(" | ".join(either), config=CONFIG, search_type="raw")


def _finds(asked: Asked, lexeme: str) -> SearchQuery:
    """By the word itself or what may stand for it."""
    also = asked.others.get(stem(lexeme), ())
    return _has(lexeme) | _says([other.phrase for other in also]) if also else _has(lexeme)


def matched(asked: Asked) -> Combinable:
    """An SQL expression: the weights of the words that a listing has, in the title or only in the description."""
    found: Any = Value(0.0, output_field=FloatField())
    for lexeme, weight in zip(asked.lexemes, asked.weights, strict=True):
        worths = _by_worth(asked.others.get(stem(lexeme), ()))
        whens = []
        for label, share in ((":A", 1.0), (":B", IN_DESCRIPTION)):
            own = When(Q(search=_has(lexeme, label)), then=Value(share * float(weight)))
            said = [
                When(Q(search=_says(phrases, label)), then=Value(share * worth * float(weight)))
                for worth, phrases in worths
            ]
            whens += [own, *said]
        found = found + Case(*whens, default=Value(0.0), output_field=FloatField())
    return found


def _by_worth(also: tuple[Other, ...]) -> list[tuple[float, list[Phrase]]]:
    worths = dict.fromkeys(other.worth for other in also)
    return [(worth, [other.phrase for other in also if other.worth == worth]) for worth in worths]


def candidates(rows: ListingQuerySet, asked: Asked, vocabulary: Vocabulary, limit: int = LIMIT) -> ListingQuerySet:
    """Those of `rows` that have any of the words, with `matched`, the best first."""
    weighed = rows.annotate(matched=matched(asked))
    finding = _finding(asked, vocabulary)
    if not finding:
        return weighed.none()
    query = _finds(asked, finding[0])
    for lexeme in finding[1:]:
        query = query | _finds(asked, lexeme)
    return weighed.filter(search=query).order_by("-matched", "-published_at", "-pk")[:limit]


def _finding(asked: Asked, vocabulary: Vocabulary) -> list[str]:
    """The words that find: from the rarest on, until they find enough."""
    counted = sorted(
        (sum(vocabulary.stems.get(word, 0) for word in (each, *_words(asked.others.get(each, ())))), at)
        for at, each in enumerate(asked.stems)
    )
    finding: list[str] = []
    total = 0
    for number, at in counted:
        if finding and total and total + number > ROWS:
            break
        finding.append(asked.lexemes[at])
        total += number
    return finding


# --- How well a title matches ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Title:
    """positions: where each stem stands; grams: letter triples of its stems; head: the stem of what it is about;
    aside: stems that stand only after a "for"."""

    stems: tuple[str, ...]
    positions: dict[str, list[int]]
    grams: frozenset[str]
    head: str
    aside: frozenset[str]


@lru_cache(maxsize=8_192)
def read(title: str) -> Title:
    stems = tuple(stem(word) for word in words(title))
    positions: dict[str, list[int]] = {}
    for at, each in enumerate(stems):
        positions.setdefault(each, []).append(at)
    return Title(stems, positions, grams(stems), head(title), aside(title))


def grams(stems: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f" {each} "[at : at + 3] for each in stems for at in range(len(each)))


def head(text: str) -> str:
    """The last word of what is named before any "with", "for", comma or bracket; "" without words."""
    found = [word for word in words(TAIL.split(text, maxsplit=1)[0]) if not is_number(word)]
    return stem(found[-1]) if found else ""


def aside(text: str) -> frozenset[str]:
    before, *after = FOR.split(text.lower())
    named = {stem(word) for word in words(before)}
    return frozenset(stem(word) for part in after for word in words(part)) - named


def features(asked: Asked, titles: list[str], found: list[float], vocabulary: Vocabulary) -> np.ndarray:
    """float32 [titles, FEATURES]. `found`: what the database gave as `matched`."""
    total = float(asked.weights.sum()) or 1.0
    about, meant = head(asked.text), aside(asked.text)
    triples = grams(asked.stems)
    numbers = [each for each in asked.stems if is_number(each)]
    weight = dict(zip(asked.stems, asked.weights.tolist(), strict=True))
    pairs = [(one, two, min(weight[one], weight[two])) for one, two in pairwise(asked.sequence)]
    pair_total = sum(each for *_, each in pairs) or 1.0
    values = np.zeros((len(titles), len(FEATURES)), np.float32)
    for row, (text, in_all) in enumerate(zip(titles, found, strict=True)):
        title = read(text)
        has, worth = _said(title, asked)
        length = K1 * (1 - B + B * len(title.stems) / vocabulary.average_words)
        bm25 = covered = 0.0
        for each, value in weight.items():
            if each in has:
                value *= worth.get(each, 1.0)
                covered += value
                times = len(has[each])
                bm25 += value * times * (K1 + 1) / (times + length)
        own = sum(vocabulary.idf(each) for each in title.stems) or 1.0
        numbers_had = sum(each in has for each in numbers)
        together = sum(value for one, two, value in pairs if one in has and two in has and _adjacent(has, one, two))
        had = title.grams.union(*(grams((each,)) for each in worth)) if worth else title.grams
        values[row] = (
            bm25 / ((K1 + 1) * total),
            covered / total,
            max(0.0, (in_all - covered) / IN_DESCRIPTION) / total,
            numbers_had / len(numbers) if numbers else 0.5,
            bool(numbers) and not numbers_had,
            len(triples & had) / (len(triples) or 1),
            together / pair_total,
            about != "" and (about == title.head or (about in worth and _is_about(title, asked.others[about]))),
            worth.get(asked.stems[0], 1.0) if asked.stems and asked.stems[0] in has else 0.0,
            sum(value for each, value in weight.items() if each in title.aside and each not in meant) / total,
            covered / own,
        )
    return values


def _said(title: Title, asked: Asked) -> tuple[dict[str, list[int]], dict[str, float]]:
    """Where the title says each stem of the query, by itself or in other words; and what the latter are worth."""
    missing = [each for each in asked.others if each not in title.positions]
    if not missing:
        return title.positions, {}
    has, worth = dict(title.positions), {}
    for each in missing:
        for phrase, worth_of in asked.others[each]:
            if at := _places(title, phrase):
                has[each], worth[each] = at, worth_of
                break
    return has, worth


def _places(title: Title, phrase: Phrase) -> list[int]:
    """Where the phrase ends in the title, but for where it means another thing."""
    last = len(phrase) - 1
    starts = [at for at in title.positions.get(phrase[0], ()) if title.stems[at : at + last + 1] == phrase]
    if len(phrase) == 1:
        starts = [at for at in starts if not any(_stands(title, at, other) for other in apart_from(phrase[0]))]
    return [at + last for at in starts]


def _stands(title: Title, at: int, phrase: Phrase) -> bool:
    """The place is within the phrase."""
    begin = at - phrase.index(title.stems[at])
    return begin >= 0 and title.stems[begin : begin + len(phrase)] == phrase


def _is_about(title: Title, also: tuple[Other, ...]) -> bool:
    return any(other.phrase[-1] == title.head and _places(title, other.phrase) for other in also)


def _adjacent(positions: dict[str, list[int]], one: str, two: str) -> bool:
    """Also in one place: "vacuum cleaner" of a title that says "hoover"."""
    return one != two and any(at + 1 in positions[two] or at in positions[two] for at in positions[one])
