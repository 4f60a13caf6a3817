"""The whole of listing-text as one ONNX graph: bytes in; scores, evidence per byte and coverage out.

`front` makes words and feature ids of the bytes; here the trained parameters stand behind the very same nodes. The
network is that of `student.Network`: each word's vector, its neighbours by a convolution, its share of the logits, and
once more the strongest word's. The evidence says which words moved the scores towards the likeliest policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models.recipes.listing_text.front import Features, Shape, front_parts
from models.recipes.listing_text.graph import Graph, finished

FLOAT = TensorProto.FLOAT
FAR_BELOW = -1e4  # the peak of what is no word


@dataclass(frozen=True)
class Parameters:
    """Trained parameters, float32; calibration is folded in.

    rows: sorted ids int64 [R] kept of the hash space. table: [R, D] for them. dense: by name, `context` [H, D, k],
    `around` [H, H, k] where the network is deep, `whole` [D, H], `heads` [H, 2 P] (share, then peak). biases: by name.
    known: bool [2 ** known_bits], the words met in training.
    """

    rows: NDArray[np.int64]
    table: NDArray[np.float32]
    dense: dict[str, NDArray[np.float32]]
    biases: dict[str, NDArray[np.float32]]
    known: NDArray[np.bool_]
    norm_words: float
    norm_power: float


def whole(shape: Shape, parameters: Parameters) -> onnx.ModelProto:
    """bytes uint8 [n] → scores float32 [P], evidence float32 [n, P], coverage float32 []."""
    g = Graph()
    parts = front_parts(g, shape)
    x = word_vectors(g, parts, parameters, shape.bits)
    size = g.op("Shape", parts.word)
    count = g.op("Cast", size, to=FLOAT)
    damped = g.op(
        "Pow",
        g.op("Add", count, g.constant([parameters.norm_words], np.float32)),
        g.constant([-parameters.norm_power], np.float32),
    )
    layers = in_context(g, x, damped, parameters)
    logits, heads = logits_of(g, layers.hidden, damped, parameters)
    scores = g.op("Softmax", logits, axis=-1)
    g.name(scores, "scores")
    evidence = evidence_of_words(g, x, scores, layers, heads, damped, parameters)
    g.name(by_byte(g, parts, evidence, parameters.biases["heads"].size // 2), "evidence")
    g.name(coverage(g, parts, parameters.known, shape.known_bits), "coverage")
    found: dict[str, list[str]] = {"scores": ["P"], "evidence": ["n", "P"], "coverage": []}
    return finished(g, "listing-text", {name: (FLOAT, dims) for name, dims in found.items()})


def word_vectors(g: Graph, parts: Features, parameters: Parameters, bits: int) -> str:
    """float32 [w, D]: each word's own row, its joined forms' rows, and the mean of its n-grams' rows."""
    columns = parameters.table.shape[1]
    silent = np.zeros((1, columns), np.float32)  # row 0, of what is not kept
    table = g.stored("table", np.concatenate([silent, parameters.table]))
    row_of = row_lookup(g, parameters.rows, bits)

    def vectors(ids: str) -> str:
        return g.take(table, row_of(ids))

    axis = g.constant([0])
    by_char = g.op("ReduceSum", vectors(parts.grams), axis, keepdims=0)
    counted = g.op("ReduceSum", g.op("Cast", g.less(-1, parts.grams), to=FLOAT), axis, keepdims=1)
    both = g.join(by_char, g.op("Transpose", counted, perm=[1, 0]), axis=1)
    words = g.op("Shape", parts.word)
    zeros = g.op("ConstantOfShape", g.join(words, g.constant([columns + 1])), value=zero())
    place = g.op("Unsqueeze", parts.word_of, g.constant([1]))
    sums = g.op("ScatterND", zeros, place, both, reduction="add")
    total = g.op("Slice", sums, g.constant([0]), g.constant([columns]), g.constant([1]))
    grams_in = g.op("Slice", sums, g.constant([columns]), g.constant([columns + 1]), g.constant([1]))
    mean = g.op("Div", total, g.op("Max", grams_in, g.constant([1.0], np.float32)))
    joined = parts.joined
    own = g.join(*(g.op("Unsqueeze", ids, axis) for ids in (parts.word, joined, g.shifted(joined, -1, -1))))
    return g.op("Add", mean, g.op("ReduceSum", vectors(own), axis, keepdims=0))


