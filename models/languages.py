"""Small words of other languages in Latin letters: what tells that a text is not in the models' own, English."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("languages.toml")
# Letters that each small word but the first adds to those nobody can read: one may stand in a name, three do not.
WEIGHT = 40


@cache
def small_words() -> frozenset[str]:
    """All of them, folded to ASCII."""
    book: dict[str, str] = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return frozenset(word for words in book.values() for word in words.split())


def readable(share: float, letters: int, small: int) -> float:
    """A text's coverage, from the share of its letters that a model knows, where `small` words are of other languages;
    the graph of listing-text says the same."""
    return share * letters / (letters + WEIGHT * max(0, small - 1)) if letters else share
