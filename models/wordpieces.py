"""How the server's models read a text: folded by the graph that the device uses, then cut into word pieces.

Folding undoes disguises (look-alike letters, leetspeak, spelled-out words) before the tokenizer sees them. A pictograph
becomes its Unicode name, so that a snowflake offered by the gram is a word the model knows.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models import languages, manifest, runtime
from models.contract import Packed
from models.scoring import Results, Scorer

FIRST_PICTURE = 4096  # as in the folding graph: symbols from here on are pictographs, below 128 they are ASCII
CLS, SEP, PAD = 101, 102, 0
BATCH = 16  # windows that are run at once: memory stays small whatever the text
MOST_PIECES = 4000  # the longest listing in plain words has less than half; what has more is no prose
PROSE = 8  # words from which on their share of known ones says something
WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Reader:
    """Packed texts → word pieces. fold: session of the folding graph."""

    fold: Any
    tokenizer: Tokenizer

    def pieces(self, texts: list[bytes]) -> list[list[int]]:
        """Of each text the ids of its word pieces, without the special ones."""
        plain = [folded(self.fold, data) for data in texts]
        return [encoding.ids for encoding in self.tokenizer.encode_batch(plain, add_special_tokens=False)]

    def read(self, data: bytes) -> tuple[list[int], float]:
        """A text's word pieces, as `pieces`, and its coverage: the share of letters that the model can make sense of.
        0 for what is too long to be read to its end."""
        text = folded(self.fold, data)
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        if len(encoding.ids) > MOST_PIECES:
            return encoding.ids[:MOST_PIECES], 0.0
        return encoding.ids, min(latin(data.decode("utf-8", "replace")), coverage(text), known(encoding))


def reader(files: dict[str, bytes]) -> Reader:
    """The reader that belongs to a model, from its further files. Raises ModelUnavailable."""
    return Reader(runtime.open_session(files["fold"]), read_tokenizer(files["tokenizer"]))


def read_tokenizer(content: bytes) -> Tokenizer:
    """A tokenizer.json that neither pads nor truncates. Raises ModelUnavailable."""
    try:
        found = Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises bare Exception
        raise manifest.ModelUnavailable(f"The tokenizer cannot be read: {error}") from error
    found.no_padding()
    found.no_truncation()
    return found


def scorer(session: Any, reader: Reader, entry: dict[str, Any]) -> Scorer:
    """What scores a packed text: (scores by label, coverage) of its windows. entry: labels, window_pieces."""

    def score(packed: Packed) -> Results:
        ids, share = reader.read(packed.data)
        rows = windows(ids, entry["window_pieces"])
        chunks = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        found = np.concatenate([session.run(["scores"], batch(chunk))[0] for chunk in chunks])
        return [(dict(zip(entry["labels"], map(float, row), strict=True)), share) for row in found]

    return score


def coverage(text: str) -> float:
    """Share of letters that are ASCII after folding. 0 where there are none."""
    letters = sum(char.isalpha() for char in text)
    return sum("a" <= char <= "z" for char in text) / letters if letters else 0.0


def latin(typed: str) -> float:
    """Share of letters in words with at least one Latin letter; 1 where there are no letters. Folding turns a Cyrillic
    word into Latin letters that mean nothing; a disguised word has its own among them."""
    words = WORD.findall(typed)
    letters = sum(map(len, words))
    known = sum(len(word) for word in words if any("LATIN" in unicodedata.name(char, "") for char in word))
    return known / letters if letters else 1.0


def known(encoding: Any) -> float:
    """Share of letters in words that are one piece of the vocabulary, which is English; 1 for texts of a few words,
    where names decide; less with words of other languages in it. English listings have more than half, German
    and Spanish ones a tenth or two."""
    pieces: dict[int, list[str]] = {}
    for word, token in zip(encoding.word_ids, encoding.tokens, strict=True):
        pieces.setdefault(word, []).append(token.removeprefix("##"))
    spelled = [("".join(parts), len(parts)) for parts in pieces.values()]
    # A name said often counts once.
    words = {word: parts for word, parts in spelled if word.isalpha() and len(word) > 1}
    letters = sum(map(len, words))
    whole = sum(len(word) for word, parts in words.items() if parts == 1)
    return languages.readable(1.0 if len(words) < PROSE else whole / letters, words)


def folded(session: Any, data: bytes) -> str:
    """The text behind packed UTF-8 bytes, folded. `session`: the published folding graph."""
    symbols, places = session.run(["symbols", "places"], {"bytes": np.frombuffer(data, np.uint8)})
    return "".join(
        chr(symbol) if symbol < 128 else _other(data, int(place), int(symbol))
        for symbol, place in zip(symbols.tolist(), places.tolist(), strict=True)
    )


def _other(data: bytes, place: int, symbol: int) -> str:
    """A letter outside ASCII as it was typed; a pictograph by its name."""
    stop = place + 1
    while stop < len(data) and data[stop] & 0xC0 == 0x80:
        stop += 1
    char = data[place:stop].decode("utf-8", "replace")
    if symbol < FIRST_PICTURE:
        return char
    return f" {unicodedata.name(char[0], '').lower()} "


def windows(ids: list[int], length: int) -> list[list[int]]:
    """Runs of at most `length` pieces, equal in size, each sharing a quarter with the next; at least one."""
    if len(ids) <= length:
        return [ids]
    step = length - length // 4
    count = -(-(len(ids) - length) // step) + 1
    starts = np.linspace(0, len(ids) - length, count).round().astype(int)
    return [ids[start : start + length] for start in starts]


def batch(rows: list[list[int]]) -> dict[str, NDArray[np.int64]]:
    """input_ids and attention_mask int64 [rows, longest + 2]."""
    width = max(map(len, rows)) + 2
    ids = np.full((len(rows), width), PAD, np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row) + 2] = [CLS, *row, SEP]
    return {
        "input_ids": ids,
        "attention_mask": (np.arange(width) < np.array([[len(r) + 2] for r in rows])).astype(np.int64),
    }
