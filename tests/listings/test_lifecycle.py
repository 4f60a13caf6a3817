import itertools

import pytest

from listings.lifecycle import EDITABLE, TRANSITIONS, Status
from listings.models import Listing, StatusChange


def test_every_status_has_ways_out_and_can_be_reached():
    assert set(TRANSITIONS) == set(Status)
    assert all(TRANSITIONS[status] for status in Status)
    reached = {Status.CHECKING} | set().union(*TRANSITIONS.values())
    assert reached == set(Status)
    assert set(Status) == EDITABLE, "a merchant can edit whatever the state"


@pytest.mark.parametrize(("source", "target"), list(itertools.product(Status, Status)))
def test_a_status_changes_only_along_the_table_and_every_change_is_recorded(make_listing, source, target):
    listing = make_listing(status=source)
    if target in TRANSITIONS[source]:
        assert Listing.objects.move(listing.pk, source=source, target=target, note="because")
        assert StatusChange.objects.get().note == "because"
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            Listing.objects.move(listing.pk, source=source, target=target)
    listing.refresh_from_db()
    assert listing.status == (target if target in TRANSITIONS[source] else source)


def test_the_second_of_two_moves_loses(make_listing):
    listing = make_listing(status=Status.IN_REVIEW)
    assert Listing.objects.move(listing.pk, source=Status.IN_REVIEW, target=Status.PUBLISHED)
    assert not Listing.objects.move(listing.pk, source=Status.IN_REVIEW, target=Status.REJECTED)
    assert not Listing.objects.move(listing.pk, source=Status.PUBLISHED, target=Status.PAUSED, at_revision=9)
    assert StatusChange.objects.count() == 1


def test_nothing_is_published_but_by_the_worker_a_moderator_or_a_resume():
    assert {source for source in Status if Status.PUBLISHED in TRANSITIONS[source]} == {
        Status.CHECKING,
        Status.IN_REVIEW,
        Status.PAUSED,
        Status.NEEDS_CHANGES,  # a moderator takes a decision back
        Status.REJECTED,
    }


def test_putting_a_listing_back_on_sale_does_not_make_it_new(make_listing):
    listing = make_listing()
    since = listing.published_at
    Listing.objects.move(listing.pk, source=Status.PUBLISHED, target=Status.PAUSED)
    Listing.objects.move(listing.pk, source=Status.PAUSED, target=Status.PUBLISHED)
    listing.refresh_from_db()
    assert listing.published_at == since
