"""The short way of query-tower, for what most queries are: words of a to z and numbers that stand alone.

A step of a graph costs a browser more than what it computes for three words, and this way takes 39 steps, that through
the front of listing-text 200. It finds the very same rows, for of all rules of `folding` only lower case concerns such
a text. What the others might change is told by a condition and goes the long way.

Everything is [..., PLACES]: a column for each byte, and the first, which stands for what parts the first word from
nothing. A column is told what lies around it by one product of matrices of whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_text import folding
from models.recipes.listing_text.front import GRAMS, MULTIPLIER, PRIME, SALT, looked_up
from models.recipes.listing_text.graph import Graph
from models.recipes.listing_text.network import RowOf

LONGEST = 32  # bytes of a text that goes this way, as 93 of 100 queries have; less than front.POWERS
PLACES = LONGEST + 1
# What is told of a byte: its code in lower case, or that of a space; what it is; whether it is no letter.
CODE, KIND, GAP = range(3)
LETTER, END, BETWEEN, DIGIT, SOFT, OTHER = range(6)
KINDS = 6
NO_BYTE = 255  # in no UTF-8; stands after the end
# The columns of what lies around a place: (what is told, of which byte from here), and two that are constant.
AROUND = [*((CODE, at) for at in range(-3, 3)), *((KIND, at) for at in (-1, 0, 1)), *((GAP, at) for at in range(-2, 2))]
USUAL, FIRST = len(AROUND), len(AROUND) + 1  # 1 at every place but the first; 1 at the first
TOO_MUCH = 3  # single letters, from which on they may spell a word; whatever else is not plain weighs as much


@dataclass(frozen=True)
class Read:
    """Names of tensors int64. hashes [4, PLACES]: of the n-gram centred on each byte; gaps_inside [5, PLACES]: what
    parts words within these, and below them a number that stands for words; gaps [2, PLACES]: 1 where a word may begin
    after this, twice; letters [2, PLACES]: codes, and gaps with the first."""

    hashes: str
    gaps_inside: str
    gaps: str
    letters: str


def told() -> NDArray[np.int64]:
    """int64 [256, 3]: CODE, KIND and GAP of a byte."""
    symbols, classes = folding.symbols(), folding.word_classes()
    found = np.zeros((256, 3), np.int64)
    found[:, CODE], found[:, KIND] = folding.SPACE, OTHER
    kinds = {folding.SPACE: BETWEEN, folding.SOFT: SOFT}
    for byte, symbol in enumerate(symbols[:128]):
        if classes[symbol] == folding.WORD_LETTER:
            found[byte] = symbol, LETTER, 0
        else:
            found[byte, KIND] = DIGIT if classes[symbol] == folding.WORD_DIGIT else kinds.get(int(symbol), OTHER)
    found[NO_BYTE, KIND] = END
    found[:, GAP] = found[:, KIND] != LETTER
    return found


def strange(window: Sequence[int]) -> int:
    """How far the middle of three is from plain. A digit beside a letter may stand for one; a soft separator after a
    word may join it with the next, unless a number follows."""
    before, this, after = window
    if this == OTHER or (this == LETTER and DIGIT in (before, after)):
        return TOO_MUCH
    if this == SOFT and before == LETTER and after != DIGIT:
        return TOO_MUCH
    return int(this == LETTER and LETTER not in (before, after))


def beyond(window: Sequence[int]) -> int:
    """At the first place, which is told instead what comes after the last."""
    return 0 if window[0] == END else TOO_MUCH


def powers(first: int, count: int) -> NDArray[np.int64]:
    """int64 [count]: MULTIPLIER to the powers from `first` on, which may be negative, modulo PRIME."""
    return np.array([pow(MULTIPLIER, first + number, PRIME) for number in range(count)])


def nothing(bits: int) -> set[int]:
    """The ids that stand here for a broken n-gram, for the words that are fewer than places, and for a word without
    letters: no row may be kept of them."""
    half = 2 ** (bits - 1)
    return {0, half, half + SALT["word"][1] % PRIME % half}


def read(g: Graph) -> tuple[str, Read]:
    """Whether `bytes` are plain, a bool, and how they read."""
    lead = [ord("a"), *[NO_BYTE] * 3]
    letter, end, text = 0, 1, len(lead)
    where = np.zeros((len(AROUND) + 2, PLACES, 2), np.int64)
    for column, (what, at) in enumerate(AROUND):
        where[column, 1:, 0] = np.arange(LONGEST) + text + at
        where[column, 0, 0] = end if (what, at) != (KIND, -1) else text + LONGEST
        where[column, :, 1] = what
    where[[USUAL, FIRST], :, 1] = GAP
    where[USUAL, 1:, 0] = where[FIRST, 0, 0] = end
    where[USUAL, 0, 0] = where[FIRST, 1:, 0] = letter
    padded = g.join(g.constant(lead, np.uint8), "bytes", g.constant([NO_BYTE] * PLACES, np.uint8))
    codes = g.take(g.integer(g.constant(told(), np.uint8)), g.op("Cast", padded, to=TensorProto.INT32))
    around = g.op("GatherND", codes, g.integer(g.constant(where, np.uint8)))
    wanted = weights()
    every = g.op("MatMul", g.constant(np.concatenate(wanted)), around)
    hashes, inside, gaps, letters, window = g.parts(every, [len(each) for each in wanted], axis=0)
    table = np.concatenate([folding.rule(KINDS, 3, each) for each in (strange, beyond)])
    total = g.op("ReduceSum", looked_up(g, table, window), keepdims=0)
    return g.less(total, TOO_MUCH), Read(hashes, inside, gaps, letters)


def weights() -> list[NDArray[np.int64]]:
    """Of the columns around a place, for each tensor of `Read`; and last for the number of the window of kinds."""
    rows = [np.zeros((count, len(AROUND) + 2), np.int64) for count in (len(GRAMS), len(GRAMS) + 1, 2, 2, 1)]
    hashes, inside, gaps, letters, window = rows
    a, c = SALT["gram"]
    for row, n in enumerate(GRAMS):
        for place in range(n):
            at = place - n // 2
            hashes[row, AROUND.index((CODE, at))] = pow(MULTIPLIER, n - 1 - place, PRIME) * a % PRIME
            if 0 < place < n - 1:
                inside[row, AROUND.index((GAP, at))] = 1
        hashes[row, USUAL] = (n * pow(MULTIPLIER, n, PRIME) * a + c) % PRIME
    inside[-1, [USUAL, FIRST]] = max(GRAMS) - 1  # more than there can be inside
    gap = AROUND.index((GAP, 0))
    gaps[:, gap], gaps[:, FIRST] = 1, -1
    letters[0, AROUND.index((CODE, 0))] = letters[1, gap] = 1
    # What parts a word from the one before counts as its character 0, and brings the constant of the hash in.
    a, c = SALT["word"]
    letters[0, gap] = (c * MULTIPLIER * pow(a, -1, PRIME) - folding.SPACE) % PRIME
    window[0, [AROUND.index((KIND, at)) for at in (-1, 0, 1)]] = KINDS**2, KINDS, 1
    window[0, FIRST] = KINDS**3
    return rows


def summed(g: Graph, text: Read, row_of: RowOf, table: str, bits: int) -> str:
    """As `network.summed`: float32 [W]."""
    word = g.op("CumSum", text.gaps, g.constant(1))
    # A word's hash has the powers of its letters' places in the text; what is before it takes those of its start off.
    scale = np.stack([powers(0, PLACES), SALT["word"][0] * powers(-1 - LONGEST, PLACES)[::-1] % PRIME])
    empty = g.constant(np.zeros((2, PLACES)))
    factors = g.op("ScatterElements", empty, word, g.mul(text.letters, g.constant(scale)), axis=1, reduction="add")
    words = g.mul(*g.split(g.mod(factors, PRIME), 2, axis=0))
    # What is broken is made n-gram 0, which is not kept.
    half = 2 ** (bits - 1)
    size = g.take(g.constant([half, *[1] * (max(GRAMS) - 2), half]), text.gaps_inside)
    ids = g.op("Mod", g.mod(g.join(text.hashes, words), PRIME), size)
    row = row_of(g, g.op("Add", ids, g.constant([[0]] * len(GRAMS) + [[half]])))
    # How many n-grams of each word are kept; below that 1, for words themselves.
    kept = g.op("MatMul", g.constant([[1] * len(GRAMS) + [0], [0] * (len(GRAMS) + 1)], np.int32), g.op("Sign", row))
    ones = g.constant(np.stack([np.zeros(PLACES), np.ones(PLACES)]), np.int32)
    count = g.op("ScatterElements", ones, word, kept, axis=1, reduction="add")
    counts = g.constant(np.maximum(np.arange(len(GRAMS) * PLACES + 1), 1), np.uint8)
    share = g.take(g.op("Reciprocal", g.op("Cast", counts, to=TensorProto.FLOAT)), count)
    share = g.take(g.op("GatherElements", share, word, axis=1), g.constant([[0]] * len(GRAMS) + [[1]]))
    return g.op("ReduceSum", g.op("MatMul", share, g.take(table, row)), g.constant([0, 1]), keepdims=0)
