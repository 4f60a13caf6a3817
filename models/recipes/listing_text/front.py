"""The first half of listing-text: UTF-8 bytes → words and the ids of their hashed features.

Only standard operators on whole numbers, so that native and WASM agree. Training reads texts through this very graph,
exported, so that there is no second definition of it anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_text import folding
from models.recipes.listing_text.folding import FIRST_PICTURE, SENTINEL, SOFT, SPACE
from models.recipes.listing_text.graph import Graph, finished

GRAMS = (3, 4, 5, 6)
PRIME = 2_147_483_647
MULTIPLIER = 1_000_003
POWERS = 48  # characters of a word that count for its hash
# Odd constants that keep the kinds of features apart before they share one table.
SALT = {"gram": (314_159, 271_829), "word": (577_217, 693_147)}


@dataclass(frozen=True)
class Shape:
    """What front and tables must agree on. bits: log2 of the hash space; known_bits: the same for the word list."""

    bits: int
    known_bits: int


@dataclass
class Text:
    """A text inside the graph: symbols and the byte position of each."""

    symbols: str
    places: str


@dataclass
class Features:
    """Names of the tensors the head needs; see `front_parts`."""

    grams: str
    word: str
    joined: str
    word_of: str
    word_lengths: str
    in_word: str
    places: str
    letters: str
    real: str
    known_ids: str
    size: str


def windows(g: Graph, x: str, left: int, right: int, fill: int) -> str:
    """int64 [left + 1 + right, m]: each element's neighbours, `fill` beyond the ends."""
    parts = [g.constant([fill] * left)] * bool(left) + [x] + [g.constant([fill] * right)] * bool(right)
    number = g.op("Range", g.constant(0), g.op("Squeeze", g.op("Shape", x)), g.constant(1))
    offsets = g.constant(np.arange(left + 1 + right)[:, None])
    return g.take(g.join(*parts), g.add(number, offsets))


def ruled(g: Graph, classes: str, count: int, left: int, right: int, *rules: folding.Rule) -> list[str]:
    """What each rule says of every element, uint8 [m]: by the classes around it, looked up in the rule's table."""
    size = left + 1 + right
    places = g.constant([[count ** (size - 1 - place) for place in range(size)]])
    index = g.op("Squeeze", g.op("MatMul", places, windows(g, classes, left, right, 0)), g.constant([0]))
    return [g.take(g.constant(folding.rule(count, size, each), np.uint8), index) for each in rules]


def decoded(g: Graph) -> Text:
    """UTF-8 bytes → symbols by table; marks and zero-width characters fall away. A sentinel word leads."""
    raw = g.integer("bytes")
    size = g.op("Shape", "bytes")
    at = g.positions(g.either(g.less(raw, 128), g.less(191, raw)))
    first = g.take(raw, at)
    weights, less = folding.decoder()
    following = g.op("Gather", windows(g, raw, 0, 3, 128), at, axis=1)
    weight = g.op("Transpose", g.take(g.constant(weights), first), perm=[1, 0])
    total = g.op("ReduceSum", g.op("Mul", following, weight), g.constant([0]), keepdims=0)
    code = g.sub(total, g.take(g.constant(less), first))
    code = g.op("Max", g.op("Min", code, g.constant(folding.CODE_POINTS - 1)), g.constant(0))
    add, modulus, tabled = folding.blocks()
    block = g.op("Div", code, g.constant(256))
    value = g.add(g.op("Mod", code, g.take(g.constant(modulus), block)), g.take(g.constant(add), block))
    table = folding.symbols()
    listed = g.integer(g.take(g.constant(table, np.int16), g.op("Min", value, g.constant(len(table) - 1))))
    symbol = g.where(g.take(g.constant(tabled, np.bool_), block), listed, value)
    kept = g.positions(g.less(0, symbol))
    symbols = g.join(g.constant([SENTINEL, SPACE]), g.take(symbol, kept))
    return Text(symbols, g.join(size, size, g.take(at, kept)))


def without_leetspeak(g: Graph, text: Text) -> Text:
    """See `folding.undo_leet`."""
    s = text.symbols
    classes = g.integer(g.take(g.constant(folding.leet_classes(), np.uint8), s))
    (action,) = ruled(g, classes, 8, 2, 2, folding.undo_leet)
    action = g.integer(action)
    letter = g.take(g.constant(folding.leet_letters()), g.op("Min", s, g.constant(127)))
    changed = g.where(g.equal(action, folding.TO_LETTER), letter, SPACE)
    return Text(g.where(g.equal(action, folding.KEEP), s, changed), text.places)


