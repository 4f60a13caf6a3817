"""What all verdicts on one revision come to: one pure function, and the words that merchant and moderator read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models import photo as photo_model

from . import checks, gate, policies
from .lifecycle import Status
from .models import OwedCheck, Verdict, VerdictDecision, Where

GRAVE = (VerdictDecision.WARN, VerdictDecision.BLOCK)
NO_MODELS = (checks.CONTACT_DETAILS, checks.DUPLICATES)
# Who speaks of photos alone, also when the photo's row has gone meanwhile.
OF_PHOTOS = (photo_model.MODEL, photo_model.CLOUD, *checks.OF_PHOTOS)
HARD_TO_JUDGE = "It is hard to judge for our check."
IN_REVIEW_NOTE = "A moderator looks at this listing before it goes on sale. You need not do anything."
PHOTOS_NOTE = f"{IN_REVIEW_NOTE} If a photo should not be here, take it out and submit again."
ALSO_NOTE = "Until you submit again, a moderator looks at the rest."
SAYS = {
    VerdictDecision.PASS: "found nothing",
    VerdictDecision.UNSURE: "is not sure",
    VerdictDecision.WARN: "warns too",
    VerdictDecision.BLOCK: "warns too",
}
# What could not be done, for a moderator.
FAILED = {
    checks.WORDS: "The automatic check of the words",
    checks.CONTACT_DETAILS: "The check for contact details",
    checks.DUPLICATES: "The check for duplicates",
    checks.PHOTO_MODEL: "The automatic check of {photo}",
    checks.PHOTO_TEXT: "Reading the text in {photo}",
    checks.PHOTO_BANK: "Comparing {photo} with removed photos",
    checks.LOOK_ALIKES: "Comparing {photo} with other sellers' photos",
}


@dataclass(frozen=True)
class Outcome:
    status: Status
    note: str = ""  # what the merchant reads
    cause: str = ""  # what the moderator reads
    policy: str = ""


@dataclass(frozen=True)
class Doubt:
    """Why a person is to look at a photo, or at a listing that a check could not judge. `place`: the photo's, from 1;
    the note says what is the matter with it, so that one note can stand for several."""

    cause: str
    note: str = ""
    policy: str = ""
    place: int = 0


UNREAD = Doubt("The server's model has not read these words.")
# Of verdicts that nobody foresaw.
UNDECIDED = Outcome(
    Status.IN_REVIEW,
    IN_REVIEW_NOTE,
    "All checks have ended, but what they say together could not be worked out (a fault of ours; the log tells more). "
    "Judge by what each of them says.",
)


def decide_outcome(verdicts: Sequence[Verdict], failed: Sequence[OwedCheck] = ()) -> Outcome:
    """Weigh all verdicts on one revision, and the checks that failed again and again.

    The gravest wins; the device's word can add a doubt, never take one away. Doubts about photos and failed checks put
    a listing before a person whatever its words are; what there is to say about the words is then said too. Words that
    the server's own model has not read are such a doubt.
    """
    words = [verdict for verdict in verdicts if verdict.photo is None and verdict.model not in OF_PHOTOS]
    found = _of_words(words)
    doubts = [*doubts_about_photos(verdicts), *map(_of_failed, failed)]
    read = any(v.where == Where.CLOUD and v.model not in NO_MODELS for v in words)
    asked = not any(check.name == checks.WORDS for check in failed) and not a_person_decides(verdicts)
    if not read and asked:
        doubts.append(UNREAD)
    return _held(found, doubts, sure_of_words=any(verdict.decision in GRAVE for verdict in words))


def a_person_decides(verdicts: Sequence[Verdict]) -> bool:
    """Whether what the quick looks found puts a listing before a person, whatever the larger models would say: one of
    them warns of the words, all of them are unsure, the device warned and its merchant asks for a person, or a photo is
    certain. (Or its merchant has to take contact details out first, and it is looked at anew.)"""
    quick = [v for v in verdicts if v.where != Where.CLOUD]
    words = [v for v in quick if v.photo is None and v.model not in (*OF_PHOTOS, *NO_MODELS)]
    return _of_words(words).status == Status.IN_REVIEW or bool(doubts_about_photos(quick))


def decide_about_photos(verdicts: Sequence[Verdict], failed: Sequence[OwedCheck] = ()) -> Outcome:
    """Weigh what was said of photos alone: of a listing whose words are decided, by the checks or by a person."""
    doubts = [*doubts_about_photos(verdicts), *map(_of_failed, failed)]
    return _held(Outcome(Status.PUBLISHED), doubts, sure_of_words=False)


def _held(found: Outcome, doubts: Sequence[Doubt], *, sure_of_words: bool) -> Outcome:
    """What was found of the words, and with it the doubts that a person is to settle, if any."""
    if not doubts:
        return found
    causes = [found.cause or found.note, *(doubt.cause for doubt in doubts)]
    about = _notes(doubts)
    closing = ALSO_NOTE if found.status == Status.NEEDS_CHANGES else PHOTOS_NOTE if about else IN_REVIEW_NOTE
    notes = [found.note.replace(IN_REVIEW_NOTE, ""), *about, closing]
    suspected = [doubt.policy for doubt in doubts if doubt.policy]
    if found.policy:  # of words: before the photos when a check is sure of it, behind them when it is not
        suspected.insert(0 if sure_of_words else len(suspected), found.policy)
    return Outcome(
        Status.IN_REVIEW, " ".join(_said(notes)), "\n".join(_said(causes)), suspected[0] if suspected else ""
    )


def _notes(doubts: Sequence[Doubt]) -> list[str]:
    """Each sentence once, before it the photos that it is about; what is said of the same photos stands together."""
    places: dict[str, list[int]] = {}
    for doubt in doubts:
        if doubt.note:
            places.setdefault(doubt.note, []).append(doubt.place)
    said: dict[str, list[str]] = {}
    for note, at in places.items():
        said.setdefault(f"{photos_named(at)}{', each' if len(at) > 1 else ''}", []).append(note)
    return [f"{named}: {' '.join(notes)}" for named, notes in said.items()]


def photos_named(places: Sequence[int]) -> str:
    """Photo 1; or: Photos 1 and 3. Places from 1."""
    *before, last = (str(place) for place in sorted(set(places)))
    return f"Photos {', '.join(before)} and {last}" if before else f"Photo {last}"


def _said(parts: Sequence[str]) -> list[str]:
    return [part.strip() for part in parts if part.strip()]


# --- Words -----------------------------------------------------------------------------------------------------------
def _of_words(verdicts: list[Verdict]) -> Outcome:
    claim = next((v for v in verdicts if v.where == Where.DEVICE and not v.detail.get("disbelieved")), None)
    models = [v for v in verdicts if v.where != Where.DEVICE and v.model not in NO_MODELS]
    contacts = next((v for v in verdicts if v.model == checks.CONTACT_DETAILS and v.decision in GRAVE), None)
    twin = next((v for v in verdicts if v.model == checks.DUPLICATES and v.decision in GRAVE), None)

    grave = [v for v in models if v.decision in GRAVE]
    if grave:
        worst = max(grave, key=lambda v: (v.decision == VerdictDecision.BLOCK, v.where == Where.CLOUD))
        suspected = policies.name(worst.policy) or "no policy in particular"
        if worst.where == Where.CLOUD:
            cause = f"The server's check suspects: {suspected}."
        else:
            larger = next((v for v in models if v.where == Where.CLOUD), None)
            says = SAYS[VerdictDecision(larger.decision)] if larger else "was not asked"
            cause = f"One of the quick checks suspects: {suspected}. The larger model {says}."
        if claim and claim.decision == VerdictDecision.PASS:
            cause += " The merchant's device claims that it found nothing."
        return Outcome(Status.IN_REVIEW, _in_review_note(worst.policy), cause, worst.policy)
    if claim and claim.decision in GRAVE:
        cause = (
            f"The merchant's device warned of: {policies.name(claim.policy)}. The merchant asks for a person's view."
        )
        return Outcome(Status.IN_REVIEW, _in_review_note(claim.policy), cause, claim.policy)
    if contacts:
        kinds = sorted({span["kind"] for span in contacts.evidence})
        what = " and a ".join(kinds)
        note = f"The text holds a {what}. Buyers reach you through the site: take it out and submit again."
        return Outcome(Status.NEEDS_CHANGES, note)
    if twin and twin.detail.get("own"):
        note = (
            f"You already have a listing with these words: “{twin.detail['title']}”. Change one of the two, or end it."
        )
        return Outcome(Status.NEEDS_CHANGES, note)
    if twin:
        return Outcome(Status.IN_REVIEW, IN_REVIEW_NOTE, "Another seller has a listing with the same words.")
    if unsure := unsettled(models):
        suspect = f" The nearest policy: {policies.name(unsure.policy)}." if unsure.policy else ""
        cause = f"The server's check is not sure about these words.{suspect}"
        return Outcome(Status.IN_REVIEW, IN_REVIEW_NOTE, cause, unsure.policy)
    return Outcome(Status.PUBLISHED)


def unsettled(models: list[Verdict]) -> Verdict | None:
    """The model's doubt that is left for a person, if any.

    What one of the gate's models alone was unsure of, the heavier one has settled by its pass. Its own doubt stays, and
    so does one that both of the gate's models have, and one about words that a model never met.
    """
    unsure = [v for v in models if v.decision == VerdictDecision.UNSURE]
    grounds = [v for v in unsure if v.where == Where.CLOUD or gate.unfamiliar(v)]
    if grounds:
        return grounds[0]
    return unsure[0] if len(unsure) > 1 else None


def _in_review_note(policy: str) -> str:
    known = policies.get(policy)
    return f"{known.merchant_text} {IN_REVIEW_NOTE}" if known else IN_REVIEW_NOTE


# --- Photos ----------------------------------------------------------------------------------------------------------
def doubts_about_photos(verdicts: Sequence[Verdict]) -> list[Doubt]:
    """At most one doubt a photo and kind of check, photo by photo. What models think of a photo that a moderator has
    approved in this listing is settled; whether it was removed elsewhere, or is somebody else's, may be new."""
    by_photo: dict[tuple[int, int], list[Verdict]] = {}  # of what left, two may stand at one place by now
    for verdict in verdicts:
        if verdict.photo:
            by_photo.setdefault((verdict.photo.position, verdict.photo.pk), []).append(verdict)
    weigh = {
        checks.PHOTO_BANK: _removed_before,
        checks.PHOTO_MODEL: _by_models,
        checks.PHOTO_TEXT: _by_its_text,
        checks.LOOK_ALIKES: _of_another_seller,
    }
    return [
        replace(doubt, place=position + 1)
        for (position, _), said in sorted(by_photo.items())
        for check, step in weigh.items()
        if not (check in checks.SETTLED_BY_APPROVAL and said[0].photo and said[0].photo.approved_at)
        and (doubt := step(f"Photo {position + 1}", said))
    ]


