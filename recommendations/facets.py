"""How many listings each choice of a filter would leave, whatever the other filters are.

A facet's own choice does not count for its numbers: with "New" chosen, "Good" still says how many there would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from django.db.models import Count

from listings import categories
from listings.models import Condition, Listing
from listings.queries import filtered

NARROWING = ("category", "condition", "currency", "min_price", "max_price")
EDGES = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000)  # of price ranges
RANGES = 5  # shown at most


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
    name: str  # category, condition or price
    label: str
    choices: list[Choice]


@dataclass(frozen=True)
class Group:
    """So many listings that no filter but the price's could tell apart."""

    category: str
    condition: str
    currency: str
    price: Decimal
    count: int = 1


def is_narrowed(filters: dict[str, Any]) -> bool:
    return any(_given(filters, name) for name in NARROWING)


def _given(filters: dict[str, Any], name: str) -> bool:
    return filters.get(name) not in (None, "", [])


def passes(row: Row, filters: dict[str, Any], without: tuple[str, ...] = ()) -> bool:
    """The same as `queries.filtered`, for a row in memory; `without`: filters that do not count."""
    wanted = {name: filters[name] for name in NARROWING if name not in without and _given(filters, name)}
    return (
        wanted.get("category", row.category) == row.category
        and row.condition in wanted.get("condition", [row.condition])
        and wanted.get("currency", row.currency) == row.currency
        and wanted.get("min_price", row.price) <= row.price <= wanted.get("max_price", row.price)
    )


def of_candidates(found: Iterable[Row], filters: dict[str, Any]) -> list[Facet]:
    """Facets of search results."""
    return _facets([Group(each.category, each.condition, each.currency, each.price) for each in found], filters)


def of_catalogue(filters: dict[str, Any]) -> list[Facet]:
    """Facets of everything on sale in the category, if one is chosen. One query."""
    rows = filtered(Listing.objects.published(), {"category": filters.get("category")})
    found = rows.order_by().values_list("category", "condition", "currency", "price").annotate(Count("pk"))
    return _facets([Group(*row) for row in found], filters)


def _facets(groups: list[Group], filters: dict[str, Any]) -> list[Facet]:
    facets = [_categories(groups, filters), _conditions(groups, filters), _prices(groups, filters)]
    return [facet for facet in facets if len(facet.choices) > 1 or any(choice.chosen for choice in facet.choices)]


def _counted(groups: list[Group], filters: dict[str, Any], *own: str) -> list[Group]:
    return [group for group in groups if passes(group, filters, own)]


def _categories(groups: list[Group], filters: dict[str, Any]) -> Facet:
    numbers: Counter[str] = Counter()
    for group in _counted(groups, filters, "category"):
        numbers[group.category] += group.count
    names = {category.id: category.name for category in categories.all()}
    choices = [
        Choice(names[each], number, {"category": each}, filters.get("category") == each)
        for each, number in numbers.most_common()
        if each in names
    ]
    return Facet("category", "Category", choices)


def _conditions(groups: list[Group], filters: dict[str, Any]) -> Facet:
    numbers: Counter[str] = Counter()
    for group in _counted(groups, filters, "condition"):
        numbers[group.condition] += group.count
    chosen = filters.get("condition") or []
    choices = [
        Choice(str(label), numbers[value], {"condition": value}, value in chosen)
        for value, label in Condition.choices
        if numbers[value] or value in chosen
    ]
    return Facet("condition", "Condition", choices)


def _prices(groups: list[Group], filters: dict[str, Any]) -> Facet:
    """Ranges between round prices, neighbours put together until there are few."""
    counted = _counted(groups, filters, "min_price", "max_price")
    low, high = filters.get("min_price"), filters.get("max_price")
    ranges = [Range(*bounds) for bounds in zip((0, *EDGES), (*EDGES, None), strict=True)]
    for group in counted:
        # A price on an edge counts in both ranges, as both filters take it in.
        ranges = [each._replace(number=each.number + group.count * each.holds(group.price)) for each in ranges]
    choices = []
    for lower, upper, number in _merged([each for each in ranges if each.number]):
        params = ({"min_price": str(lower)} if lower else {}) | ({"max_price": str(upper)} if upper else {})
        label = f"{lower:,} and more" if upper is None else f"{lower:,} to {upper:,}" if lower else f"Up to {upper:,}"
        if params:
            chosen = (low or 0, high) == (lower, upper)
            choices.append(Choice(label, number, params, chosen))
    return Facet("price", "Price", choices)


class Range(NamedTuple):
    """Of prices, both ends included; upper None: without end."""

    lower: int
    upper: int | None
    number: int = 0

    def holds(self, price: Decimal) -> bool:
        return price >= self.lower and (self.upper is None or price <= self.upper)


def _merged(ranges: list[Range]) -> list[Range]:
    while len(ranges) > RANGES:
        at = min(range(len(ranges) - 1), key=lambda at: ranges[at].number + ranges[at + 1].number)
        one, two = ranges[at : at + 2]
        ranges[at : at + 2] = [Range(one.lower, two.upper, one.number + two.number)]
    return ranges
