"""Search in the JSON interface (listings/api.py, where refusals are written)."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from ninja import Field, Query, Schema

from listings import categories, limits, queries
from listings.api import PAGE_MAX, PAGE_SIZE, Error, Refused, api, shape
from listings.forms import QUERY_CHARS, BrowseForm
from listings.models import Listing
from models.towers import DIMENSIONS

from . import dense, facets, search, suggestions
from .items import item
from .views.browse import for_page, in_full, seen

VECTOR_EXAMPLE = base64.b64encode(bytes(place % 23 for place in range(DIMENSIONS))).decode()  # may be sent as it is


class Found(Schema):
    id: str
    title: str
    price: str
    currency: str
    condition: str
    condition_label: str
    category: str
    seller: str
    town: str = Field(description="of the seller; empty if unsaid")
    photo: str = Field(description="address of the small photo; empty without one")
    url: str
    published_at: datetime
    vector: str = Field(description="128 signed bytes, round(127 x), in base64; empty where there is none yet")
    score: float = Field(description="how well it matches; comparable within one answer only")


class FacetChoice(Schema):
    label: str
    count: int
    params: dict[str, str] = Field(description="what to add to the address for it")
    chosen: bool


class FacetOut(Schema):
    name: str = Field(description="category, condition, price or currency")
    label: str
    choices: list[FacetChoice]


class SearchPage(Schema):
    items: list[Found]
    count: int
    page: int
    pages: int
    currency: str = Field(description="the only currency of the items; empty if they may have any")
    spelled: str = Field(description="what was searched for in place of `q`; empty if it was `q` itself")
    facets: list[FacetOut]
    near: list[Found] = Field(description="where little or nothing matches: what comes nearest")
    model_version: str = Field(description="the space that vectors are of; empty while there are none")

    model_config = shape(
        {
            "items": [
                {
                    "id": "k3v9qzt7wm",
                    "title": "Blue enamel kettle",
                    "price": "18.50",
                    "currency": "EUR",
                    "condition": "good",
                    "condition_label": "Good",
                    "category": "kitchen",
                    "seller": "merchant",
                    "town": "Ghent",
                    "photo": "/media/4f/9b2c6c1e0d7a4b3f8e5d2a1c0b9f8e7d.webp",
                    "url": "/item/k3v9qzt7wm/",
                    "published_at": "2026-03-01T10:42:00Z",
                    "vector": VECTOR_EXAMPLE,
                    "score": 2.41,
                }
            ],
            "count": 1,
            "page": 1,
            "pages": 1,
            "currency": "",
            "spelled": "kettle",
            "facets": [
                {
                    "name": "condition",
                    "label": "Condition",
                    "choices": [{"label": "Good", "count": 1, "params": {"condition": "good"}, "chosen": False}],
                }
            ],
            "near": [],
            "model_version": "1",
        }
    )


class SearchQuery(Schema):
    q: str = Field("", description="words", examples=["kettle"])
    category: str = Field("", description=f"one of {', '.join(c.id for c in categories.all())}")
    min_price: str = Field("", examples=["10"])
    max_price: str = Field("", examples=["50.00"])
    currency: str = Field(
        "",
        description=f"one of {', '.join(limits.CURRENCIES)}; unset with min_price, max_price or a sort by price: the "
        "most common of what matches, for prices in different currencies are not compared",
    )
    condition: str = Field("", description="new, like_new, good, fair or for_parts; several with commas between")
    sort: str = Field("", description="relevance, newest, price or -price; unset: relevance with q, else newest")
    exact: bool = Field(False, description="search for `q` as it is, whatever its spelling")
    page: str = Field("1", description=f"from 1, {PAGE_SIZE} listings each")


@api.get("/search", response={200: SearchPage, 400: Error}, summary="Search what is on sale", tags=["search"])
def search_page(request: HttpRequest, query: Query[SearchQuery]) -> dict[str, Any]:
    """Words and vectors together, over what is published now. Misspelled words are corrected by the words of the
    catalogue; at most a few hundred listings are found."""
    filters, number = _checked(query)
    near: list[Listing] = []
    pages: Paginator
    if filters.get("q"):
        results = search.search(filters["q"], filters, exact=query.exact)
        pages = Paginator(results.found, PAGE_SIZE)
        rows = in_full(list(pages.page(number).object_list)) if number <= pages.num_pages else []
        spelled, counted, near = results.spelled, results.facets, in_full(results.near)
        currency = results.currency
    else:
        filters = facets.in_one_currency(filters)
        currency = filters.get("currency") or ""
        pages = Paginator(queries.browse(filters), PAGE_SIZE)
        rows = for_page(list(pages.page(number).object_list)) if number <= pages.num_pages else []
        spelled, counted = "", facets.of_catalogue(filters)
    seen(rows, near)
    return {
        "items": [item(listing) for listing in rows],
        "count": pages.count,
        "page": number,
        "pages": pages.num_pages,
        "currency": currency,
        "spelled": spelled,
        "facets": counted,
        "near": [item(listing) for listing in near],
        "model_version": dense.space(),
    }


def _checked(query: SearchQuery) -> tuple[dict[str, Any], int]:
    """Filters for `search`, and the page. Raises Refused."""
    asked: dict[str, Any] = {name: value for name, value in query.model_dump().items() if value}
    if query.condition:
        asked["condition"] = query.condition.split(",")
    form = BrowseForm(asked)
    filters = form.filters()
    fields = {name: " ".join(map(str, found)) for name, found in form.errors.items()}
    if query.category and categories.get(query.category) is None:
        fields["category"] = "There is no such category."
    if not re.fullmatch(r"[0-9]{1,6}", query.page) or not 1 <= int(query.page) <= PAGE_MAX:
        fields["page"] = f"A whole number from 1 to {PAGE_MAX}."
    if fields:
        raise Refused(400, "invalid", "Some of the filters cannot be used.", fields)
    filters["sort"] = filters.get("sort") or ("relevance" if filters.get("q") else "newest")
    return filters, int(query.page)


class SuggestionOut(Schema):
    kind: str = Field(description="words, category, shop or listing")
    text: str
    url: str


class Suggestions(Schema):
    items: list[SuggestionOut]

    model_config = shape({"items": [{"kind": "words", "text": "enamel kettle", "url": "/?q=enamel+kettle"}]})


@api.get(
    "/search/suggestions",
    response={200: Suggestions, 400: Error},
    summary="Complete what somebody is typing into the search box",
    tags=["search"],
)
def complete(
    request: HttpRequest,
    response: HttpResponse,
    q: str = Query("", description="the beginning of a query", examples=["enamel k"]),
) -> dict[str, Any]:
    """From words, titles, categories and shops of what is published now: nobody's searches are used."""
    if len(q) > QUERY_CHARS or "\x00" in q:
        message = f"At most {QUERY_CHARS} characters, without null characters."
        raise Refused(400, "invalid", "This cannot be completed.", {"q": message})
    patch_cache_control(response, public=True, max_age=60)
    return {"items": suggestions.suggest(q)}
