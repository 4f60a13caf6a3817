"""What a moderator sees of each verdict: what it marked in words and photos, its scores, and what was odd about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import reverse

from models import photo as photo_model
from models import text

from .. import checks, content, gate, limits, policies
from ..models import Photo, ReviewJob, StatusChange, Verdict, VerdictDecision, Where
from ..outcome import GRAVE

TITLES = {
    checks.CONTACT_DETAILS: "Contact details",
    checks.DUPLICATES: "Duplicates",
    text.SECOND: "Server gate, second model",
    checks.PHOTO_TEXT: "Text in the photo",
    checks.PHOTO_BANK: "Removed photos",
    checks.LOOK_ALIKES: "Other sellers' photos",
}
PLACES = {Where.DEVICE: "The merchant's device", Where.GATE: "Server gate", Where.CLOUD: "The larger model"}
BARS = 4
LEAST = 0.005  # a score that would be shown as 0 % has no bar
FAINT = 40  # percent; places of a heat map below this are not shown
NARROW = 2.5  # the power that leaves what is half as hot a sixth of the paint, as on the sell page


@dataclass(frozen=True)
class Mark:
    """A rectangle over the photo, in percent of its sides; `strength` 0..1."""

    left: float
    top: float
    width: float
    height: float
    strength: float = 1.0


@dataclass(frozen=True)
class Link:
    url: str
    label: str


@dataclass(frozen=True)
class Entry:
    calm: ClassVar[str] = "Nothing forbidden"  # the name of the last bar

    title: str
    verdict: Verdict
    policy_name: str = ""
    note: str = ""
    scores: list[tuple[str, float]] = field(default_factory=list)  # the highest few policies above nothing, and safe
    fields: list[tuple[str, str, list[dict[str, Any]]]] = field(default_factory=list)  # label, text, marked spans
    heat: list[Mark] = field(default_factory=list)
    lines: list[Mark] = field(default_factory=list)  # where text was read
    link: Link | None = None
    repeats: bool = False  # the device's, which says what the gate's before it says

    @property
    def is_calm(self) -> bool:
        return self.verdict.decision == VerdictDecision.PASS and not self.verdict.detail.get("disbelieved")


@dataclass(frozen=True)
class OfPhoto:
    photo: Photo
    number: int
    entries: list[Entry]

    @property
    def loud(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.is_calm]

    @property
    def quiet(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_calm]

    @property
    def heat(self) -> list[Mark]:
        """Of the verdict that counts most: the worker's, then the gate's, then the device's."""
        order = {Where.CLOUD: 0, Where.GATE: 1, Where.DEVICE: 2}
        with_heat = sorted((e for e in self.entries if e.heat), key=lambda e: order[Where(e.verdict.where)])
        return with_heat[0].heat if with_heat else []

    @property
    def lines(self) -> list[Mark]:
        return [mark for entry in self.entries if entry.fields for mark in entry.lines]

    @property
    def worst(self) -> VerdictDecision:
        decisions = [VerdictDecision(entry.verdict.decision) for entry in self.entries]
        return max(decisions, key=list(VerdictDecision).index, default=VerdictDecision.PASS)


def of_words(job: ReviewJob) -> list[Entry]:
    """Every verdict on the words of the revision that the job is about, and what was said of no photo in particular."""
    listing = job.listing
    texts = words_of(job)
    rows = listing.verdicts.filter(revision=job.revision, photo=None)
    return _folded([_entry(verdict, texts) for verdict in rows], gate.tolerance())


def of_photos(job: ReviewJob) -> list[OfPhoto]:
    """The photos of the revision that the job is about, each with every verdict on it, in the order they came."""
    rows = job.listing.verdicts.filter(revision=job.revision, photo__isnull=False)
    by_photo: dict[int | None, list[Entry]] = {}
    for verdict in rows:
        by_photo.setdefault(verdict.photo_id, []).append(_photo_entry(verdict))
    near = gate.photo_tolerance()
    return [OfPhoto(each, each.position + 1, _folded(by_photo.get(each.pk, []), near)) for each in as_they_stood(job)]


def _folded(entries: list[Entry], tolerance: float) -> list[Entry]:
    """The device's verdict right behind the gate's run of the same file, and told to repeat it, where both agree."""
    device = next((each for each in entries if each.verdict.where == Where.DEVICE), None)
    if device is None:
        return entries
    rest = [each for each in entries if each is not device]
    for place, each in enumerate(rest, start=1):
        if each.verdict.where == Where.GATE and _agree(device.verdict, each.verdict, tolerance):
            return [*rest[:place], replace(device, repeats=True), *rest[place:]]
    return entries


