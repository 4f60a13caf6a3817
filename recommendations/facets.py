"""How many listings each choice of a filter would leave, whatever the other filters are.

A facet's own choice does not count for its numbers: with "New" chosen, "Good" still says how many there would be.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from django.core.cache import cache
from django.db import connection
from django.db.models import Case, Count, IntegerField, Q, Value, When

from listings import categories, limits
from listings.models import Condition, Listing
from listings.queries import filtered

NARROWING = ("category", "condition", "currency", "min_price", "max_price")
EDGES = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000)  # of price ranges
RANGES = 5  # shown at most
CATEGORY, CONDITION, PRICE, CURRENCY = "category", "condition", "price", "currency"
PRICES = {"min_price": "gte", "max_price": "lte"}
LONG = 0.05  # seconds that counting a large catalogue may take before the result is kept ...
KEPT = 60  # ... so many


class Row(Protocol):
    @property
    def category(self) -> str: ...
    @property
    def condition(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def price(self) -> Decimal: ...


@dataclass(frozen=True)
class Choice:
    """params: what it adds to the address, e.g. {"condition": "new"}."""

    label: str
    count: int
    params: dict[str, str]
    chosen: bool = False


@dataclass(frozen=True)
class Facet:
    name: str  # category, condition, price or currency
    label: str
    choices: list[Choice]


class Group(NamedTuple):
    """So many listings that are the same to every filter.

    range: the place of its price between EDGES; on_edge: it is the range's lower end, which belongs to the range below
    as well; in_price: the price is within the filter's.
    """

    category: str
    condition: str
    currency: str
    range: int
    on_edge: bool
    in_price: bool
    number: int = 1


def is_narrowed(filters: dict[str, Any]) -> bool:
    return any(_given(filters, name) for name in NARROWING)


def _given(filters: dict[str, Any], name: str) -> bool:
    return filters.get(name) not in (None, "", [])


def compares_prices(filters: dict[str, Any]) -> bool:
    return filters.get("sort") in ("price", "-price") or any(_given(filters, name) for name in PRICES)


def in_one_currency(filters: dict[str, Any], found: Iterable[Row] | None = None) -> dict[str, Any]:
    """The filters, in the most common currency of what they leave (`found`: of these rows; else of all on sale) where
    prices are compared and no currency is chosen: 20 euros and 20 francs are not the same, and we know no rates."""
    if not compares_prices(filters) or _given(filters, "currency"):
        return filters
    others = {name: filters.get(name) for name in ("category", "condition")}
    if found is None:
        rows = filtered(Listing.objects.published(), others).order_by().values_list("currency")
        numbers = Counter(dict(rows.annotate(number=Count("pk"))))
    else:
        numbers = Counter(row.currency for row in found if passes(row, others))
    if not numbers:
        return filters
    return filters | {"currency": max(limits.CURRENCIES, key=lambda code: numbers[code])}


def passes(row: Row, filters: dict[str, Any]) -> bool:
    """The same as `queries.filtered`, for a row in memory."""
    return _fits(_group(row, filters), filters)


def _group(row: Row, filters: dict[str, Any]) -> Group:
    low = filters["min_price"] if _given(filters, "min_price") else row.price
    high = filters["max_price"] if _given(filters, "max_price") else row.price
    place = bisect_right(EDGES, row.price)
    return Group(row.category, row.condition, row.currency, place, row.price in EDGES, bool(low <= row.price <= high))


def _fits(group: Group, filters: dict[str, Any], without: str = "") -> bool:
    """`without`: the name of the facet whose own filter does not count."""
    return (
        (without == CATEGORY or not _given(filters, "category") or filters["category"] == group.category)
        and (without == CONDITION or not _given(filters, "condition") or group.condition in filters["condition"])
        and (without == CURRENCY or not _given(filters, "currency") or filters["currency"] == group.currency)
        and (without == PRICE or group.in_price)
    )


def of_candidates(found: Iterable[Row], filters: dict[str, Any]) -> list[Facet]:
    """Facets of search results."""
    return _facets([_group(each, filters) for each in found], filters)


def of_catalogue(filters: dict[str, Any]) -> list[Facet]:
    """Facets of everything on sale in the category, if one is chosen. One query; where it takes long, its result is
    good for a minute."""
    if _given(filters, "min_price") or _given(filters, "max_price"):
        return _facets(_counted_now(filters), filters)
    key = f"facets:{connection.settings_dict['NAME']}:{filters.get('category', '')}"
    groups: list[Group] | None = cache.get(key)
    if groups is None:
        begun = time.perf_counter()
        groups = _counted_now(filters)
        if time.perf_counter() - begun > LONG:
            cache.set(key, groups, KEPT)
    return _facets(groups, filters)


def _counted_now(filters: dict[str, Any]) -> list[Group]:
    rows = filtered(Listing.objects.published(), {"category": filters.get("category")})
    whens = [When(price__lt=edge, then=Value(place)) for place, edge in enumerate(EDGES)]
    within = Q(**{f"price__{how}": filters[name] for name, how in PRICES.items() if _given(filters, name)})
    marked = rows.annotate(
        range=Case(*whens, default=Value(len(EDGES)), output_field=IntegerField()),
        on_edge=Case(When(price__in=EDGES, then=Value(True)), default=Value(False)),
        in_price=Case(When(within, then=Value(True)), default=Value(False)) if within else Value(True),
    )
    found = marked.order_by().values_list("category", "condition", "currency", "range", "on_edge", "in_price")
    return [Group(*row) for row in found.annotate(number=Count("pk"))]


def _facets(groups: list[Group], filters: dict[str, Any]) -> list[Facet]:
    facets = [
        _categories(groups, filters),
        _conditions(groups, filters),
        _prices(groups, filters),
        _currencies(groups, filters),
    ]
    return [facet for facet in facets if len(facet.choices) > 1 or any(choice.chosen for choice in facet.choices)]


def _categories(groups: list[Group], filters: dict[str, Any]) -> Facet:
    numbers: Counter[str] = Counter()
    for group in groups:
        numbers[group.category] += group.number * _fits(group, filters, CATEGORY)
    names = {category.id: category.name for category in categories.all()}
    choices = [
        Choice(names[each], number, {"category": each}, filters.get("category") == each)
        for each, number in numbers.most_common()
        if number and each in names
    ]
    return Facet(CATEGORY, "Category", choices)


def _conditions(groups: list[Group], filters: dict[str, Any]) -> Facet:
    numbers: Counter[str] = Counter()
    for group in groups:
        numbers[group.condition] += group.number * _fits(group, filters, CONDITION)
    chosen = filters.get("condition") or []
    choices = [
        Choice(str(label), numbers[value], {"condition": value}, value in chosen)
        for value, label in Condition.choices
        if numbers[value] or value in chosen
    ]
    return Facet(CONDITION, "Condition", choices)


def _currencies(groups: list[Group], filters: dict[str, Any]) -> Facet:
    numbers: Counter[str] = Counter()
    for group in groups:
        numbers[group.currency] += group.number * _fits(group, filters, CURRENCY)
    chosen = filters.get("currency")
    choices = [
        Choice(code, numbers[code], {"currency": code}, code == chosen)
        for code in limits.CURRENCIES
        if numbers[code] or code == chosen
    ]
    return Facet(CURRENCY, "Currency", choices)


def _prices(groups: list[Group], filters: dict[str, Any]) -> Facet:
    """Ranges between round prices of one currency (the chosen one, else the most common), neighbours put together
    until there are few."""
    numbers: Counter[str] = Counter()
    for group in groups:
        numbers[group.currency] += group.number * _fits(group, filters, PRICE)
    currency = filters.get("currency") or max(limits.CURRENCIES, key=lambda code: numbers[code])
    groups = [group for group in groups if group.currency == currency]
    ranges = [Range(*bounds) for bounds in zip((0, *EDGES), (*EDGES, None), strict=True)]
    for group in groups:
        if _fits(group, filters, PRICE):
            here = ranges[group.range]
            ranges[group.range] = here._replace(
                number=here.number + group.number, edge=here.edge + group.number * group.on_edge
            )
    choices = []
    for lower, upper, number, above in _merged(ranges):
        params = ({"min_price": str(lower)} if lower else {}) | ({"max_price": str(upper)} if upper else {})
        label = f"{lower:,} and more" if upper is None else f"{lower:,} to {upper:,}" if lower else f"Up to {upper:,}"
        if params:
            params["currency"] = currency
            chosen = (filters.get("min_price") or 0, filters.get("max_price")) == (lower, upper)
            choices.append(Choice(label, number + above, params, chosen))
    return Facet(PRICE, f"Price in {currency}", choices)


class Range(NamedTuple):
    """Prices from `lower` to below `upper` (None: without end). edge: those that cost exactly `lower`, until `_merged`,
    then those that cost exactly `upper`: both filters take their ends in."""

    lower: int
    upper: int | None
    number: int = 0
    edge: int = 0


def _merged(ranges: list[Range]) -> list[Range]:
    at_upper = [*(after.edge for after in ranges[1:]), 0]
    ranges = [each._replace(edge=edge) for each, edge in zip(ranges, at_upper, strict=True)]
    ranges = [each for each in ranges if each.number]
    while len(ranges) > RANGES:
        at = min(range(len(ranges) - 1), key=lambda at: ranges[at].number + ranges[at + 1].number)
        one, two = ranges[at : at + 2]
        ranges[at : at + 2] = [Range(one.lower, two.upper, one.number + two.number, two.edge)]
    return ranges
