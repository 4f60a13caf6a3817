"""Views of what owes its checks, counted in Redis: kept when it is wiped or away, and the caps hold without workers."""

import pytest
import redis
from django.conf import settings
from django.db import transaction

from listings import checks, selling, submission, tasks
from listings.lifecycle import Status
from listings.models import Debt, Listing, OwedCheck
from listings.trust import debts, exposure, totals
from tests.faults.test_faults import LATER
from tests.listings.conftest import (
    WORDS,
    make_listing,  # noqa: F401  (a fixture)
)
from tests.listings.trust.conftest import claim, earn, open_cells, owing, send, set_to  # noqa: F401  (fixtures)
from tests.stack import until

pytestmark = pytest.mark.site


@pytest.fixture
def debt(site, owing):  # noqa: F811
    """On sale, without workers: nobody makes its checks meanwhile."""
    site.stop_worker()  # the next test's `site` starts it again
    return owing()


def seen(debt) -> int:
    return Debt.objects.values_list("impressions", flat=True).get(pk=debt.pk)


def status(debt) -> str:
    return Listing.objects.values_list("status", flat=True).get(pk=debt.listing_id)


def test_views_are_counted_in_redis_and_written_to_the_database(debt):
    counter = redis.Redis.from_url(settings.REDIS_URL)
    for _ in range(3):
        exposure.shown([debt.listing_id])
    assert int(counter.hget(totals.TOTALS, str(debt.listing_id))) == 3
    exposure.fold()
    exposure.fold()
    assert seen(debt) == 3


def test_what_owes_nothing_any_more_leaves_redis_with_its_views_written(debt, merchant):
    for _ in range(3):
        exposure.shown([debt.listing_id])
    selling.end(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
    exposure.fold()
    assert seen(debt) == 3
    counter = redis.Redis.from_url(settings.REDIS_URL)
    assert counter.exists(totals.TOTALS), "it was seen, and is still to be checked"
    with transaction.atomic():
        debts.close(debt.job)
    assert not counter.exists(totals.TOTALS)


def test_what_was_counted_while_redis_was_away_counts_afterwards(debt):
    counter = redis.Redis.from_url(settings.REDIS_URL)
    exposure.shown([debt.listing_id])
    Debt.objects.update(impressions=8)
    exposure.fold()
    assert int(counter.hget(totals.TOTALS, str(debt.listing_id))) == 8
    exposure.shown([debt.listing_id])
    exposure.shown([debt.listing_id])
    assert status(debt) == Status.CHECKING


def test_edits_give_no_new_views(debt, merchant, claim):  # noqa: F811
    for _ in range(2):
        exposure.shown([debt.listing_id])
    words = {"description": "Beech tracks and a red engine, three carriages."}
    submission.resubmit(
        listing=debt.listing, seller=merchant, content=WORDS | words, photos=[], claim=claim(**words), base_edits=1
    )
    exposure.fold()
    debt.refresh_from_db()
    assert (debt.state, debt.impressions) == (Debt.State.LEFT, 2), "what was seen is checked, whatever it says now"
    assert not Debt.objects.filter(state=Debt.State.OPEN).exists()
    assert status(debt) == Status.CHECKING, "the new words are checked in full before anybody sees them"


def test_a_wiped_redis_loses_only_what_was_not_folded(site, debt):
    for _ in range(6):
        exposure.shown([debt.listing_id])
    exposure.fold()
    exposure.shown([debt.listing_id])
    site.wipe_redis()
    for _ in range(4):
        exposure.shown([debt.listing_id])
    assert status(debt) == Status.CHECKING


def test_while_redis_is_away_the_database_counts(site, debt):
    site.kill_redis()
    try:
        for _ in range(9):
            exposure.shown([debt.listing_id])
        assert seen(debt) == 9
        assert status(debt) == Status.PUBLISHED
        exposure.shown([debt.listing_id])
        assert status(debt) == Status.CHECKING
    finally:
        site.start_redis()
        # The connections that this process keeps are dead; the first to use one is told so.
        until(lambda: tasks.enqueue(0, checks.WORDS), 20, "the queue answers this process again")


def test_without_workers_the_cap_holds_and_when_they_are_back_it_goes_on(site, debt, client):
    page = f"/item/{debt.listing.public_id}/"
    codes = [client.get(page).status_code for _ in range(12)]
    assert codes == [200] * 10 + [404] * 2
    assert client.post("/api/recommendations", {"limit": 60}, content_type="application/json").json()["items"] == []
    site.start_worker()
    until(lambda: status(debt) == Status.PUBLISHED, LATER, "the checks are made after all")
    assert client.get(page).status_code == 200
    assert Debt.objects.get(pk=debt.pk).state == Debt.State.PAID
    assert OwedCheck.objects.filter(job=debt.job_id, name=checks.WORDS, state="done").exists()
