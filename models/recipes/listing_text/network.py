"""The whole of listing-text as one ONNX graph: bytes in; scores, evidence per byte and coverage out.

`front` makes words and feature ids of the bytes; here the trained parameters stand behind the very same nodes. The
network is that of `student.Network`: each word's vector, its neighbours by a convolution, its share of the logits, and
once more the strongest word's. The evidence says which words moved the scores towards the likeliest policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from models import languages
from models.recipes.listing_text.front import STRANGE, Features, Shape, front, front_parts
from models.recipes.listing_text.graph import Graph, finished
from models.runtime import open_session

FLOAT = TensorProto.FLOAT
FAR_BELOW = -1e4  # the peak of what is no word
EVIDENT = 0.01  # unsafe score from which on there is evidence; no threshold is set below


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
    labels = parameters.biases["heads"].size // 2
    turned = Turned.of(g, parameters)

    def told(inner: Graph) -> str:
        return by_byte(
            inner, parts, evidence_of_words(inner, x, scores, layers, heads, damped, turned, parameters), labels
        )

    def nothing(inner: Graph) -> str:
        return inner.op("ConstantOfShape", inner.join(parts.size, inner.constant([labels])), value=zero())

    # Most of what is typed is harmless, and nobody asks for reasons then: a fifth of the time is saved.
    safe = g.op("Gather", scores, g.constant(labels - 1))
    g.name(g.when(g.op("Less", safe, g.constant(1 - EVIDENT, np.float32)), told, nothing), "evidence")
    g.name(coverage(g, parts, parameters.known, shape), "coverage")
    found: dict[str, list[str]] = {"scores": ["P"], "evidence": ["n", "P"], "coverage": []}
    return finished(g, "listing-text", {name: (FLOAT, dims) for name, dims in found.items()})


def word_vectors(g: Graph, parts: Features, parameters: Parameters, bits: int) -> str:
    """float32 [w, D]: each word's own row, its joined forms' rows, and the mean of its n-grams' rows."""
    columns = parameters.table.shape[1]
    silent = np.zeros((1, columns), np.float32)  # row 0, of what is not kept
    table = g.stored("table", np.concatenate([silent, parameters.table]))
    row_of = row_lookup(g, parameters.rows, bits)

    def vectors(ids: str) -> str:
        return g.take(table, row_of(g, ids))

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
    """hidden float32 [w, H]; what each layer let through, float32 [1, H, w]."""

    hidden: str
    first: str
    second: str | None


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
    first, second = hidden, None
    if "around" in dense:
        bias = g.constant(biases["around"], np.float32)
        second = g.op("Relu", g.op("Conv", hidden, g.stored("around", dense["around"]), bias, pads=pads))
        hidden = g.op("Add", hidden, second)
    standing = g.op("Transpose", g.op("Squeeze", hidden, g.constant([0])), perm=[1, 0])
    return Layers(standing, first, second)


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


@dataclass(frozen=True)
class Turned:
    """Each layer's weights as its transpose wants them; a session makes them once, when it starts."""

    heads: str
    around: str | None
    context: str
    whole: str

    @staticmethod
    def of(g: Graph, parameters: Parameters) -> Turned:
        def turned(name: str) -> str:
            """A convolution is transposed by one whose kernel lies the other way round."""
            back, far, axis = g.constant([-1]), g.constant([-(2**31)]), g.constant([2])
            return g.op("Slice", g.op("Transpose", name, perm=[1, 0, 2]), back, far, axis, back)

        heads, whole = (g.op("Transpose", name, perm=[1, 0]) for name in ("heads", "whole"))
        return Turned(heads, turned("around") if "around" in parameters.dense else None, turned("context"), whole)


