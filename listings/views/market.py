"""What shoppers see."""

from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from .. import categories, policies, queries
from ..models import Listing, User

PAGE_SIZE = 24
NOT_ON_SALE = (
    "This listing is not on sale. It may have been sold, paused or withdrawn, or it was changed a moment ago and is "
    "being checked: then it is back soon."
)


def _page(request: HttpRequest, rows: QuerySet) -> Page:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


@require_safe
def item(request: HttpRequest, public_id: str) -> HttpResponse:
    listing = queries.item(public_id)
    if listing is None or not _may_see(request.user, listing):
        return render(request, "404.html", {"message": NOT_ON_SALE}, status=404)
    more = queries.seller_page(listing.seller).exclude(pk=listing.pk)[:4] if listing.status == "published" else []
    return render(
        request,
        "listings/item.html",
        {
            "listing": listing,
            "category": categories.get(listing.category),
            "attributes": categories.labelled(listing.category, listing.attributes),
            "more": more,
        },
    )


def _may_see(user: User | AnonymousUser, listing: Listing) -> bool:
    if listing.status == "published":
        return True
    return isinstance(user, User) and (user == listing.seller or user.is_moderator)


@require_safe
def seller(request: HttpRequest, username: str) -> HttpResponse:
    owner = get_object_or_404(User, username=username, role=User.Role.MERCHANT, is_active=True)
    page = _page(request, queries.seller_page(owner))
    return render(
        request,
        "listings/seller.html",
        {
            "seller": owner,
            "page": page,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
        },
    )


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    return render(request, "listings/rules.html", {"policies": policies.all(), "version": policies.version()})


@require_safe
def what_left(request: HttpRequest) -> HttpResponse:
    return render(request, "listings/what_left.html")
