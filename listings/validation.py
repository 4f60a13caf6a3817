"""The worker's check of one revision: each check leaves a verdict, one pure function weighs them, one step settles."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from models import manifest, text

from . import contact_details, content, duplicates, gate, policies
from .lifecycle import Status
from .models import Listing, ReviewJob, ValidationJob, Verdict, VerdictDecision, Where

log = logging.getLogger(__name__)
GRAVE = (VerdictDecision.WARN, VerdictDecision.BLOCK)
# A check that fails this often, or takes its worker down with it, is given to a person.
ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=10)
CONTACT_DETAILS, DUPLICATES = "contact-details", "duplicates"
WAITING_NOTE = "Our check is not available at the moment. Your listing waits for it and goes on by itself."


@dataclass(frozen=True)
class Outcome:
    status: Status
    note: str = ""  # what the merchant reads
    cause: str = ""  # what the moderator reads
    policy: str = ""


def validate(job_id: int) -> None:
    """Check what the job is about and settle it. May run twice or at the same time as another: one of them counts.

    A fault (model missing, disk, anything unforeseen) leaves the job owed, to be sent again later.
    """
    job = ValidationJob.objects.select_related("listing__seller").filter(pk=job_id).first()
    if job is None or job.state != ValidationJob.State.OWED:
        return
    listing = job.listing
    if listing.revision != job.revision or listing.status != Status.CHECKING:
        _drop(job)
        return
    job.attempts += 1
    job.started_at = timezone.now()
    job.save(update_fields=["attempts", "started_at"])
    if job.attempts > ATTEMPTS:
        settle(job, [], Outcome(Status.IN_REVIEW, IN_REVIEW_NOTE, "The automatic check failed again and again."))
        return
    try:
        verdicts = check(listing)
    except manifest.ModelUnavailable as error:
        log.warning("validation %s waits: %s", job.pk, error)
        _postpone(job, str(error), count=False)
    except Exception as error:
        log.exception("validation %s failed", job.pk)
        _postpone(job, f"{type(error).__name__}: {error}", count=True)
    else:
        known = list(listing.verdicts.filter(revision=job.revision))
        settle(job, verdicts, decide_outcome([*known, *verdicts]))


def check(listing: Listing) -> list[Verdict]:
    """Unsaved verdicts of every check. Raises ModelUnavailable."""
    fields = content.fields_of(listing)
    seen = set(listing.verdicts.filter(revision=listing.revision, where=Where.GATE).values_list("model", flat=True))
    looks = {text.MODEL: gate.device_look, text.SECOND: gate.second_look}
    verdicts = [look(fields) for model, look in looks.items() if model not in seen]
    verdicts.append(gate.heavy_look(fields))
    verdicts.append(check_contact_details(fields))
    verdicts.append(check_duplicates(listing))
    return verdicts


def check_contact_details(fields: content.Fields) -> Verdict:
    began = time.perf_counter()
    found = contact_details.find(fields)
    return Verdict(
        where=Where.CLOUD,
        model=CONTACT_DETAILS,
        decision=VerdictDecision.WARN if found else VerdictDecision.PASS,
        evidence=found,
        ms=_ms_since(began),
    )


def check_duplicates(listing: Listing) -> Verdict:
    began = time.perf_counter()
    twin = duplicates.find(listing)
    detail = {"of": twin.public_id, "title": twin.title, "own": twin.seller_id == listing.seller_id} if twin else {}
    return Verdict(
        where=Where.CLOUD,
        model=DUPLICATES,
        decision=VerdictDecision.WARN if twin else VerdictDecision.PASS,
        detail=detail,
        ms=_ms_since(began),
    )


SAYS = {
    VerdictDecision.PASS: "found nothing",
    VerdictDecision.UNSURE: "is not sure",
    VerdictDecision.WARN: "warns too",
    VerdictDecision.BLOCK: "warns too",
}
IN_REVIEW_NOTE = "A moderator looks at this listing before it goes on sale. You need not do anything."


def decide_outcome(verdicts: list[Verdict]) -> Outcome:
    """Weigh all verdicts on one revision. The gravest wins; the device's word can add a doubt, never take one away."""
    claim = next((v for v in verdicts if v.where == Where.DEVICE and not v.detail.get("disbelieved")), None)
    models = [v for v in verdicts if v.where != Where.DEVICE and v.model not in (CONTACT_DETAILS, DUPLICATES)]
    contacts = next((v for v in verdicts if v.model == CONTACT_DETAILS and v.decision in GRAVE), None)
    twin = next((v for v in verdicts if v.model == DUPLICATES and v.decision in GRAVE), None)
    if not any(v.where == Where.CLOUD for v in models):
        raise ValueError("no listing is decided without the server's own model")

    grave = [v for v in models if v.decision in GRAVE]
    if grave:
        worst = max(grave, key=lambda v: (v.decision == VerdictDecision.BLOCK, v.where == Where.CLOUD))
        suspected = policies.name(worst.policy) or "no policy in particular"
        if worst.where == Where.CLOUD:
            cause = f"The server's check suspects: {suspected}."
        else:
            larger = VerdictDecision(next(v for v in models if v.where == Where.CLOUD).decision)
            cause = f"One of the quick checks suspects: {suspected}. The larger model {SAYS[larger]}."
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


def settle(job: ValidationJob, verdicts: list[Verdict], outcome: Outcome) -> None:
    """Write everything or nothing: another worker, an edit or a withdrawal may have been faster."""
    with transaction.atomic():
        Listing.objects.hold(job.listing_id)
        held = ValidationJob.objects.filter(pk=job.pk, state=ValidationJob.State.OWED)
        if held.update(state=ValidationJob.State.DONE, finished_at=timezone.now(), last_error="") != 1:
            return
        moved = Listing.objects.move(
            job.listing_id,
            source=Status.CHECKING,
            target=outcome.status,
            note=outcome.note,
            at_revision=job.revision,
        )
        if not moved:
            ValidationJob.objects.filter(pk=job.pk).update(state=ValidationJob.State.DROPPED)
            return
        for verdict in verdicts:
            verdict.listing_id, verdict.revision = job.listing_id, job.revision
        Verdict.objects.bulk_create(verdicts)
        if outcome.status == Status.IN_REVIEW:
            ReviewJob.objects.create(
                listing_id=job.listing_id, revision=job.revision, cause=outcome.cause, policy=outcome.policy
            )


def _drop(job: ValidationJob) -> None:
    held = ValidationJob.objects.filter(pk=job.pk, state=ValidationJob.State.OWED)
    held.update(state=ValidationJob.State.DROPPED, finished_at=timezone.now())


def _postpone(job: ValidationJob, why: str, *, count: bool) -> None:
    """Owed again, later each time. A fault of ours (`count` false) does not use up the listing's attempts."""
    wait = min(FIRST_WAIT * 2 ** min(job.attempts - 1, 10), LONGEST_WAIT)
    held = ValidationJob.objects.filter(pk=job.pk, state=ValidationJob.State.OWED)
    attempts = job.attempts if count else min(job.attempts - 1, ATTEMPTS - 2)
    held.update(due_at=timezone.now() + wait, last_error=why[:2000], attempts=attempts)
    waiting = Listing.objects.filter(pk=job.listing_id, status=Status.CHECKING, revision=job.revision)
    waiting.update(status_note=WAITING_NOTE)


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
