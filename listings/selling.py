"""What a merchant does with a listing beside writing it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from . import submission
from .lifecycle import Status
from .models import Listing, User
from .trust import debts

GONE = "The listing has changed meanwhile: it is “{}” now."


def pause(*, listing: Listing, seller: User) -> None:
    _own(listing, seller)
    _move(listing, seller, source=Status.PUBLISHED, target=Status.PAUSED)


def resume(*, listing: Listing, seller: User) -> None:
    """Back on sale: its words were checked and have not changed since, or it would not be paused. What owes checks that
    were called in meanwhile waits for them first."""
    _own(listing, seller)
    if seller.is_suspended:
        raise ValidationError(f"Your account is suspended until {seller.suspended_until:%-d %B %Y}.")
    with transaction.atomic():
        Listing.objects.hold(listing.pk)
        target = Status.CHECKING if debts.must_wait(listing) else Status.PUBLISHED
        _move(listing, seller, source=Status.PAUSED, target=target)


def end(*, listing: Listing, seller: User) -> None:
    """Withdraw, from whatever state; nobody looks at it any more."""
    _own(listing, seller)
    listing.refresh_from_db(fields=["status"])
    if listing.status == Status.ENDED:
        raise ValidationError("The listing has ended already.")
    with transaction.atomic():
        _move(listing, seller, source=listing.status, target=Status.ENDED)
        submission.withdraw_jobs(listing, ended=True)


def _own(listing: Listing, seller: User) -> None:
    if listing.seller_id != seller.pk:
        raise PermissionDenied("This listing belongs to somebody else.")


def _move(listing: Listing, seller: User, *, source: str, target: str) -> None:
    if not Listing.objects.move(listing.pk, source=source, target=target, actor=seller):
        listing.refresh_from_db(fields=["status"])
        raise ValidationError(GONE.format(listing.get_status_display()))
