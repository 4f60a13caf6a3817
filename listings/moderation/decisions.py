"""A moderator's word: one decision a job, compare-and-set, with its reason for the merchant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from .. import photo_bank, policies
from ..checks import SETTLED_BY_APPROVAL
from ..lifecycle import Status
from ..models import Decision, Listing, OwedCheck, ReviewJob, User
from ..outcome import photos_named
from ..trust import debts

REASON_CHARS = 10


def approve(*, job: ReviewJob, moderator: User) -> Decision:
    """Publish; what its merchant had paused stays paused. While its photos stay in the listing under the same title and
    in the same category, no model's doubt about them holds an edit of it; not so photos that a check was still looking
    at. Raises ValidationError when somebody was faster or the listing was changed or withdrawn."""
    with transaction.atomic():
        decision = _decide(job, moderator, Decision.Action.APPROVE, job.approval_leads_to)
        unseen = OwedCheck.objects.filter(
            job__listing=job.listing_id, state=OwedCheck.State.OWED, photo__isnull=False, name__in=SETTLED_BY_APPROVAL
        )
        seen = job.listing.photos.exclude(pk__in=unseen.values("photo"))
        seen.update(approved_at=decision.created_at)
    return decision


def reject(*, job: ReviewJob, moderator: User, policy: str, reason: str, photos: Sequence[int] = ()) -> Decision:
    """Refuse, with the policy it breaks and a reason of ten characters or more that the merchant reads.

    `photos`: keys of the listing's photos that go into the bank of removed photos.
    """
    known = policies.get(policy)
    if known is None:
        raise ValidationError({"policy": "Choose the policy that the listing breaks."})
    if len(reason.strip()) < REASON_CHARS:
        raise ValidationError({"reason": "Write the reason; the merchant reads it."})
    note = f"{known.name}: {_sentence(reason.strip())}"
    kept_off = job.listing.photos.filter(pk__in=photos)
    if places := [photo.position + 1 for photo in kept_off]:
        note += f" {photos_named(places)}: not allowed here, also in other listings."
    with transaction.atomic():
        decision = _decide(
            job, moderator, Decision.Action.REJECT, Status.REJECTED, policy=policy, reason=reason.strip(), note=note
        )
        job.listing.photos.update(approved_at=None)  # whoever approved them before saw another listing
        photo_bank.add(decision, kept_off)
        # Afterwards: it locks other listings, and of two moderators each could hold the one that the other needs.
        transaction.on_commit(partial(photo_bank.look_again, decision))
        transaction.on_commit(partial(debts.call_in_all_of, job.listing.seller_id))
    return decision


def _sentence(text: str) -> str:
    return text if text[-1] in ".!?" else f"{text}."


def _decide(
    job: ReviewJob,
    moderator: User,
    action: Decision.Action,
    target: Status,
    *,
    policy: str = "",
    reason: str = "",
    note: str = "",
) -> Decision:
    if not moderator.is_moderator or not moderator.is_active:
        raise PermissionDenied("Only moderators decide.")
    if job.listing.seller_id == moderator.pk:
        raise PermissionDenied("Nobody decides on their own listing.")
    with transaction.atomic():
        Listing.objects.hold(job.listing_id)
        held = ReviewJob.objects.filter(pk=job.pk, state=ReviewJob.State.OPEN)
        if held.update(state=ReviewJob.State.DECIDED, decided_at=timezone.now()) != 1:
            raise ValidationError(
                "Somebody else has decided this case, or the merchant has withdrawn it. Nothing changed."
            )
        moved = Listing.objects.move(
            job.listing_id,
            source=Status.IN_REVIEW,
            target=target,
            actor=moderator,
            note=note,
            at_revision=job.revision,
        )
        if not moved:  # rolls the job back too
            raise ValidationError("The merchant has changed or withdrawn the listing meanwhile. Nothing changed.")
        return Decision.objects.create(
            review_job=job, listing_id=job.listing_id, moderator=moderator, action=action, policy=policy, reason=reason
        )
