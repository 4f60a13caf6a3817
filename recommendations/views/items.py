"""One listing, with what is like it; and everything that one merchant sells."""

from django.contrib.auth.models import AnonymousUser
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from listings import categories, queries
from listings.lifecycle import Status
from listings.models import Listing, User
from listings.pages import Pages

from .. import counting, dense, similar
from .browse import for_page, seen

PAGE_SIZE = 24
MORE = 4  # of the same seller
NOT_ON_SALE = (
    "This listing is not on sale. It may have been sold, paused or withdrawn, or it was changed a moment ago and is "
    "being checked: then it is back soon."
)


@require_safe
def item(request: HttpRequest, public_id: str) -> HttpResponse:
    listing = queries.item(public_id)
    if listing is None or not _may_see(request.user, listing):
        return render(request, "404.html", {"message": NOT_ON_SALE}, status=404)
    on_sale = listing.status == Status.PUBLISHED
    listing = for_page([listing])[0]
    alike = for_page(similar.to(listing)) if on_sale else []
    of_seller = queries.seller_page(listing.seller).exclude(pk=listing.pk)
    more = for_page(list(of_seller[:MORE])) if on_sale else []
    seen([listing], alike, more)
    response = render(
        request,
        "recommendations/item.html",
        {
            "listing": listing,
            "category": categories.get(listing.category),
            "attributes": categories.labelled(listing.category, listing.attributes),
            "similar": alike,
            "more": more,
            "space": dense.space(),
        },
    )
    if on_sale:
        counting.count_visit(request, listing)
    return response


def _may_see(user: User | AnonymousUser, listing: Listing) -> bool:
    if listing.status == Status.PUBLISHED:
        return True
    return isinstance(user, User) and (user == listing.seller or user.is_moderator)


@require_safe
def seller(request: HttpRequest, username: str) -> HttpResponse:
    owner = get_object_or_404(User, username=username, role=User.Role.MERCHANT, is_active=True)
    page: Page = Pages(queries.seller_page(owner), PAGE_SIZE).get_page(request.GET.get("page"))
    page.object_list = for_page(list(page.object_list))
    seen(page.object_list)
    return render(
        request,
        "recommendations/seller.html",
        {
            "seller": owner,
            "page": page,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
            "space": dense.space(),
        },
    )
