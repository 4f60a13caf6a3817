"""A moderator's word on a job: proposed, and after a moment in which it can be taken back, made. One decision a job,
compare-and-set, with its reason for the merchant.

A proposed decision is a row that a task makes good once its time has come (`settle_due`), so a closed browser loses
nothing; what the listing became meanwhile may forbid it, and then its moderator is told.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from .. import checks, limits, photo_bank, policies
from ..checks import SETTLED_BY_APPROVAL
from ..lifecycle import Status
from ..models import Decision, JobEvent, Listing, OwedCheck, PendingDecision, ReviewJob, SecondLook, User
from ..trust import settings
from . import claims, evidence, follow_ups, notices, quality_jobs, reports, statements, strikes

log = logging.getLogger(__name__)
Action, Kind = Decision.Action, ReviewJob.Kind
BATCH = 200
AFTER_A_FAULT = timedelta(minutes=1)
PAST = (Kind.APPEAL, Kind.SELLER, Kind.LEFT)  # about what was said once, whatever the listing is now
ON_MARKET = (Status.PUBLISHED, Status.PAUSED)
# What may be said of a job, by its kind.
WORDS: dict[str, tuple[Decision.Action, ...]] = {
    Kind.CHECK: (Action.APPROVE, Action.REJECT, Action.CHANGES),
    Kind.REPORT: (Action.APPROVE, Action.REJECT, Action.CHANGES),
    Kind.SAMPLE: (Action.APPROVE, Action.REJECT, Action.CHANGES),
    Kind.LEFT: (Action.APPROVE, Action.REJECT),
    Kind.SECOND: (Action.APPROVE, Action.REJECT, Action.CHANGES),
    Kind.GOLDEN: (Action.APPROVE, Action.REJECT, Action.CHANGES),
    Kind.APPEAL: (Action.UPHOLD, Action.OVERTURN, Action.MODIFY),
    Kind.SELLER: (Action.UPHOLD, Action.OVERTURN),
}
NEEDS_POLICY = (Action.REJECT, Action.MODIFY)
NEEDS_REASON = (Action.REJECT, Action.CHANGES, Action.UPHOLD, Action.OVERTURN, Action.MODIFY)
CHANGED = "The merchant has changed or withdrawn the listing meanwhile. Nothing changed."
BEING_CHECKED = "Its checks, or another case, look at the listing anew: this one waits for them. Nothing changed."
DECIDED = "Somebody else has decided this case, or the merchant has withdrawn it. Nothing changed."


@dataclass(frozen=True)
class Word:
    """action: one of WORDS for the job's kind. photos: keys of the listing's photos that go into the bank."""

    action: str
    policy: str = ""
    reason: str = ""
    photos: Sequence[int] = ()
    reports_seen: int | None = None  # key of the last report that was read; None: all there are


# --- Proposing and taking back ---------------------------------------------------------------------------------------
def propose(
    *, job: ReviewJob, moderator: User, word: Word, revision: int, batch: uuid.UUID | None = None
) -> PendingDecision:
    """The decision on what the moderator saw (`revision`), in force after the time for taking it back. Raises
    claims.Taken when somebody else holds the job, ValidationError by field, PermissionDenied."""
    _readable(job, word)
    _may(job, moderator)
    with transaction.atomic():
        job = claims.take(job.pk, moderator)
        if revision != job.revision or not (job.is_blind or job.kind in PAST or _as_seen(job)):
            raise ValidationError(BEING_CHECKED if job.kind == Kind.SAMPLE else CHANGED)
        due = timezone.now() + timedelta(seconds=settings.value("undo_seconds"))
        try:
            with transaction.atomic():
                pending = PendingDecision.objects.create(
                    job=job, moderator=moderator, revision=revision, action=word.action, policy=word.policy,
                    reason=word.reason.strip(), photos=list(word.photos), batch=batch, due_at=due,
                    reports_seen=reports.last(job.listing_id) if word.reports_seen is None else word.reports_seen,
                )  # fmt: skip
        except IntegrityError:
            raise claims.Taken(DECIDED) from None
        JobEvent.objects.create(job=job, actor=moderator, kind=JobEvent.Kind.PROPOSED, note=word.action)
    if settings.value("undo_seconds") == 0:
        settle(pending.pk)
        pending.refresh_from_db()
    return pending


def undo(pending: Iterable[PendingDecision], moderator: User) -> list[PendingDecision]:
    """Those that were taken back: of this moderator, and not yet made. Their cases are the moderator's again."""
    found = []
    for each in pending:
        with transaction.atomic():
            mine = PendingDecision.objects.filter(
                pk=each.pk, moderator=moderator, state=PendingDecision.State.PENDING, due_at__gt=timezone.now()
            )
            if not mine.update(state=PendingDecision.State.UNDONE):
                continue
            JobEvent.objects.create(job_id=each.job_id, actor=moderator, kind=JobEvent.Kind.UNDONE)
            claims.renew(each.job_id, moderator)
            found.append(each)
    return found


