"""What an edit changed, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from .. import categories
from ..models import Listing, Revision

Op = Literal["same", "out", "in"]
WORDS = re.compile(r"\s+|[^\W_]+|[\W_]", re.UNICODE)
AROUND = 12  # words that are shown beside a change; longer stretches are cut
MOST_WORDS = 3_000  # of a text; beyond, it is shown as replaced


@dataclass(frozen=True)
class Piece:
    op: Op
    text: str


@dataclass(frozen=True)
class Edit:
    """From one revision to the next: (label, pieces) for each field that changed; photos that came and went."""

    revision: Revision
    fields: list[tuple[str, list[Piece]]]
    photos_in: int
    photos_out: int


def edits(listing: Listing) -> list[Edit]:
    """The newest first."""
    revisions = list(listing.revisions.order_by("number"))
    return [_edit(before, after) for before, after in pairwise(revisions)][::-1]


def _edit(before: Revision, after: Revision) -> Edit:
    changed = [
        (label, between(old, new))
        for label, old, new in (
            ("Title", before.title, after.title),
            ("Description", before.description, after.description),
            ("Category", _category(before), _category(after)),
            ("Price", f"{before.price} {before.currency}", f"{after.price} {after.currency}"),
            ("Condition", before.get_condition_display(), after.get_condition_display()),
            ("Details", _details(before), _details(after)),
        )
        if old != new
    ]
    was, now = ({photo["sha256"] for photo in revision.photos} for revision in (before, after))
    return Edit(after, changed, len(now - was), len(was - now))


def between(old: str, new: str) -> list[Piece]:
    """Words that stayed, went and came; long stretches that stayed are cut to what stands beside a change."""
    a, b = WORDS.findall(old), WORDS.findall(new)
    if max(len(a), len(b)) > MOST_WORDS:
        return [Piece("out", old), Piece("in", new)]
    found = []
    steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    for place, (tag, i, j, k, m) in enumerate(steps):
        if tag == "equal":
            found.append(Piece("same", _cut(a[i:j], first=place == 0, last=place == len(steps) - 1)))
            continue
        if j > i:
            found.append(Piece("out", "".join(a[i:j])))
        if m > k:
            found.append(Piece("in", "".join(b[k:m])))
    return found


def _cut(words: list[str], *, first: bool, last: bool) -> str:
    if len(words) <= 2 * AROUND:
        return "".join(words)
    head = "" if first else "".join(words[:AROUND])
    tail = "" if last else "".join(words[-AROUND:])
    return f"{head} … {tail}"


def _category(revision: Revision) -> str:
    known = categories.get(revision.category)
    return known.name if known else revision.category


def _details(revision: Revision) -> str:
    return "; ".join(
        f"{label}: {value}" for label, value in categories.labelled(revision.category, revision.attributes)
    )
