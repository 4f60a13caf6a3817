"""Promises to buy. One live order a listing; the money is between the two people."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from . import submission
from .lifecycle import Status
from .models import Listing, Order, User

State = Order.State


def place(*, listing: Listing, buyer: User, price_seen: str) -> Order:
    """Raises ValidationError when it is the buyer's own, no longer on sale, or the price has changed."""
    if listing.seller_id == buyer.pk:
        raise ValidationError("This is your own listing.")
    with transaction.atomic():
        current = Listing.objects.select_for_update().get(pk=listing.pk)
        if current.status != Status.PUBLISHED:
            raise ValidationError("This thing is no longer on sale.")
        if _decimal(price_seen) != current.price:
            raise ValidationError("The price has changed since you opened the page. Please look at it again.")
        Listing.objects.move(current.pk, source=Status.PUBLISHED, target=Status.ENDED, actor=buyer, note="Sold.")
        submission.withdraw_jobs(current, ended=True)  # what was bought unchecked is checked all the same
        return Order.objects.create(listing=current, buyer=buyer, price=current.price, currency=current.currency)


def settle(*, order: Order, actor: User) -> None:
    if order.listing.seller_id != actor.pk:
        raise ValidationError("Only the seller can mark it as handed over.")
    _move(order, State.SETTLED)


def cancel(*, order: Order, actor: User) -> None:
    """Either side may; the listing stays ended until its seller lists it again."""
    if actor.pk not in (order.listing.seller_id, order.buyer_id):
        raise PermissionDenied("This order is between other people.")
    _move(order, State.CANCELLED)


def bought(user: User) -> QuerySet[Order]:
    return _rows().filter(buyer=user)


def sold(user: User) -> QuerySet[Order]:
    return _rows().filter(listing__seller=user)


def _rows() -> QuerySet[Order]:
    return Order.objects.select_related("listing__seller", "buyer").prefetch_related("listing__photos")


def _move(order: Order, target: str) -> None:
    if Order.objects.filter(pk=order.pk, status=State.PLACED).update(status=target) != 1:
        raise ValidationError("The order has been settled or cancelled already.")


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