def kept(g: Graph, text: Text, keep: str) -> Text:
    at = g.positions(g.op("Cast", keep, to=TensorProto.BOOL))
    return Text(g.take(text.symbols, at), g.take(text.places, at))


def classes_of(g: Graph, s: str, classes: NDArray[np.uint8]) -> str:
    return g.integer(g.take(g.constant(classes, np.uint8), s))


def joined(g: Graph, text: Text) -> Text:
    """Runs of separators shrink to the first; three or more single letters in a row lose what is between them."""
    classes = folding.word_classes()
    (stays,) = ruled(g, classes_of(g, text.symbols, np.minimum(classes, 1)), 2, 1, 0, folding.stays_in_run)
    text = kept(g, text, stays)
    three = np.minimum(classes, folding.SOLID)
    (stays,) = ruled(g, classes_of(g, text.symbols, three), 3, 4, 4, folding.stays_unless_spelled)
    return kept(g, text, stays)


def hashed(g: Graph, value: str, salt: str, bits: int) -> str:
    """Spread a hash below PRIME over 2 ** bits ids: n-grams have the lower half, words the upper."""
    a, c = SALT[salt]
    size = 2 ** (bits - 1)
    start = 0 if salt == "gram" else size
    return g.add(g.mod(g.mod(g.add(g.mul(value, a), c), PRIME), size), start)


def known_word(g: Graph, value: str, bits: int) -> str:
    """Id of a word in the word list of 2 ** bits."""
    a, c = SALT["word"]
    return g.mod(g.mod(g.add(g.mul(value, a), c), PRIME), 2**bits)


def front_parts(g: Graph, shape: Shape) -> Features:
    """Everything up to the feature ids; an id of -1 is no feature.

    grams: for n in GRAMS, ids of the n-gram centred on each character [4, m]; it lies within that character's word and
    the spaces around it. word, joined: ids [w] of a word, and of it and the next written as one where a soft separator
    parts them.
    """
    text = joined(g, without_leetspeak(g, decoded(g)))
    s = text.symbols
    classes = folding.word_classes()
    kind = classes_of(g, s, classes)
    starting, ending, long_number, counting = ruled(
        g, kind, 5, 2, 2, folding.starts_word, folding.ends_word, folding.in_long_number, folding.counts_in_hash
    )
    plain = g.take(g.constant(np.array([0, 1, 1, 1, 0])), kind)
    letter = g.take(g.constant(np.array([0, 1, 0, 0, 0])), kind)

    first = g.integer(starting)
    starts, ends = (g.positions(g.op("Cast", each, to=TensorProto.BOOL)) for each in (starting, ending))
    counted = g.integer(counting)
    number = g.sums(counted)
    word_of = g.op("Max", g.sub(g.sums(first), 1), g.constant(0))
    base = g.take(g.take(number, starts), word_of)
    power = np.array([pow(MULTIPLIER, k, PRIME) for k in range(POWERS)])
    place = g.op("Max", g.op("Min", g.sub(number, base), g.constant(POWERS - 1)), g.constant(0))
    code = g.where(g.equal(kind, folding.WORD_DIGIT), ord("0"), s)
    part = g.mul(g.mul(code, counted), g.take(g.constant(power), place))
    meant = g.take(g.constant(np.array([0, 1, 0, 0, 1])), kind)  # letters and pictographs
    sums = g.op(
        "CumSum", g.op("Concat", *(g.op("Unsqueeze", x, g.constant([0])) for x in (part, meant)), axis=0), g.constant(1)
    )
    at_start, at_end = g.take(sums, starts, 1), g.take(sums, ends, 1)
    own = g.op("Concat", *(g.op("Unsqueeze", g.take(x, starts), g.constant([0])) for x in (part, meant)), axis=0)
    value, letters = (
        g.op("Squeeze", each, g.constant([0])) for each in g.split(g.add(g.sub(at_end, at_start), own), 2, axis=0)
    )
    value = g.mod(value, PRIME)
    head = g.take(s, starts)
    real = g.less(SENTINEL, head)
    lettered = g.both(g.less(0, letters), real)

    gap = g.take(g.join(s, g.constant([SPACE])), g.add(ends, 1))
    size = g.op("Min", g.sub(g.take(number, ends), g.take(number, starts)), g.constant(POWERS - 2))
    glued = g.mod(g.add(value, g.mul(g.shifted(value, 1, 0), g.take(g.constant(power), g.add(size, 1)))), PRIME)
    soft = g.both(g.equal(gap, SOFT), lettered, g.shifted(lettered, 1, False))
    return Features(
        grams=gram_ids(g, s, plain, letter, long_number, shape.bits),
        word=g.where(lettered, hashed(g, value, "word", shape.bits), -1),
        joined=g.where(soft, hashed(g, glued, "word", shape.bits), -1),
        word_of=word_of,
        word_lengths=g.add(g.sub(ends, starts), 1),
        in_word=g.less(0, kind),
        places=text.places,
        letters=g.where(g.less(head, FIRST_PICTURE), letters, 0),
        real=lettered,
        known_ids=known_word(g, value, shape.known_bits),
        size=g.op("Shape", "bytes"),
    )