def _removed_before(name: str, verdicts: list[Verdict]) -> Doubt | None:
    found = _grave(verdicts, checks.PHOTO_BANK)
    if not found:
        return None
    cause = (
        f"{name} looks the same as a photo that a moderator removed under: {policies.name(found.policy)} "
        f"(case {found.detail.get('case')})."
    )
    return Doubt(cause, "It looks the same as one that was removed from this market.", found.policy)


def _by_models(name: str, verdicts: list[Verdict]) -> Doubt | None:
    """The worker's model sees more than the device's and settles what that one alone suspects, unless it is certain.

    A policy whose photo model is an experiment holds a listing by a warning, not by a doubt.
    """
    models = [v for v in verdicts if v.model in (photo_model.MODEL, photo_model.CLOUD)]
    believed = [v for v in models if not v.detail.get("disbelieved")]
    cloud = next((v for v in believed if v.model == photo_model.CLOUD and v.where == Where.CLOUD), None)
    if cloud and cloud.decision in GRAVE:
        cause = f"{name}: the server's check suspects: {policies.name(cloud.policy)}{_experiment(cloud.policy)}."
        claim = next((v for v in believed if v.where == Where.DEVICE), None)
        if claim and claim.decision == VerdictDecision.PASS:
            cause += " The merchant's device claims that it found nothing."
        return Doubt(cause, _photo_note(cloud.policy), cloud.policy)
    certain = next((v for v in believed if v.decision == VerdictDecision.BLOCK), None)
    if certain:
        who = "the merchant's device is" if certain.where == Where.DEVICE else "the quick check is"
        larger = SAYS[VerdictDecision(cloud.decision)] if cloud else "could not be asked"
        cause = f"{name}: {who} certain of: {policies.name(certain.policy)}. The larger model {larger}."
        return Doubt(cause, _photo_note(certain.policy), certain.policy)
    if cloud and cloud.decision == VerdictDecision.UNSURE and policies.photo_use(cloud.policy) == policies.BY_MODEL:
        cause = f"{name}: the server's check is not sure. The nearest policy: {policies.name(cloud.policy)}."
        return Doubt(cause, HARD_TO_JUDGE, cloud.policy)
    return None


