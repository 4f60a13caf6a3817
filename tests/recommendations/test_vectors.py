"""Item vectors follow the listings: made when one is published or edited, gone when it leaves the market."""

import numpy as np
import pytest
from django.db.models import F

from listings.lifecycle import Status
from listings.models import Listing
from models import towers
from recommendations import vectors
from recommendations.models import ItemVector

pytestmark = pytest.mark.django_db


def vector_of(listing) -> np.ndarray:
    return np.array(ItemVector.objects.get(listing=listing).vector, np.float32)


def test_a_published_listing_gets_its_vector(make_listing):
    listing = make_listing("Blue enamel kettle")
    assert vectors.refresh([listing.pk]) == 1
    stored = ItemVector.objects.get(listing=listing)
    assert (stored.model_version, stored.revision) == (towers.space(), listing.revision)
    (expected,) = towers.encode_items([vectors.read(listing)])
    np.testing.assert_allclose(vector_of(listing), expected, atol=1e-3)
    assert vectors.refresh([listing.pk]) == 0, "it is not made twice"


def test_an_edit_makes_it_due_again(make_listing):
    listing = make_listing("Blue enamel kettle")
    vectors.sweep()
    before = vector_of(listing)
    Listing.objects.filter(pk=listing.pk).update(title="Cordless drill", revision=F("revision") + 1)
    assert vectors.sweep() == 1
    assert vector_of(listing) @ before < 0.9


@pytest.mark.parametrize("status", [status for status in Status if status != Status.PUBLISHED])
def test_what_is_not_published_has_no_vector(make_listing, status):
    listing = make_listing()
    vectors.sweep()
    Listing.objects.filter(pk=listing.pk).update(status=status)
    assert vectors.refresh([listing.pk]) == 0
    assert not ItemVector.objects.exists()
    make_listing("Another", status=status)
    assert vectors.sweep() == 0


def test_vectors_of_another_space_are_made_anew_and_never_found(make_listing):
    listing = make_listing()
    vectors.sweep()
    ItemVector.objects.update(model_version="of another fit")
    query = towers.encode_queries(["kettle"])
    assert vectors.nearest(query, 5) == [[]]
    assert vectors.sweep() == 1
    assert [pk for pk, _ in vectors.nearest(query, 5)[0]] == [listing.pk]


def test_nothing_is_lost_while_the_model_is_away(make_listing, models_away):
    make_listing()
    with models_away():
        assert vectors.sweep() == 0
    assert vectors.sweep() == 1


@pytest.mark.django_db(transaction=True)
def test_a_listing_that_is_deleted_meanwhile_costs_nothing(make_listing, monkeypatch):
    listing, other = make_listing("Blue enamel kettle"), make_listing("Cordless drill")
    encode = towers.encode_items

    def slowly(texts):
        listing.delete()
        return encode(texts)

    with monkeypatch.context() as changed:
        changed.setattr(towers, "encode_items", slowly)
        assert vectors.refresh([listing.pk, other.pk]) == 0
    assert vectors.sweep() == 1
    assert ItemVector.objects.get().listing == other


def test_the_nearest_come_first_and_only_what_is_published_now(make_listing):
    kettle, drill = make_listing("Blue enamel kettle"), make_listing("Cordless drill", category="tools")
    gone = make_listing("Red enamel kettle")
    vectors.sweep()
    Listing.objects.filter(pk=gone.pk).update(status=Status.ENDED)  # and its task has not run yet
    found = vectors.nearest(towers.encode_queries(["enamel kettle", "drill"]), 10)
    assert [[pk for pk, _ in each] for each in found] == [[kettle.pk, drill.pk], [drill.pk, kettle.pk]]
    cosines = [cosine for _, cosine in found[0]]
    expected = towers.encode_queries(["enamel kettle"])[0] @ vector_of(kettle)
    assert cosines == sorted(cosines, reverse=True)
    assert abs(cosines[0] - expected) < 1e-2
    assert len(vectors.nearest(towers.encode_queries(["kettle"]), 1)[0]) == 1


def test_a_text_that_says_nothing_is_stored_and_nearest_to_nothing(make_listing):
    make_listing("...", description="", category="nonsense")
    kettle = make_listing("Blue enamel kettle")
    assert vectors.sweep() == 2
    found = vectors.nearest(towers.encode_queries(["kettle"]), 10)[0]
    assert found[0][0] == kettle.pk
