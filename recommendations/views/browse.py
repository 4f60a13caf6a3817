"""The market's front page: everything on sale, a category, or what was searched for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Page
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from listings import categories, queries
from listings.forms import QUERY_CHARS, SORTS, BrowseForm
from listings.models import Listing
from listings.pages import Pages
from listings.trust import exposure

from .. import dense, facets, feed, search, shops
from ..facets import Choice, Facet
from ..search import Candidate

PAGE_SIZE = 24
OFFERED = 10  # before the device puts them in order


@require_safe
def browse(request: HttpRequest, category_id: str = "") -> HttpResponse:
    category = categories.get(category_id) if category_id else None
    if category_id and category is None:
        raise Http404("There is no such category.")
    form = BrowseForm(_readable(request.GET))
    filters = form.filters() | ({"category": category_id} if category_id else {})
    query = filters.get("q", "")
    filters["sort"] = filters.get("sort") or ("relevance" if query else "newest")
    context = _searched(request, query, filters) if query else _listed(request, filters)
    page: Page = context["page"]
    _count_conditions(form, context["facets"])
    is_front = not (query or category or form.is_narrowed() or request.GET.get("sort")) and page.number == 1
    sorts = [(value, label) for value, label in SORTS if value]
    for_you = offered() if is_front or not context["number"] else []
    seen(page.object_list, context["near"], for_you)
    return render(
        request,
        "recommendations/browse.html",
        context
        | {
            "form": form,
            "filters": filters,
            "category": category,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
            "sorts": sorts if query else sorts[1:],
            "space": dense.space(),
            "offered": for_you,
            "source": feed.POPULAR,
            "elsewhere": _elsewhere(context["facets"], filters),
            "facets": [
                (facet, linked(facet, request, category_id))
                for facet in context["facets"]
                if facet.name not in (facets.CONDITION, facets.CURRENCY)
            ],
        },
    )


def _readable(asked: QueryDict) -> QueryDict:
    """A query is cut rather than refused: whoever pastes a whole text is looking for something, too."""
    data = asked.copy()
    if "q" in data:
        data["q"] = str(data["q"]).replace("\x00", " ")[:QUERY_CHARS].strip()
    return data


def _searched(request: HttpRequest, query: str, filters: dict[str, Any]) -> dict[str, Any]:
    results = search.search(query, filters, exact="exact" in request.GET)
    page: Page = Pages(results.shown, PAGE_SIZE).get_page(request.GET.get("page"))
    listings, found = in_full(list(page.object_list)), {each.pk for each in results.found}
    page.object_list = [each for each in listings if each.pk in found]
    return {
        "page": page,
        "results": results,
        "number": len(results.found),
        "near": [each for each in listings if each.pk not in found],
        "facets": results.facets,
        "currency": results.currency,
        "shops": shops.named(query) if page.number == 1 else [],
    }


def _listed(request: HttpRequest, filters: dict[str, Any]) -> dict[str, Any]:
    filters = facets.in_one_currency(filters)
    page: Page = Pages(queries.browse(filters), PAGE_SIZE).get_page(request.GET.get("page"))
    page.object_list = for_page(list(page.object_list))
    counted = facets.of_catalogue(filters)
    currency = filters.get("currency") or ""
    return {"page": page, "number": page.paginator.count, "near": [], "facets": counted, "currency": currency}


def _elsewhere(counted: list[Facet], filters: dict[str, Any]) -> list[Choice]:
    """Where prices are compared: what there is in other currencies."""
    found = [facet for facet in counted if facet.name == facets.CURRENCY] if facets.compares_prices(filters) else []
    return [choice for facet in found for choice in facet.choices if not choice.chosen and choice.count]


def offered() -> list[Listing]:
    """What is popular and new: the same for everybody, until the device has its say."""
    return for_page(queries.in_this_order(feed.popular_and_new(OFFERED).keys))


def _count_conditions(form: BrowseForm, counted: list[Facet]) -> None:
    """The form's own boxes say how many there would be."""
    numbers = {
        choice.params["condition"]: choice.count
        for facet in counted
        if facet.name == "condition"
        for choice in facet.choices
    }
    field: Any = form.fields["condition"]
    field.choices = [
        (value, f"{label} ({numbers[value]})" if value in numbers else label) for value, label in field.choices
    ]


def linked(facet: Facet, request: HttpRequest, category_id: str) -> list[tuple[Choice, str]]:
    """Each choice with the address of this page with it, or without it if it is chosen."""
    return [(choice, _address(facet, choice, request, category_id)) for choice in facet.choices]


def _address(facet: Facet, choice: Choice, request: HttpRequest, category_id: str) -> str:
    query = request.GET.copy()
    query.pop("page", None)
    match facet.name:
        case "category":
            category_id = "" if choice.chosen else choice.params["category"]
        case _:
            for name in ("min_price", "max_price"):
                query.pop(name, None)
                if not choice.chosen and name in choice.params:
                    query[name] = choice.params[name]
            if not choice.chosen:
                query["currency"] = choice.params["currency"]
    path = reverse("category", args=[category_id]) if category_id else reverse("browse")
    return f"{path}?{query.urlencode()}" if query else path


def in_full(found: list[Candidate]) -> list[Listing]:
    """The listings of candidates, in their order, with `score`; without what has left the market meanwhile."""
    listings = queries.in_this_order([each.pk for each in found])
    scores = {each.pk: each.score for each in found}
    for listing in listings:
        listing.score = round(scores[listing.pk], 4)  # type: ignore[attr-defined]
    return for_page(listings)


def for_page(listings: list[Listing]) -> list[Listing]:
    """The same, each with `wire_vector`: what the device compares; "" where there is none (yet). Whoever answers with
    them says so to `seen`."""
    vectors = dense.on_the_wire([listing.pk for listing in listings])
    for listing in listings:
        listing.wire_vector = vectors.get(listing.pk, "")  # type: ignore[attr-defined]
    return listings


def seen(*groups: Iterable[Listing]) -> None:
    """All listings of one answer, once: each counts as seen, however often the answer names it."""
    exposure.shown({listing.pk for group in groups for listing in group})