def _agree(device: Verdict, at_gate: Verdict, tolerance: float) -> bool:
    """By the same file, with nothing to be noted about the claim; marks of words are the same, heat is as near as the
    scores."""
    if device.model != at_gate.model or device.version != at_gate.version or device.detail:
        return False
    if (device.decision, device.policy) != (at_gate.decision, at_gate.policy):
        return False
    if not device.photo_id and _places(device) != _places(at_gate):
        return False
    if device.scores.keys() != at_gate.scores.keys():
        return False
    return all(abs(score - at_gate.scores[name]) <= tolerance for name, score in device.scores.items())


def _places(verdict: Verdict) -> set[tuple[Any, ...]]:
    return {(span.get("field"), span.get("start"), span.get("end")) for span in verdict.evidence}


def words_of(job: ReviewJob) -> dict[str, str]:
    """What the job is about, by field: also what was said before an edit."""
    if job.listing.revision == job.revision:
        return dict(content.fields_of(job.listing))
    kept = job.listing.at(job.revision)
    return dict(content.fields_of_revision(kept)) if kept else {}


def photos_of(job: ReviewJob) -> QuerySet[Photo]:
    """Rows of the photos of the revision that the job is about; of an earlier one, those that are still kept. Their
    places and words may be those of today: `as_they_stood`."""
    if job.listing.revision == job.revision:
        return job.listing.photos.all()
    return Photo.objects.filter(pk__in=[said["id"] for said in _named(job)])


def as_they_stood(job: ReviewJob) -> list[Photo]:
    """The same in their order of then, in memory, with their places and alternative texts of then: since, a photo may
    have moved, or gone into another listing."""
    if job.listing.revision == job.revision:
        return list(job.listing.photos.all())
    kept = {photo.pk: photo for photo in photos_of(job)}
    found = []
    for position, said in enumerate(_named(job)):
        if photo := kept.get(said["id"]):
            photo.position, photo.alt = position, said["alt"]
            found.append(photo)
    return found


def places(job: ReviewJob, keys: Iterable[int]) -> list[int]:
    """Where these photos stand in the revision that the job is about, from 1."""
    wanted = set(keys)
    return [photo.position + 1 for photo in as_they_stood(job) if photo.pk in wanted]


def gone_photos(job: ReviewJob) -> list[int]:
    """Places, from 1, of the revision's photos that are kept no longer."""
    if job.listing.revision == job.revision:
        return []
    kept = set(photos_of(job).values_list("pk", flat=True))
    return [place for place, said in enumerate(_named(job), 1) if said["id"] not in kept]


def head(job: ReviewJob) -> tuple[str, Photo | None]:
    """Title and first photo of the revision that the job is about."""
    if job.listing.revision == job.revision:
        return job.listing.title, job.listing.cover
    kept = job.listing.at(job.revision)
    return kept.title if kept else job.listing.title, next(iter(as_they_stood(job)), None)


def _named(job: ReviewJob) -> list[dict[str, Any]]:
    kept = job.listing.at(job.revision)
    return kept.photos if kept else []


def flagged(job: ReviewJob) -> list[int]:
    """Keys of the photos in which one of the server's checks sees something forbidden. A photo of another seller's is
    not among them: in the bank it would be held against its owner. Nor is one that a moderator has approved here,
    unless it was removed elsewhere."""
    rows = job.listing.verdicts.filter(revision=job.revision, photo__isnull=False, decision__in=GRAVE)
    rows = rows.exclude(where=Where.DEVICE).exclude(model=checks.LOOK_ALIKES).exclude(policy="")
    rows = rows.exclude(~Q(model=checks.PHOTO_BANK), photo__approved_at__isnull=False)
    return list(rows.order_by("photo").values_list("photo", flat=True).distinct())


def history(job: ReviewJob) -> QuerySet[StatusChange]:
    """Of a blind job, as it was when it was first asked: what came then would say how it was decided."""
    rows = job.listing.status_changes.select_related("actor")
    return (
        rows.filter(created_at__lt=job.about.review_job.created_at) if job.is_blind and job.about is not None else rows
    )


def _entry(verdict: Verdict, texts: dict[str, str]) -> Entry:
    # Marks of a claim that is about another text would point at the wrong words.
    spans = [] if verdict.detail.get("disbelieved") else verdict.evidence
    marked = [
        (content.LABELS.get(name, name), text, [span for span in spans if span.get("field") == name])
        for name, text in texts.items()
    ]
    return Entry(
        title=title(verdict),
        verdict=verdict,
        policy_name=policies.name(verdict.policy),
        note=_note(verdict),
        scores=_scores(verdict),
        fields=[row for row in marked if row[2]],
    )


