"""How search reads a text: words, their stems, units written one way, other words for the same thing. Ranking, spelling
and statistics share it.

PostgreSQL finds the candidates with its own stemmer (`Listing.search`, split at the same places); their order is made
of these words. Tried on the dev sets over titles: these stems .379 NDCG@10, PostgreSQL's .373, no stems .346.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Letters of any script, or a number with its fraction: "8ft" is 8 and ft, "1/2-in." is 1/2 and in.
WORD = re.compile(r"[^\W\d_]+|\d+(?:[./]\d+)?")
CHARS = 2_000  # of a query; more are not read
UNITS = {
    "inch": "in",
    "inches": "in",
    "foot": "ft",
    "feet": "ft",
    "gallon": "gal",
    "pound": "lb",
    "lbs": "lb",
    "ounce": "oz",
    "watt": "w",
    "volt": "v",
    "amp": "a",
    "square": "sq",
    "piece": "pc",
    "pcs": "pc",
    "quart": "qt",
    "metre": "m",
    "meter": "m",
    "litre": "l",
    "liter": "l",
    "millimetre": "mm",
    "millimeter": "mm",
    "centimetre": "cm",
    "centimeter": "cm",
    "kilogram": "kg",
    "kilo": "kg",
    "gram": "g",
}


SPELLINGS = Path(__file__).with_name("spellings.toml")
TOLD = tomllib.loads(SPELLINGS.read_text("utf-8"))


def _british() -> dict[str, str]:
    """{American: British}, both without the plural."""
    found: dict[str, str] = dict(TOLD["pairs"])
    for family in TOLD["families"].values():
        for american, british in family["ends"].items():
            found |= {begin + american: begin + british for begin in family["begins"]}
    return found


BRITISH = _british()
AMERICAN = {british: american for american, british in BRITISH.items()}

# Words that only join others. They count for half of what their rarity says.
JOINING = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "for", "from", "has", "have", "i", "if", "is"}
    | {"it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "out", "so", "some", "something", "that", "the"}
    | {
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "up",
        "was",
        "we",
        "what",
        "when",
        "which",
        "who",
        "will",
        "with",
    }
    | {"you", "your"}
)


def folded(text: str) -> str:
    """Lower case, without accents, without what only looks different (NFKD)."""
    if text.isascii():
        return text.lower()
    return "".join(char for char in unicodedata.normalize("NFKD", text).lower() if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """The words as written, folded: "1/2-in. Drills" is ["1/2", "in", "drills"]."""
    return WORD.findall(folded(text))


def stem(word: str) -> str:
    """Without the plural, units by their sign, spelled as in Britain. Cautious on purpose: "glass" and "us" stay."""
    if len(word) > 3 and word.endswith("s"):
        word = _singular(word)
    return UNITS.get(word) or BRITISH.get(word, word)


def spellings(word: str) -> tuple[str, ...]:
    """The word and, where America and Britain differ, how the other one writes it: ("gray", "grey")."""
    british = stem(word)
    return (word, *sorted({british, AMERICAN[british]} - {word})) if british in AMERICAN else (word,)


def _singular(word: str) -> str:
    if word in UNITS:
        return word
    if word.endswith("ies") and word[-4] not in "ae":
        return word[:-3] + "y"
    if word.endswith("es") and word[-3] not in "aeo":
        return word[:-2] if word[:-2].endswith(("sh", "ch", "x", "ss", "z")) else word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]


def stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]


def is_number(word: str) -> bool:
    return word[0].isdigit()


# --- Other words for the same thing ----------------------------------------------------------------------------------
Phrase = tuple[str, ...]  # stems
SYNONYM, LOOSE = 0.9, 0.6  # what a word is worth that another one says


class Other(NamedTuple):
    """phrase: how it may be said as well; worth: of 1."""

    phrase: Phrase
    worth: float


def _synonyms() -> dict[Phrase, tuple[Other, ...]]:
    """{phrase: what else may stand for it}, the best first."""
    found: dict[Phrase, dict[Phrase, float]] = {}
    for table, worth in (("synonyms", SYNONYM), ("loosely", LOOSE)):
        for group in TOLD[table]["groups"]:
            phrases = [tuple(stems(text)) for text in group]
            for one in phrases:
                for other in phrases:
                    if one != other:
                        found.setdefault(one, {}).setdefault(other, worth)
    return {one: tuple(Other(*each) for each in others.items()) for one, others in found.items()}


SYNONYMS = _synonyms()
APART = frozenset(tuple(stems(text)) for text in TOLD["loosely"]["apart"])
LONGEST_PHRASE = max(map(len, (*SYNONYMS, *APART)))


def others(sequence: Sequence[str]) -> dict[str, tuple[Other, ...]]:
    """{stem: in which other words it may be said here}: "mobile" may be "cell phone" in "mobile phone", alone not."""
    found: dict[str, tuple[Other, ...]] = {}
    at = 0
    while at < len(sequence):
        here = (tuple(sequence[at : at + length]) for length in range(LONGEST_PHRASE, 0, -1))
        phrase = next((each for each in here if each in SYNONYMS or each in APART), tuple(sequence[at : at + 1]))
        for each in phrase:
            if phrase in SYNONYMS:
                found.setdefault(each, SYNONYMS[phrase])
        at += len(phrase)
    return found


def apart_from(word: str) -> list[Phrase]:
    """Phrases in which `word` means another thing than alone."""
    return [phrase for phrase in APART if word in phrase]
