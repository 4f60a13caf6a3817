"""The worker's checks of one revision: each leaves its verdicts when it ends, and with the last one the job is settled.

A check is claimed by one delivery at a time. Whose time limit is over may be overtaken by the next: the step that
stores the verdicts counts once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from models import manifest, text

from . import (
    checks,
    contact_details,
    content,
    duplicates,
    gate,
    look_alikes,
    photo_bank,
    photo_checks,
    photo_text,
)
from .lifecycle import Status
from .models import (
    Debt,
    Decision,
    Listing,
    OwedCheck,
    Photo,
    ReviewJob,
    StatusChange,
    ValidationJob,
    Verdict,
    VerdictDecision,
    Where,
)
from .moderation import decided_before, notices, queue, reports
from .outcome import GRAVE, IN_REVIEW_NOTE, UNDECIDED, Outcome, decide_about_photos, decide_outcome
from .trust import debts

log = logging.getLogger(__name__)
# A check that fails this often, or takes its worker down with it, is given to a person.
ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=10)
LONGEST_WAIT_FOR_US = timedelta(minutes=2)  # until a model is back
WAITING_NOTE = "Our check is not available at the moment. Your listing waits for it and goes on by itself."
NO_ANSWER = "it gave no answer: it took too long, or its worker was killed"


def run(check_id: int) -> None:
    """Make one check and store what it found. Of two deliveries at the same time one returns at once.

    A fault (model missing, disk, anything unforeseen) leaves the check owed, to be sent again later.
    """
    rows = OwedCheck.objects.select_related("job__listing__seller", "job__debt", "photo")
    check = rows.filter(pk=check_id, state=OwedCheck.State.OWED).first()
    if check is None or not _is_still_owed(check.job, check.job.listing):
        return
    if not _claim(check):
        return
    try:
        if check.attempts > ATTEMPTS:
            finish(check, [], failed=True)
        else:
            _as_sent_in(check.job)
            finish(check, _found_by(check))
    except manifest.ModelUnavailable as error:
        log.warning("check %s (%s) waits: %s", check.pk, check.name, error)
        _postpone(check, str(error), count=False)
    except SoftTimeLimitExceeded:
        seconds = checks.TERMS[check.name].seconds
        log.warning("check %s (%s) was stopped after %s s", check.pk, check.name, seconds)
        _postpone(check, f"it gave no answer within {seconds} seconds", count=True)
    except Exception as error:
        log.exception("check %s (%s) failed", check.pk, check.name)
        _postpone(check, f"{type(error).__name__}: {error}", count=True)


def _as_sent_in(job: ValidationJob) -> None:
    """The job's listing, in memory, with the words of the job's revision: it may have been edited since."""
    if job.listing.revision != job.revision:
        content.as_it_was(job.listing, job.listing.revisions.get(number=job.revision))


def _claim(check: OwedCheck) -> bool:
    """One more attempt, ours alone until its time limit is over: then its process is dead and others may have it.

    False when another delivery is at work or was faster, or when the wait after a fault is not over.
    """
    now, limit = timezone.now(), checks.TERMS[check.name].limit
    idle = Q(started_at=None) | Q(started_at__lte=now - limit)
    rested = Q(not_before=None) | Q(not_before__lte=now)
    held = OwedCheck.objects.filter(idle, rested, pk=check.pk, state=OwedCheck.State.OWED, attempts=check.attempts)
    check.attempts += 1
    check.started_at = now
    return (
        held.update(
            attempts=check.attempts,
            started_at=now,
            due_at=now + limit,
            last_error=NO_ANSWER,  # stands if the process is killed
        )
        == 1
    )


def check(listing: Listing) -> list[Verdict]:
    """Unsaved verdicts of every check of the words, one after the other. Raises ModelUnavailable."""
    return [verdict for make in WORD_CHECKS.values() for verdict in make(listing)]


def check_words(listing: Listing) -> list[Verdict]:
    """What the models say: the heavier one, and those that the gate could not ask."""
    fields = content.fields_of(listing)
    at_gate = listing.verdicts.filter(revision=listing.revision, where=Where.GATE, photo=None)
    seen = set(at_gate.values_list("model", flat=True))
    looks = {text.MODEL: gate.device_look, text.SECOND: gate.second_look}
    return [*(look(fields) for model, look in looks.items() if model not in seen), gate.heavy_look(fields)]


def check_contact_details(listing: Listing) -> list[Verdict]:
    began = time.perf_counter()
    found = contact_details.find(content.fields_of(listing))
    decision = VerdictDecision.WARN if found else VerdictDecision.PASS
    return [
        Verdict(
            where=Where.CLOUD,
            model=checks.CONTACT_DETAILS,
            decision=decision,
            evidence=found,
            ms=_ms_since(began),
        )
    ]


def check_duplicates(listing: Listing) -> list[Verdict]:
    began = time.perf_counter()
    twin = duplicates.find(listing)
    detail = {"of": twin.public_id, "title": twin.title, "own": twin.seller_id == listing.seller_id} if twin else {}
    decision = VerdictDecision.WARN if twin else VerdictDecision.PASS
    return [Verdict(where=Where.CLOUD, model=checks.DUPLICATES, decision=decision, detail=detail, ms=_ms_since(began))]


# Each gives unsaved verdicts or raises. Their terms: checks.py.
WORD_CHECKS: dict[str, Callable[[Listing], list[Verdict]]] = {
    checks.WORDS: check_words,
    checks.CONTACT_DETAILS: check_contact_details,
    checks.DUPLICATES: check_duplicates,
}
PHOTO_CHECKS: dict[str, Callable[[Listing, Photo], list[Verdict]]] = {
    checks.PHOTO_MODEL: photo_checks.check,
    checks.PHOTO_TEXT: photo_text.check,
    checks.PHOTO_BANK: photo_bank.check,
    checks.LOOK_ALIKES: look_alikes.check,
}


def _found_by(check: OwedCheck) -> list[Verdict]:
    if check.photo is None:
        return WORD_CHECKS[check.name](check.job.listing)
    return PHOTO_CHECKS[check.name](check.job.listing, check.photo)


def finish(check: OwedCheck, verdicts: list[Verdict], *, failed: bool = False) -> None:
    """Store what a check found; the last one settles the job. Everything or nothing: another worker, an edit or a
    withdrawal may have been faster."""
    state = OwedCheck.State.FAILED if failed else OwedCheck.State.DONE
    with transaction.atomic():
        Listing.objects.hold(check.job.listing_id)
        listing = Listing.objects.only("status", "revision").get(pk=check.job.listing_id)
        if not _is_still_owed(check.job, listing):
            return
        held = OwedCheck.objects.filter(pk=check.pk, state=OwedCheck.State.OWED)
        error = check.last_error if failed else ""
        if held.update(state=state, finished_at=timezone.now(), last_error=error) != 1:
            return
        _store(check.job, verdicts)
        _tell_debt(check.job, verdicts, failed=failed)
        if not check.job.checks.filter(state=OwedCheck.State.OWED).exists():
            found = _settled(check.job)
            log.info("listing %s, revision %s: %s", check.job.listing_id, check.job.revision, found.status)


def _tell_debt(job: ValidationJob, verdicts: list[Verdict], *, failed: bool) -> None:
    """On sale before its checks: a doubt of one of them, or one that could not be made, takes it off the market until
    all have ended."""
    debt = Debt.objects.filter(job=job, state=Debt.State.OPEN).first()
    if debt is None:
        return
    debts.light_made(job)
    if failed or any(verdict.decision in GRAVE for verdict in verdicts):
        debts.call_in(debt, Debt.Cause.DOUBT)


def _settled(job: ValidationJob) -> Outcome:
    """The outcome by which the job ends now. What its checks found stays, also when it cannot be weighed: then a person
    looks at it."""
    try:
        with transaction.atomic():
            found = _weigh(job)
            settle(job, [], found)
    except (SoftTimeLimitExceeded, OperationalError):
        raise  # the time is over, or the database is away: this check is made again
    except Exception:
        log.exception("listing %s, revision %s: no outcome", job.listing_id, job.revision)
        found = UNDECIDED
        settle(job, [], found)
    return found


def _weigh(job: ValidationJob) -> Outcome:
    """Of what is being checked, and of what was on sale owing it, everything. Of what has left the check, only what was
    said of photos since: its words are decided, and so is whatever a moderator saw before the last decision."""
    said = job.listing.verdicts.filter(revision=job.revision).select_related("photo")
    given_up = job.checks.filter(state=OwedCheck.State.FAILED).select_related("photo")
    checking = Listing.objects.filter(pk=job.listing_id, status=Status.CHECKING).exists()
    if checking or Debt.objects.filter(job=job, state__in=Debt.UNPAID).exists():
        return _again(job, decide_outcome(list(said), list(given_up)))
    seen = Decision.objects.filter(listing=job.listing_id, review_job__revision=job.revision).first()
    if seen:
        said = said.filter(created_at__gt=seen.created_at)
        given_up = given_up.filter(finished_at__gt=seen.created_at)
    return decide_about_photos(list(said), list(given_up))


def _again(job: ValidationJob, found: Outcome) -> Outcome:
    """What a moderator kept off the market, the checks alone do not let back."""
    earlier = decided_before.find(job.listing) if found.status == Status.PUBLISHED else None
    if earlier is None:
        return found
    about = f"case {earlier.review_job_id}, {earlier.get_action_display().lower()}: “{earlier.reason}”"
    cause = f"A moderator kept it, or the same words, off the market before ({about}). The checks find nothing."
    return Outcome(Status.IN_REVIEW, IN_REVIEW_NOTE, cause, earlier.policy)


def settle(job: ValidationJob, verdicts: list[Verdict], found: Outcome) -> None:
    """End the job with its outcome, once: what is being checked moves, what is on sale or paused goes to a person on
    doubt. What was on sale owing this and has left the market moves no more; a person looks at the doubt."""
    with transaction.atomic():
        Listing.objects.hold(job.listing_id)
        held = ValidationJob.objects.filter(pk=job.pk, state=ValidationJob.State.OWED)
        if held.update(state=ValidationJob.State.DONE, finished_at=timezone.now()) != 1:
            return
        ValidationJob.objects.filter(pk=job.pk, outcome="").update(outcome=found.status)
        paid = debts.close(job)
        if paid and paid.left_at:
            _store(job, verdicts)
            _ask_about_what_left(job, found)
            return
        listing = Listing.objects.only("status", "published_at").get(pk=job.listing_id)
        status = Status(listing.status)
        target = found.status
        kept: dict[str, Any] = {}
        if Debt.objects.filter(job=job).exists():  # it is back on sale, not new on sale
            kept["published_at"] = listing.published_at
        if status != Status.CHECKING:
            if target == Status.PUBLISHED or status == Status.IN_REVIEW:
                _store(job, verdicts)
                return
            target = Status.IN_REVIEW
        moved = Listing.objects.move(
            job.listing_id, source=status, target=target, note=found.note, at_revision=job.revision, **kept
        )
        if not moved:
            ValidationJob.objects.filter(pk=job.pk).update(state=ValidationJob.State.DROPPED)
            return
        _store(job, verdicts)
        if target == Status.NEEDS_CHANGES:
            reports.put_off(listing)
            sent_back = StatusChange.objects.filter(listing=job.listing_id, target=target).select_related(
                "listing__seller"
            )
            notices.sent_back(sent_back.latest("pk"))
        if target == Status.IN_REVIEW:
            queue.open_job(
                listing,
                revision=job.revision,
                status_before=status,
                cause=found.cause or found.note,
                policy=found.policy,
            )


def _ask_about_what_left(job: ValidationJob, found: Outcome) -> None:
    """What would have held it goes before a moderator. What would only have come back for changes is no violation."""
    if found.status != Status.IN_REVIEW:
        return
    listing = Listing.objects.only("status").get(pk=job.listing_id)
    queue.open_job(
        listing,
        revision=job.revision,
        kind=ReviewJob.Kind.LEFT,
        status_before=listing.status,
        cause=found.cause or found.note,
        policy=found.policy,
    )


def _store(job: ValidationJob, verdicts: list[Verdict]) -> None:
    """Under the listing's lock: `created_at` tells what a moderator cannot have seen when they decided."""
    now = timezone.now()
    for verdict in verdicts:
        verdict.listing_id, verdict.revision, verdict.created_at = job.listing_id, job.revision, now
    Verdict.objects.bulk_create(verdicts)


