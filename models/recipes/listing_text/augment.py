"""Noise that sellers add to text: what hides a word, and what is only style."""

from __future__ import annotations

import random
from typing import Protocol

LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8"}
# Cyrillic and Greek letters that look like Latin ones.
LOOK_ALIKES = {"a": "а", "c": "с", "e": "е", "i": "і", "o": "оο", "p": "р", "x": "х", "y": "у", "s": "ѕ"}
ZERO_WIDTH = "\u200b\u200c\u2060\u00ad"


class Host(Protocol):
    """A harmless listing."""

    @property
    def title(self) -> str: ...

    @property
    def description(self) -> str: ...


def obfuscated(text: str, rng: random.Random) -> str:
    """Some words disguised, each in one way, as people do to get past a filter."""
    return " ".join(disguised(word, rng) if len(word) > 3 and rng.random() < 0.45 else word for word in text.split(" "))


def disguised(word: str, rng: random.Random) -> str:
    return rng.choice((leet, spaced, dotted, look_alike, zero_width, starred, doubled, split))(word, rng)


def leet(word: str, rng: random.Random) -> str:
    return "".join(rng.choice(LEET[c]) if c in LEET and rng.random() < 0.6 else c for c in word.lower())


def spaced(word: str, rng: random.Random) -> str:
    return " ".join(word) if word.isalpha() else word


def dotted(word: str, rng: random.Random) -> str:
    return rng.choice(".-_*").join(word) if word.isalpha() else word


def look_alike(word: str, rng: random.Random) -> str:
    return "".join(rng.choice(LOOK_ALIKES[c]) if c in LOOK_ALIKES and rng.random() < 0.5 else c for c in word)


def zero_width(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + rng.choice(ZERO_WIDTH) + word[at:]


def starred(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + "*" + word[at + 1 :]


def doubled(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at - 1] * rng.randint(1, 3) + word[at:]


def split(word: str, rng: random.Random) -> str:
    at = rng.randrange(2, len(word) - 1)
    return word[:at] + rng.choice((" ", ".", "-", "_")) + word[at:]


def hosted(title: str, tail: str, host: Host, rng: random.Random) -> tuple[str, str]:
    """The thing somewhere inside another, harmless listing, as when one forbidden thing hides among many others."""
    words = host.description.split(" ")[: rng.randint(5, 60)]
    at = rng.randrange(len(words) + 1)
    return host.title, " ".join([*words[:at], f"{title}.", tail, *words[at:]])


LOTS = (
    "Job lot", "Mixed lot, see list", "Bundle, sold together", "Clearing out the garage", "Several things from a move",
    "Lot from an estate", "Box of odds and ends", "All of this for one price", "Bundle deal", "Things we do not need",
    "Cellar clear out", "Assorted items", "Collection of bits and pieces", "Everything on the list", "Spring clean",
    "From storage unit", "Lot of {n}", "{n} items, one price", "Bundle of {n} things", "Take all {n}",
)  # fmt: skip
OPENINGS = ("", "Contents: ", "You get ", "In the lot: ", "Includes ", "There is ", "List: ", "We have ", "Comes with ")
BREAKS = (", ", "; ", " / ", " + ", "\n- ", ". ", " and ", " | ")


def bundled(title: str, tail: str, others: list[str], rng: random.Random) -> tuple[str, str]:
    """The thing as one of a lot, between other things."""
    at = rng.randrange(len(others) + 1)
    things = rng.choice(BREAKS).join([*others[:at], title, *others[at:]])
    name = rng.choice(LOTS).format(n=len(others) + 1) if rng.random() < 0.8 else others[0]
    return name, f"{rng.choice(OPENINGS)}{things}. {tail}".strip()


def restyled(text: str, rng: random.Random) -> str:
    """Case, punctuation and emphasis at random, so that they tell nothing about the source."""
    choice = rng.random()
    if choice < 0.15:
        text = text.upper()
    elif choice < 0.5:
        text = text.lower()
    elif choice < 0.6:
        text = text.title()
    return text
