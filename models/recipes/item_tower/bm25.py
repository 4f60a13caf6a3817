"""BM25 over a catalogue held in memory (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"), as a
teacher of the towers; the site's own keyword search is in `recommendations/`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
ENDINGS = ("ing", "ed", "es", "s")
K1, B = 1.2, 0.75


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def stems(text: str) -> list[str]:
    """A text's words without their commonest endings."""
    return [stem(word) for word in words(text)]


def stem(word: str) -> str:
    for ending in ENDINGS:
        if len(word) > 4 and word.endswith(ending):
            return word.removesuffix(ending)
    return word


@dataclass(frozen=True)
class Index:
    """For each stem the texts it stands in, int32, and its weight in each, float32; its idf; how many texts."""

    places: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]]
    idf: dict[str, float]
    size: int


def index(texts: Sequence[str]) -> Index:
    counted = [Counter(stems(text)) for text in texts]
    lengths = np.array([counts.total() for counts in counted], np.float32)
    usual = max(float(lengths.mean()), 1.0)
    found: dict[str, list[tuple[int, int]]] = {}
    for number, counts in enumerate(counted):
        for word, times in counts.items():
            found.setdefault(word, []).append((number, times))
    places, idf = {}, {}
    for word, each in found.items():
        at, times = np.array(each, np.int32).T
        idf[word] = float(np.log(1 + (len(texts) - len(each) + 0.5) / (len(each) + 0.5)))
        weight = idf[word] * times * (K1 + 1) / (times + K1 * (1 - B + B * lengths[at] / usual))
        places[word] = (at, weight.astype(np.float32))
    return Index(places, idf, len(texts))


def scores(found: Index, query: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of every text: BM25, divided by the most that these words could give; and the share of the query's words found in
    it, weighed by idf. float32 [texts] each; 0 where no word is known."""
    bm25, share = np.zeros((2, found.size), np.float32)
    known = [word for word in stems(query) if word in found.places]
    total = sum(found.idf[word] for word in known)
    for word in known:
        at, weight = found.places[word]
        bm25[at] += weight
    for word in known:
        share[found.places[word][0]] += found.idf[word]
    return bm25 / max(total * (K1 + 1), 1e-6), share / max(total, 1e-6)
