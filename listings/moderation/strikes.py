"""Strikes: confirmed grave violations, each for a time; with too many at once a seller is suspended for a time."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from .. import policies
from ..lifecycle import Status
from ..models import Decision, Listing, Strike, User
from ..trust import settings
from . import notices

GRAVE_FROM = 3  # severity of a policy


def living(seller: User) -> QuerySet[Strike]:
    return Strike.objects.filter(seller=seller, revoked_at=None, expires_at__gt=timezone.now())


def give(decision: Decision) -> Strike | None:
    """For a rejection under a policy of the highest severity; the seller is suspended if it is one too many. In the
    decision's own transaction."""
    policy = policies.get(decision.policy)
    if policy is None or policy.severity < GRAVE_FROM:
        return None
    seller = _held(decision.listing.seller_id)
    strike = Strike.objects.create(
        seller=seller,
        decision=decision,
        policy=decision.policy,
        expires_at=decision.created_at + timedelta(days=settings.value("strike_days")),
    )
    if living(seller).count() >= settings.value("strikes_to_suspend") and not seller.is_suspended:
        suspend(seller)
    return strike


def revoke(decision: Decision) -> None:
    """The decision was overturned: its strike goes, and with it a suspension that it was needed for."""
    strikes = Strike.objects.filter(decision=decision, revoked_at=None)
    if not strikes.update(revoked_at=timezone.now()):
        return
    seller = _held(decision.listing.seller_id)
    if seller.is_suspended and living(seller).count() < settings.value("strikes_to_suspend"):
        User.objects.filter(pk=seller.pk).update(suspended_until=None)
        notices.suspension_lifted(seller)


def _held(pk: int) -> User:
    """Until the transaction ends. Rows that name a user are written meanwhile: a stronger lock would wait for those who
    hold a listing of theirs, and they for us."""
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)


def suspend(seller: User) -> None:
    """Everything on sale is paused, after the commit; nothing new comes in until the time is over. The seller may then
    resume."""
    until = timezone.now() + timedelta(days=settings.value("suspend_days"))
    User.objects.filter(pk=seller.pk).update(suspended_until=until)
    notices.suspended(seller, until)
    transaction.on_commit(pause_suspended, robust=True)


def pause_suspended() -> int:
    """Take off the market what suspended sellers still have on sale, each by itself; how many. Also run by the task
    that settles decisions: whatever ends this process, it is done in the end."""
    on_sale = Listing.objects.filter(status=Status.PUBLISHED, seller__suspended_until__gt=timezone.now())
    moved = 0
    for pk, until in on_sale.order_by("pk").values_list("pk", "seller__suspended_until"):
        note = f"Your account is suspended until {until:%-d %B %Y}. You can put this back on sale then."
        moved += Listing.objects.move(pk, source=Status.PUBLISHED, target=Status.PAUSED, note=note)
    return moved
