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
from models.recipes.listing_text.folding import FIRST_OTHER, FIRST_PICTURE, SENTINEL, SOFT, SPACE
from models.recipes.listing_text.graph import Graph, finished

GRAMS = (3, 4, 5, 6)
PRIME = 2_147_483_647
MULTIPLIER = 1_000_003
INSIDE = 16  # more than the letters of an n-gram
STRANGE = 0  # in the word list, every word that begins with a letter outside a-z
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
    offsets = g.constant(np.arange(left + 1 + right)[:, None])
    return g.take(g.join(g.constant([fill] * left), x, g.constant([fill] * right)), g.add(g.counted(x), offsets))


def summed(g: Graph, x: str, weights: NDArray[np.float32], left: int, right: int) -> str:
    """float32 [1, k, m]: weighted sums of each element and its neighbours, 0 beyond the ends, by one convolution; exact
    as long as they stay below 2 ** 24. x: float32 [1, c, m]; weights: [k, c, left + 1 + right]."""
    return g.op("Conv", x, g.constant(weights, np.float32), pads=[left, right])


def ruled(g: Graph, kinds: str, count: int, left: int, right: int, *rules: folding.Rule) -> list[str]:
    """What each rule says of every element, int64 [m]: by the classes around it, looked up in the rule's table. kinds:
    the class of each, float32 [1, 1, m], below `count`."""
    size = left + 1 + right
    places = np.array([[[count ** (size - 1 - place) for place in range(size)]]])
    index = g.op("Squeeze", summed(g, kinds, places, left, right), g.constant([0, 1]))
    index = g.op("Cast", index, to=TensorProto.INT32)
    return [looked_up(g, folding.rule(count, size, each), index) for each in rules]


def looked_up(g: Graph, table: NDArray[np.uint8], index: str) -> str:
    """int64: rows of a table that is stored in bytes and made wide once, when a session starts."""
    return g.take(g.integer(g.constant(table, np.uint8)), index)


def decoded(g: Graph) -> Text:
    """UTF-8 bytes → symbols by table; marks and zero-width characters fall away. A sentinel word leads."""
    raw = g.integer("bytes")
    size = g.op("Shape", "bytes")
    at = g.kept(g.counted(raw), g.either(g.less(raw, 128), g.less(191, raw)))
    first = g.take(raw, at)
    weights, less = folding.decoder()
    following = g.take(g.join(raw, g.constant([128] * 3)), g.add(at, g.constant(np.arange(4)[:, None])))
    weight = g.op("Gather", g.constant(weights.T), first, axis=1)
    total = g.op("ReduceSum", g.op("Mul", following, weight), g.constant([0]), keepdims=0)
    code = g.sub(total, g.take(g.constant(less), first))
    code = g.op("Clip", code, g.constant(0), g.constant(folding.CODE_POINTS - 1))
    add, modulus, tabled = folding.blocks()
    block = g.op("Div", code, g.constant(256))
    value = g.add(g.op("Mod", code, g.take(g.constant(modulus), block)), g.take(g.constant(add), block))
    table = folding.symbols()
    listed = g.take(g.integer(g.constant(table, np.int16)), g.op("Min", value, g.constant(len(table) - 1)))
    symbol = g.where(g.take(g.constant(tabled, np.bool_), block), listed, value)
    shown = g.less(0, symbol)
    symbols = g.join(g.constant([SENTINEL, SPACE]), g.kept(symbol, shown))
    return Text(symbols, g.join(size, size, g.kept(at, shown)))


def without_leetspeak(g: Graph, text: Text) -> Text:
    """See `folding.undo_leet`."""
    s = text.symbols
    (action,) = ruled(g, kinds_of(g, s, folding.leet_classes()), 8, 2, 2, folding.undo_leet)
    letter = looked_up(g, folding.leet_letters(), s)
    changed = g.where(g.equal(action, folding.TO_LETTER), letter, SPACE)
    return Text(g.where(g.equal(action, folding.KEEP), s, changed), text.places)


def kept(g: Graph, text: Text, keep: str) -> Text:
    keep = g.op("Cast", keep, to=TensorProto.BOOL)
    return Text(g.kept(text.symbols, keep), g.kept(text.places, keep))


def kinds_of(g: Graph, s: str, classes: NDArray[np.uint8]) -> str:
    """float32 [1, 1, m]"""
    wide = g.op("Cast", g.constant(classes[None, None], np.uint8), to=TensorProto.FLOAT)
    return g.take(wide, s, axis=2)


