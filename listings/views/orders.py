"""Buying and handing over."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from .. import orders
from ..models import Listing, Order
from .requests import SignedInRequest


@login_required
@require_POST
def buy(request: SignedInRequest, public_id: str) -> HttpResponse:
    listing = get_object_or_404(Listing, public_id=public_id)
    try:
        orders.place(listing=listing, buyer=request.user, price_seen=request.POST.get("price", ""))
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("browse" if listing.status != "published" else listing)
    said = f"“{listing.title}” is yours. Now agree with the seller on payment and hand-over."
    messages.success(request, said, extra_tags=f"bought-{listing.public_id}")
    return redirect("orders")


@login_required
@require_safe
def bought(request: SignedInRequest) -> HttpResponse:
    rows = orders.bought(request.user)
    return render(request, "listings/orders.html", {"orders": rows, "section": "orders", "side": "bought"})


@login_required
@require_safe
def sales(request: SignedInRequest) -> HttpResponse:
    rows = orders.sold(request.user)
    return render(request, "listings/orders.html", {"orders": rows, "section": "sales", "side": "sold"})


@login_required
@require_POST
def change(request: SignedInRequest, pk: int, step: str) -> HttpResponse:
    order = get_object_or_404(Order.objects.involving(request.user), pk=pk)
    try:
        (orders.settle if step == "settle" else orders.cancel)(order=order, actor=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("sales" if order.listing.seller == request.user else "orders")
