"""The whole of listing-text as one ONNX graph: bytes in; scores, evidence per byte and coverage out.

There is one definition. `front()` ends at the hashed feature ids and is what training reads; `whole()` puts the tables
behind the very same nodes. Only standard operators (opset 18) on whole numbers, so that native and WASM agree.

The model is additive: logits = bias + sum over features of table[row], scaled by a function of the text's length.
That makes the evidence exact: summed over the bytes it gives logits - bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.recipes.listing_text import folding
from models.recipes.listing_text.folding import FIRST_OTHER, FIRST_PICTURE, SENTINEL, SOFT, SPACE, STAR

OPSET = 18
GRAMS = (3, 4, 5, 6)
PRIME = 2_147_483_647
MULTIPLIER = 1_000_003
POWERS = 48  # characters of a word that count for its hash
# Odd constants that keep the kinds of features apart before they share one table.
SALT = {"gram": (314_159, 271_829), "word": (577_217, 693_147), "pair": (141_421, 173_207), "skip": (223_607, 161_803)}


@dataclass(frozen=True)
class Shape:
    """What the tables must agree on. bits: log2 of the hash space; known_bits: the same for the word list."""

    bits: int
    known_bits: int
    norm_words: float
    norm_power: float


@dataclass(frozen=True)
class Tables:
    """Trained parameters.

    rows: sorted ids int64 [R] kept of the hash space. weights: [R, P] float32, or int8 with `scale` float32 [P].
    bias: float32 [P]. known: bool [2 ** known_bits], words seen in training. The temperature is folded in.
    """

    rows: NDArray[np.int64]
    weights: NDArray[Any]
    scale: NDArray[np.float32] | None
    bias: NDArray[np.float32]
    known: NDArray[np.bool_]


class Graph:
    """Adds nodes and constants by short calls; a tensor is its name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
        self.count = 0

    def constant(self, value: Any, kind: Any = np.int64) -> str:
        """A stored tensor; equal ones are stored once."""
        array = np.asarray(value, kind)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, f"c{len(self.constants)}")
        return self.constants[key].name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self.count += 1
        output = f"t{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def name(self, tensor: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [tensor], [name]))

    # Whole-number arithmetic; a plain int becomes a constant.
    def tensor(self, value: str | int) -> str:
        return value if isinstance(value, str) else self.constant(value)

    def add(self, a: str | int, b: str | int) -> str:
        return self.op("Add", self.tensor(a), self.tensor(b))

    def sub(self, a: str | int, b: str | int) -> str:
        return self.op("Sub", self.tensor(a), self.tensor(b))

    def mul(self, a: str | int, b: str | int) -> str:
        return self.op("Mul", self.tensor(a), self.tensor(b))

    def mod(self, a: str, b: int) -> str:
        return self.op("Mod", a, self.tensor(b))

    def less(self, a: str | int, b: str | int) -> str:
        return self.op("Less", self.tensor(a), self.tensor(b))

    def equal(self, a: str | int, b: str | int) -> str:
        return self.op("Equal", self.tensor(a), self.tensor(b))

    def both(self, *parts: str) -> str:
        result = parts[0]
        for part in parts[1:]:
            result = self.op("And", result, part)
        return result

    def either(self, *parts: str) -> str:
        result = parts[0]
        for part in parts[1:]:
            result = self.op("Or", result, part)
        return result

    def no(self, part: str) -> str:
        return self.op("Not", part)

    def where(self, test: str, a: str | int, b: str | int) -> str:
        return self.op("Where", test, self.tensor(a), self.tensor(b))

    def between(self, a: str, low: int, high: int) -> str:
        """low <= a <= high"""
        return self.both(self.less(low - 1, a), self.less(a, high + 1))

    def integer(self, a: str) -> str:
        return self.op("Cast", a, to=TensorProto.INT64)

    def join(self, *parts: str, axis: int = 0) -> str:
        return self.op("Concat", *parts, axis=axis)

    def slice(self, a: str, start: int, end: int) -> str:
        return self.op("Slice", a, self.constant([start]), self.constant([end]))

    def take(self, a: str, index: str, axis: int = 0) -> str:
        return self.op("Gather", a, index, axis=axis)

    def positions(self, test: str) -> str:
        """Indices at which a bool vector is true."""
        return self.op("Squeeze", self.op("NonZero", test), self.constant([0]))

    def sums(self, a: str) -> str:
        return self.op("CumSum", a, self.constant(0))

    def shifted(self, a: str, by: int, fill: int | bool) -> str:
        """result[i] = a[i + by], `fill` beyond the ends."""
        if by == 0:
            return a
        pad = self.constant([fill] * abs(by), np.bool_ if isinstance(fill, bool) else np.int64)
        if by > 0:
            return self.op("Slice", self.join(a, pad), self.constant([by]), self.constant([2**31 - 1]))
        return self.slice(self.join(pad, a), 0, by)


