"""Another look: a merchant's appeal against a decision or a suspension, once, within its time; a different moderator
answers.

What a check alone asked to be changed can be laid before a person too: no machine has the last word.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from .. import limits, policies
from ..lifecycle import Status
from ..models import Appeal, Decision, Listing, ReviewJob, Suspension, User
from . import queue, reports, statements

Kind = ReviewJob.Kind


def why_not(decision: Decision, person: User) -> str:
    """Why this person cannot appeal now; "" if they can."""
    if decision.listing.seller_id != person.pk:
        return "Only the listing's own merchant can ask for another look."
    if not decision.is_restriction:
        return "There is nothing to appeal against: this decision keeps nothing off the market."
    if Appeal.objects.filter(decision=decision).exists():
        return "You have asked for another look at this decision already."
    if timezone.now() > statements.appeal_until(decision):
        return f"The time for this was over on {statements.appeal_until(decision):%-d %B %Y}."
    return ""


def appeal(*, decision: Decision, person: User, text: str) -> Appeal:
    """Raises ValidationError, PermissionDenied for somebody else's."""
    text = text.replace("\x00", " ").strip()
    if decision.listing.seller_id != person.pk:
        raise PermissionDenied("This decision is about somebody else's listing.")
    if reason := why_not(decision, person):
        raise ValidationError(reason)
    _long_enough(text, "the decision")
    try:
        with transaction.atomic():
            found = Appeal.objects.create(decision=decision, text=text)
            queue.open_job(
                decision.listing, revision=decision.revision or decision.review_job.revision, kind=Kind.APPEAL,
                cause=f"The merchant asks for another look: “{text}”", policy=decision.policy, about=decision,
                status_before=decision.listing.status,
            )  # fmt: skip
    except IntegrityError:  # sent twice at once
        raise ValidationError("You have asked for another look at this decision already.") from None
    return found


def why_not_suspension(suspension: Suspension, person: User) -> str:
    """As `why_not`, of a suspension."""
    if suspension.seller_id != person.pk:
        return "Only the seller who is suspended can ask for another look."
    if suspension.appealed_at is not None:
        return "You have asked for another look at this suspension already."
    if suspension.lifted_at is not None:
        return "This suspension is lifted."
    if timezone.now() > suspension.appeal_until:
        return f"The time for this was over on {suspension.appeal_until:%-d %B %Y}."
    return ""


def appeal_suspension(*, suspension: Suspension, person: User, text: str) -> ReviewJob:
    """Raises ValidationError, PermissionDenied for somebody else's."""
    text = text.replace("\x00", " ").strip()
    if suspension.seller_id != person.pk:
        raise PermissionDenied("This suspension is somebody else's.")
    if reason := why_not_suspension(suspension, person):
        raise ValidationError(reason)
    _long_enough(text, "the suspension")
    decision = suspension.decision
    with transaction.atomic():
        free = Suspension.objects.filter(pk=suspension.pk, appealed_at=None, lifted_at=None)
        if not free.update(appealed_at=timezone.now(), appeal_text=text):  # sent twice at once
            raise ValidationError("You have asked for another look at this suspension already, or it is lifted.")
        return queue.open_job(
            decision.listing, revision=decision.revision or decision.review_job.revision, kind=Kind.SELLER,
            cause=f"“{text}”", policy=decision.policy,
            about=decision, status_before=decision.listing.status,
        )  # fmt: skip


def _long_enough(text: str, what: str) -> None:
    if len(text) < limits.REASON_CHARS:
        raise ValidationError({"text": f"Say why {what} is wrong, in ten characters or more."})
    if len(text) > limits.APPEAL_CHARS:
        raise ValidationError({"text": f"Say it in {limits.APPEAL_CHARS:,} characters or fewer."})


def ask_for_a_person(*, listing: Listing, seller: User) -> ReviewJob:
    """Of what the checks alone sent back: a moderator looks at it as it is. Raises ValidationError,
    PermissionDenied."""
    if listing.seller_id != seller.pk:
        raise PermissionDenied("This listing belongs to somebody else.")
    if seller.is_suspended:
        raise ValidationError(f"Your account is suspended until {seller.suspended_until:%-d %B %Y}.")
    with transaction.atomic():
        Listing.objects.hold(listing.pk)
        current = Listing.objects.get(pk=listing.pk)
        if not sent_back_by_checks(current):
            raise ValidationError("Only what our checks alone have sent back can be laid before a moderator this way.")
        said = current.status_note
        Listing.objects.move(
            current.pk, source=Status.NEEDS_CHANGES, target=Status.IN_REVIEW, actor=seller,
            note="A moderator looks at it, as you asked. You need not do anything.", at_revision=current.revision,
        )  # fmt: skip
        reports.come_back(current)
        policy = next((p.id for p in policies.all() if p.name in said or p.merchant_text in said), "")
        return queue.open_job(
            current, revision=current.revision, cause=f"The merchant asks a person to look. The checks said: {said}",
            policy=policy, status_before=Status.CHECKING,
        )  # fmt: skip


def sent_back_by_checks(listing: Listing) -> bool:
    """It needs changes, and no moderator said so of these words."""
    by_moderator = Decision.objects.filter(listing=listing, review_job__revision=listing.revision)
    return listing.status == Status.NEEDS_CHANGES and not by_moderator.exists()