def gram_ids(g: Graph, s: str, plain: str, letter: str, long_number: str, bits: int) -> str:
    """Ids int64 [4, m] of the n-grams centred on each character; spaces only at their ends, a letter somewhere. A
    hash is the sum of characters times powers; all of them are one product of matrices."""
    is_plain, is_long = (g.op("Cast", x, to=TensorProto.BOOL) for x in (plain, long_number))
    char = g.where(is_long, ord("0"), g.where(is_plain, s, SPACE))
    left, right = max(GRAMS) // 2, max(GRAMS) - max(GRAMS) // 2 - 1
    powers = np.zeros((len(GRAMS), left + 1 + right), np.int64)
    inside, whole = powers.copy(), powers.copy()
    for row, n in enumerate(GRAMS):
        begin = left - n // 2
        powers[row, begin : begin + n] = [pow(MULTIPLIER, n - 1 - k, PRIME) for k in range(n)]
        inside[row, begin + 1 : begin + n - 1] = 1
        whole[row, begin : begin + n] = 1
    length = np.array(GRAMS)[:, None]
    total = g.op("MatMul", g.constant(powers), windows(g, char, left, right, SPACE))
    value = g.mod(
        g.add(total, g.constant(length * np.array([pow(MULTIPLIER, n, PRIME) for n in GRAMS])[:, None])), PRIME
    )
    plain_inside = g.op("MatMul", g.constant(inside), windows(g, plain, left, right, 0))
    letters = g.op("MatMul", g.constant(whole), windows(g, letter, left, right, 0))
    valid = g.both(g.op("Equal", plain_inside, g.constant(length - 2)), g.less(0, letters))
    return g.where(valid, hashed(g, value, "gram", bits), -1)


def front(shape: Shape) -> onnx.ModelProto:
    """bytes → features of words: ids int64 [f], owners int64 [f] (the word each belongs to), kinds int64 [f] (0 n-gram,
    1 word, 2 joined); size int64 (how many words); known int64 [w] and letters int64 [w] for the word list."""
    g = Graph()
    parts = front_parts(g, shape)
    numbers = g.sub(g.sums(g.add(g.mul(parts.word, 0), 1)), 1)
    each_gram = g.op("Reshape", parts.grams, g.constant([-1]))
    owner = g.op("Reshape", g.op("Concat", *[parts.word_of] * len(GRAMS), axis=0), g.constant([-1]))
    rows = [
        (each_gram, owner, 0),
        (parts.word, numbers, 1),
        (parts.joined, numbers, 2),
        (g.shifted(parts.joined, -1, -1), numbers, 2),
    ]
    ids = g.join(*(each for each, _, _ in rows))
    kept_at = g.positions(g.less(-1, ids))
    g.name(g.take(ids, kept_at), "ids")
    g.name(g.take(g.join(*(owner for _, owner, _ in rows)), kept_at), "owners")
    g.name(g.take(g.join(*(g.add(g.mul(each, 0), kind) for each, _, kind in rows)), kept_at), "kinds")
    g.name(g.op("Squeeze", g.op("Shape", parts.word)), "size")
    g.name(parts.known_ids, "known")
    g.name(g.where(parts.real, parts.letters, 0), "letters")
    outputs: dict[str, list[str]] = {
        "ids": ["f"], "owners": ["f"], "kinds": ["f"], "size": [], "known": ["w"], "letters": ["w"]
    }  # fmt: skip
    return finished(g, "listing-text-front", {name: (TensorProto.INT64, dims) for name, dims in outputs.items()})


def fold() -> onnx.ModelProto:
    """bytes → symbols int64 [m] and places int64 [m]: the text as the front reads it (lower case, look-alikes,
    leetspeak and spelled-out words undone) and the byte each symbol came from. Symbols below 128 are ASCII; see
    `folding`."""
    g = Graph()
    text = joined(g, without_leetspeak(g, decoded(g)))
    g.name(g.op("Slice", text.symbols, g.constant([2]), g.constant([2**31 - 1])), "symbols")
    g.name(g.op("Slice", text.places, g.constant([2]), g.constant([2**31 - 1])), "places")
    return finished(g, "listing-text-fold", {name: (TensorProto.INT64, ["m"]) for name in ("symbols", "places")})
