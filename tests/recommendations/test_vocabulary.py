from datetime import timedelta

import pytest

from listings.lifecycle import Status
from listings.models import Listing
from recommendations import vocabulary
from recommendations.models import CatalogueWords


def test_it_counts_titles_not_occurrences():
    found = vocabulary.count(["Red kettle, red lid", "Red kettles", "Blue lid"])
    assert found.listings == 3
    assert found.words["red"] == 2
    assert (found.words["kettle"], found.words["kettles"], found.stems["kettle"]) == (1, 1, 2)
    assert found.pairs == {}, "no two neighbours stand in two titles"
    assert vocabulary.count(["red kettle", "Red Kettle!"]).pairs == {"red kettle": 2}


def test_rarer_words_weigh_more_and_unknown_ones_most():
    found = vocabulary.count(["red kettle", "red lid", "red pot"])
    assert 0 < found.idf("red") < found.idf("pot") < found.idf("unheard")


def test_without_a_count_every_word_is_equally_rare(db):
    empty = vocabulary.current()
    assert empty.listings == 0
    assert empty.idf("kettle") == empty.idf("red") > 0


def test_only_what_is_published_is_counted(make_listing):
    make_listing("Public kettle")
    make_listing("Secret shotgun", status=Status.IN_REVIEW)
    vocabulary.refresh()
    assert set(vocabulary.current().words) == {"public", "kettle"}


def test_it_is_counted_again_when_the_catalogue_changed_and_only_then(make_listing):
    make_listing("Public kettle")
    assert vocabulary.refresh() is True
    assert vocabulary.refresh() is False
    kettle = Listing.objects.get()
    Listing.objects.move(kettle.pk, source=Status.PUBLISHED, target=Status.PAUSED)
    CatalogueWords.objects.update(built_at=CatalogueWords.objects.get().built_at - timedelta(minutes=1))
    assert vocabulary.refresh() is True
    assert vocabulary.current().words == {}


def test_a_large_catalogue_is_not_counted_all_the_time(make_listing):
    make_listing("Public kettle")
    vocabulary.refresh()
    CatalogueWords.objects.update(listings=1_000_000)
    make_listing("Another kettle")
    assert vocabulary.refresh() is False


def test_a_process_asks_for_a_newer_one_at_most_every_some_seconds(make_listing, django_assert_num_queries):
    make_listing("Public kettle")
    vocabulary.refresh()
    vocabulary.current()
    with django_assert_num_queries(0):
        assert vocabulary.current().knows("kettles")


@pytest.mark.django_db
def test_an_empty_catalogue_can_be_counted():
    assert vocabulary.refresh() is True
    assert vocabulary.current().listings == 0