def joined(g: Graph, text: Text) -> Text:
    """Runs of separators shrink to the first; three or more single letters in a row lose what is between them."""
    classes = folding.word_classes()
    (stays,) = ruled(g, kinds_of(g, text.symbols, np.minimum(classes, 1)), 2, 1, 0, folding.stays_in_run)
    text = kept(g, text, stays)
    three = np.minimum(classes, folding.SOLID)
    (stays,) = ruled(g, kinds_of(g, text.symbols, three), 3, 4, 4, folding.stays_unless_spelled)
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
    kind = looked_up(g, classes, s)
    first, last, long_number, counted = ruled(
        g, kinds_of(g, s, classes), 5, 2, 2,
        folding.starts_word, folding.ends_word, folding.in_long_number, folding.counts_in_hash,
    )  # fmt: skip
    place = g.counted(s)
    starts, ends = (g.kept(place, g.op("Cast", each, to=TensorProto.BOOL)) for each in (first, last))
    number = g.sums(counted)
    word_of = g.sub(g.sums(first), 1)  # the sentinel in front is word 0
    base = g.take(g.take(number, starts), word_of)
    power = np.array([pow(MULTIPLIER, k, PRIME) for k in range(POWERS)])
    exponent = g.op("Min", g.sub(number, base), g.constant(POWERS - 1))
    code = g.where(g.equal(kind, folding.WORD_DIGIT), ord("0"), s)
    part = g.mul(g.mul(code, counted), g.take(g.constant(power), exponent))
    meant = g.take(g.constant(np.array([0, 1, 0, 0, 1])), kind)  # letters and pictographs
    value, letters = g.mod(by_word(g, part, ends), PRIME), by_word(g, meant, ends)
    head = g.take(s, starts)
    real = g.less(SENTINEL, head)
    lettered = g.both(g.less(0, letters), real)

    gap = g.take(g.join(s, g.constant([SPACE])), g.add(ends, 1))
    size = g.op("Min", g.sub(g.take(number, ends), g.take(number, starts)), g.constant(POWERS - 2))
    glued = g.mod(g.add(value, g.mul(g.shifted(value, 1, 0), g.take(g.constant(power), g.add(size, 1)))), PRIME)
    soft = g.both(g.equal(gap, SOFT), lettered, g.shifted(lettered, 1, False))
    return Features(
        grams=gram_ids(g, s, kind, long_number, shape.bits),
        word=g.where(lettered, hashed(g, value, "word", shape.bits), -1),
        joined=g.where(soft, hashed(g, glued, "word", shape.bits), -1),
        word_of=word_of,
        word_lengths=g.add(g.sub(ends, starts), 1),
        in_word=g.less(0, kind),
        places=text.places,
        letters=g.where(g.less(head, FIRST_PICTURE), letters, 0),
        real=lettered,
        known_ids=g.where(g.less(head, FIRST_OTHER), known_word(g, value, shape.known_bits), STRANGE),
        size=g.op("Shape", "bytes"),
    )


def by_word(g: Graph, x: str, ends: str) -> str:
    """int64 [w]: sums over each word's symbols, of what is 0 between words."""
    until = g.take(g.sums(x), ends)
    return g.sub(until, g.shifted(until, -1, 0))


def gram_ids(g: Graph, s: str, kind: str, long_number: str, bits: int) -> str:
    """Ids int64 [4, m] of the n-grams centred on each character; spaces only at their ends, a letter somewhere. A
    hash is the sum of characters times powers; all of them are one product of matrices."""
    plain = g.op("Equal", looked_up(g, np.isin(range(5), folding.PLAIN).astype(np.uint8), kind), g.constant(1))
    char = g.where(g.equal(long_number, 1), ord("0"), g.where(plain, s, SPACE))
    left, right = max(GRAMS) // 2, max(GRAMS) - max(GRAMS) // 2 - 1
    powers = np.zeros((len(GRAMS), left + 1 + right), np.int64)
    shown = np.zeros((len(GRAMS), 2, left + 1 + right), np.float32)
    for row, n in enumerate(GRAMS):
        begin = left - n // 2
        powers[row, begin : begin + n] = [pow(MULTIPLIER, n - 1 - k, PRIME) for k in range(n)]
        shown[row, 0, begin + 1 : begin + n - 1] = INSIDE
        shown[row, 1, begin : begin + n] = 1
    length = np.array(GRAMS)[:, None]
    total = g.op("MatMul", g.constant(powers), windows(g, char, left, right, SPACE))
    value = g.mod(
        g.add(total, g.constant(length * np.array([pow(MULTIPLIER, n, PRIME) for n in GRAMS])[:, None])), PRIME
    )
    # One sum tells both: every place inside is plain, and a letter is somewhere.
    traits = np.array([np.isin(range(5), folding.PLAIN), np.isin(range(5), folding.WORD_LETTER)])
    there = summed(g, g.take(g.constant(traits[None], np.float32), kind, axis=2), shown, left, right)
    valid = g.op("Less", g.constant((length - 2) * INSIDE, np.float32), g.op("Squeeze", there, g.constant([0])))
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
    there = g.less(-1, ids)
    g.name(g.kept(ids, there), "ids")
    g.name(g.kept(g.join(*(owner for _, owner, _ in rows)), there), "owners")
    g.name(g.kept(g.join(*(g.add(g.mul(each, 0), kind) for each, _, kind in rows)), there), "kinds")
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