def settle_due(now: datetime | None = None, moderator: User | None = None) -> int:
    """Make what has waited its time (of one moderator, if named); how many were made. Two at once make nothing twice.
    One that fails by a fault of ours is tried again in a minute, and holds up no other."""
    due = PendingDecision.objects.filter(state=PendingDecision.State.PENDING, due_at__lte=now or timezone.now())
    if moderator is not None:
        due = due.filter(moderator=moderator)
    made = 0
    for pk in due.order_by("due_at", "pk").values_list("pk", flat=True)[:BATCH]:
        try:
            made += settle(pk)
        except Exception:
            log.exception("pending decision %s could not be made", pk)
            again = (now or timezone.now()) + AFTER_A_FAULT
            PendingDecision.objects.filter(pk=pk, state=PendingDecision.State.PENDING).update(due_at=again)
    return made


def settle(pending_id: int) -> bool:
    """Make one of them, whatever its time. False when it was made, taken back, or can not be made any more: then its
    moderator is told. A fault of ours leaves it pending."""
    with transaction.atomic():
        rows = PendingDecision.objects.select_for_update().filter(pk=pending_id, state=PendingDecision.State.PENDING)
        pending = rows.first()
        if pending is None:
            return False
        job = ReviewJob.objects.select_related("listing__seller", "about").get(pk=pending.job_id)
        word = Word(pending.action, pending.policy, pending.reason, pending.photos, pending.reports_seen)
        try:
            if pending.revision != job.revision:
                raise ValidationError(CHANGED)
            with transaction.atomic():
                decide(job=job, moderator=pending.moderator, word=word)
        except (ValidationError, PermissionDenied) as error:
            said = error.messages[0] if isinstance(error, ValidationError) else str(error)
            rows.update(state=PendingDecision.State.FAILED, failure=said)
            JobEvent.objects.create(job=job, actor=pending.moderator, kind=JobEvent.Kind.FAILED, note=said)
            return False
        rows.update(state=PendingDecision.State.DONE)
    return True


def untold(moderator: User) -> list[PendingDecision]:
    """Decisions of this moderator that could not be made, each told once."""
    rows = PendingDecision.objects.filter(moderator=moderator, state=PendingDecision.State.FAILED, told=False)
    found = list(rows.select_related("job__listing"))
    PendingDecision.objects.filter(pk__in=[each.pk for each in found]).update(told=True)
    return found


# --- Deciding --------------------------------------------------------------------------------------------------------
def approve(*, job: ReviewJob, moderator: User, reason: str = "") -> Decision:
    found = decide(job=job, moderator=moderator, word=Word(Action.APPROVE, reason=reason))
    assert found is not None
    return found


def reject(*, job: ReviewJob, moderator: User, policy: str, reason: str, photos: Sequence[int] = ()) -> Decision:
    found = decide(job=job, moderator=moderator, word=Word(Action.REJECT, policy, reason, photos))
    assert found is not None
    return found


def decide(*, job: ReviewJob, moderator: User, word: Word) -> Decision | None:
    """Make a decision now. None of a blind job: it is noted, and changes nothing; and none of an appeal against a
    suspension: its answer stands with the suspension. Raises ValidationError when somebody was faster or the listing
    was changed or withdrawn, PermissionDenied."""
    _readable(job, word)
    _may(job, moderator)
    if job.is_blind:
        _note_blind(job, moderator, word)
        return None
    if job.kind == Kind.SELLER:
        _answer_about_suspension(job, moderator, word)
        return None
    if job.kind == Kind.APPEAL:
        return _answer_appeal(job, moderator, word)
    return {Action.APPROVE: _approve, Action.REJECT: _reject, Action.CHANGES: _ask_for_changes}[Action(word.action)](
        job, moderator, word
    )


def _approve(job: ReviewJob, moderator: User, word: Word) -> Decision:
    """Publish; what its merchant had paused stays paused. While its photos stay in the listing under the same title and
    in the same category, no model's doubt about them holds an edit of it; not so photos that a check was still looking
    at."""
    with transaction.atomic():
        _close(job)
        if _moves_nothing(job):
            return _record(job, moderator, word, past=True)
        if job.kind == Kind.CHECK:
            _move(job, moderator, Status.IN_REVIEW, job.approval_leads_to)
        elif not _as_seen(job):
            raise ValidationError(CHANGED)
        decision = _record(job, moderator, word)
        unseen = OwedCheck.objects.filter(
            job__listing=job.listing_id, state=OwedCheck.State.OWED, photo__isnull=False, name__in=SETTLED_BY_APPROVAL
        )
        seen = job.listing.photos.exclude(pk__in=unseen.values("photo"))
        seen.update(approved_at=decision.created_at)
        unread = reports.answer(job, decision, word.reports_seen)
        _overtake(job)
        reports.carry_on(job, unread)
        if notices.is_told(job, word.action):
            notices.of_decision(decision)
        quality_jobs.draw_second_look(decision)
    return decision


