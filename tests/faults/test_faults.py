"""Nothing is lost: the broker may be wiped or away, a worker may be killed in mid-task; the check still happens."""

import time
from decimal import Decimal

import psycopg
import pytest

from listings import submission
from listings.lifecycle import Status
from listings.models import Listing, StatusChange, ValidationJob, Verdict
from tests.stack import until

pytestmark = pytest.mark.site

# The first job is overdue after 20 s, beat sweeps every 15 s, and a worker needs up to 15 s to find Redis again.
LATER = 100


def submit(seller) -> Listing:
    content = {
        "title": "Oak dining table with four chairs",
        "description": "Solid oak table, 180 cm long, with four matching chairs. Light scratches on the top, otherwise"
        " in good order. From a home without smokers. You collect it from us.",
        "category": "furniture",
        "attributes": {},
        "price": Decimal("240.00"),
        "currency": "EUR",
        "condition": "good",
    }
    return submission.submit(seller=seller, content=content, photos=[])


def status(listing) -> str:
    return Listing.objects.values_list("status", flat=True).get(pk=listing.pk)


def assert_published_once(listing) -> None:
    until(lambda: status(listing) != Status.CHECKING, LATER, "the listing is validated after all")
    assert status(listing) == Status.PUBLISHED
    assert ValidationJob.objects.get(listing=listing).state == ValidationJob.State.DONE
    changes = StatusChange.objects.filter(listing=listing).values_list("target", flat=True)
    assert list(changes) == [Status.CHECKING, Status.PUBLISHED]
    assert Verdict.objects.filter(listing=listing, where="cloud", model="listing-text-cloud").count() == 1


def test_without_faults_it_takes_a_moment(site, merchant):
    began = time.monotonic()
    listing = submit(merchant)
    assert_published_once(listing)
    assert time.monotonic() - began < 15, "the queue brought it, not the sweeper"


def test_redis_is_wiped_between_submit_and_verdict(site, merchant):
    site.stop_worker()
    listing = submit(merchant)
    assert site.queued() == 1
    site.wipe_redis()
    assert site.queued() == 0
    site.start_worker()
    assert_published_once(listing)


def test_the_worker_is_killed_in_mid_task(site, merchant):
    with psycopg.connect(site.database_url) as holder:
        site.stop_worker()
        listing = submit(merchant)
        # The worker checks the words, then waits for this row to settle the job.
        holder.execute("SELECT id FROM listings_listing WHERE id = %s FOR UPDATE", [listing.pk])
        site.start_worker()
        until(lambda: waiting_for_a_lock(site), 60, "the worker is in the middle of the task")
        site.kill("worker")
        holder.rollback()
    assert status(listing) == Status.CHECKING
    job = ValidationJob.objects.get(listing=listing)
    assert (job.state, job.attempts) == (ValidationJob.State.OWED, 1)
    site.start_worker()
    assert_published_once(listing)


def waiting_for_a_lock(site) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(site.database_url) as connection:
        row = connection.execute(query).fetchone()
    return bool(row and row[0])


def test_redis_is_down_at_submit_and_comes_back_empty(site, merchant):
    site.kill_redis()
    began = time.monotonic()
    listing = submit(merchant)
    assert time.monotonic() - began < 8, "the merchant must not wait for a broker that is away"
    assert status(listing) == Status.CHECKING
    site.start_redis()
    site.wipe_redis()
    assert_published_once(listing)


def test_beat_is_killed_and_started_again(site, merchant):
    site.kill("beat")
    site.stop_worker()
    listing = submit(merchant)
    site.wipe_redis()
    site.start_worker()
    site.spawn("beat")
    assert_published_once(listing)


def test_a_task_that_comes_twice_counts_once(site, merchant):
    from listings import tasks

    site.stop_worker()
    listing = submit(merchant)
    job = ValidationJob.objects.get(listing=listing)
    for _ in range(3):
        assert tasks.enqueue(job.pk)
    assert site.queued() == 4
    site.start_worker()
    until(lambda: site.queued() == 0, 60, "the worker has taken all of them")
    assert_published_once(listing)
