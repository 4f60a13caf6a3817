"""The copy of all item vectors that a process holds finds what the database would."""

import numpy as np
import pytest
from django.utils import timezone
from pgvector import HalfVector

from listings.models import Listing
from models import towers
from recommendations import nearby
from recommendations.models import ItemVector

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
    nearby.forget()


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
