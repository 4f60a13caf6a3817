"""Tables that turn code points into the symbols the graph works with. Built once, stored inside the ONNX file."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

IGNORE, SENTINEL, SOFT, SPACE, STAR = 0, 2, 31, 32, 42
FIRST_OTHER = 128  # symbols from here on are letters outside a-z
FIRST_PICTURE = 4096  # symbols from here on are pictographs: each is a word of its own
TABLE_SIZE = 0x3100  # code points below are looked up one by one, those above in blocks of 256

# Letters that look like Latin ones. Each row: the Latin letter, then what passes for it.
LOOK_ALIKES = """
a аαɑᴀаꭺᗅ|b вƅьᏏʙβ|c сϲᴄⅽⲥ|d ԁɗⅾᴅժ|e еєҽᴇεɛ|f ғſƒϝ|g ɡցɢԍ|h һհʜнℎ|i іıɩɪι|j јϳᴊ|k кκᴋ|l ӏǀⅼʟℓ|m мᴍⅿϻ
n пηոɴ|o оοσօᴏօ|p рρᴘ|q ԛգ|r гᴦʀ|s ѕꜱʂ|t тτᴛ|u υսᴜʋц|v ѵνᴠⅴ|w ѡωшԝᴡ|x хχⅹ|y уүγʏყ|z ᴢʐ
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
            latin, others = row.split(" ")
            for other in others:
                found.setdefault(ord(other), ord(latin))
                if len(other.upper()) == 1:
                    found.setdefault(ord(other.upper()), ord(latin))
    return found


def symbol(code: int, alike: dict[int, int]) -> int:
    """The symbol for one code point below TABLE_SIZE."""
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
    """int16 [TABLE_SIZE]: code point → symbol."""
    alike = look_alikes()
    return np.array([symbol(code, alike) for code in range(TABLE_SIZE)], np.int16)


def block_kinds() -> NDArray[np.uint8]:
    """uint8 [0x1100]: kind by code point / 256, above the table: 0 ignore, 1 separator, 2 letter, 3 pictograph."""
    kinds = np.full(0x1100, 2, np.uint8)
    kinds[0xD8:0xF9] = 1
    kinds[0xFE] = 0
    kinds[0xFF] = 1
    kinds[0x1F0:0x1FB] = 3
    kinds[0xE00:] = 0
    return kinds


def leet_letters() -> NDArray[np.int64]:
    """int64 [128]: symbol → the letter it stands for, 0 when it stands for none."""
    table = np.zeros(128, np.int64)
    for sign, letter in LEET.items():
        table[ord(sign)] = ord(letter)
    return table
