"""Words of other languages in Latin letters: what tells that a text is not in the models' own, English."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("languages.toml")
FREE = 2  # so many different ones may stand in names: La Vie est Belle, Oscar de la Renta
WEIGHT = 100  # letters that each further one adds to those nobody can read


@cache
def words() -> frozenset[str]:
    """All of them, as the folding graph spells them."""
    book: dict[str, str] = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return frozenset(word for line in book.values() for word in line.split())


def readable(share: float, read: Collection[str]) -> float:
    """A text's coverage: the share of its letters that a model knows, less with more than FREE different words of
    other languages among its words `read`. The graph of listing-text says the same."""
    letters = sum(map(len, read))
    many = max(0, len(words() & set(read)) - FREE)
    return share * letters / (letters + WEIGHT * many) if letters else share
