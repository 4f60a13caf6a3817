"""What every caller of the text model agrees on: how text becomes bytes, and how scores become a verdict.

`static/js/ml/contract.js` is the twin of this file; `tests/golden/listing_text.json` holds both to the same answers.
Neither side may use language features that differ between the two: no `\\w`, no `strip`/`trim`, no `lower`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Fields = Sequence[tuple[str, str]]

SEVERITY = {"pass": 0, "unsure": 1, "warn": 2, "block": 3}
SPACES = frozenset(b"\t\n\x0b\x0c\r ")
# How far back from the end of a window we look for a space, so that a cut seldom splits a word.
CUT_BACK = 64
MAX_SPANS = 40
# A word that carries less than this share of the heaviest one explains nothing to a person.
SPAN_SHARE = 0.15


@dataclass(frozen=True)
class Packed:
    """Text as the model reads it, with the way back to what was typed.

    data: UTF-8 bytes, at least one (fields are joined by a newline, and there are always two of them).
    field_of: int16 [len(data)], index into `names`; a separator belongs to the field before it.
    start, end: int32 [len(data)], UTF-16 offsets, in the field as typed, of the segment a byte came from.
    """

    data: bytes
    names: tuple[str, ...]
    field_of: NDArray[np.int16] = field(repr=False)
    start: NDArray[np.int32] = field(repr=False)
    end: NDArray[np.int32] = field(repr=False)


def pack(fields: Fields) -> Packed:
    """Turn named texts, title first, into bytes: line ends to LF, NFKC a segment at a time, joined by LF.

    A segment is a code point with the combining marks after it, so that every byte has a place in the typed text.
    A lone surrogate becomes U+FFFD, as `TextEncoder` does. Known limit: the code points whose NFKC form differs
    between the Unicode tables of Python and of the browser.
    """
    data = bytearray()
    field_of: list[NDArray[np.int16]] = []
    starts: list[NDArray[np.int32]] = []
    ends: list[NDArray[np.int32]] = []
    last = max(len(fields), 2) - 1
    for index in range(last + 1):
        text = fields[index][1] if index < len(fields) else ""
        chunk, start, end = _pack_field(text)
        if index < last:
            length = end[-1] if len(end) else 0
            chunk += b"\n"
            start = np.append(start, length)
            end = np.append(end, length)
        data += chunk
        field_of.append(np.full(len(chunk), index, np.int16))
        starts.append(start.astype(np.int32))
        ends.append(end.astype(np.int32))
    names = tuple(name for name, _ in fields)
    return Packed(bytes(data), names, np.concatenate(field_of), np.concatenate(starts), np.concatenate(ends))


def _pack_field(text: str) -> tuple[bytes, NDArray[np.int32], NDArray[np.int32]]:
    """One field's bytes, and for each byte the UTF-16 start and end of its segment."""
    if text.isascii() and "\r" not in text:
        places = np.arange(len(text), dtype=np.int32)
        return text.encode("ascii"), places, places + 1
    data = bytearray()
    starts: list[int] = []
    ends: list[int] = []
    at = index = 0
    while index < len(text):
        stop = index + 1
        if text[index] == "\r":
            if stop < len(text) and text[stop] == "\n":
                stop += 1
            segment = "\n"
        else:
            while stop < len(text) and unicodedata.category(text[stop])[0] == "M":
                stop += 1
            segment = unicodedata.normalize("NFKC", text[index:stop])
        chunk = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in segment).encode("utf-8")
        length = sum(2 if ord(c) > 0xFFFF else 1 for c in text[index:stop])
        data += chunk
        starts += [at] * len(chunk)
        ends += [at + length] * len(chunk)
        at += length
        index = stop
    return bytes(data), np.array(starts, np.int32), np.array(ends, np.int32)


def digest(packed: Packed) -> str:
    """Hex SHA-256 of the packed bytes: names the exact text a verdict is about."""
    return hashlib.sha256(packed.data).hexdigest()