def _is_still_owed(job: ValidationJob, listing: Listing) -> bool:
    """Of what was edited, withdrawn or sold: only what was on sale before its checks. The rest is dropped."""
    if listing.revision == job.revision and listing.status in checks.ASKED:
        return True
    checks.drop(ValidationJob.objects.filter(pk=job.pk))
    return Debt.objects.filter(job=job, state=Debt.State.LEFT).exists()


def _postpone(check: OwedCheck, why: str, *, count: bool) -> None:
    """Owed again, later each time. A fault of ours (`count` false) does not use up the check's attempts."""
    attempts = check.attempts if count else min(check.attempts - 1, ATTEMPTS - 2)
    # If our time was over, somebody else may have it: what they do counts.
    held = OwedCheck.objects.filter(pk=check.pk, state=OwedCheck.State.OWED, started_at=check.started_at)
    now = timezone.now()
    # What waits for us is tried the more seldom the longer it has waited: its attempts do not tell how long that is.
    wait = _wait(check) if count else min(max(FIRST_WAIT, (now - check.job.created_at) / 4), LONGEST_WAIT_FOR_US)
    again_at = now + wait
    held.update(due_at=again_at, not_before=again_at, started_at=None, last_error=why[:2000], attempts=attempts)
    job = check.job
    waiting = Listing.objects.filter(pk=job.listing_id, status=Status.CHECKING, revision=job.revision)
    waiting.update(status_note=WAITING_NOTE)


def _wait(check: OwedCheck) -> timedelta:
    return min(FIRST_WAIT * 2 ** min(check.attempts - 1, 10), LONGEST_WAIT)


def _ms_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
