"""The copy of all item vectors that a process holds finds what the database would."""

import numpy as np
import pytest
from django.utils import timezone
from pgvector import HalfVector

from listings.lifecycle import Status
from listings.models import Listing
from models import towers
from recommendations import feed, feed_quality, nearby, retrieval, standing
from recommendations.models import ItemVector
from recommendations.scratch import Product

pytestmark = pytest.mark.django_db(transaction=True)
LISTINGS = 40


def a_unit(rng):
    vector = rng.normal(size=towers.DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def market(make_listing, monkeypatch):
    """{listing key: unit vector} of a market that is large enough to be held."""
    monkeypatch.setattr(nearby, "HELD_FROM", 1)
    monkeypatch.setattr(nearby, "SECONDS", 0.0)
    rng = np.random.default_rng(3)
    placed = {make_listing(f"Thing {number}").pk: a_unit(rng) for number in range(LISTINGS)}
    for pk, vector in placed.items():
        place(pk, vector)
    nearby.make(towers.space())
    yield placed
    feed.forget()


def place(pk, vector, space=None):
    ItemVector.objects.update_or_create(
        listing_id=pk,
        defaults={
            "vector": HalfVector(vector),
            "model_version": space or towers.space(),
            "revision": 1,
            "updated_at": timezone.now(),
        },
    )


def found(vector, limit=5):
    (pairs,) = nearby.nearest(vector[None], towers.space(), LISTINGS, limit)
    return pairs


def test_it_finds_what_comparing_all_finds(market):
    rng = np.random.default_rng(4)
    for query in (a_unit(rng) for _ in range(10)):
        exact = sorted(market, key=lambda pk: -float(market[pk] @ query))[:5]
        assert [pk for pk, _ in found(query)] == exact
    assert found(query)[0][1] == pytest.approx(float(market[exact[0]] @ query), abs=2e-3)


def test_groups_that_are_far_are_not_compared(market, monkeypatch):
    monkeypatch.setattr(nearby, "AT_LEAST", 5)
    query = next(iter(market.values()))
    compared = nearby._search(nearby._copy, query, LISTINGS)
    assert compared[0][0] == next(iter(market))
    assert 5 <= len(compared) < LISTINGS


def test_what_is_new_or_moved_is_seen_at_once(market, make_listing):
    rng = np.random.default_rng(5)
    target, pks = a_unit(rng), list(market)
    newcomer = make_listing("New").pk
    place(newcomer, target)
    place(pks[0], target)
    assert {pk for pk, _ in found(target, 2)} == {newcomer, pks[0]}
    assert pks[0] not in {pk for pk, _ in found(market[pks[0]], 1)}, "nor where it was before"
    place(pks[0], -target)
    assert [pk for pk, _ in found(target, 1)] == [newcomer]


def test_what_is_gone_is_passed_over_until_it_is_back(market):
    pk, vector = next(iter(market.items()))
    ItemVector.objects.filter(pk=pk).delete()
    nearby.gone([pk])
    assert found(vector, 1)[0][0] != pk
    place(pk, vector)
    assert found(vector, 1)[0][0] == pk


def test_vectors_of_another_space_are_not_held(market):
    assert nearby.nearest(np.stack(list(market.values())[:1]), "another", LISTINGS, 5) is None
    first = next(iter(market))
    place(first, market[first], "another")
    Listing.objects.filter(pk=first).delete()
    nearby.make(towers.space())
    assert first not in {pk for pk, _ in found(market[first], LISTINGS)}


@pytest.mark.parametrize("listings", [0, nearby.HELD_FROM - 1, nearby.HELD_AT_MOST + 1])
def test_small_and_huge_markets_ask_the_database(listings):
    assert nearby.nearest(np.eye(1, towers.DIMENSIONS, dtype=np.float32), towers.space(), listings, 5) is None


def test_those_that_are_gone_leave_room_for_others(market):
    """However many they are: the next ones come in their place."""
    query = next(iter(market.values()))
    order = sorted(market, key=lambda pk: -float(market[pk] @ query))
    ItemVector.objects.filter(pk__in=order[:30]).delete()
    nearby.gone(order[:30])
    assert [pk for pk, _ in found(query, 5)] == order[30:35]


def test_what_was_changed_and_changed_back_stands_where_it_was(market):
    pk, vector = next(iter(market.items()))
    place(pk, -vector)
    assert pk not in {key for key, _ in found(vector, 5)}
    place(pk, vector)
    assert found(vector, 1)[0][0] == pk


def test_a_market_that_leaves_at_once_leaves_no_empty_page(make_listing, market):
    near = list(market)[:30]
    target = next(iter(market.values()))
    for pk in near:
        place(pk, target)
    standing.refresh()
    feed.forget()
    nearby.make(towers.space())
    quantized = np.rint(127 * target).astype(np.int8)[None]
    assert len(feed.page(towers.space(), quantized, 20).items) == 20
    Listing.objects.filter(pk__in=near).update(status=Status.PAUSED)
    ItemVector.objects.filter(pk__in=near).delete()
    standing.refresh()
    shown = feed.page(towers.space(), quantized, 20)
    assert set(shown.keys) == set(market) - set(near)
    assert shown.source == feed.NEAREST


def test_a_scratch_catalogue_is_never_mixed_with_the_site(market):
    """Its connection is its thread's alone; a copy made by another thread would hold the site's own listings."""
    with feed_quality.site([Product(f"p{at}", f"Kettle {at}") for at in range(6)], str) as ids:
        feed_quality.count([], {product: pk for pk, product in ids.items()})
        interests = feed.units(np.rint(127 * towers.encode_queries(["kettle"])).astype(np.int8))
        assert {pk for pk, _ in retrieval.find(interests, towers.space(), 100).nearest[0]} == set(ids)
        assert nearby._copy is not None and set(nearby._copy.keys.tolist()) == set(ids)
    query = next(iter(market.values()))
    nearby.make(towers.space())
    assert {pk for pk, _ in found(query, LISTINGS)} == set(market)