@dataclass
class Text:
    """A text inside the graph: symbols and the byte position of each."""

    symbols: str
    places: str


@dataclass
class Features:
    """Names of the tensors the head needs; see `front_parts`."""

    grams: dict[int, str]
    words: dict[str, str]
    word_of: str
    word_lengths: str
    in_word: str
    places: str
    letters: str
    real: str
    known_ids: str
    size: str


def decoded(g: Graph) -> Text:
    """UTF-8 bytes → symbols by table; marks and zero-width characters fall away. A sentinel word leads."""
    raw = g.integer("bytes")
    size = g.op("Shape", "bytes")
    padded = g.join(raw, g.constant([128, 128, 128]))
    lead = g.either(g.less(raw, 128), g.less(191, raw))
    at = g.positions(lead)
    b0, b1, b2, b3 = (g.take(padded, g.add(at, k)) for k in range(4))
    t1, t2, t3 = (g.sub(b, 128) for b in (b1, b2, b3))
    two = g.add(g.mul(g.sub(b0, 192), 64), t1)
    three = g.add(g.add(g.mul(g.sub(b0, 224), 4096), g.mul(t1, 64)), t2)
    four = g.add(g.add(g.mul(g.sub(b0, 240), 262144), g.mul(t1, 4096)), g.add(g.mul(t2, 64), t3))
    code = g.where(g.less(b0, 128), b0, g.where(g.less(b0, 224), two, g.where(g.less(b0, 240), three, four)))
    code = g.op("Max", g.op("Min", code, g.constant(0x10FFFF)), g.constant(0))
    near = g.op("Min", code, g.constant(folding.TABLE_SIZE - 1))
    by_table = g.integer(g.take(g.constant(folding.symbols(), np.int16), near))
    kind = g.integer(g.take(g.constant(folding.block_kinds(), np.uint8), g.op("Div", code, g.constant(256))))
    letter = g.add(g.mod(code, FIRST_PICTURE - FIRST_OTHER), FIRST_OTHER)
    picture = g.add(g.mod(code, 4096), FIRST_PICTURE)
    far = g.where(g.equal(kind, 0), 0, g.where(g.equal(kind, 1), SPACE, g.where(g.equal(kind, 2), letter, picture)))
    symbol = g.where(g.less(code, folding.TABLE_SIZE), by_table, far)
    kept = g.positions(g.less(0, symbol))
    symbols = g.join(g.constant([SENTINEL, SPACE]), g.take(symbol, kept))
    places = g.join(size, size, g.take(at, kept))
    return Text(symbols, places)


def is_letter(g: Graph, s: str) -> str:
    return g.either(g.between(s, ord("a"), ord("z")), g.between(s, FIRST_OTHER, FIRST_PICTURE - 1))


def is_digit(g: Graph, s: str) -> str:
    return g.between(s, ord("0"), ord("9"))


def without_leetspeak(g: Graph, text: Text) -> Text:
    """Signs that stand for a letter between letters become it, one or two in a row; a star between letters stays."""
    s = text.symbols
    letter = is_letter(g, s)
    value = g.take(g.constant(folding.leet_letters()), g.op("Min", s, g.constant(127)))
    leet = g.both(g.less(0, value), g.less(s, 128))

    def amid(sign: str) -> str:
        before = g.either(
            g.shifted(letter, -1, False), g.both(g.shifted(sign, -1, False), g.shifted(letter, -2, False))
        )
        after = g.either(g.shifted(letter, 1, False), g.both(g.shifted(sign, 1, False), g.shifted(letter, 2, False)))
        return g.both(sign, before, after)

    word_char = g.either(letter, is_digit(g, s))
    money = g.equal(s, ord("$"))
    opening = g.both(
        g.either(money, g.equal(s, ord("@"))),
        g.no(g.shifted(word_char, -1, False)),
        g.shifted(letter, 1, False),
        g.either(g.shifted(letter, 2, False), g.shifted(leet, 2, False)),
    )
    closing = g.both(money, g.shifted(letter, -1, False), g.shifted(letter, -2, False))
    s = g.where(g.either(amid(leet), opening, closing), value, s)
    star = g.equal(text.symbols, STAR)
    s = g.where(g.both(star, g.no(amid(star))), SPACE, s)
    rest = g.either(*(g.equal(s, ord(sign)) for sign in "@$!|"))
    return Text(g.where(rest, SPACE, s), text.places)


