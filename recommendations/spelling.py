"""Mistyped words, corrected by the words that stand in the catalogue.

A word that the catalogue knows is never changed, nor is one of English that it happens not to hold ("coffee" is not
"toffee"), nor are numbers, model codes ("PFSS9PKY") and short words.
"""

from __future__ import annotations

import math
import re

from rapidfuzz import process
from rapidfuzz.distance import OSA

from models import towers
from models.manifest import ModelUnavailable

from .vocabulary import Vocabulary
from .words import CHARS, folded, is_number, words

CHUNK = re.compile(r"\S+")
SHORTEST = 4  # letters; a shorter word is too near to too many
LONG = 7  # letters from which a word may have two mistakes
LONGEST = 25
CHOICES = 40
WORDS_READ = 24
# What a correction is worth: mistakes cost, frequent words and words that stand beside the neighbours here gain.
MISTAKE, FREQUENT, FIRST_LETTER, LAST_LETTER, NEIGHBOUR = -2.5, 0.7, 1.0, 0.5, 1.5
SPLIT = -0.5  # "dutchlap" for "dutch lap": as if of one small mistake, with its neighbour beside it


def corrected(query: str, vocabulary: Vocabulary) -> str:
    """`query` with its mistyped words corrected, or as it is. Quotes and signs go with the words they belong to."""
    if not vocabulary.words:
        return query
    chunks = CHUNK.findall(query[:CHARS])
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
            new = (
                word if is_code or at >= WORDS_READ else _best(word, fixed[-1] if fixed else "", following, vocabulary)
            )
            changed.append(new)
            fixed.append(new.split()[-1])
            at += 1
        out.append(chunk if changed == found else _in_place(chunk, found, changed))
    return " ".join(out)


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
    if not SHORTEST <= len(word) <= LONGEST or not word.isalpha() or vocabulary.knows(word) or _is_english(word):
        return word
    mistakes = 1 if len(word) < LONG else 2
    lengths = range(len(word) - mistakes, len(word) + mistakes + 1)
    pool = [other for length in lengths for other in vocabulary.by_length.get(length, ())]
    near = process.extract(word, pool, scorer=OSA.distance, score_cutoff=mistakes, limit=CHOICES)
    options = [(_worth(word, other, int(distance), before, after, vocabulary), other) for other, distance, _ in near]
    return max([*options, *_split(word, vocabulary)], default=(0.0, word))[1]


def _is_english(word: str) -> bool:
    try:
        return towers.is_word(word)
    except ModelUnavailable:
        return False


def _worth(word: str, other: str, distance: int, before: str, after: str, vocabulary: Vocabulary) -> float:
    worth = MISTAKE * distance + FREQUENT * math.log(vocabulary.words[other])
    worth += FIRST_LETTER * (word[0] == other[0]) + LAST_LETTER * (word[-1] == other[-1])
    for pair in (f"{before} {other}", f"{other} {after}"):
        worth += NEIGHBOUR * min(2.0, math.log1p(vocabulary.pairs.get(pair, 0)))
    return worth


def _split(word: str, vocabulary: Vocabulary) -> list[tuple[float, str]]:
    """Two words that stand side by side in titles, written as one."""
    pairs = (f"{word[:at]} {word[at:]}" for at in range(2, len(word) - 1))
    return [(SPLIT + FREQUENT * math.log(vocabulary.pairs[pair]), pair) for pair in pairs if pair in vocabulary.pairs]