def _reject(job: ReviewJob, moderator: User, word: Word) -> Decision:
    """Refuse, with the policy it breaks and a reason that the merchant reads; a strike if the policy is grave. What has
    left the market stays as it is; the rejection counts against its seller like any other."""
    kept_off = evidence.photos_of(job).filter(pk__in=word.photos)
    places = evidence.places(job, word.photos)
    note = statements.note(word.action, word.policy, word.reason, places)
    with transaction.atomic():
        decision = _take_off(job, moderator, word, Status.REJECTED, note)
        photo_bank.add(decision, kept_off)
        strikes.give(decision)
        notices.of_decision(decision, places)
        follow_ups.owe(decision)
    return decision


def _ask_for_changes(job: ReviewJob, moderator: User, word: Word) -> Decision:
    note = statements.note(word.action, word.policy, word.reason)
    with transaction.atomic():
        decision = _take_off(job, moderator, word, Status.NEEDS_CHANGES, note)
        notices.of_decision(decision)
    return decision


def _take_off(job: ReviewJob, moderator: User, word: Word, target: Status, note: str) -> Decision:
    with transaction.atomic():
        _close(job)
        past = _moves_nothing(job)
        if not past:
            _move(job, moderator, Status.IN_REVIEW if job.kind == Kind.CHECK else _status_of(job), target, note)
        elif target == Status.REJECTED:
            _tell_of_what_left(job, note)
        decision = _record(job, moderator, word, past=past)
        evidence.photos_of(job).update(approved_at=None)  # whoever approved them before saw another listing
        if not past:
            reports.answer(job, decision)
            _overtake(job)
        quality_jobs.draw_second_look(decision)
    return decision


def _tell_of_what_left(job: ReviewJob, note: str) -> None:
    """The merchant reads why the next listings are checked in full first. A listing that goes on in other words keeps
    what is said of these."""
    waits_for_nothing = (Status.ENDED, Status.PUBLISHED, Status.PAUSED)
    unchecked = "It was on sale before it was checked in full, and was not allowed."
    said = unchecked if job.kind == Kind.LEFT else "What it said while it was on sale was not allowed."
    Listing.objects.filter(pk=job.listing_id, status__in=waits_for_nothing).update(status_note=f"{said} {note}")


def _answer_appeal(job: ReviewJob, moderator: User, word: Word) -> Decision:
    """Uphold; or overturn: back on the market if the listing is still what was decided about, the strike and the banned
    photos taken back; or modify: another ground, or changes in place of a rejection."""
    earlier = job.about
    assert earlier is not None
    with transaction.atomic():
        _close(job)
        decision = _record(job, moderator, word, about=earlier)
        still = Listing.objects.filter(
            pk=job.listing_id, revision=earlier.review_job.revision, status__in=[Status.REJECTED, Status.NEEDS_CHANGES]
        )
        status = still.values_list("status", flat=True).first()
        if word.action == Action.OVERTURN:
            strikes.revoke(earlier)
            earlier.removed_photos.all().delete()
        if word.action == Action.MODIFY:
            strikes.replace(earlier, decision)
        if status is not None and word.action == Action.OVERTURN:
            target = earlier.review_job.approval_leads_to
            _move(job, moderator, Status(status), target, at=earlier.review_job.revision)
            checks.owe_dropped(job.listing_id, earlier.review_job.revision)
        if status is not None and word.action == Action.MODIFY:
            note = statements.note(word.action, word.policy, word.reason)
            if status == Status.NEEDS_CHANGES:  # there it stays, with another reason
                Listing.objects.filter(pk=job.listing_id).update(status_note=note)
            else:
                _move(job, moderator, Status(status), Status.NEEDS_CHANGES, note, at=earlier.review_job.revision)
        notices.of_decision(decision)
    return decision


def _answer_about_suspension(job: ReviewJob, moderator: User, word: Word) -> None:
    """Uphold; or overturn: the seller may sell again. The strikes stay: each is a decision of its own."""
    with transaction.atomic():
        _close(job)
        strikes.answer(job, moderator, word.action, word.reason.strip())


def _note_blind(job: ReviewJob, moderator: User, word: Word) -> None:
    assert job.about is not None
    with transaction.atomic():
        _close(job)
        SecondLook.objects.create(
            review_job=job, about=job.about, moderator=moderator, action=word.action, policy=word.policy,
            reason=word.reason.strip(),
        )  # fmt: skip