def is_plain(g: Graph, s: str) -> str:
    """Characters that words are made of: letters, digits, a star between letters."""
    return g.either(is_letter(g, s), is_digit(g, s), g.equal(s, STAR))


def is_picture(g: Graph, s: str) -> str:
    return g.either(g.less(FIRST_PICTURE - 1, s), g.equal(s, SENTINEL))


def kept(g: Graph, text: Text, keep: str) -> Text:
    at = g.positions(keep)
    return Text(g.take(text.symbols, at), g.take(text.places, at))


def joined(g: Graph, text: Text) -> Text:
    """Runs of separators shrink to the first; three or more single letters in a row lose what is between them."""
    solid = g.either(is_plain(g, text.symbols), is_picture(g, text.symbols))
    text = kept(g, text, g.either(solid, g.shifted(solid, -1, False)))
    letter = is_letter(g, text.symbols)
    solid = g.either(is_plain(g, text.symbols), is_picture(g, text.symbols))
    single = g.both(letter, g.no(g.shifted(solid, -1, False)), g.no(g.shifted(solid, 1, False)))
    gap = g.both(g.no(solid), g.shifted(single, -1, False), g.shifted(single, 1, False))
    spelled = g.both(gap, g.either(g.shifted(gap, -2, False), g.shifted(gap, 2, False)))
    return kept(g, text, g.no(spelled))


def hashed(g: Graph, value: str, salt: str, bits: int) -> str:
    """Spread a hash below PRIME over 2 ** bits ids: n-grams share the lower half, words and pairs a quarter each."""
    a, c = SALT[salt]
    size = 2 ** (bits - 1) if salt == "gram" else 2 ** (bits - 2)
    start = {"gram": 0, "word": 2 ** (bits - 1)}.get(salt, 3 * 2 ** (bits - 2))
    return g.add(g.mod(g.mod(g.add(g.mul(value, a), c), PRIME), size), start)


def known_word(g: Graph, value: str, bits: int) -> str:
    """Id of a word in the word list of 2 ** bits."""
    a, c = SALT["word"]
    return g.mod(g.mod(g.add(g.mul(value, a), c), PRIME), 2**bits)


