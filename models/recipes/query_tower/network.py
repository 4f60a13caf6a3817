"""query-tower: UTF-8 bytes → a unit vector of 128 numbers, in the space of item-tower.

A text is the sum of its words' vectors, each the word's own row and the mean of its n-grams' rows (fastText: Bojanowski
et al. 2017, arXiv:1607.04606), so that a typing error moves it little. There is nothing else: a query has three words,
and a shopper types them on any device. Words and n-grams are told by the front of listing-text, so that both models
read alike; most queries go a shorter way to the same rows (`plain`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_text.front import Shape, front_parts
from models.recipes.listing_text.graph import Graph, finished
from models.recipes.listing_text.network import RowOf, row_lookup, zero
from models.recipes.query_tower import plain

FLOAT = TensorProto.FLOAT
DIMENSIONS = 128


@dataclass(frozen=True)
class Parameters:
    """rows: sorted ids int64 [R] kept of the hash space; table: float32 [R, W] for them; up: float32 [W, 128]."""

    rows: NDArray[np.int64]
    table: NDArray[np.float32]
    up: NDArray[np.float32]


def exported(shape: Shape, parameters: Parameters) -> onnx.ModelProto:
    """bytes uint8 [n] → vector float32 [128]; zero for a text without a known word or n-gram."""
    g = Graph()
    table, row_of = stored(g, parameters.table), row_lookup(g, parameters.rows, shape.bits)

    def long_way(inner: Graph) -> str:
        return inner.op("Squeeze", summed(inner, shape, row_of, table), inner.constant([0]))

    if plain.nothing(shape.bits).intersection(parameters.rows.tolist()):
        total = long_way(g)
    else:
        is_plain, text = plain.read(g)
        total = g.when(is_plain, lambda inner: plain.summed(inner, text, row_of, table, shape.bits), long_way)
    g.called("vector", unit(g, g.op("MatMul", total, g.stored("up", parameters.up))))
    return finished(g, "query-tower", {"vector": (FLOAT, [DIMENSIONS])})


def unit(g: Graph, x: str) -> str:
    """Rows of unit length; a row of zeros stays so."""
    found: str = g.op("LpNormalization", x, axis=-1, p=2)
    return found


def stored(g: Graph, table: NDArray[np.float32]) -> str:
    """[R + 1, W]: row 0 is that of what is not kept."""
    silent = np.zeros((1, table.shape[1]), np.float32)
    return g.stored("table", np.concatenate([silent, table]))


def summed(g: Graph, shape: Shape, row_of: RowOf, table: str) -> str:
    """The sum over the words of `bytes`, [1, W]: each word's row, that of the pair it makes with the next, and the mean
    of its n-grams' rows. row_of: as of `row_lookup`; table: float32 [R + 1, W]."""
    parts = front_parts(g, shape)
    axis = g.constant([0])
    # The mean of each word's n-grams, summed over words: each counts by one over those of its word that are kept.
    grams = row_of(g, parts.grams)
    kept = g.op("Less", g.constant(0, np.int32), grams)
    by_place = g.op("ReduceSum", g.integer(kept), axis, keepdims=0)
    words = g.op("ConstantOfShape", g.op("Shape", parts.word), value=zero_int())
    in_word = g.op("ScatterElements", words, parts.word_of, by_place, axis=0, reduction="add")
    share = g.op("Reciprocal", g.op("Cast", g.op("Max", g.take(in_word, parts.word_of), g.constant([1])), to=FLOAT))
    by_char = g.op("ReduceSum", g.take(table, grams), axis, keepdims=0)
    of_grams = g.op("MatMul", g.op("Unsqueeze", share, axis), by_char)
    joined = parts.joined
    own = g.join(parts.word, joined, g.shifted(joined, -1, -1))
    of_words = g.op("ReduceSum", g.take(table, row_of(g, own)), axis, keepdims=1)
    found: str = g.op("Add", of_grams, of_words)
    return found


def zero_int() -> onnx.TensorProto:
    found = zero()
    return onnx.helper.make_tensor(found.name, TensorProto.INT64, [1], [0])
