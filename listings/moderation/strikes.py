"""Strikes: confirmed grave violations, each for a time; with too many at once a seller is suspended for a time."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from .. import policies
from ..lifecycle import Status
from ..models import Decision, Listing, ReviewJob, Strike, Suspension, User
from ..trust import settings
from . import notices

GRAVE_FROM = 3  # severity of a policy


def living(seller: User) -> QuerySet[Strike]:
    return Strike.objects.filter(seller=seller, revoked_at=None, expires_at__gt=timezone.now())


def give(decision: Decision) -> Strike | None:
    """For a rejection under a policy of the highest severity; the seller is suspended if it is one too many. In the
    decision's own transaction."""
    strike = _strike(decision)
    if strike is None:
        return None
    seller = strike.seller
    if living(seller).count() >= settings.value("strikes_to_suspend") and not seller.is_suspended:
        suspend(seller, decision)
    return strike


def _strike(decision: Decision) -> Strike | None:
    policy = policies.get(decision.policy)
    if policy is None or policy.severity < GRAVE_FROM:
        return None
    return Strike.objects.create(
        seller=_held(decision.listing.seller_id),
        decision=decision,
        policy=decision.policy,
        expires_at=decision.created_at + timedelta(days=settings.value("strike_days")),
    )


def revoke(decision: Decision) -> None:
    """The decision was overturned: its strike goes, and with it a suspension that it was needed for."""
    if _take_back(decision):
        _lift_if_too_few(decision.listing.seller_id)


def replace(earlier: Decision, later: Decision) -> None:
    """On appeal the decision was changed: another ground may weigh less, or more. One strike in another's place
    suspends nobody anew, and a suspension goes on if the strikes still suffice."""
    if not _take_back(earlier):
        if earlier.action != Decision.Action.CHANGES:
            give(later)
    elif _strike(later) is None:
        _lift_if_too_few(earlier.listing.seller_id)


def _take_back(decision: Decision) -> bool:
    return Strike.objects.filter(decision=decision, revoked_at=None).update(revoked_at=timezone.now()) == 1


def _lift_if_too_few(seller_id: int) -> None:
    seller = _held(seller_id)
    if seller.suspended_until and seller.is_suspended and living(seller).count() < settings.value("strikes_to_suspend"):
        standing = Suspension.objects.filter(seller=seller, lifted_at=None, until=seller.suspended_until)
        standing.update(lifted_at=timezone.now())
        User.objects.filter(pk=seller.pk).update(suspended_until=None)
        notices.suspension_lifted(seller)
        # Another listing's job: its lock is taken once ours are free.
        transaction.on_commit(partial(_withdraw_appeals, seller_id), robust=True)


def _withdraw_appeals(seller_id: int) -> None:
    """What is lifted needs no answer any more."""
    lifted = Suspension.objects.filter(seller=seller_id, lifted_at__isnull=False).values("decision")
    waiting = ReviewJob.objects.filter(kind=ReviewJob.Kind.SELLER, state=ReviewJob.State.OPEN, about__in=lifted)
    waiting.update(state=ReviewJob.State.WITHDRAWN, decided_at=timezone.now(), claimed_by=None, claimed_until=None)


def answer(job: ReviewJob, moderator: User, action: str, reason: str) -> Suspension:
    """To an appeal against a suspension, in the transaction that closes its job."""
    found = Suspension.objects.get(decision=job.about_id)
    seller = _held(found.seller_id)
    now = timezone.now()
    found.answer, found.answer_reason, found.answered_by, found.answered_at = action, reason, moderator, now
    if action == Suspension.Answer.OVERTURN and found.lifted_at is None and found.until > now:
        found.lifted_at = now
        # A later one stands by itself.
        User.objects.filter(pk=seller.pk, suspended_until=found.until).update(suspended_until=None)
    found.save(update_fields=["answer", "answer_reason", "answered_by", "answered_at", "lifted_at"])
    notices.suspension_answered(found)
    return found


def _held(pk: int) -> User:
    """Until the transaction ends. Rows that name a user are written meanwhile: a stronger lock would wait for those who
    hold a listing of theirs, and they for us."""
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)


def suspend(seller: User, decision: Decision) -> Suspension:
    """Everything on sale is paused, after the commit; nothing new comes in until the time is over. The seller may then
    resume. decision: whose strike was one too many."""
    now = timezone.now()
    found = Suspension.objects.create(
        seller=seller,
        decision=decision,
        until=now + timedelta(days=settings.value("suspend_days")),
        appeal_until=now + timedelta(days=settings.value("appeal_days")),
        policies_version=policies.version(),
        created_at=now,
    )
    found.strikes.set(living(seller))
    User.objects.filter(pk=seller.pk).update(suspended_until=found.until)
    notices.suspended(found)
    transaction.on_commit(pause_suspended, robust=True)
    return found


def pause_suspended() -> int:
    """Take off the market what suspended sellers still have on sale, each by itself; how many. Also run by the task
    that settles decisions: whatever ends this process, it is done in the end."""
    on_sale = Listing.objects.filter(status=Status.PUBLISHED, seller__suspended_until__gt=timezone.now())
    moved = 0
    for pk, until in on_sale.order_by("pk").values_list("pk", "seller__suspended_until"):
        note = f"Your account is suspended until {until:%-d %B %Y}. You can put this back on sale then."
        moved += Listing.objects.move(pk, source=Status.PUBLISHED, target=Status.PAUSED, note=note)
    return moved