def front_parts(g: Graph, shape: Shape) -> Features:
    """Everything up to the feature ids; an id of -1 is no feature.

    grams: for n in GRAMS, id of the n-gram centred on each character [m]. words: ids [w] of a word, of it with the
    next one (pair), with the one after (skip), and of both written as one where a soft separator parts them (joined).
    """
    text = joined(g, without_leetspeak(g, decoded(g)))
    s = text.symbols
    letter, digit = is_letter(g, s), is_digit(g, s)
    plain, picture = is_plain(g, s), is_picture(g, s)
    triple = g.both(digit, g.shifted(digit, 1, False), g.shifted(digit, 2, False))
    long_number = g.either(triple, g.shifted(triple, -1, False), g.shifted(triple, -2, False))
    char = g.where(long_number, ord("0"), g.where(plain, s, SPACE))

    grams = {n: gram_ids(g, char, plain, letter, n, shape.bits) for n in GRAMS}

    before, after = g.shifted(plain, -1, False), g.shifted(plain, 1, False)
    starts = g.positions(g.either(g.both(plain, g.no(before)), picture))
    ends = g.positions(g.either(g.both(plain, g.no(after)), picture))
    counted = g.no(g.both(digit, g.shifted(digit, -1, False)))
    number = g.sums(g.integer(counted))
    solid = g.either(plain, picture)
    first = g.integer(g.either(g.both(plain, g.no(before)), picture))
    word_of = g.op("Max", g.sub(g.sums(first), 1), g.constant(0))
    base = g.take(g.take(number, starts), word_of)
    power = np.array([pow(MULTIPLIER, k, PRIME) for k in range(POWERS)])
    place = g.op("Max", g.op("Min", g.sub(number, base), g.constant(POWERS - 1)), g.constant(0))
    code = g.where(digit, ord("0"), s)
    part = g.mul(g.mul(code, g.integer(g.both(counted, solid))), g.take(g.constant(power), place))
    total = g.sums(part)
    value = g.mod(g.add(g.sub(g.take(total, ends), g.take(total, starts)), g.take(part, starts)), PRIME)
    span = g.add(g.sub(ends, starts), 1)
    letter_sums = g.sums(g.integer(g.either(letter, g.less(FIRST_PICTURE - 1, s))))
    letters = g.add(
        g.sub(g.take(letter_sums, ends), g.take(letter_sums, starts)),
        g.integer(g.take(g.either(letter, g.less(FIRST_PICTURE - 1, s)), starts)),
    )
    real = g.less(SENTINEL, g.take(s, starts))
    lettered = g.both(g.less(0, letters), real)

    def pair(by: int, salt: str) -> str:
        other, other_real = g.shifted(value, by, 0), g.shifted(real, by, False)
        mixed = g.mod(g.add(g.mul(value, MULTIPLIER), other), PRIME)
        valid = g.both(real, other_real, g.either(lettered, g.shifted(lettered, by, False)))
        return g.where(valid, hashed(g, mixed, salt, shape.bits), -1)

    gap = g.take(g.join(s, g.constant([SPACE])), g.add(ends, 1))
    size = g.op("Min", g.sub(g.take(number, ends), g.take(number, starts)), g.constant(POWERS - 2))
    glued = g.mod(g.add(value, g.mul(g.shifted(value, 1, 0), g.take(g.constant(power), g.add(size, 1)))), PRIME)
    soft = g.both(g.equal(gap, SOFT), lettered, g.shifted(lettered, 1, False))
    words = {
        "word": g.where(lettered, hashed(g, value, "word", shape.bits), -1),
        "pair": pair(1, "pair"),
        "skip": pair(2, "skip"),
        "joined": g.where(soft, hashed(g, glued, "word", shape.bits), -1),
    }
    plain_letters = g.where(g.less(g.take(s, starts), FIRST_PICTURE), letters, 0)
    return Features(
        grams=grams,
        words=words,
        word_of=word_of,
        word_lengths=span,
        in_word=solid,
        places=text.places,
        letters=plain_letters,
        real=lettered,
        known_ids=known_word(g, value, shape.known_bits),
        size=g.op("Shape", "bytes"),
    )


