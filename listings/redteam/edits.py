"""Ways in which a dishonest seller rewrites an offer so that a filter misses it and a buyer does not.

Every edit is a pure function from a `Draft` to a changed `Draft`, or to None where it has nothing to do. Its docstring
says why a buyer still understands the offer. Three things hold for all of them, however many follow each other:

- `Draft.names` are the words by which a buyer knows what is on offer, as they are written now; `readable` refuses a
  draft that lacks one. Only `dropped` takes names away: two words at most, and two names stay for each.
- A word is disguised once: a word that is both dotted and misspelled is a riddle.
- The form would accept the draft: title and description are there, and no longer than it allows.
"""

from __future__ import annotations

import random
import re
import string
import tomllib
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from listings import limits

FOLDER = Path(__file__).parent
MAX_DROPPED = 2
KEPT_PER_DROPPED = 2  # names that stay for each word that is left out
MAX_PADDED = 12  # sentences; a buyer stops reading somewhere
SHORTEST_NAME = 4  # letters; shorter words seldom name a thing
LONGEST_SPACED = 12  # letters; a longer word with a gap after each letter is no longer read as a word

TITLE, DESCRIPTION = "title", "description"
WORD = re.compile(r"[^\W_]+")
MASKED_WORD = re.compile(r"[^\W_]+(?:[@$!*|]+[^\W_]+)*")  # p@ssp0rt is one word to whoever reads it
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# At least four signs, a letter among them and no digit at the end: p3ls, x.a.n.a.x, but not 10 mg, mp3 or 4k.
MASKED = re.compile(r"(?=.{4})(?!\d+[\W_]*[a-z]{1,3}$)(?=.*[^\W\d_]).*\D", re.IGNORECASE)
LATIN = string.ascii_lowercase
# Alphabets that pass for the Latin one, in its order; a blank where a letter has no double. Lisu and Cherokee have
# capitals only; the last two are letters in discs and in squares, which people read and NFKC leaves as they are.
ALPHABETS = (
    "аЬсԁеғɡһіјкӏмпорԛгѕтцѵԝхуᴢ",
    "αβϲδε   ιϳκ  ηορ  στυν χγ ",
    "ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑ ꓣꓢꓔꓴꓦꓪꓫꓬꓜ",
    "\u13aa\u13f4\u13df\u13a0\u13ac \u13c0\u13bb\u13c6\u13ab\u13e6\u13de\u13b7"
    "  \u13e2 \u13a1\u13da\u13a2 \u13d9\u13b3 \u13a9\u13c3",
    "".join(chr(0x1F150 + place) for place in range(26)),
    "".join(chr(0x1F170 + place) for place in range(26)),
)
LEET = {"a": "4@", "b": "8", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7"}
# Nothing is drawn for these: format characters, a soft hyphen, marks and a filler that Unicode counts as a letter.
INVISIBLE = "\u200b\u200c\u200d\u2060\u2063\u00ad\ufeff\u034f\u180b\u115f\u17b4"
# One or two blanks, an ideographic one, and a blank Braille cell.
GAPS = (" ", "  ", "\u3000", "\u2800")
SEPARATORS = ".-_*·|/,:'~"
MASKS = "*#_•"


@dataclass(frozen=True)
class Place:
    """Characters [start, end) of one field."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class Draft:
    """A listing on its way past the filter.

    names: words that name the offer, as they are written now; `edits`: what was done so far, by name.
    touched: small-letter parts of words that are disguised already.
    """

    title: str
    description: str
    names: tuple[str, ...] = ()
    dropped: int = 0
    padded: int = 0
    touched: frozenset[str] = frozenset()
    edits: tuple[str, ...] = ()

    def text(self, field: str) -> str:
        return self.title if field == TITLE else self.description

    def word(self, place: Place) -> str:
        return self.text(place.field)[place.start : place.end]

    def fields(self) -> list[tuple[str, str]]:
        return [(TITLE, self.title), (DESCRIPTION, self.description)]


WordEdit = Callable[[Draft, Place, random.Random], Draft | None]
ListingEdit = Callable[[Draft, random.Random], Draft | None]
Disguise = Callable[[str, random.Random], str | None]


@cache
def _table(file: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / file).read_text("utf-8"))


def synonyms() -> dict[str, list[str]]:
    found: dict[str, list[str]] = _table("synonyms.toml")["words"]
    return found


def emoji() -> dict[str, str]:
    found: dict[str, str] = _table("synonyms.toml")["emoji"]
    return found


def padding(kind: str) -> list[str]:
    """kind: sentences, titles, bundles, goods, fillers."""
    found: list[str] = _table("padding.toml")[kind]
    return found


# --- What a buyer reads ----------------------------------------------------------------------------------------------


@cache
def _letters() -> dict[int, str]:
    """Code point of a double, digit or sign → the letter that it is read as."""
    pairs = [(letter, double) for alphabet in ALPHABETS for letter, double in zip(LATIN, alphabet, strict=True)]
    doubles = {double: letter for letter, double in pairs if double != " "}
    capitals = {double.upper(): letter for double, letter in doubles.items() if len(double.upper()) == 1}
    signs = {sign: letter for letter, signs in LEET.items() for sign in signs}
    return {ord(sign): letter for sign, letter in (capitals | doubles | signs).items()}


def as_read(text: str) -> str:
    """The letters as a buyer reads them: doubles, digits for letters, gaps, separators, repeats and case aside."""
    seen = "".join(c for c in text if c not in INVISIBLE).translate(_letters())
    seen = unicodedata.normalize("NFKD", seen).casefold().translate(_letters())
    return re.sub(r"(.)\1+", r"\1", "".join(WORD.findall(seen)))


def content_words(text: str) -> list[str]:
    """Words that may name a thing, each once, in their order."""
    fillers = frozenset(padding("fillers"))
    words = (match[0] for match in MASKED_WORD.finditer(text))
    return list(dict.fromkeys(w for w in words if len(w) >= SHORTEST_NAME and w.casefold() not in fillers))


def named(draft: Draft, evidence: Iterable[Place]) -> Draft:
    """The draft with its names: the words of its title, and those that the model holds against it."""
    words = content_words(draft.title) or content_words(draft.description)
    words += [draft.word(place) for place in evidence]
    return replace(draft, names=tuple({word.casefold(): word for word in words}.values()))


def fits(draft: Draft) -> bool:
    """The form would accept it."""
    title, description = draft.title.strip(), draft.description.strip()
    return bool(
        title
        and description
        and len(draft.title) <= limits.TITLE_CHARS
        and len(draft.description) <= limits.DESCRIPTION_CHARS
    )


def readable(draft: Draft) -> bool:
    """Every name that was not dropped still stands somewhere in the text, as it was last written."""
    text = f"{draft.title}\n{draft.description}".casefold()
    return all(name.casefold() in text for name in draft.names)


# --- Places ----------------------------------------------------------------------------------------------------------


def place_of(draft: Draft, span: dict[str, Any]) -> Place | None:
    """The word under a span of evidence (UTF-16 offsets); None when the span is not in title or description."""
    if span["field"] not in (TITLE, DESCRIPTION):
        return None
    text = draft.text(span["field"])
    start, end = _core(text, _from_utf16(text, span["start"]), _from_utf16(text, span["end"]))
    return Place(span["field"], start, end) if start < end else None


def _from_utf16(text: str, offset: int) -> int:
    head = text.encode("utf-16-le", "surrogatepass")[: 2 * offset]
    return len(head.decode("utf-16-le", "surrogatepass"))


def _core(text: str, start: int, end: int) -> tuple[int, int]:
    """The longest run of letters and digits; of a word in pieces ("x.a.n.a.x") all pieces, of a picture the picture."""
    runs = [match.span() for match in MASKED_WORD.finditer(text, start, end)]
    if not runs:
        return start, end
    begin, stop = max(runs, key=lambda run: run[1] - run[0])
    return (begin, stop) if stop - begin > 2 else (runs[0][0], runs[-1][1])


def name_places(draft: Draft) -> list[Place]:
    """Where the names stand, the first time each."""
    found = []
    for name in draft.names:
        for field, text in draft.fields():
            if match := re.search(re.escape(name), text, re.IGNORECASE):
                found.append(Place(field, match.start(), match.end()))
                break
    return found


# --- Building blocks -------------------------------------------------------------------------------------------------


def _made(draft: Draft, edit: str, **changes: Any) -> Draft:
    return replace(draft, edits=(*draft.edits, edit), **changes)


def _with_text(draft: Draft, field: str, text: str) -> dict[str, str]:
    return {TITLE if field == TITLE else DESCRIPTION: text}


def _rewritten(draft: Draft, place: Place, new: str, edit: str, **changes: Any) -> Draft:
    """The word at `place` written as `new`; a name follows its word."""
    text, old = draft.text(place.field), draft.word(place).casefold()
    names = tuple(new if name.casefold() == old else name for name in draft.names)
    changes |= _with_text(draft, place.field, text[: place.start] + new + text[place.end :])
    return _made(draft, edit, names=names, **changes)


def _without(text: str, place: Place) -> str:
    """The text less one word, and less the blanks and commas that it leaves behind."""
    rest = text[: place.start] + text[place.end :]
    rest = re.sub(r"[^\S\n]{2,}", " ", re.sub(r"[^\S\n]+(?=[,.;:!?])", "", rest))
    return rest.strip().lstrip(",.;:").lstrip()


def _names_something(text: str) -> bool:
    return bool(content_words(text))


def _in_case_of(old: str, new: str) -> str:
    """`new` in the case of the word that it replaces."""
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[0].upper() + new[1:] if old[:1].isupper() else new


# --- Disguises: the same word in other signs -------------------------------------------------------------------------


def homoglyph(word: str, rng: random.Random) -> str | None:
    """Letters of other scripts. To the eye they are the same letters."""
    alphabet = dict(zip(LATIN, rng.choice(ALPHABETS), strict=True))
    share = rng.choice((0.5, 1.0))
    places = [place for place, c in enumerate(word.lower()) if alphabet.get(c, " ") != " "]
    chosen = set(rng.sample(places, max(1, int(share * len(places))))) if places else set()
    return "".join(_as_case(c, alphabet[c.lower()]) if place in chosen else c for place, c in enumerate(word))


def _as_case(old: str, new: str) -> str:
    return new.upper() if old.isupper() and len(new.upper()) == 1 else new


def invisible(word: str, rng: random.Random) -> str | None:
    """Characters of no width between the letters. Nothing of them is seen."""
    sign = rng.choice(INVISIBLE)
    if rng.random() < 0.5:
        return sign.join(word)
    at = rng.randrange(1, len(word))
    return word[:at] + sign + word[at:]


def leet(word: str, rng: random.Random) -> str | None:
    """Digits and signs for at most half of the letters, each for the letter that it resembles."""
    places = [place for place, c in enumerate(word.lower()) if c in LEET]
    if not places:
        return None
    chosen = set(rng.sample(places, min(len(places), max(1, len(word) // 2))))
    return "".join(rng.choice(LEET[c.lower()]) if place in chosen else c for place, c in enumerate(word))


def spaced(word: str, rng: random.Random) -> str | None:
    """A gap after each letter of a word that is not too long to be read letter by letter."""
    return rng.choice(GAPS).join(word) if len(word) <= LONGEST_SPACED else None


def dotted(word: str, rng: random.Random) -> str | None:
    """A small sign after each letter; the letters stand in their order."""
    return rng.choice(SEPARATORS).join(word) if len(word) <= LONGEST_SPACED else None


def split(word: str, rng: random.Random) -> str | None:
    """The word in two pieces next to each other."""
    at = rng.randrange(1, len(word))
    return word[:at] + rng.choice((*GAPS, *SEPARATORS)) + word[at:]


def doubled(word: str, rng: random.Random) -> str | None:
    """One letter two to four times, as people do when they stretch a word."""
    at = rng.randrange(len(word))
    return word[:at] + word[at] * rng.randint(2, 4) + word[at + 1 :]


def starred(word: str, rng: random.Random) -> str | None:
    """A star for one letter inside. All others stay, the first and the last among them."""
    vowels = [place for place in range(1, len(word) - 1) if word[place] in "aeiouAEIOU"]
    at = rng.choice(vowels or range(1, len(word) - 1))
    return word[:at] + rng.choice(MASKS) + word[at + 1 :]


def recased(word: str, rng: random.Random) -> str | None:
    """Other letters large. Case changes no word."""
    forms = [
        word.lower(),
        word.upper(),
        word.title(),
        "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(word)),
    ]
    others = [form for form in forms if form != word]
    return rng.choice(others) if others else None


DISGUISES: dict[str, Disguise] = {
    "homoglyph": homoglyph,
    "invisible": invisible,
    "leet": leet,
    "spaced": spaced,
    "dotted": dotted,
    "split": split,
    "doubled": doubled,
    "starred": starred,
    "recased": recased,
}


def disguised(how: str, draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """One plain word in one disguise. A word that wears one already is left alone."""
    word = draft.word(place)
    if len(word) < 3 or not (word.isascii() and word.isalpha()) or word.casefold() in draft.touched:
        return None
    new = DISGUISES[how](word, rng)
    if not new or new == word:
        return None
    parts = frozenset(part.casefold() for part in WORD.findall(new))
    return _rewritten(draft, place, new, how, touched=draft.touched | parts)


# --- Other words and other places ------------------------------------------------------------------------------------


def unmasked(draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """A word with digits for letters, or in pieces, written out in letters: it reads the same, and more easily."""
    word = draft.word(place)
    plain = "".join(WORD.findall(unicodedata.normalize("NFKC", word).casefold().translate(_letters())))
    ours = {part.casefold() for part in WORD.findall(word)} <= draft.touched
    if ours or not MASKED.fullmatch(word) or not plain.isalpha() or plain == word.casefold():
        return None
    return _rewritten(draft, place, _in_case_of(word, plain), "unmasked", touched=draft.touched | {plain})


def synonym(draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """A word of the trade or a euphemism from `synonyms.toml`, which buyers of such things know."""
    word = draft.word(place)
    key = _key(synonyms(), word)
    if key is None:
        return None
    return _rewritten(draft, place, _in_case_of(word, rng.choice(synonyms()[key])), "synonym")


def pictured(draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """A picture of the thing in place of its word, where there is one that people use for it."""
    key = _key(emoji(), draft.word(place))
    return _rewritten(draft, place, emoji()[key], "pictured") if key is not None else None


def _key(table: Collection[str], word: str) -> str | None:
    """The entry for a word or for its singular."""
    key = word.casefold()
    forms = (key, key.removesuffix("s"), key.removesuffix("es"), f"{key.removesuffix('ves')}fe")
    return next((form for form in forms if form in table), None)


def dropped(draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """A word left out. At most two in all, and for each two names of the offer stay, from which a buyer guesses it."""
    word = draft.word(place).casefold()
    names = tuple(name for name in draft.names if name.casefold() != word)
    if draft.dropped >= MAX_DROPPED or len(names) < KEPT_PER_DROPPED * (draft.dropped + 1):
        return None
    left = _without(draft.text(place.field), place)
    return _made(draft, "dropped", names=names, dropped=draft.dropped + 1, **_with_text(draft, place.field, left))


def moved(draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """A word of the title goes to the description, or one of the description to the title. It is still read."""
    word, left = draft.word(place), _without(draft.text(place.field), place)
    if place.field == DESCRIPTION:
        return _made(draft, "moved", title=f"{draft.title.rstrip()} {word}", description=left)
    if not _names_something(left):
        return None
    description = draft.description.strip()
    both = f"{word}. {description}" if rng.random() < 0.5 else f"{description} {word}"
    return _made(draft, "moved", title=left, description=both.strip())


def straddled(draft: Draft, place: Place, rng: random.Random) -> Draft | None:
    """The title ends before or after the word and the description begins with the rest: read on, and it is whole."""
    cut = place.start if rng.random() < 0.5 else place.end
    head, tail = draft.title[:cut].rstrip(" ,;:-"), draft.title[cut:].strip(" ,;:-")
    if place.field != TITLE or not (_names_something(head) and _names_something(tail)):
        return None
    return _made(draft, "straddled", title=head, description=f"{tail}. {draft.description.lstrip()}")


# --- Edits of the whole listing --------------------------------------------------------------------------------------


def padded(draft: Draft, rng: random.Random, *, where: str) -> Draft | None:
    """Harmless sentences before, after or between those of the description, none of which changes."""
    fresh = [sentence for sentence in padding("sentences") if sentence not in draft.description]
    count = min(rng.choice((1, 2, 4)), MAX_PADDED - draft.padded, len(fresh))
    if count < 1:
        return None
    more = rng.sample(fresh, count)
    sentences = SENTENCE_END.split(draft.description.strip())
    if where == "between" and len(sentences) < 2:
        return None
    at = rng.randrange(1, len(sentences)) if where == "between" else 0 if where == "before" else len(sentences)
    joined = " ".join([*sentences[:at], *more, *sentences[at:]]).strip()
    return _made(draft, f"padded_{where}", description=joined, padded=draft.padded + count)


def bundled(draft: Draft, rng: random.Random) -> Draft | None:
    """One thing of a lot of household goods: a buyer who looks for it finds the old title among them, unchanged."""
    if "bundled" in draft.edits or "benign_title" in draft.edits:
        return None
    goods = rng.sample(padding("goods"), 6)
    at = rng.randrange(1, len(goods))
    lot = "; ".join([*goods[:at], draft.title.strip(), *goods[at:]])
    return _made(
        draft,
        "bundled",
        title=rng.choice(padding("bundles")),
        description=f"Included: {lot}. {draft.description.lstrip()}",
    )


def benign_title(draft: Draft, rng: random.Random) -> Draft | None:
    """A harmless title; the description begins with the real one, which search finds and a buyer reads."""
    if "bundled" in draft.edits or "benign_title" in draft.edits:
        return None
    description = f"{draft.title.strip()}. {draft.description.lstrip()}"
    return _made(draft, "benign_title", title=rng.choice(padding("titles")), description=description)


def recased_all(draft: Draft, rng: random.Random) -> Draft | None:
    """Everything in small letters, in capitals, or each word with a capital. Case changes no word."""
    change: Callable[[str], str] = rng.choice((str.lower, str.upper, str.title))
    title, description = change(draft.title), change(draft.description)
    if (title, description) == (draft.title, draft.description):
        return None
    return _made(draft, "recased_all", title=title, description=description)


WORD_EDITS: dict[str, WordEdit] = {
    **{name: partial(disguised, name) for name in DISGUISES},
    "unmasked": unmasked,
    "synonym": synonym,
    "pictured": pictured,
    "dropped": dropped,
    "moved": moved,
    "straddled": straddled,
}
LISTING_EDITS: dict[str, ListingEdit] = {
    **{f"padded_{where}": partial(padded, where=where) for where in ("before", "after", "between")},
    "bundled": bundled,
    "benign_title": benign_title,
    "recased_all": recased_all,
}


def proposed(edit: str, draft: Draft, place: Place | None, rng: random.Random) -> Draft | None:
    """What one edit makes of a draft; None where it changes nothing, or leaves something no buyer or form accepts."""
    changed = WORD_EDITS[edit](draft, place, rng) if place else LISTING_EDITS[edit](draft, rng)
    if changed is None or changed.fields() == draft.fields() or not fits(changed) or not readable(changed):
        return None
    return changed
