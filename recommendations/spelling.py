"""Mistyped words, corrected by the words that stand in the catalogue.

A word that the catalogue knows is never changed, nor is one of English that it happens not to hold ("coffee" is not
"toffee"), nor are numbers, model codes ("PFSS9PKY") and short words. Words written apart become one where titles write
them as one ("head phones"), and one becomes two where they stand side by side ("dutchlap").

What finds nothing may be corrected more freely (`freely`): with more mistakes, and to words of English that no title
has, for a description may have them and the towers know what is meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from models import towers
from models.manifest import ModelUnavailable

from .vocabulary import Vocabulary
from .words import CHARS, JOINING, SYNONYMS, folded, is_number, stem, words

Best = Callable[[str, str, str, Vocabulary], str]  # (word, the one before, the one after, ...)

CHUNK = re.compile(r"\S+")
SHORTEST = 4  # letters; a shorter word is too near to too many
LONG = 7  # letters from which a word may have two mistakes
LONGEST = 25
CHOICES = 40
WORDS_READ = 24
# What a correction is worth: mistakes cost, frequent words and words that stand beside the neighbours here gain.
MISTAKE, FREQUENT, FIRST_LETTER, LAST_LETTER, NEIGHBOUR = -2.5, 0.7, 1.0, 0.5, 1.5
SPLIT = -0.5  # "dutchlap" for "dutch lap": as if of one small mistake, with its neighbour beside it
ON_SALE = 1.0  # what a word of the catalogue gains beside one of English, when both are looked at
JOINED = 10  # so many times as many titles must have two words as one as have them side by side
SHORTEST_PART = 3  # letters; "in door" may as well be a door in a door


def corrected(query: str, vocabulary: Vocabulary) -> str:
    """`query` with its mistyped words corrected, or as it is. Quotes and signs go with the words they belong to."""
    return _corrected(query, vocabulary, _best)


def freely(query: str, vocabulary: Vocabulary) -> str:
    """The same for a query that finds nothing as `corrected` has it."""
    return _corrected(query, vocabulary, _best_of_all)


def _corrected(query: str, vocabulary: Vocabulary, best: Best) -> str:
    if not vocabulary.words:
        return query
    chunks = _joined(CHUNK.findall(query[:CHARS]), vocabulary)
    parts = [words(chunk) for chunk in chunks]
    flat = [word for found in parts for word in found][:WORDS_READ]
    fixed: list[str] = []
    out: list[str] = []
    at = 0
    for chunk, found in zip(chunks, parts, strict=True):
        changed = []
        for word in found:
            following = flat[at + 1] if at + 1 < len(flat) else ""
            is_code = any(map(is_number, found)) and not _is_measure(found)
            new = word if is_code or at >= WORDS_READ else best(word, fixed[-1] if fixed else "", following, vocabulary)
            changed.append(new)
            fixed.append(new.split()[-1])
            at += 1
        out.append(chunk if changed == found else _in_place(chunk, found, changed))
    return " ".join(out)


def _joined(chunks: list[str], vocabulary: Vocabulary) -> list[str]:
    """Neighbours that belong together as one."""
    out: list[str] = []
    for chunk in chunks:
        if len(out) < WORDS_READ and out and _is_one(folded(out[-1]), folded(chunk), vocabulary):
            out[-1] = folded(out[-1] + chunk)
        else:
            out.append(chunk)
    return out


def _is_one(one: str, two: str, vocabulary: Vocabulary) -> bool:
    whole = one + two
    if not whole.isalpha() or min(len(one), len(two)) < SHORTEST_PART or len(whole) > LONGEST or {one, two} & JOINING:
        return False
    apart = vocabulary.pairs.get(f"{one} {two}", 0)
    if vocabulary.knows(whole):
        return vocabulary.stems.get(stem(whole), 0) >= JOINED * apart
    return not apart and not (vocabulary.knows(one) and vocabulary.knows(two)) and _is_english(whole)


def _is_measure(found: list[str]) -> bool:
    """A number and one word, such as "40ft" (a unit that is known anyway) or "12-guage"."""
    return len(found) == 2 and is_number(found[0]) and not is_number(found[1]) and len(found[1]) >= SHORTEST


def _in_place(chunk: str, found: list[str], changed: list[str]) -> str:
    text = folded(chunk)
    for old, new in zip(found, changed, strict=True):
        if old != new:
            text = text.replace(old, new, 1)
    return text


def _best(word: str, before: str, after: str, vocabulary: Vocabulary) -> str:
    if not _may_be_mistyped(word, vocabulary):
        return word
    options = _split(word, vocabulary)
    if not _is_english(word):
        for other, distance in _near(word, vocabulary.by_length, 1 if len(word) < LONG else 2):
            options.append((_worth(word, other, distance, before, after, vocabulary), other))
    return max(options, default=(0.0, word))[1]


def _best_of_all(word: str, before: str, after: str, vocabulary: Vocabulary) -> str:
    if not _may_be_mistyped(word, vocabulary) or _is_english(word):
        return word
    mistakes = 1 + (len(word) > SHORTEST) + (len(word) > LONG)
    options = _split(word, vocabulary)
    for other, distance in _near(word, vocabulary.by_length, mistakes):
        options.append((ON_SALE + _worth(word, other, distance, before, after, vocabulary), other))
    english = _english()
    for other, distance in _near(word, _english_by_length(), mistakes):
        if not vocabulary.knows(other):
            # A word's frequency falls with its place (Zipf): as if the list's last one stood in a single title.
            often = FREQUENT * math.log(len(english) / min(english[other], len(english)))
            options.append((often + _likeness(word, other, distance), other))
    return max(options, default=(0.0, word))[1]


def _may_be_mistyped(word: str, vocabulary: Vocabulary) -> bool:
    is_known = vocabulary.knows(word) or (stem(word),) in SYNONYMS
    return SHORTEST <= len(word) <= LONGEST and word.isalpha() and not is_known


def _near(word: str, by_length: dict[int, list[str]], mistakes: int) -> list[tuple[str, int]]:
    """(other word, how many mistakes lie between): a letter more, less, another, or two that changed places."""
    lengths = range(len(word) - mistakes, len(word) + mistakes + 1)
    pool = [other for length in lengths for other in by_length.get(length, ())]
    found = process.extract(word, pool, scorer=OSA.distance, score_cutoff=mistakes, limit=CHOICES)
    return [(other, int(distance)) for other, distance, _ in found]


def _english() -> dict[str, int]:
    try:
        return towers.common_words()
    except ModelUnavailable:
        return {}


def _english_by_length() -> dict[int, list[str]]:
    try:
        return _by_length()
    except ModelUnavailable:
        return {}


@cache
def _by_length() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for word in towers.common_words():
        if len(word) >= SHORTEST:
            found.setdefault(len(word), []).append(word)
    return found


def _is_english(word: str) -> bool:
    try:
        return towers.is_word(word)
    except ModelUnavailable:
        return False


def _worth(word: str, other: str, distance: int, before: str, after: str, vocabulary: Vocabulary) -> float:
    worth = _likeness(word, other, distance) + FREQUENT * math.log(vocabulary.words[other])
    for pair in (f"{before} {other}", f"{other} {after}"):
        worth += NEIGHBOUR * min(2.0, math.log1p(vocabulary.pairs.get(pair, 0)))
    return worth


def _likeness(word: str, other: str, distance: int) -> float:
    same_ends = FIRST_LETTER * (word[0] == other[0]) + LAST_LETTER * (word[-1] == other[-1])
    return MISTAKE * distance + same_ends


def _split(word: str, vocabulary: Vocabulary) -> list[tuple[float, str]]:
    """Two words that stand side by side in titles, written as one."""
    pairs = (f"{word[:at]} {word[at:]}" for at in range(2, len(word) - 1))
    return [(SPLIT + FREQUENT * math.log(vocabulary.pairs[pair]), pair) for pair in pairs if pair in vocabulary.pairs]