def gram_ids(g: Graph, char: str, plain: str, letter: str, n: int, bits: int) -> str:
    """Ids of the n-grams centred on each character; spaces only at their ends, a letter somewhere."""
    offsets = range(-(n // 2), n - n // 2)
    value = g.constant(n)
    for offset in offsets:
        value = g.mod(g.add(g.mul(value, MULTIPLIER), g.shifted(char, offset, SPACE)), PRIME)
    inside = [g.shifted(plain, offset, False) for offset in list(offsets)[1:-1]]
    lettered = g.either(*(g.shifted(letter, offset, False) for offset in offsets))
    return g.where(g.both(*inside, lettered), hashed(g, value, "gram", bits), -1)


def front(shape: Shape) -> onnx.ModelProto:
    """bytes → ids int64 [f] (each feature once, -1 for none), kinds int64 [f] (0 gram, 1 word, 2 pair), words int64
    (how many words), known int64 [w] and letters int64 [w] for the word list."""
    g = Graph()
    parts = front_parts(g, shape)
    grams = g.join(*parts.grams.values())
    words = g.join(parts.words["word"], parts.words["joined"])
    pairs = g.join(parts.words["pair"], parts.words["skip"])
    zeros = [g.op("Add", g.mul(ids, 0), g.constant(kind)) for kind, ids in enumerate((grams, words, pairs))]
    g.name(g.join(grams, words, pairs), "ids")
    g.name(g.join(*zeros), "kinds")
    g.name(g.op("ReduceSum", g.integer(parts.real), keepdims=0), "words")
    g.name(parts.known_ids, "known")
    g.name(g.where(parts.real, parts.letters, 0), "letters")
    outputs: dict[str, list[str]] = {"ids": ["f"], "kinds": ["f"], "words": [], "known": ["w"], "letters": ["w"]}
    return finished(g, "listing-text-front", {name: (TensorProto.INT64, dims) for name, dims in outputs.items()})


def whole(shape: Shape, tables: Tables) -> onnx.ModelProto:
    """bytes uint8 [n] → scores float32 [P], evidence float32 [n, P], coverage float32 []."""
    g = Graph()
    parts = front_parts(g, shape)
    width = tables.weights.shape[1]
    table = g.constant(
        np.concatenate([np.zeros((1, width), tables.weights.dtype), tables.weights]), tables.weights.dtype
    )
    row_of = row_lookup(g, tables.rows, shape.bits)

    def weights_of(ids: str) -> str:
        rows = g.take(table, row_of(ids))
        return rows if tables.weights.dtype == np.float32 else g.op("Cast", rows, to=TensorProto.FLOAT)

    axis = g.constant([0])
    first = [g.op("Unsqueeze", ids, axis) for ids in parts.grams.values()]
    by_char = g.op("ReduceSum", weights_of(g.join(*first)), axis, keepdims=0)

    word = parts.words
    stack = [(word["word"], 1.0)]
    for name, by in (("pair", 1), ("skip", 2), ("joined", 1)):
        stack += [(word[name], 0.5), (g.shifted(word[name], -by, -1), 0.5)]
    ids = g.join(*(g.op("Unsqueeze", each, axis) for each, _ in stack))
    shares = g.constant(np.array([share for _, share in stack]).reshape(-1, 1, 1), np.float32)
    by_word = g.op("ReduceSum", g.op("Mul", weights_of(ids), shares), axis, keepdims=0)
    length = g.op("Unsqueeze", g.op("Cast", parts.word_lengths, to=TensorProto.FLOAT), g.constant([1]))
    spread = g.take(g.op("Div", by_word, length), parts.word_of)
    inside = g.op("Unsqueeze", g.op("Cast", parts.in_word, to=TensorProto.FLOAT), g.constant([1]))
    by_char = g.op("Add", by_char, g.op("Mul", spread, inside))

    count = g.op("Cast", g.op("ReduceSum", g.integer(parts.real), keepdims=0), to=TensorProto.FLOAT)
    damped = g.op(
        "Pow", g.op("Add", count, g.constant(shape.norm_words, np.float32)), g.constant(-shape.norm_power, np.float32)
    )
    scale = tables.scale if tables.scale is not None else np.ones(width, np.float32)
    by_char = g.op("Mul", by_char, g.op("Mul", damped, g.constant(scale, np.float32)))

    logits = g.op("Add", g.op("ReduceSum", by_char, axis, keepdims=0), g.constant(tables.bias, np.float32))
    g.name(g.op("Softmax", logits, axis=-1), "scores")
    rows_out = g.join(g.add(parts.size, 1), g.constant([width]))
    blank = g.op("ConstantOfShape", rows_out, value=helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]))
    where = g.op("Unsqueeze", parts.places, g.constant([1]))
    g.name(g.slice(g.op("ScatterND", blank, where, by_char), 0, -1), "evidence")

    known = row_lookup(g, np.flatnonzero(tables.known).astype(np.int64), shape.known_bits)(parts.known_ids)
    letters = g.where(parts.real, parts.letters, 0)
    met = g.op("ReduceSum", g.where(g.less(0, known), letters, 0), keepdims=0)
    seen = g.op("ReduceSum", letters, keepdims=0)
    met, seen = (g.op("Cast", each, to=TensorProto.FLOAT) for each in (met, g.op("Max", seen, g.constant(1))))
    g.name(g.op("Div", met, seen), "coverage")
    found: dict[str, list[str]] = {"scores": ["P"], "evidence": ["n", "P"], "coverage": []}
    return finished(g, "listing-text", {name: (TensorProto.FLOAT, dims) for name, dims in found.items()})


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


def finished(g: Graph, name: str, outputs: dict[str, tuple[Any, list[str]]]) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info("bytes", TensorProto.UINT8, ["n"])]
    results = [helper.make_tensor_value_info(key, kind, dims) for key, (kind, dims) in outputs.items()]
    graph = helper.make_graph(g.nodes, name, inputs, results, list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="marketplace")
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model