def _photo_entry(verdict: Verdict) -> Entry:
    detail = verdict.detail
    read = detail.get("text", "")
    heat = [] if detail.get("disbelieved") or read else [mark for part in verdict.evidence for mark in _heat(part)]
    return Entry(
        title=title(verdict),
        verdict=verdict,
        policy_name=policies.name(verdict.policy),
        note=_photo_note(verdict),
        scores=_scores(verdict),
        fields=[("Read in the photo", read, verdict.evidence)] if read else [],
        heat=heat,
        lines=[Mark(*(100 * share for share in box)) for box in detail.get("boxes", [])],
        link=_link(verdict),
    )


def _scores(verdict: Verdict) -> list[tuple[str, float]]:
    scores = [(policies.name(label), score) for label, score in verdict.scores.items() if policies.get(label)]
    nothing = [(Entry.calm, verdict.scores["safe"])] if "safe" in verdict.scores else []
    highest = sorted(scores, key=lambda row: -row[1])[:BARS]
    return [row for row in highest if row[1] >= LEAST] + nothing


def _heat(part: dict[str, Any]) -> list[Mark]:
    """The warm places of a heat map. A device may send fewer numbers than it says: what is missing is cold."""
    left, top, width, height = (100 * share for share in part.get("box", [0, 0, 1, 1]))
    rows, columns = part.get("rows", 0), part.get("columns", 0)
    return [
        Mark(
            round(left + width * (place % columns) / columns, 2),
            round(top + height * (place // columns) / rows, 2),
            round(width / columns, 2),
            round(height / rows, 2),
            round((percent / 100) ** NARROW, 3),
        )
        for place, percent in enumerate(part.get("heat", [])[: rows * columns])
        if percent >= FAINT
    ]


def title(verdict: Verdict) -> str:
    """Who says so. A device's claim is the device's, whatever model it names."""
    place = Where(verdict.where)
    return PLACES[place] if place == Where.DEVICE else TITLES.get(verdict.model, PLACES[place])


def _note(verdict: Verdict) -> str:
    detail = verdict.detail
    notes = _claim_notes(detail)
    if "coverage" in detail and gate.unfamiliar(verdict):
        known = f"{float(detail['coverage']):.0%}"
        notes.append(f"It made sense of {known} of the letters: too few to judge. The text may be in another language.")
    if title := detail.get("title"):
        notes.append(f"The same words as “{title}” ({'the same seller' if detail.get('own') else 'another seller'}).")
    return " ".join(notes)


def _claim_notes(detail: dict[str, Any]) -> list[str]:
    notes = []
    if why := detail.get("disbelieved"):
        notes.append(f"Not believed: {why}")
    if now := detail.get("other_release"):
        notes.append(
            f"The page was loaded before the present model ({now}); it is held against the one it worked with."
        )
    if problem := detail.get("release_problem"):
        notes.append(f"Judged by the published model alone: {problem}")
    if gap := detail.get("differs_from_gate"):
        notes.append(f"Its scores differ from the server's run of the same file by up to {gap:.4f}.")
    if decided := detail.get("gate_decided"):
        notes.append(f"The server's run of the same file says “{decided}”.")
    return notes


def _photo_note(verdict: Verdict) -> str:
    detail = verdict.detail
    notes = _claim_notes(detail)
    if detail.get("unclaimed"):
        notes.append("The merchant's device said nothing about this photo.")
    if alone := detail.get("alone"):
        notes.append(f"Of the words alone the model says “{alone}”; beside the title it finds nothing in them.")
    if contacts := detail.get("contacts"):
        notes.append(f"The text holds a {' and a '.join(contacts)}.")
    if verdict.model == checks.PHOTO_TEXT and not detail.get("text"):
        notes.append("No text was found in it.")
    if "removed" in detail:
        notes.append(f"{_likeness(detail['distance'])} a photo that was removed.")
    if "of" in detail:
        notes.append(f"{_likeness(detail['distance'])} a photo of “{detail['title']}”, put up earlier.")
    if verdict.model in (photo_model.MODEL, photo_model.CLOUD) and (
        policies.photo_use(verdict.policy) == policies.EXPERIMENT
    ):
        notes.append("For this policy the photo models are an experiment.")
    return " ".join(notes)


def _likeness(distance: int) -> str:
    """distance: bits of two perceptual hashes that differ."""
    return f"{1 - distance / limits.PHASH_BITS:.0%} of its pattern agrees with"


def _link(verdict: Verdict) -> Link | None:
    detail = verdict.detail
    if case := detail.get("case"):
        return Link(reverse("moderation-case", args=[case]), f"Case {case}, in which it was removed")
    if other := detail.get("of"):
        return Link(reverse("item", args=[other]), f"“{detail.get('title', other)}”, the other seller's listing")
    return None
