"""Telephone numbers, mail addresses, links and messenger names in a listing's words.

Buyers and sellers talk through the site first: a number in the text is how people are led away from it. Rules, not a
model: each says what it looks for. Dimensions, part numbers, prices and ISBNs must not fire; `tests/` hold both lists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from .content import Fields

TELEPHONE, MAIL, LINK, MESSENGER = "telephone number", "mail address", "link", "messenger name"

TLD = "com|net|org|info|biz|shop|store|online|site|app|io|eu|de|ch|fr|nl|es|pl|se|dk|uk|ru|xyz|gg|tv"
DIGIT_WORD = (
    "zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|null|eins|zwei|drei|vier|sechs|sieben|acht|neun"
)
APPS = r"whats\s?app|telegram|wickr|snapchat|snap|instagram|insta|ig|threema|viber|wechat|kik|discord|skype"
SEP = r"[\s().\-/]"
OPEN, CLOSE = r"\s?[\[({<]\s?", r"\s?[\])}>]\s?"
DOT_WORD = rf"(?:\s+dot\s+|{OPEN}(?:dot|punkt){CLOSE})"
DOT = rf"(?:\s?\.\s?|{DOT_WORD})"
AT_SIGN = rf"(?:\s?@\s?|{OPEN}at{CLOSE})"
SPEAK = "text|message|msg|write|dm|contact|reach|ping|add|find|hit|catch|chat"
CALL = r"call|text|ring|phone|tel|telephone|mobile|mob|cell|sms|whats\s?app|my number|natel|handy|anrufen|reach me"
QUANTITY = r"gb|tb|mb|mah|mm|cm|hz|khz|mhz|w|v|pcs|pieces|screws|in\b|inch"

RULES = [
    (MAIL, rf"\b[\w.+-]+{AT_SIGN}[\w-]+(?:\.[\w-]+)*{DOT}(?:{TLD})\b"),
    (MAIL, rf"\b[\w.+-]{{2,}}\s+at\s+[\w-]{{2,}}{DOT_WORD}(?:{TLD})\b"),
    (LINK, r"\bhttps?://\S+|\bwww\.\S+"),
    # Lower case only: ASP.NET and "the end.It was" are no addresses.
    (LINK, rf"(?-i:(?<![\w.@-])(?:[a-z0-9-]+\.)*[a-z0-9-]{{3,}}\.(?:co\.)?(?:{TLD})(?![\w-]))(?:/\S*)?"),
    (LINK, r"(?<![\w.])(?:t|wa|bit|ig|fb)\.(?:me|ly)/\S+"),
    (
        MESSENGER,
        rf"\b(?:{SPEAK})\s+(?:to\s+|with\s+)?(?:me|us|up)\s+(?:on|via|at|by|over|through|in)\s+(?:my\s+)?"
        rf"(?:{APPS}|signal)\b",
    ),
    # A handle: lower case; with no colon before it, it has a digit or one of . _ #
    (MESSENGER, rf"\b(?:{APPS})\s*(?:is|name|handle|id)?\s*[:@=]+\s*(?-i:@?[a-z][a-z0-9_.]{{3,}})"),
    (MESSENGER, rf"\b(?:{APPS})\s+(?:is\s+|name\s+)?(?-i:@?[a-z][a-z]*[0-9_.#][a-z0-9_#]+)"),
    (MESSENGER, r"(?<![\w.@/])@[a-z][\w.]{4,}"),
    (TELEPHONE, rf"(?<![\w.,])(?:\+|00)[1-9]\d{{0,2}}{SEP}?(?:\(0\))?(?:{SEP}?\d){{6,12}}(?!\w)"),
    (
        TELEPHONE,
        rf"\b(?:{CALL})(?:\s+(?:me|us|or|and|on|at|under|is|text|call|no|nr))*\s*[.:]*\s*\+?\(?\d(?:{SEP}{{0,2}}\d){{6,13}}"
        rf"(?!{SEP}?\d)(?!\s*(?:{QUANTITY}))\b",
    ),
    (TELEPHONE, rf"(?<![\w.,])\(?[2-9]\d\d\)?{SEP}{{1,2}}[2-9]\d\d[\s.-]\d{{4}}(?![\w-])"),
    (TELEPHONE, rf"(?<![\w.,])\d(?:{SEP}?\d){{6,13}}\s+(?:call|text|ring)\s+me\b"),
    (TELEPHONE, rf"\b(?:(?:{DIGIT_WORD})[\s,.-]+){{6,}}(?:{DIGIT_WORD})\b"),
    (TELEPHONE, rf"\b(?:zero|oh|null)(?:[\s,.-]+(?:{DIGIT_WORD}))+{SEP}+\d(?:{SEP}?\d){{5,9}}(?![\w-])"),
]
COMPILED = [(kind, re.compile(rule, re.IGNORECASE)) for kind, rule in RULES]
# A national number: a zero (or the letter) in front, 9 to 12 digits in all.
NATIONAL = re.compile(
    rf"(?<![\w.,/-])(?:\(?[0oO]\d{{1,4}}\)?(?:{SEP}{{0,2}}\d){{6,9}}|[0oO](?:[\s.-]\d){{8,11}})(?![\w-])"
)
# The same digits behind one of these words are something else.
NOT_A_NUMBER = re.compile(
    r"\b(?:isbn|ean|upc|gtin|vin|imei|lot|batch|charge|parts?|ref|reference|serial|model|sku|art|article|item|order|"
    r"no|nr|code|oem)\b[\s.:#№]*\w*[\s.:#]*$",
    re.IGNORECASE,
)


def find(fields: Fields) -> list[dict[str, Any]]:
    """[{field, start, end, weight, kind}], offsets in UTF-16 units of the field; overlapping finds are one."""
    return [span for name, text in fields for span in _in_text(name, text)]


def _in_text(name: str, text: str) -> Iterator[dict[str, Any]]:
    plain, places = _plain(text)
    found = sorted((match.start(), match.end(), kind) for kind, match in _matches(plain))
    reached = -1
    for begin, stop, kind in found:
        if begin >= reached:
            start, end = places[begin], places[stop - 1] + 1
            yield {"field": name, "start": _utf16(text[:start]), "end": _utf16(text[:end]), "weight": 1.0, "kind": kind}
            reached = stop


def _plain(text: str) -> tuple[str, list[int]]:
    """`text` without invisible characters and with full-width forms made plain, and each character's old place."""
    kept: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character > "\x7f":
            if unicodedata.category(character) == "Cf":
                continue
            character = unicodedata.normalize("NFKC", character)
        kept.append(character)
        places += [place] * len(character)
    return "".join(kept), places


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, rule in COMPILED:
        for match in rule.finditer(text):
            if kind != TELEPHONE or not _something_else(text, match):
                yield kind, match
    for match in NATIONAL.finditer(text):
        digits = sum(character.isdigit() or character in "oO" for character in match[0])
        if 9 <= digits <= 12 and not _something_else(text, match):
            yield TELEPHONE, match


def _something_else(text: str, match: re.Match[str]) -> bool:
    """True when the word before says so (a part number, an ISBN), or when it is a list of like codes (0402 0603 …)."""
    if NOT_A_NUMBER.search(text[max(0, match.start() - 40) : match.start()]):
        return True
    groups = re.findall(r"\d+", match[0])
    alike = len(groups) > 1 and len({len(group) for group in groups}) == 1 and len(groups[0]) > 1
    return alike and sum(group.startswith("0") for group in groups) > 1


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
