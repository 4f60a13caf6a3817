"""Who works on which job: a claim with a lease, so that two moderators never hold one, and none holds one for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from .. import limits
from ..models import Decision, JobEvent, Listing, PendingDecision, ReviewJob, SecondLook, User
from ..trust import settings
from . import queue
from .queue import Filters

Event = JobEvent.Kind


class Taken(ValidationError):
    """Somebody else holds the job, or it is decided."""


def lease() -> timedelta:
    return timedelta(minutes=settings.value("lease_minutes"))


def holder(job: ReviewJob, now: datetime | None = None) -> User | None:
    """Whose it is at this moment."""
    living = job.claimed_until is not None and job.claimed_until > (now or timezone.now())
    return job.claimed_by if living else None


def take(job_id: int, moderator: User) -> ReviewJob:
    """The job, held by this moderator for the time of a lease from now on; again if it is theirs already. Raises Taken,
    PermissionDenied."""
    _may(moderator)
    with transaction.atomic():
        job = ReviewJob.objects.select_for_update().get(pk=job_id)
        if job.state != ReviewJob.State.OPEN:
            raise Taken("This case is decided, or its merchant has withdrawn it.")
        if why := why_never(job, moderator):
            raise PermissionDenied(why)
        if job.pending.filter(state=PendingDecision.State.PENDING).exists():
            raise Taken("This case is decided; the decision can still be taken back by its moderator. Nothing changed.")
        other = holder(job)
        if other is not None and other.pk != moderator.pk:
            raise Taken(f"{other.username} is at work on this case. Nothing changed.")
        _hold(job, moderator)
    return job


def why_never(job: ReviewJob, moderator: User) -> str:
    """Why this moderator cannot decide a case at all, in a sentence; "" if they can."""
    if job.listing.seller_id == moderator.pk:
        return "This is your own listing: somebody else decides."
    if has_judged(job, moderator):
        return "You have judged this before: somebody else looks at it now."
    if job.kind == ReviewJob.Kind.SELLER and ReviewJob.objects.filter(queue.struck_by(moderator), pk=job.pk).exists():
        return "A decision of yours led to this suspension: somebody else looks at it now."
    if job.escalated and job.events.filter(kind=Event.ESCALATED, actor=moderator).exists():
        return "You have passed this on: another moderator decides."
    if job.reports.filter(reporter=moderator).exists():
        return "You have reported this yourself: somebody else decides."
    return ""


def has_judged(job: ReviewJob, moderator: User) -> bool:
    """Of what is to be judged anew: whether this moderator decided about the listing before, or looked at it unseen."""
    if job.about_id is None:
        return False
    decided = Decision.objects.filter(listing=job.listing_id, moderator=moderator)
    return decided.exists() or SecondLook.objects.filter(about__listing=job.listing_id, moderator=moderator).exists()


def take_next(moderator: User, filters: Filters = queue.EVERYTHING) -> ReviewJob | None:
    """The first job of the queue that nobody holds, now held by this moderator. Of two who ask at once each gets
    another one: rows that somebody is taking are passed over."""
    _may(moderator)
    with transaction.atomic():
        rows = queue.for_moderator(moderator, filters).select_for_update(skip_locked=True, of=("self",))
        job = rows.first()
        if job is not None:
            _hold(job, moderator)
    return job


def _hold(job: ReviewJob, moderator: User) -> None:
    """Under the row's lock."""
    now = timezone.now()
    if job.claimed_by_id != moderator.pk or holder(job, now) is None:
        if job.claimed_by_id not in (None, moderator.pk):
            JobEvent.objects.create(job=job, actor_id=job.claimed_by_id, kind=Event.LOST)
        JobEvent.objects.create(job=job, actor=moderator, kind=Event.TAKEN)
    job.claimed_by, job.claimed_until = moderator, now + lease()
    job.save(update_fields=["claimed_by", "claimed_until"])


def renew(job_id: int, moderator: User) -> datetime | None:
    """Until when it is theirs, counted anew; None when somebody else has it or it is decided."""
    until = timezone.now() + lease()
    mine = ReviewJob.objects.filter(pk=job_id, claimed_by=moderator, state=ReviewJob.State.OPEN)
    return until if mine.update(claimed_until=until) else None


def release(job_id: int, moderator: User, kind: str = Event.RELEASED, note: str = "") -> bool:
    """Put it back for others. False when it is not theirs (any more), or is decided: whoever takes their decision back
    has the case again."""
    with transaction.atomic():
        rows = ReviewJob.objects.select_for_update().filter(pk=job_id, claimed_by=moderator)
        mine = rows.filter(state=ReviewJob.State.OPEN)
        list(mine)  # a proposal takes the same lock: it is seen below, or waits for us
        waits = PendingDecision.objects.filter(job=job_id, state=PendingDecision.State.PENDING)
        if waits.exists() or not mine.update(claimed_by=None, claimed_until=None):
            return False
        JobEvent.objects.create(job_id=job_id, actor=moderator, kind=kind, note=note)
    return True


def skip(job_id: int, moderator: User) -> None:
    """Put back; this moderator is not offered it for some hours."""
    take(job_id, moderator)
    release(job_id, moderator, Event.SKIPPED)


def escalate(job_id: int, moderator: User, note: str) -> None:
    """Pass it on, with what the next one should know. Another moderator decides it. Raises Taken, ValidationError."""
    note = note.replace("\x00", " ").strip()
    if len(note) < limits.REASON_CHARS:
        raise ValidationError({"reason": "Write what the next moderator should know."})
    if len(note) > limits.REASON_MOST:
        raise ValidationError({"reason": f"Say it in {limits.REASON_MOST:,} characters or fewer."})
    with transaction.atomic():
        job = take(job_id, moderator)
        if job.escalated:
            raise ValidationError({"reason": "This case cannot be passed on (again): decide it, or skip it."})
        ReviewJob.objects.filter(pk=job_id).update(escalated=True)
        release(job_id, moderator, Event.ESCALATED, note)


def _may(moderator: User) -> None:
    if not moderator.is_moderator or not moderator.is_active:
        raise PermissionDenied("Only moderators decide.")


def refuse_while_blind(listing: Listing, moderator: User) -> None:
    """Whoever is to judge it without knowing how it was judged does not look that up. Raises PermissionDenied."""
    mine = ReviewJob.objects.filter(listing=listing, claimed_by=moderator, state=ReviewJob.State.OPEN)
    if mine.filter(kind__in=[ReviewJob.Kind.SECOND, ReviewJob.Kind.GOLDEN]).exists():
        raise PermissionDenied("You have a case about this listing. Decide it first; then you can read this.")
