"""What a rejection does to other listings is done, also when the process that decided died right after."""

from datetime import timedelta

import pytest
from django.utils import timezone

from listings import photo_bank, tasks
from listings.models import Debt, FollowUp, Listing
from listings.moderation import decisions
from listings.trust import debts
from tests.listings.moderation.conftest import REASON


@pytest.fixture
def rejected(owing, make_case, moderator):
    """A rejection of a seller who has something else on sale that owes its checks; nothing has followed from it yet:
    without a commit nothing that waits for one runs."""
    debt = owing()
    decisions.reject(job=make_case(), moderator=moderator, policy="weapons", reason=REASON)
    assert Listing.objects.get(pk=debt.listing_id).status == "published"
    return debt


def test_what_a_dead_process_left_undone_is_done_later(rejected):
    tasks.settle_decisions()
    assert Listing.objects.get(pk=rejected.listing_id).status == "published", "its own process may be at it"
    FollowUp.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    tasks.settle_decisions()
    assert Listing.objects.get(pk=rejected.listing_id).status == "checking"
    assert Debt.objects.get(pk=rejected.pk).cause == "doubt"
    assert not FollowUp.objects.exists()


def test_a_fault_leaves_it_for_the_next_time(rejected, monkeypatch):
    FollowUp.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    with monkeypatch.context() as broken:
        broken.setattr(photo_bank, "look_again", lambda decision: 1 / 0)
        tasks.settle_decisions()
    assert FollowUp.objects.get().due_at > timezone.now()
    FollowUp.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    tasks.settle_decisions()
    assert Listing.objects.get(pk=rejected.listing_id).status == "checking"


def test_it_follows_at_once_where_nothing_goes_wrong(
    owing,
    make_case,
    moderator,
    django_capture_on_commit_callbacks,
):
    debt = owing()
    with django_capture_on_commit_callbacks(execute=True):
        decisions.reject(job=make_case(), moderator=moderator, policy="weapons", reason=REASON)
    assert Listing.objects.get(pk=debt.listing_id).status == "checking"
    assert not FollowUp.objects.exists()
    assert debts.call_in_all_of(debt.listing.seller_id) == 0
