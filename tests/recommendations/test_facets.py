from decimal import Decimal

import pytest
from django.core.cache import cache

from listings.models import Listing
from listings.queries import browse
from recommendations import facets, search, vocabulary


@pytest.fixture(autouse=True)
def nothing_kept():
    """On a busy machine counting takes long, and what another test counted is kept."""
    cache.clear()


@pytest.fixture
def market(make_listing):
    for title, category, price, condition in (
        ("Cheap kettle", "kitchen", 5, "fair"),
        ("Fine kettle", "kitchen", 40, "new"),
        ("Dear kettle", "kitchen", 90, "new"),
        ("Toy kettle", "toys", 10, "good"),
    ):
        make_listing(title, category=category, price=Decimal(price), condition=condition)
    vocabulary.refresh()


def numbers(found: list[facets.Facet]) -> dict[str, dict[str, int]]:
    return {facet.name: {choice.label: choice.count for choice in facet.choices} for facet in found}


def test_a_search_counts_what_each_choice_would_leave(market):
    found = numbers(search.search("kettle", {}).facets)
    assert found["category"] == {"Kitchen": 3, "Toys": 1}
    assert found["condition"] == {"New": 2, "Good": 1, "Fair": 1}
    assert sum(found["price"].values()) >= 4


def test_a_choice_does_not_change_the_numbers_of_its_own_facet(market):
    filters = {"condition": ["new"]}
    results = search.search("kettle", filters)
    assert len(results.found) == 2
    found = numbers(results.facets)
    assert found["condition"] == {"New": 2, "Good": 1, "Fair": 1}
    assert "category" not in found, "both are in the kitchen: there is nothing to choose"


def test_every_number_is_what_the_filter_then_shows(market):
    """Also at the edges of price ranges: the toy kettle costs 10."""
    for facet in facets.of_catalogue({}):
        for choice in facet.choices:
            given = {
                name: [value] if name == "condition" else Decimal(value) if "price" in name else value
                for name, value in choice.params.items()
            }
            assert browse(given).count() == choice.count, choice
            assert len(search.search("kettle", given).found) == choice.count, choice


def test_price_ranges_are_few_however_many_prices_there_are(make_listing):
    for price in (1, 12, 30, 60, 120, 300, 700, 1_500, 5_000, 20_000):
        make_listing("Kettle", price=Decimal(price))
    (prices,) = [facet for facet in facets.of_catalogue({}) if facet.name == "price"]
    assert 2 <= len(prices.choices) <= facets.RANGES


def test_a_facet_with_one_choice_says_nothing(make_listing):
    make_listing("Kettle")
    make_listing("Another kettle")
    assert facets.of_catalogue({}) == []


def test_counting_the_catalogue_takes_one_query(market, django_assert_num_queries):
    with django_assert_num_queries(1):
        facets.of_catalogue({"condition": ["new"]})
    assert Listing.objects.count() == 4