# --- Steps ----------------------------------------------------------------------------------------------------------
def _readable(job: ReviewJob, word: Word) -> None:
    if word.action not in WORDS[job.kind]:
        raise ValidationError({"action": "Choose what is to be done with this case."})
    errors = {}
    if (word.policy and policies.get(word.policy) is None) or (word.action in NEEDS_POLICY and not word.policy):
        errors["policy"] = "Choose the policy that the listing breaks."
    reason = word.reason.strip()
    if word.action in NEEDS_REASON and len(reason) < limits.REASON_CHARS:
        errors["reason"] = "Write the reason; the merchant reads it (at least ten characters)."
    if len(reason) > limits.REASON_MOST:
        errors["reason"] = f"Say it in {limits.REASON_MOST:,} characters or fewer."
    if errors:
        raise ValidationError(errors)


def _may(job: ReviewJob, moderator: User) -> None:
    if not moderator.is_moderator or not moderator.is_active:
        raise PermissionDenied("Only moderators decide.")
    if why := claims.why_never(job, moderator):
        raise PermissionDenied(why)


def _close(job: ReviewJob) -> None:
    """The job is decided, by us alone, from here to the end of the transaction."""
    Listing.objects.hold(job.listing_id)
    job.refresh_from_db(fields=["kind", "revision"])  # an edit may have made another question of it
    held = ReviewJob.objects.filter(pk=job.pk, state=ReviewJob.State.OPEN)
    closed = held.update(state=ReviewJob.State.DECIDED, decided_at=timezone.now(), claimed_by=None, claimed_until=None)
    if closed != 1:
        raise ValidationError(DECIDED)


def _status_of(job: ReviewJob) -> Status:
    """Of what is decided while it is on the market. Raises ValidationError when it is not any more."""
    status = Status(Listing.objects.values_list("status", flat=True).get(pk=job.listing_id))
    if status not in ON_MARKET:
        raise ValidationError(CHANGED)
    return status


def _moves_nothing(job: ReviewJob) -> bool:
    """It is about what had left the market: decided for the record. So is a sample whose words are not on sale any
    more. Raises ValidationError while the words of a sample are being checked anew. Under the listing's lock."""
    if job.kind != Kind.SAMPLE:
        return job.kind == Kind.LEFT
    if not _as_seen(job):
        raise ValidationError(BEING_CHECKED)
    return is_past(job)


def is_past(job: ReviewJob) -> bool:
    """What it is about is not on the market, as things are: `Decision.past`."""
    if job.kind != Kind.SAMPLE:
        return job.kind == Kind.LEFT
    return not Listing.objects.filter(pk=job.listing_id, revision=job.revision, status__in=ON_MARKET).exists()


def _as_seen(job: ReviewJob) -> bool:
    """The listing stands where the job found it, with the words that the job is about. A sample is of words that do not
    change; only while they are being checked anew it waits."""
    if job.kind == Kind.SAMPLE:
        anew = (Status.CHECKING, Status.IN_REVIEW)
        return not Listing.objects.filter(pk=job.listing_id, revision=job.revision, status__in=anew).exists()
    stands = (Status.IN_REVIEW,) if job.kind == Kind.CHECK else ON_MARKET
    return Listing.objects.filter(pk=job.listing_id, revision=job.revision, status__in=stands).exists()


def _move(
    job: ReviewJob, moderator: User, source: Status, target: Status, note: str = "", at: int | None = None
) -> None:
    moved = Listing.objects.move(
        job.listing_id, source=source, target=target, actor=moderator, note=note, at_revision=at or job.revision
    )
    if not moved:  # rolls the job back too
        raise ValidationError(CHANGED)


def _record(job: ReviewJob, moderator: User, word: Word, about: Decision | None = None, past: bool = False) -> Decision:
    until = timezone.now() + timedelta(days=settings.value("appeal_days"))
    return Decision.objects.create(
        review_job=job, listing_id=job.listing_id, revision=job.revision, moderator=moderator, action=word.action,
        policy=word.policy, reason=word.reason.strip(), about=about, appeal_until=until,
        policies_version=policies.version(), past=past,
    )  # fmt: skip


def _overtake(job: ReviewJob) -> None:
    """What else waits about the same words is answered with it; a sample of earlier ones is not."""
    same = Q(kind__in=[Kind.CHECK, Kind.REPORT]) | Q(kind=Kind.SAMPLE, revision=job.revision)
    others = ReviewJob.objects.filter(same, listing=job.listing_id, state=ReviewJob.State.OPEN)
    others.update(state=ReviewJob.State.WITHDRAWN, decided_at=timezone.now(), claimed_by=None, claimed_until=None)
