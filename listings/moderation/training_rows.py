"""Moderators' decisions as rows that a text model learns from, in the columns of `python -m models train`.

What counts is what moderators say now of the words as they were decided about: of several decisions about the same
words the last one, none that an appeal has overturned. Nobody is named; contact details in the words are masked. A name
that somebody wrote into a title stays there.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import IO

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from .. import contact_details
from ..models import Decision, RemovedPhoto, ReviewJob, Revision

COLUMNS = ("id", "title", "description", "policy", "source", "decided_at", "action")
SAFE = "safe"
Action = Decision.Action
HARMLESS = (Action.APPROVE, Action.OVERTURN)
AT_ONCE = 1_000
# Why a decision teaches a text model nothing.
NO_POLICY, BY_PHOTO, NO_WORDS = "changes under no policy", "decided by a photo", "words not kept"


@dataclass
class Exported:
    """first, last: when the oldest and the newest of the rows were decided. left_out: reason → number."""

    rows: int = 0
    unsafe: int = 0
    first: datetime | None = None
    last: datetime | None = None
    left_out: Counter[str] = field(default_factory=Counter)


def write(out: Path, since: date | None = None, until: date | None = None) -> Exported:
    """The rows into `out`, packed if it ends in .gz; a file of that name is replaced, once all rows are written. Raises
    OSError."""
    report = Exported()
    draft = out.with_name(f"{out.name}.part")
    try:
        with _opened(draft, packed=out.suffix == ".gz") as file:
            sheet = csv.DictWriter(file, COLUMNS)
            sheet.writeheader()
            sheet.writerows(rows(report, since, until))
        os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)
    return report


def rows(report: Exported, since: date | None = None, until: date | None = None) -> Iterator[dict[str, str]]:
    """Rows by COLUMNS, the oldest decision first, counted in `report`. since, until: days of the site's time zone, both
    included."""
    found = last_words()
    if since:
        found = found.filter(created_at__gte=_midnight(since))
    if until:
        found = found.filter(created_at__lt=_midnight(until + timedelta(days=1)))
    # An appeal that changed the ground leaves the photos in the bank under the first decision.
    banned = RemovedPhoto.objects.filter(Q(decision=OuterRef("pk")) | Q(decision=OuterRef("about")))
    found = found.annotate(by_photo=Exists(banned)).select_related("review_job", "listing").defer("listing__search")
    for decision in found.order_by("created_at", "pk").iterator(AT_ONCE):
        reason = _says_nothing(decision)
        words = None if reason else _words(decision)
        if words is None:
            report.left_out[reason or NO_WORDS] += 1
            continue
        row = _row(decision, *words)
        report.rows += 1
        report.unsafe += row["policy"] != SAFE
        report.first = report.first or decision.created_at
        report.last = decision.created_at
        yield row


def last_words() -> QuerySet[Decision]:
    """Of each listing's words the last standing decision. "Upheld" repeats an earlier one, which stands."""
    standing = Decision.objects.standing().exclude(action=Action.UPHOLD)
    standing = standing.annotate(words=Coalesce("revision", "review_job__revision"))
    later = standing.filter(listing=OuterRef("listing"), words=OuterRef("words"), pk__gt=OuterRef("pk"))
    return standing.filter(~Exists(later))


def _says_nothing(decision: Decision) -> str:
    """Of the words: a photo may have been the ground, or nothing forbidden was found and something else was missing."""
    if getattr(decision, "by_photo", False):
        return BY_PHOTO
    return "" if decision.policy or decision.action in HARMLESS else NO_POLICY


def _words(decision: Decision) -> tuple[str, str] | None:
    """Title and description as they were decided about."""
    number = decision.revision or decision.review_job.revision
    kept = Revision.objects.filter(listing=decision.listing_id, number=number)
    words = kept.values_list("title", "description").first()
    if words is None and decision.listing.revision == number:
        return decision.listing.title, decision.listing.description
    return words


def _row(decision: Decision, title: str, description: str) -> dict[str, str]:
    return {
        "id": f"decision-{decision.pk}",
        "title": masked(title),
        "description": masked(description),
        "policy": SAFE if decision.action in HARMLESS else decision.policy,
        "source": f"decisions-{ReviewJob.Kind(decision.review_job.kind).value}",
        "decided_at": decision.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "action": decision.action,
    }


def masked(text: str) -> str:
    """Contact details give way to their kind in brackets: "[telephone number]"."""
    units = text.encode("utf-16-le", "surrogatepass")
    found, reached = b"", 0
    for span in contact_details.find([("", text)]):
        found += units[2 * reached : 2 * span["start"]] + f"[{span['kind']}]".encode("utf-16-le")
        reached = span["end"]
    return (found + units[2 * reached :]).decode("utf-16-le", "surrogatepass")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _opened(path: Path, packed: bool) -> IO[str]:
    # newline="": the csv module writes its own line ends
    if packed:
        return gzip.open(path, "wt", encoding="utf-8", errors="replace", newline="")
    return open(path, "w", encoding="utf-8", errors="replace", newline="")
