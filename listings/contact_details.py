"""Telephone numbers, mail addresses, links and messenger names in a listing's words.

Buyers and sellers talk through the site first: a number in the text is how people are led away from it. Rules, not a
model: each says what it looks for. Dimensions, part numbers, prices and ISBNs must not fire; `tests/` hold both lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .content import Fields

TOP_LEVEL = "com|net|org|info|biz|shop|store|online|site|app|io|eu|de|ch|fr|nl|es|pl|se|dk|uk|ru|xyz|gg|tv"
DIGIT_WORDS = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|null|eins|zwei|drei|vier|sechs|sieben|acht|neun"
)
AT, DOT = r"(?:@|\s?[\[({<]\s?at\s?[\])}>]\s?|\s+at\s+)", r"(?:\.|\s?[\[({<]\s?(?:dot|punkt)\s?[\])}>]\s?|\s+dot\s+)"
MESSENGER = r"whats\s?app|telegram|wickr|snapchat|instagram|insta|threema|viber|wechat|kik"
SEPARATOR = r"[\s().\-/]"

TELEPHONE = "telephone number"

RULES = [
    ("mail address", rf"\b[\w.+-]+(?:@|\s?[\[({{<]\s?at\s?[\])}}>]\s?)[\w-]+(?:{DOT}[\w-]+)*{DOT}(?:{TOP_LEVEL})\b"),
    ("mail address", rf"\b[\w.+-]{{2,}}{AT}[\w-]{{2,}}(?:\s+dot\s+|\s?[\[({{<]\s?dot\s?[\])}}>]\s?)(?:{TOP_LEVEL})\b"),
    ("link", r"\bhttps?://\S+|\bwww\.\S+"),
    ("link", rf"(?<![\w.@-])[a-z0-9-]{{3,}}\.(?:co\.)?(?:{TOP_LEVEL})(?![\w-])(?:/\S*)?"),
    ("link", r"(?<![\w.])(?:t|wa|bit|ig|fb)\.(?:me|ly)/\S+"),
    (
        "messenger name",
        rf"\b(?:text|message|msg|write|dm|contact|reach|ping|add|find|hit|catch|chat)\s+(?:to\s+|with\s+)?(?:me|us|up)\s+"
        rf"(?:on|via|at|by|over|through|in)\s+(?:my\s+)?(?:{MESSENGER}|signal)\b",
    ),
    ("messenger name", rf"\b(?:{MESSENGER}|signal|discord|skype)\s*(?:is|name|handle|id)?\s*[:@=]+\s*@?[\w.]{{3,}}"),
    ("messenger name", r"(?<![\w.@/])@[a-z][\w.]{3,}"),
    (
        TELEPHONE,
        rf"(?<![\w.,])(?:\+|00)[1-9]\d{{0,2}}{SEPARATOR}?(?:\(0\))?(?:{SEPARATOR}?\d){{6,12}}(?![\w])",
    ),
    (
        TELEPHONE,
        r"\b(?:call|text|ring|phone|tel|telephone|mobile|mob|cell|sms|whats\s?app|my number|natel|handy|anrufen)"
        rf"(?:\s+(?:me|us|or|and|on|at|under|is|text|call|no|nr))*\s*[.:]*\s*\+?\(?\d(?:{SEPARATOR}?\d){{6,13}}\b",
    ),
    (TELEPHONE, rf"\b(?:(?:{DIGIT_WORDS})[\s,.-]+){{6,}}(?:{DIGIT_WORDS})\b"),
]
COMPILED = [(kind, re.compile(rule, re.IGNORECASE)) for kind, rule in RULES]
# A national number stands alone; the same digits behind one of these words are something else.
NATIONAL = re.compile(rf"(?<![\w.,/-])\(?0\d{{1,4}}\)?(?:{SEPARATOR}?\d){{6,9}}(?![\w-])")
NOT_A_NUMBER = re.compile(
    r"\b(?:isbn|ean|upc|gtin|part|parts|ref|reference|serial|model|sku|art|article|item|order|no|nr|no\.|nr\.|code|oem)\b[\s.:#№]*\w*[\s.:#]*$",
    re.IGNORECASE,
)


def find(fields: Fields) -> list[dict[str, Any]]:
    """[{field, start, end, weight, kind}], offsets in UTF-16 units of the field; overlapping finds are one."""
    return [span for name, text in fields for span in _in_text(name, text)]


def _in_text(name: str, text: str) -> Iterator[dict[str, Any]]:
    found = sorted((match.start(), match.end(), kind) for kind, match in _matches(text))
    reached = -1
    for start, end, kind in found:
        if start >= reached:
            yield {"field": name, "start": _utf16(text[:start]), "end": _utf16(text[:end]), "weight": 1.0, "kind": kind}
            reached = end


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, rule in COMPILED:
        for match in rule.finditer(text):
            if kind != TELEPHONE or not _something_else(text, match):
                yield kind, match
    for match in NATIONAL.finditer(text):
        digits = sum(character.isdigit() for character in match[0])
        if 9 <= digits <= 12 and not _something_else(text, match):
            yield TELEPHONE, match


def _something_else(text: str, match: re.Match[str]) -> bool:
    """True when the word before the digits says that they are a part number, an ISBN and the like."""
    return NOT_A_NUMBER.search(text[max(0, match.start() - 40) : match.start()]) is not None


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