def _by_its_text(name: str, verdicts: list[Verdict]) -> Doubt | None:
    """Only what the model is sure of: a few words on a box or a label leave it unsure more often than not."""
    found = _grave(verdicts, checks.PHOTO_TEXT)
    if not found:
        return None
    if found.policy:
        cause = f"{name}: the text in it suggests: {policies.name(found.policy)}."
        return Doubt(cause, "The text in it is hard to judge for our check.", found.policy)
    kinds = " and a ".join(found.detail.get("contacts", ["contact detail"]))
    note = f"It shows a {kinds}. Buyers reach you through the site: another photo would be through sooner."
    return Doubt(f"{name}: the text in it holds a {kinds}.", note)


def _of_another_seller(name: str, verdicts: list[Verdict]) -> Doubt | None:
    found = _grave(verdicts, checks.LOOK_ALIKES)
    if not found:
        return None
    cause = f"{name} is nearly the same as one that another seller put up earlier, of “{found.detail.get('title')}”."
    return Doubt(cause, "It is already on the site, in another seller's listing. Use photos of your own.")


def _grave(verdicts: list[Verdict], model: str) -> Verdict | None:
    return next((v for v in verdicts if v.model == model and v.where == Where.CLOUD and v.decision in GRAVE), None)


def _photo_note(policy: str) -> str:
    known = policies.get(policy)
    return known.photo_text if known and known.photo_text else HARD_TO_JUDGE


def _experiment(policy: str) -> str:
    return " (an experiment: it has seen few such photos)" if policies.photo_use(policy) == policies.EXPERIMENT else ""


def _of_failed(check: OwedCheck) -> Doubt:
    name = f"photo {check.photo.position + 1}" if check.photo else ""
    what = FAILED[check.name].format(photo=name)
    why = f" Last time: {check.last_error.rstrip('.')}." if check.last_error else ""
    return Doubt(f"{what} failed again and again.{why}")