@dataclass(frozen=True)
class Layers:
    """hidden float32 [w, H]; where each layer let something through, float32 [1, H, w]."""

    hidden: str
    first_open: str
    second_open: str | None


def in_context(g: Graph, x: str, damped: str, parameters: Parameters) -> Layers:
    """What each word means among its neighbours and in this text."""
    dense, biases = parameters.dense, parameters.biases
    kernel = dense["context"].shape[2]
    pads = [kernel // 2, kernel // 2]
    lying = g.op("Unsqueeze", g.op("Transpose", x, perm=[1, 0]), g.constant([0]))
    near = g.op(
        "Conv", lying, g.stored("context", dense["context"]), g.constant(biases["context"], np.float32), pads=pads
    )
    mean = g.op("Mul", g.op("ReduceSum", x, g.constant([0]), keepdims=1), damped)
    far = g.op("Transpose", g.op("MatMul", mean, g.stored("whole", dense["whole"])), perm=[1, 0])
    hidden = g.op("Relu", g.op("Add", near, far))
    first_open, second_open = positive(g, hidden), None
    if "around" in dense:
        bias = g.constant(biases["around"], np.float32)
        more = g.op("Relu", g.op("Conv", hidden, g.stored("around", dense["around"]), bias, pads=pads))
        hidden, second_open = g.op("Add", hidden, more), positive(g, more)
    standing = g.op("Transpose", g.op("Squeeze", hidden, g.constant([0])), perm=[1, 0])
    return Layers(standing, first_open, second_open)


def positive(g: Graph, x: str) -> str:
    return g.op("Cast", g.op("Less", g.constant(0.0, np.float32), x), to=FLOAT)


@dataclass(frozen=True)
class Heads:
    """What the words' shares and peaks are weighed with, float32 [w, P] each: a share counts for every word typed,
    damped; a peak for the strongest word alone."""

    of_share: str
    of_peak: str


def logits_of(g: Graph, hidden: str, damped: str, parameters: Parameters) -> tuple[str, Heads]:
    """The logits [P]: the bias, every word's share, and for each label the strongest word's peak."""
    biases = parameters.biases
    labels = biases["heads"].size // 2
    heads = g.op(
        "Add",
        g.op("MatMul", hidden, g.stored("heads", parameters.dense["heads"])),
        g.constant(biases["heads"], np.float32),
    )
    share, peak = g.split(heads, 2, axis=1)
    number = g.op("Range", g.constant(0), g.op("Squeeze", g.op("Shape", peak, start=0, end=1)), g.constant(1))
    number = g.op("Unsqueeze", number, g.constant([1]))
    typed = g.less(0, number)  # word 0 stands before the text
    of_share = g.op("Mul", g.op("Cast", typed, to=FLOAT), damped)
    peak = g.op("Where", typed, peak, g.constant(FAR_BELOW, np.float32))
    first = g.both(g.op("Equal", number, g.op("ArgMax", peak, axis=0, keepdims=1)), typed)
    of_peak = g.op("Cast", first, to=FLOAT)
    every = g.op("Add", g.op("Mul", share, of_share), g.op("Mul", peak, of_peak))
    total = g.op("ReduceSum", every, g.constant([0]), keepdims=0)
    wide = g.op("Mul", of_share, g.constant(np.ones((1, labels)), np.float32))
    return g.op("Add", total, g.constant(biases["logits"], np.float32)), Heads(wide, of_peak)


def evidence_of_words(
    g: Graph, x: str, scores: str, layers: Layers, heads: Heads, damped: str, parameters: Parameters
) -> str:
    """float32 [w, P]: in the column of the likeliest policy what each word did for it and against safe; zero elsewhere.

    It is the word's vector times the gradient of logit(policy) - logit(safe) (Shrikumar et al. 2016, arXiv:1605.01713),
    written out as nodes: each layer's transpose, where it was open. Without biases it would sum to the difference.
    """
    dense, labels = parameters.dense, parameters.biases["heads"].size // 2
    kernel = dense["context"].shape[2]
    pads = [kernel // 2, kernel // 2]
    unsafe = g.op("Mul", scores, g.constant(np.arange(labels) < labels - 1, np.float32))  # safe is the last label
    which = g.op("ArgMax", unsafe, axis=0, keepdims=1)
    policy = g.op("Cast", g.op("Equal", g.constant(np.arange(labels)), which), to=FLOAT)
    towards = g.op("Sub", policy, g.constant(np.arange(labels) == labels - 1, np.float32))
    weighed = g.op("Mul", g.join(heads.of_share, heads.of_peak, axis=1), g.join(towards, towards))
    transposed = g.op("Transpose", "heads", perm=[1, 0])
    back = g.op("Unsqueeze", g.op("Transpose", g.op("MatMul", weighed, transposed), perm=[1, 0]), g.constant([0]))
    if layers.second_open:
        through = g.op("ConvTranspose", g.op("Mul", back, layers.second_open), "around", pads=pads)
        back = g.op("Add", back, through)
    back = g.op("Mul", back, layers.first_open)
    near = g.op("ConvTranspose", back, "context", pads=pads)
    total = g.op("ReduceSum", back, g.constant([2]), keepdims=0)
    far = g.op("Mul", g.op("MatMul", total, g.op("Transpose", "whole", perm=[1, 0])), damped)
    gradient = g.op("Add", g.op("Transpose", g.op("Squeeze", near, g.constant([0])), perm=[1, 0]), far)
    by_word = g.op("ReduceSum", g.op("Mul", x, gradient), g.constant([1]), keepdims=1)
    return g.op("Mul", by_word, policy)


def by_byte(g: Graph, parts: Features, evidence: str, labels: int) -> str:
    """float32 [n, P]: a word's evidence in equal parts on its characters; a character's on its first byte."""
    length = g.op("Unsqueeze", g.op("Cast", parts.word_lengths, to=FLOAT), g.constant([1]))
    spread = g.take(g.op("Div", evidence, length), parts.word_of)
    inside = g.op("Unsqueeze", g.op("Cast", parts.in_word, to=FLOAT), g.constant([1]))
    by_char = g.op("Mul", spread, inside)
    blank = g.op("ConstantOfShape", g.join(g.add(parts.size, 1), g.constant([labels])), value=zero())
    # What stands before the text (its sentinel) lies on the row after the last byte, which is cut off.
    where = g.op("Unsqueeze", parts.places, g.constant([1]))
    return g.slice(g.op("ScatterND", blank, where, by_char), 0, -1)


def coverage(g: Graph, parts: Features, met: NDArray[np.bool_], bits: int) -> str:
    """The share of letters that stand in words met in training."""
    known = row_lookup(g, np.flatnonzero(met).astype(np.int64), bits)(parts.known_ids)
    letters = g.where(parts.real, parts.letters, 0)
    in_known = g.op("ReduceSum", g.where(g.less(0, known), letters, 0), keepdims=0)
    all_letters = g.op("Max", g.op("ReduceSum", letters, keepdims=0), g.constant(1))
    return g.op("Div", g.op("Cast", in_known, to=FLOAT), g.op("Cast", all_letters, to=FLOAT))


def zero() -> onnx.TensorProto:
    return helper.make_tensor("zero", FLOAT, [1], [0.0])


def row_lookup(g: Graph, rows: NDArray[np.int64], bits: int) -> Any:
    """A function from ids to row numbers 1..R, 0 for what is not kept: one bit per id, ranks counted per byte."""
    mask = np.zeros(2**bits, np.uint8)
    mask[rows] = 1
    packed = np.packbits(mask, bitorder="little")
    bytes_ = g.constant(packed, np.uint8)
    ones = np.array([bin(byte).count("1") for byte in range(256)])
    inside = np.zeros((256, 8), np.int64)
    for byte in range(256):
        for bit in range(8):
            if byte >> bit & 1:
                inside[byte, bit] = bin(byte & ((1 << bit) - 1)).count("1") + 1
    # Folded once when a session starts: how many kept ids lie before each byte.
    per_byte = g.take(g.constant(ones, np.int32), g.op("Cast", bytes_, to=TensorProto.INT32))
    before = g.op("CumSum", per_byte, g.constant(0), exclusive=1)
    table = g.constant(inside.reshape(-1))

    def lookup(ids: str) -> str:
        none = g.less(ids, 0)
        safe = g.op("Max", ids, g.constant(0))
        at = g.op("Div", safe, g.constant(8))
        within = g.take(table, g.add(g.mul(g.integer(g.take(bytes_, at)), 8), g.mod(safe, 8)))
        row = g.add(g.integer(g.take(before, at)), within)
        return g.where(g.either(none, g.equal(within, 0)), 0, row)

    return lookup