def windows(packed: Packed, window_bytes: int) -> list[tuple[int, int]]:
    """Byte ranges of at most `window_bytes`, about equal in size, cut at a space near the end or between characters."""
    data, size = packed.data, len(packed.data)
    count = -(-size // window_bytes)
    ranges: list[tuple[int, int]] = []
    begin = 0
    while size - begin > window_bytes:
        left = max(count - len(ranges), 2)
        stop = begin + min(window_bytes, -(-(size - begin) // left) + CUT_BACK)
        cut = stop
        while cut > stop - CUT_BACK and data[cut - 1] not in SPACES:
            cut -= 1
        if cut == stop - CUT_BACK:
            cut = stop
            while data[cut] & 0xC0 == 0x80:
                cut -= 1
        ranges.append((begin, cut))
        begin = cut
    ranges.append((begin, size))
    return ranges


def unsafe_score(scores: Mapping[str, float]) -> float:
    """1 - p(safe)."""
    return 1.0 - scores["safe"]


def decide(scores: Mapping[str, float], coverage: float, points: Mapping[str, Any]) -> tuple[str, str]:
    """Decision (pass, unsure, warn, block) and policy, from the manifest's operating points.

    The policy is the highest-scoring one that is not safe, in the order of `points["policies"]`; it is "" for a pass
    and where the model knows too few of the words to suspect anything in particular.
    """
    policy = max(points["policies"], key=lambda name: scores[name])
    own = points.get("per_policy", {}).get(policy, {})
    unsafe = unsafe_score(scores)
    if unsafe >= own.get("block", points["block"]):
        return "block", policy
    if unsafe >= own.get("warn", points["warn"]):
        return "warn", policy
    if coverage < points["coverage"]:
        return "unsure", ""
    if unsafe >= own.get("unsure", points["unsure"]):
        return "unsure", policy
    return "pass", ""


def combine(results: Sequence[tuple[Mapping[str, float], float]], points: Mapping[str, Any]) -> dict[str, Any]:
    """The worst window counts: results are (scores, coverage), one for each window, in order.

    Worst is the gravest decision, then the highest unsafe score, then the first.
    """
    worst: dict[str, Any] = {}
    for scores, coverage in results:
        decision, policy = decide(scores, coverage, points)
        found = {"scores": dict(scores), "coverage": coverage, "decision": decision, "policy": policy}
        if not worst or gravity(found) > gravity(worst):
            worst = found
    return worst


def gravity(found: Mapping[str, Any]) -> tuple[int, float]:
    return SEVERITY[found["decision"]], unsafe_score(found["scores"])


def spans(
    packed: Packed, evidence: NDArray[np.float32], labels: Sequence[str], policy: str, floor: float
) -> list[dict[str, Any]]:
    """The words that speak for `policy` and against safe, in the order of the text.

    evidence: [len(packed.data), len(labels)], the windows' evidence one after the other. A word is a run of bytes
    without white space; single characters that follow each other with one space between are one word ("x a n a x").
    Words whose weight, evidence(policy) - evidence(safe) in logits, is below `floor` are left out, and so
    is what carries less than SPAN_SHARE of the heaviest. At most 40, the heaviest. Returns
    [{"field", "start", "end", "weight"}], offsets in UTF-16 units of the field as typed.
    """
    if not policy or not len(evidence):
        return []
    weights = evidence[:, labels.index(policy)].astype(np.float64) - evidence[:, labels.index("safe")]
    return marked(packed, [(begin, stop, float(weights[begin:stop].sum())) for begin, stop in words(packed)], floor)


def marked(packed: Packed, weighed: Sequence[tuple[int, int, float]], floor: float) -> list[dict[str, Any]]:
    """The words (begin, stop, weight) that are worth showing, as `spans` gives them."""
    found: list[dict[str, Any]] = []
    for begin, stop, weight in weighed:
        if weight >= floor:
            field_index = int(packed.field_of[begin])
            name = packed.names[field_index] if field_index < len(packed.names) else ""
            start, end = int(packed.start[begin]), int(packed.end[stop - 1])
            found.append({"field": name, "start": start, "end": end, "weight": round(weight, 4)})
    found.sort(key=lambda span: -span["weight"])
    found = [span for span in found[:MAX_SPANS] if span["weight"] >= SPAN_SHARE * found[0]["weight"]]
    order = {name: index for index, name in enumerate(packed.names)}
    found.sort(key=lambda span: (order[span["field"]], span["start"]))
    return found


def without(packed: Packed, begin: int, stop: int) -> Packed:
    """The text less the bytes [begin, stop)."""
    keep = np.r_[0:begin, stop : len(packed.data)]
    data = packed.data[:begin] + packed.data[stop:]
    return Packed(data, packed.names, packed.field_of[keep], packed.start[keep], packed.end[keep])


def only(packed: Packed, begin: int, stop: int) -> Packed:
    """The bytes [begin, stop) as a text."""
    keep = slice(begin, stop)
    return Packed(packed.data[keep], packed.names, packed.field_of[keep], packed.start[keep], packed.end[keep])


def words(packed: Packed) -> list[tuple[int, int]]:
    """Byte ranges of words; lone characters in a row, one space apart and in one field, are joined."""
    found: list[tuple[int, int]] = []
    data, size = packed.data, len(packed.data)
    alone = False
    begin = 0
    while begin < size:
        if data[begin] in SPACES:
            begin += 1
            continue
        stop = begin
        while stop < size and data[stop] not in SPACES:
            stop += 1
        single = packed.start[begin] == packed.start[stop - 1]
        if single and alone and found[-1][1] == begin - 1 and packed.field_of[begin] == packed.field_of[begin - 2]:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((begin, stop))
        alone = bool(single)
        begin = stop
    return found
