"""The texts that listing-text is distilled on, and what its teacher says of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.contract import pack
from models.recipes.listing_text import corpus, student
from models.recipes.listing_text.mixture import Mixture
from models.steps.data import read_dicts

# What people sell and look for, by file the column to read; only the teacher says what it is.
UNLABELLED = dict.fromkeys(corpus.HARMLESS.values(), "title") | {
    Path("texts/webshop_needs.csv"): "need",
    Path("texts/webshop_need_query.csv"): "need",
}


@dataclass
class Pool:
    """texts: features of each. label int64 [n], -1 where nobody has said. teacher float32 [n, P] probabilities, or None
    without a teacher."""

    texts: student.Texts
    label: NDArray[np.int64]
    teacher: NDArray[np.float32] | None


def draw(
    mixture: Mixture, data: Path, labels: list[str], options: dict[str, Any], seed: int
) -> tuple[list[tuple[str, str]], NDArray[np.int64]]:
    """(title, description) and label of `options["texts"]` texts. A share is without a label: product titles and needs,
    and texts crossed from two others, whose meaning only the teacher can tell."""
    rng = random.Random(seed)
    loose = unlabelled(data)
    texts: list[tuple[str, str]] = []
    label: list[int] = []
    before: tuple[str, str] = ("", "")
    for _ in range(options["texts"]):
        chance = rng.random()
        if loose and chance < options["unlabelled"]:
            title, description = rng.choice(loose)
            texts.append(mixture.noisy(title, description))
            label.append(-1)
            continue
        found = mixture.draw()
        if chance > 1 - options["crossed"]:
            texts.append(crossed((found.title, found.description), before, rng))
            label.append(-1)
        else:
            texts.append((found.title, found.description))
            label.append(labels.index(found.policy))
        before = (found.title, found.description)
    return texts, np.array(label, np.int64)


def crossed(one: tuple[str, str], other: tuple[str, str], rng: random.Random) -> tuple[str, str]:
    """The title of one with the description of the other, or one with some of its words left out or replaced."""
    if rng.random() < 0.5:
        return one[0], other[1] or other[0]
    spare = f"{other[0]} {other[1]}".split() or [""]

    def changed(text: str) -> str:
        words = (rng.choice(spare) if rng.random() < 0.15 else word for word in text.split() if rng.random() > 0.15)
        return " ".join(words)

    return changed(one[0]), changed(one[1])


def unlabelled(data: Path) -> list[tuple[str, str]]:
    """Titles with descriptions, and needs, of the data root; files that are not there are left out."""
    return [
        (row[column][:300], row.get("description", "")[:400])
        for path, column in UNLABELLED.items()
        if (data / path).is_file()
        for row in read_dicts(data / path, (column,))
        if row[column]
    ]


def read(
    session: onnxruntime.InferenceSession, texts: list[tuple[str, str]], longest: int, say: Callable[[str], None]
) -> student.Texts:
    """The texts through the exported front, at most `longest` bytes of each."""
    say(f"Reading {len(texts):,} texts")
    packed = (pack([("title", title), ("description", text)]).data[:longest] for title, text in texts)
    return student.read(session, list(itertools.chain(packed)))
