"""What a moderator sees of each verdict: the words it marked, its scores, and what was odd about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import QuerySet

from models import text

from .. import content, gate, policies
from ..models import Listing, ReviewJob, StatusChange, Verdict, Where
from ..validation import CONTACT_DETAILS, DUPLICATES

TITLES = {CONTACT_DETAILS: "Contact details", DUPLICATES: "Duplicates", text.SECOND: "Server gate, second model"}
PLACES = {Where.DEVICE: "The merchant's device", Where.GATE: "Server gate", Where.CLOUD: "Second opinion"}
BARS = 4


@dataclass(frozen=True)
class Entry:
    calm: ClassVar[str] = "Nothing forbidden"  # the name of the last bar

    title: str
    verdict: Verdict
    policy_name: str = ""
    note: str = ""
    scores: list[tuple[str, float]] = field(default_factory=list)  # the highest few policies, and safe
    fields: list[tuple[str, str, list[dict[str, Any]]]] = field(default_factory=list)  # label, text, marked spans


def for_job(job: ReviewJob) -> list[Entry]:
    """Every verdict on the revision that the job is about, in the order they came."""
    listing = job.listing
    texts = dict(content.fields_of(listing)) if listing.revision == job.revision else {}
    return [_entry(verdict, texts) for verdict in listing.verdicts.filter(revision=job.revision)]


def history(listing: Listing) -> QuerySet[StatusChange]:
    return listing.status_changes.select_related("actor")


def _entry(verdict: Verdict, texts: dict[str, str]) -> Entry:
    # Marks of a claim that is about another text would point at the wrong words.
    spans = [] if verdict.detail.get("disbelieved") else verdict.evidence
    marked = [
        (content.LABELS.get(name, name), text, [span for span in spans if span["field"] == name])
        for name, text in texts.items()
    ]
    scores = [(policies.name(label), score) for label, score in verdict.scores.items() if policies.get(label)]
    nothing = [(Entry.calm, verdict.scores["safe"])] if "safe" in verdict.scores else []
    return Entry(
        title=title(verdict),
        verdict=verdict,
        policy_name=policies.name(verdict.policy),
        note=_note(verdict),
        scores=sorted(scores, key=lambda row: -row[1])[:BARS] + nothing,
        fields=[row for row in marked if row[2]],
    )


def title(verdict: Verdict) -> str:
    """Who says so. A device's claim is the device's, whatever model it names."""
    place = Where(verdict.where)
    return PLACES[place] if place == Where.DEVICE else TITLES.get(verdict.model, PLACES[place])


def _note(verdict: Verdict) -> str:
    detail = verdict.detail
    notes = []
    if why := detail.get("disbelieved"):
        notes.append(f"Not believed: {why}")
    if gap := detail.get("differs_from_gate"):
        notes.append(f"Its scores differ from the server's run of the same file by up to {gap:.4f}.")
    if decided := detail.get("gate_decided"):
        notes.append(f"The server's run of the same file says “{decided}”.")
    if "coverage" in detail and gate.unfamiliar(verdict):
        known = f"{float(detail['coverage']):.0%}"
        notes.append(f"It made sense of {known} of the letters: too few to judge. The text may be in another language.")
    if title := detail.get("title"):
        notes.append(f"The same words as “{title}” ({'the same seller' if detail.get('own') else 'another seller'}).")
    return " ".join(notes)
