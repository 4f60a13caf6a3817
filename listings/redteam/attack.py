"""A greedy search with restarts for words that the public model lets through.

White box: the attacker has the file that every browser gets, so the model tells which words it holds against the text,
and that is where the search edits first. One run of the model is one attempt.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from listings.redteam import edits
from listings.redteam.edits import Draft, Place
from models import contract

PASS = "pass"  # noqa: S105
WORDS = 6  # how many of the heaviest words are edited in a round
PATIENCE = 12  # attempts without progress, after which the search starts elsewhere
KICKS = (2, 3, 4)  # random edits at once, with which a restart begins
LEARNING = 0.3  # how fast a listing's own experience replaces EXPECTED
DEAD_ENDS = 200  # restarts in a row that bring no new text: there is nothing left to try
# Fall of the log-odds of unsafe that an attacker expects of an edit before the first one is tried: the mean over the
# validation listings, each edit once on the heaviest word, as measured on the first published model and rounded.
EXPECTED = dict.fromkeys((*edits.WORD_EDITS, *edits.LISTING_EDITS), 0.1) | {
    "bundled": 8.0,
    "padded_before": 4.0,
    "padded_after": 4.0,
    "padded_between": 4.0,
    "pictured": 3.0,
    "benign_title": 3.0,
    "dropped": 2.5,
    "synonym": 2.5,
    "homoglyph": 2.0,
    "starred": 2.0,
    "split": 1.5,
    "doubled": 1.0,
    "leet": 1.0,
    "dotted": 0.5,
    "invisible": 0.3,
}

Score = Callable[[list[tuple[str, str]]], Mapping[str, Any]]


class Step(NamedTuple):
    attempt: int
    unsafe: float
    decision: str
    title: str
    description: str


class Option(NamedTuple):
    """An edit that has not been tried yet on this draft. weight: share of the heaviest word, 1 for a whole listing."""

    edit: str
    place: Place | None
    weight: float


@dataclass(frozen=True)
class Found:
    """A draft and what the model says of it."""

    draft: Draft
    verdict: Mapping[str, Any]

    @property
    def passes(self) -> bool:
        return bool(self.verdict["decision"] == PASS)

    @cached_property
    def unsafe(self) -> float:
        return contract.unsafe_score(self.verdict["scores"])

    @cached_property
    def rank(self) -> tuple[bool, float, float]:
        """Lower is better for the attacker. Evidence decides where the score is the same: near 1 it is rounded."""
        return not self.passes, self.unsafe, sum(span["weight"] for span in self.verdict["evidence"])

    @property
    def log_odds(self) -> float:
        unsafe = min(max(self.unsafe, 1e-6), 1 - 1e-6)
        return math.log(unsafe / (1 - unsafe))


@dataclass
class Attack:
    """trajectory: every draft that was better than all before it. passed: the first that the model lets through."""

    trajectory: list[Step] = field(default_factory=list)
    attempts: int = 0
    passed: Draft | None = None


@dataclass
class Search:
    """Where the search stands. expected: fall of the log-odds that each edit has brought on this listing so far."""

    start: Found
    best: Found
    current: Found
    options: list[Option]
    tried: set[tuple[str, str]]
    expected: dict[str, float] = field(default_factory=EXPECTED.copy)
    misses: int = 0
    dead_ends: int = 0

    @property
    def is_stuck(self) -> bool:
        return self.misses >= PATIENCE or not self.options


def attack(listing: Draft, score: Score, budget: int, rng: random.Random) -> Attack:
    """Rewrite `listing` until `score` says pass, at most `budget` times; the first attempt is the text as it is.

    What is tried does not depend on the budget, so a larger one continues a smaller one. The unsafe score never rises
    along the trajectory, but for a last step that passes: a text of unknown words is unsure at any score, and harmless
    words added to it may cost a little.
    """
    result = Attack()
    first = _judged(listing, score, result)
    first = Found(edits.named(listing, [place for place, _ in _heaviest(first)]), first.verdict)
    search = Search(first, first, first, _options(first), {(listing.title, listing.description)})
    _note(result, first)
    while not search.best.passes and result.attempts < budget and search.dead_ends < DEAD_ENDS:
        edit, draft = _next(search, rng)
        if draft is None or (draft.title, draft.description) in search.tried:
            search.dead_ends += edit is None
            continue
        search.tried.add((draft.title, draft.description))
        found = _judged(draft, score, result)
        _step(search, edit, found)
        if found.rank < search.best.rank:
            search.best = found
            _note(result, found)
    result.passed = search.best.draft if search.best.passes else None
    return result


def _next(search: Search, rng: random.Random) -> tuple[str | None, Draft | None]:
    """The most promising edit and what it makes of the current draft; no edit and a random draft when stuck."""
    if search.is_stuck:
        return None, _kicked(rng.choice((search.start, search.best)).draft, rng)
    option = max(search.options, key=lambda o: search.expected[o.edit] * o.weight)
    search.options.remove(option)
    return option.edit, edits.proposed(option.edit, search.current.draft, option.place, rng)


def _step(search: Search, edit: str | None, found: Found) -> None:
    """Learn from the attempt, and go on from it if it is better, or if the search starts again with it."""
    search.misses, search.dead_ends = search.misses + 1, 0
    if edit is not None:
        gain = max(0.0, search.current.log_odds - found.log_odds)
        search.expected[edit] += LEARNING * (gain - search.expected[edit])
    if edit is None or found.rank < search.current.rank:
        search.current, search.options, search.misses = found, _options(found), 0


def _judged(draft: Draft, score: Score, result: Attack) -> Found:
    result.attempts += 1
    return Found(draft, score(draft.fields()))


def _note(result: Attack, found: Found) -> None:
    draft = found.draft
    step = Step(result.attempts, found.unsafe, found.verdict["decision"], draft.title, draft.description)
    result.trajectory.append(step)


def _heaviest(found: Found) -> list[tuple[Place, float]]:
    """Words that the model holds against the draft, the heaviest first, with their weight."""
    weighed = sorted(found.verdict["evidence"], key=lambda span: -span["weight"])
    places = [(edits.place_of(found.draft, span), span["weight"]) for span in weighed]
    return [(place, weight) for place, weight in places if place is not None]


def _options(found: Found) -> list[Option]:
    """What may be done to the heaviest words (or, where the model names none, to the names) and to the whole."""
    weighed = _heaviest(found)[:WORDS] or [(place, 1.0) for place in edits.name_places(found.draft)[:WORDS]]
    top = weighed[0][1] if weighed else 1.0
    words = [Option(edit, place, weight / top) for place, weight in weighed for edit in edits.WORD_EDITS]
    return words + [Option(edit, None, 1.0) for edit in edits.LISTING_EDITS]


def _kicked(draft: Draft, rng: random.Random) -> Draft:
    """A few random edits, one after the other; those that do not apply are passed over."""
    for _ in range(rng.choice(KICKS)):
        places = edits.name_places(draft)
        edit = rng.choice([*edits.WORD_EDITS, *edits.LISTING_EDITS])
        if edit in edits.LISTING_EDITS:
            draft = edits.proposed(edit, draft, None, rng) or draft
        elif places:
            draft = edits.proposed(edit, draft, rng.choice(places), rng) or draft
    return draft
