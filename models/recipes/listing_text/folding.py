"""Tables that turn code points into the symbols the graph works with. Built once, stored inside the ONNX file."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

IGNORE, SENTINEL, SOFT, SPACE, STAR = 0, 2, 31, 32, 42
FIRST_OTHER = 128  # symbols from here on are letters outside a-z
FIRST_PICTURE = 4096  # symbols from here on are pictographs: each is a word of its own
SYMBOLS = 8192
# Blocks of 256 code points that are looked up one by one: all that are low, Lisu, and letters in squares and circles.
TABLED = (*range(0x31), 0xA4, 0x1F1)
CODE_POINTS = 0x110000

# Letters that look like Latin ones. Each row: the Latin letter, then what passes for it.
LOOK_ALIKES = """
a аαɑᴀаꭺᗅ|b вƅьᏏʙβ|c сϲᴄⅽⲥ|d ԁɗⅾᴅժ|e еєҽᴇεɛ|f ғſƒϝ|g ɡցɢԍ|h һհʜнℎ|i іıɩɪι|j јϳᴊ|k кκᴋ|l ӏǀⅼʟℓ|m мᴍⅿϻ
n пηոɴ|o оοσօᴏօ|p рρᴘ|q ԛգ|r гᴦʀ|s ѕꜱʂ|t тτᴛ|u υսᴜʋц|v ѵνᴠⅴ|w ѡωшԝᴡ|x хχⅹ|y уүγʏყ|z ᴢʐ
aᎪꓮ|bᏴꓐ|cᏟꓚ|dᎠꓓ|eᎬꓰ|fꓝ|gᏀꓖ|hᎻꓧ|iᎥꓲ|jᎫꓙ|kᏦꓗ|lᏞꓡ|mᎷꓟ|nꓠ|oᎾꓳ|pᏢꓑ|rᎡᏒꓣ|sᏚꓢ|tᎢꓔ|uꓴ|vᏙꓦ|wᎳꓪ|xꓫ|yᎩꓬ|zᏃꓜ
"""
# Between letters these stand for a letter.
LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i", "|": "l"}
SOFT_SEPARATORS = ".-_/~^+=&·•"
KEPT = "@$!|*"
APOSTROPHES = "'`´’‘ʼʹ"


def look_alikes() -> dict[int, int]:
    """Code point of a look-alike, either case → code of the Latin letter."""
    found: dict[int, int] = {}
    for row in LOOK_ALIKES.replace("\n", "|").split("|"):
        if row:
            latin, others = row[0], row[1:].strip()
            for other in others:
                found.setdefault(ord(other), ord(latin))
                if len(other.upper()) == 1:
                    found.setdefault(ord(other.upper()), ord(latin))
    # Letters in dark circles and squares, and those that make flags.
    for first in (0x1F150, 0x1F170, 0x1F1E6):
        found |= {first + number: ord("a") + number for number in range(26)}
    return found


def symbol(code: int, alike: dict[int, int]) -> int:
    """The symbol for one code point of the tables."""
    char = chr(code)
    if char in APOSTROPHES:
        return IGNORE
    if char in KEPT or "0" <= char <= "9" or "a" <= char <= "z":
        return code
    if "A" <= char <= "Z":
        return code + 32
    if char in SOFT_SEPARATORS:
        return SOFT
    if code in alike:
        return alike[code]
    base = unicodedata.normalize("NFKD", char)[0]
    if base.isascii() and base.isalpha():
        return ord(base.lower())
    special = {
        "ß": "s",
        "æ": "a",
        "Æ": "a",
        "ø": "o",
        "Ø": "o",
        "đ": "d",
        "Đ": "d",
        "ł": "l",
        "Ł": "l",
        "œ": "o",
        "Œ": "o",
    }
    if char in special:
        return ord(special[char])
    category = unicodedata.category(char)
    if category[0] == "M" or category == "Cf":
        return IGNORE
    if category in ("Nd", "No") and unicodedata.digit(char, -1) >= 0:
        return ord("0") + unicodedata.digit(char)
    if category[0] in "LN":
        return FIRST_OTHER + ord(unicodedata.normalize("NFD", char)[0].lower()[0]) % (FIRST_PICTURE - FIRST_OTHER)
    if 0x2600 <= code < 0x27C0:
        return FIRST_PICTURE + code % 4096
    return SPACE


def symbols() -> NDArray[np.int16]:
    """int16 [256 x len(TABLED)]: code points of the tabled blocks, one block after the other → symbol."""
    alike = look_alikes()
    return np.array([symbol(block * 256 + low, alike) for block in TABLED for low in range(256)], np.int16)


def blocks() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """For each block of 256 code points what makes a symbol of a code point: add + code % modulus, and whether that
    is an index into `symbols` rather than the symbol itself."""
    count = CODE_POINTS // 256
    add, modulus, tabled = np.zeros(count, np.int64), np.ones(count, np.int64), np.zeros(count, bool)
    for block in range(count):
        if block in TABLED:
            add[block], modulus[block], tabled[block] = TABLED.index(block) * 256, 256, True
        elif 0xD8 <= block < 0xF9 or block == 0xFF:  # surrogates, private use, half- and full-width forms
            add[block] = SPACE
        elif 0x1F0 <= block < 0x1FB:
            add[block], modulus[block] = FIRST_PICTURE, SYMBOLS - FIRST_PICTURE
        elif block != 0xFE and block < 0xE00:  # neither variation selectors nor tags, which are ignored
            add[block], modulus[block] = FIRST_OTHER, FIRST_PICTURE - FIRST_OTHER
    return add, modulus, tabled


def decoder() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """UTF-8 by its first byte: weights int64 [256, 4] of it and the next three, and what to take off, int64 [256]."""
    weights, less = np.zeros((256, 4), np.int64), np.zeros(256, np.int64)
    for first, last, length in ((0, 128, 1), (192, 224, 2), (224, 240, 3), (240, 256, 4)):
        places = [64 ** (length - 1 - place) for place in range(length)]
        weights[first:last, :length] = places
        less[first:last] = first * places[0] + 128 * sum(places[1:])
    return weights, less


# --- Rules as tables -----------------------------------------------------------------------------------------------
# A rule looks at a symbol's class and at those of its neighbours. Written out for every combination it is a table, and
# in the graph one look-up instead of dozens of comparisons.
Rule = Callable[[Sequence[int]], int]


def rule(classes: int, window: int, decide: Rule) -> NDArray[np.uint8]:
    """uint8 [classes ** window]: decide(classes from left to right), by their number in base `classes`."""
    every = itertools.product(range(classes), repeat=window)
    return np.array([decide(each) for each in every], np.uint8)


# Classes for leetspeak.
OTHER, LETTER, DIGIT, LEET_DIGIT, MONEY, AT, BANG, STARRED = range(8)
KEEP, TO_LETTER, TO_SPACE = range(3)


def leet_classes() -> NDArray[np.uint8]:
    """uint8 [SYMBOLS]"""
    found = np.zeros(SYMBOLS, np.uint8)
    found[ord("a") : ord("z") + 1] = LETTER
    found[FIRST_OTHER:FIRST_PICTURE] = LETTER
    found[ord("0") : ord("9") + 1] = DIGIT
    for sign in LEET:
        found[ord(sign)] = {"$": MONEY, "@": AT, "!": BANG, "|": BANG}.get(sign, LEET_DIGIT)
    found[STAR] = STARRED
    return found


def undo_leet(window: Sequence[int]) -> int:
    """What becomes of the middle of five: signs that stand for a letter between letters become it, one or two in a
    row; a star between letters stays; a sign that is left over parts words."""
    two_before, before, this, after, two_after = window
    leet = (LEET_DIGIT, MONEY, AT, BANG)

    def amid(signs: tuple[int, ...]) -> bool:
        left = before == LETTER or (before in signs and two_before == LETTER)
        right = after == LETTER or (after in signs and two_after == LETTER)
        return left and right

    if this == STARRED:
        return KEEP if amid((STARRED,)) else TO_SPACE
    if this not in leet:
        return KEEP
    opening = (
        this in (MONEY, AT)
        and before not in (LETTER, DIGIT, LEET_DIGIT)
        and after == LETTER
        and (two_after == LETTER or two_after in leet)
    )
    closing = this == MONEY and before == LETTER and two_before == LETTER
    if amid(leet) or opening or closing:
        return TO_LETTER
    return KEEP if this == LEET_DIGIT else TO_SPACE


# Classes for what words are made of.
SEPARATOR, WORD_LETTER, WORD_DIGIT, WORD_STAR, PICTURE = range(5)


def word_classes() -> NDArray[np.uint8]:
    """uint8 [SYMBOLS]; the sentinel is a word of its own as a pictograph is."""
    found = np.zeros(SYMBOLS, np.uint8)
    found[ord("a") : ord("z") + 1] = WORD_LETTER
    found[FIRST_OTHER:FIRST_PICTURE] = WORD_LETTER
    found[ord("0") : ord("9") + 1] = WORD_DIGIT
    found[STAR] = WORD_STAR
    found[FIRST_PICTURE:] = PICTURE
    found[SENTINEL] = PICTURE
    return found


def stays_in_run(window: Sequence[int]) -> int:
    """1 for the second of two that stays: of a run of separators only the first does."""
    before, this = window
    return int(this != SEPARATOR or before != SEPARATOR)


SOLID = WORD_DIGIT  # for `stays_unless_spelled` everything solid that is no letter is one class


def stays_unless_spelled(window: Sequence[int]) -> int:
    """0 for the middle of nine, classes SEPARATOR, WORD_LETTER and SOLID, when it is a separator among three or more
    single letters in a row; else 1."""

    def single(at: int) -> bool:
        return window[at] == WORD_LETTER and window[at - 1] == window[at + 1] == SEPARATOR

    def gap(at: int) -> bool:
        return window[at] == SEPARATOR and single(at - 1) and single(at + 1)

    return int(not (gap(4) and (gap(2) or gap(6))))


PLAIN = (WORD_LETTER, WORD_DIGIT, WORD_STAR)  # what words are made of but pictographs


def starts_word(window: Sequence[int]) -> int:
    """Of the middle of five, as the following."""
    _, before, this, _, _ = window
    return int((this in PLAIN and before not in PLAIN) or this == PICTURE)


def ends_word(window: Sequence[int]) -> int:
    _, _, this, after, _ = window
    return int((this in PLAIN and after not in PLAIN) or this == PICTURE)


def in_long_number(window: Sequence[int]) -> int:
    """1 within three or more digits in a row."""
    return int(any(set(window[first : first + 3]) == {WORD_DIGIT} for first in range(3)))


def counts_in_hash(window: Sequence[int]) -> int:
    """0 for all but the first of digits in a row: any number of them is one character of a word."""
    _, before, this, _, _ = window
    return int(this != SEPARATOR and not (this == before == WORD_DIGIT))


def leet_letters() -> NDArray[np.uint8]:
    """uint8 [SYMBOLS]: symbol → the letter it stands for, 0 when it stands for none."""
    table = np.zeros(SYMBOLS, np.uint8)
    for sign, letter in LEET.items():
        table[ord(sign)] = ord(letter)
    return table