def evidence_of_words(
    g: Graph, x: str, scores: str, layers: Layers, heads: Heads, damped: str, turned: Turned, parameters: Parameters
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
    back = g.op("Unsqueeze", g.op("Transpose", g.op("MatMul", weighed, turned.heads), perm=[1, 0]), g.constant([0]))
    if turned.around and layers.second:
        through = g.op("Conv", g.op("Mul", back, positive(g, layers.second)), turned.around, pads=pads)
        back = g.op("Add", back, through)
    back = g.op("Mul", back, positive(g, layers.first))
    near = g.op("Conv", back, turned.context, pads=pads)
    total = g.op("ReduceSum", back, g.constant([2]), keepdims=0)
    far = g.op("Mul", g.op("MatMul", total, turned.whole), damped)
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


def coverage(g: Graph, parts: Features, met: NDArray[np.bool_], shape: Shape) -> str:
    """The share of letters that stand in words met in training, less with words of other languages: as
    `languages.readable`, but that now and then two words share their place in the list."""
    letters = g.where(parts.real, parts.letters, 0)
    rows = np.flatnonzero(met)
    known = g.integer(g.take(bits_of(g, rows[rows != STRANGE], shape.known_bits), parts.known_ids))
    in_known = g.op("ReduceSum", g.mul(letters, known), keepdims=0)
    total = g.op("ReduceSum", letters, keepdims=0)
    words = foreign_words(shape)
    which = g.where(parts.real, g.integer(row_lookup(g, words, shape.known_bits)(g, parts.known_ids)), 0)
    blank, one = g.constant(np.zeros(len(words) + 1)), g.add(g.mul(which, 0), 1)
    different = g.op("ReduceSum", g.op("ScatterElements", blank, which, one), keepdims=0)
    # The sentinel in front is none of them: row 0 is always among the different ones.
    many = g.op("Max", g.sub(different, languages.FREE + 1), g.constant(0))
    share = g.op("Max", g.add(total, g.mul(many, languages.WEIGHT)), g.constant(1))
    return g.op("Div", g.op("Cast", in_known, to=FLOAT), g.op("Cast", share, to=FLOAT))


@cache
def foreign_words(shape: Shape) -> NDArray[np.int64]:
    """Sorted ids in the word list of the words of other languages, from the front itself."""
    session = open_session(front(shape).SerializeToString())
    text = " ".join(sorted(languages.words())).encode()
    ids, letters = session.run(["known", "letters"], {"bytes": np.frombuffer(text, np.uint8)})
    found: NDArray[np.int64] = np.unique(ids[letters > 0])
    return found


def zero() -> onnx.TensorProto:
    return helper.make_tensor("zero", FLOAT, [1], [0.0])


EVERY = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")  # [256, 8]


def packed(g: Graph, rows: NDArray[np.int64], bits: int) -> str:
    """One bit per id is stored; what is made of it below is constant, so that a session makes it once, when it
    starts. It stays in bytes: a browser never gives back memory that it once took."""
    mask = np.zeros(2**bits, np.uint8)
    mask[rows] = 1
    return g.op("Cast", g.constant(np.packbits(mask, bitorder="little"), np.uint8), to=TensorProto.INT32)


def bits_of(g: Graph, rows: NDArray[np.int64], bits: int) -> str:
    """uint8 [2 ** bits]: 1 for the ids that are kept."""
    return g.op("Reshape", g.take(g.constant(EVERY, np.uint8), packed(g, rows, bits)), g.constant([-1]))


RowOf = Callable[[Graph, str], str]


def row_lookup(g: Graph, rows: NDArray[np.int64], bits: int) -> RowOf:
    """A function from ids to row numbers 1..R int32, 0 for what is not kept and for -1: its place among those kept in
    its byte, and how many lie before that. It writes to the graph that it is given: this one, or a branch of it."""
    stored = packed(g, rows, bits)
    among = g.op("Reshape", g.take(g.constant(EVERY.cumsum(axis=1) * EVERY, np.uint8), stored), g.constant([-1]))
    among = g.join(among, g.constant([0], np.uint8))
    before = g.op("CumSum", g.take(g.constant(EVERY.sum(axis=1), np.int32), stored), g.constant(0), exclusive=1)

    def lookup(g: Graph, ids: str) -> str:
        place = g.take(among, ids)  # -1 is the last
        kept = g.op("Cast", place, to=TensorProto.BOOL)
        row = g.op("Add", g.take(before, g.op("Div", ids, g.constant(8))), g.op("Cast", place, to=TensorProto.INT32))
        return g.op("Where", kept, row, g.constant(0, np.int32))

    return lookup
