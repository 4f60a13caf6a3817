"""Texts as the towers read them: ids of hashed words, pairs of words and n-grams, through the exported front of
listing-text, so that there is no second reading anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import runtime
from models.recipes.listing_text import front, student
from models.recipes.listing_text.student import GRAM

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Bags:
    """Of many texts the rows of a table that each adds up: rows int32 [f] from 1 on, weights float32 [f], starts int64
    [texts + 1]."""

    rows: Rows
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]

    def of(self, index: NDArray[np.integer]) -> tuple[Tensor, Tensor, Tensor]:
        """rows, offsets, weights of the chosen texts, for torch's EmbeddingBag."""
        counts = self.starts[index + 1] - self.starts[index]
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        places = np.repeat(self.starts[index] - offsets, counts) + np.arange(counts.sum())
        return (
            torch.from_numpy(self.rows[places].astype(np.int64)),
            torch.from_numpy(offsets),
            torch.from_numpy(self.weights[places]),
        )


def read(texts: Sequence[bytes], shape: front.Shape) -> student.Texts:
    """Every text's features; a text without any bytes is read as a space."""
    session = runtime.open_session(front.front(shape).SerializeToString())
    return student.read(session, [text or b" " for text in texts])


def bags(texts: student.Texts, kept: NDArray[np.int64], bits: int, *, grams: bool) -> Bags:
    """What of each text is among the `kept` ids (sorted): a word or pair weighs one, a word's n-grams share one."""
    row_of = np.zeros(2**bits, np.int32)
    row_of[kept] = np.arange(1, len(kept) + 1)
    owner = np.repeat(np.arange(len(texts)), np.diff(texts.starts))
    rows = row_of[texts.ids]
    there = (rows > 0) & (grams | (texts.kinds != GRAM))
    # n-grams that are not kept do not count: the graph divides by those it found.
    word = (owner[there].astype(np.int64) << 20) + texts.owners[there]
    is_gram = texts.kinds[there] == GRAM
    _, which = np.unique(word, return_inverse=True)
    shared = np.bincount(which[is_gram], minlength=int(which.max(initial=-1)) + 1)
    weights = np.where(is_gram, 1 / np.maximum(shared[which], 1), 1.0).astype(np.float32)
    counts = np.bincount(owner[there], minlength=len(texts))
    return Bags(rows[there], weights, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def most_seen(
    texts: student.Texts, weight: NDArray[np.float32], bits: int, size: int, gram_share: float
) -> NDArray[np.int64]:
    """Ids of the `size` features seen most, the most seen first. weight float32 [texts]: how much a text counts;
    gram_share: how much an n-gram counts against a word."""
    owner = np.repeat(np.arange(len(texts)), np.diff(texts.starts))
    shares = np.where(texts.kinds == GRAM, gram_share, 1.0)
    seen = np.bincount(texts.ids, weights=weight[owner] * shares, minlength=2**bits)
    best = np.argsort(-seen, kind="stable")[:size]
    return best[seen[best] > 0]


def words_of(texts: student.Texts, kept: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """The word that each row of `bags` (n-grams with them) belongs to, within its text, int64 [f]."""
    there = np.zeros(2**bits, bool)
    there[kept] = True
    found: NDArray[np.int64] = texts.owners[there[texts.ids]].astype(np.int64)
    return found
