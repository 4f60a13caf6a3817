"""Nothing is lost: the broker may be wiped or away, a worker may be killed in mid-task; the check still happens."""

import os
import signal
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from listings import checks, photos, selling, submission, tasks, validation
from listings.lifecycle import Status
from listings.models import Listing, OwedCheck, Photo, StatusChange, ValidationJob, Verdict
from recommendations.models import ItemVector
from tests.settings import ROOT
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
    assert site.queued() == len(checks.OF_WORDS)
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
    assert job.state == ValidationJob.State.OWED
    assert job.checks.filter(state="owed", attempts=1).exists()
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
    # Celery's worker sometimes ends itself when the broker goes away while it has something in hand (kombu loses its
    # connection's settings); `make run` starts it again.
    until(lambda: site.revive() or status(listing) != Status.CHECKING, LATER, "the listing is validated after all")
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
    site.stop_worker()
    listing = submit(merchant)
    job = ValidationJob.objects.get(listing=listing)
    for _ in range(3):
        tasks.enqueue_job(job.pk)
    assert site.queued() == 4 * len(checks.OF_WORDS)
    site.start_worker()
    until(lambda: site.queued() == 0, 60, "the worker has taken all of them")
    assert_published_once(listing)


def submit_with_photo(seller):
    path = next((ROOT / "marketplace" / "demo" / "pictures").glob("ash-dining-chair*"))
    photo = photos.store_upload(seller, SimpleUploadedFile("chair.jpg", path.read_bytes(), "image/jpeg"))
    content = {
        "title": "Dining chair in ash",
        "description": "Solid and comfortable, a few light scratches. From a home without smokers.",
        "category": "furniture",
        "attributes": {},
        "price": Decimal("40.00"),
        "currency": "EUR",
        "condition": "good",
    }
    return submission.submit(seller=seller, content=content, photos=[photo]), photo


def test_a_photo_is_checked_by_worker_and_reader(site, merchant):
    listing, photo = submit_with_photo(merchant)
    assert_published_once(listing)
    assert Verdict.objects.filter(photo=photo).count() == 5


def test_a_check_that_hangs_is_stopped_and_holds_up_no_other(site, merchant):
    """The photo's file becomes a pipe into which nobody writes: whoever opens it waits for ever."""
    site.stop_worker()
    listing, photo = submit_with_photo(merchant)
    path, content = into_a_pipe(photo)
    site.wipe_redis()
    site.start_worker()
    tasks.enqueue_job(ValidationJob.objects.get(listing=listing).pk)
    until(lambda: state_of(listing, checks.PHOTO_BANK) == "done", 60, "the check that needs no file is made")
    until(lambda: state_of(listing, checks.WORDS) == "done", 60, "the words are judged")
    limit = checks.TERMS[checks.PHOTO_MODEL].seconds
    stopped = f"it gave no answer within {limit} seconds"
    until(lambda: last_error(listing, checks.PHOTO_MODEL) == stopped, limit + 30, "the hanging check is stopped")
    assert status(listing) == Status.CHECKING
    another = submit(merchant)
    until(lambda: status(another) == Status.PUBLISHED, 30, "the worker is free for others")
    path.unlink()
    path.write_bytes(content)
    hurry()
    assert_published_once(listing)


def test_a_check_whose_process_does_not_listen_is_killed(site, merchant):
    """Stopped in the middle, the process hears no polite signal; the worker kills it at the hard limit and goes on."""
    site.stop_worker()
    listing, photo = submit_with_photo(merchant)
    OwedCheck.objects.exclude(name=checks.LOOK_ALIKES).update(due_at=timezone.now() + timedelta(hours=1))
    path, content = into_a_pipe(photo)
    site.wipe_redis()
    site.start_worker()
    check = OwedCheck.objects.get(name=checks.LOOK_ALIKES)
    tasks.enqueue(check.pk, check.name)
    until(lambda: last_error(listing, checks.LOOK_ALIKES) == validation.NO_ANSWER, 30, "it has begun")
    before = {process.pid for process in site.children("worker")}
    for process in site.children("worker"):
        process.send_signal(signal.SIGSTOP)
    terms = checks.TERMS[checks.LOOK_ALIKES]
    until(lambda: before - {process.pid for process in site.children("worker")}, terms.seconds + 30, "it was killed")
    for process in site.children("worker"):
        process.send_signal(signal.SIGCONT)
    path.unlink()
    path.write_bytes(content)
    hurry()
    assert_published_once(listing)


def test_the_reader_is_killed_in_mid_photo(site, merchant):
    listing, _ = submit_with_photo(merchant)
    until(lambda: last_error(listing, checks.PHOTO_TEXT), 30, "the reader has begun", pause=0.01)
    site.kill("reader")
    site.spawn("reader")
    if state_of(listing, checks.PHOTO_TEXT) == "owed":  # it may have ended just before
        hurry()
    assert_published_once(listing)
    assert Verdict.objects.filter(listing=listing, model=checks.PHOTO_TEXT).count() == 1


def into_a_pipe(photo) -> tuple[Path, bytes]:
    """The path of the photo's file, a pipe from now on, and what stood there. Nobody makes renditions of it."""
    Photo.objects.filter(pk=photo.pk).update(renditions_due_at=None)
    path = Path(settings.MEDIA_ROOT) / photo.file
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    return path, content


def hurry() -> None:
    """What is owed is sent with the next sweep and may begin: nobody is at work on it, and no wait holds it back."""
    OwedCheck.objects.filter(state="owed").update(due_at=timezone.now(), not_before=None, started_at=None)


def state_of(listing, name) -> str:
    return OwedCheck.objects.values_list("state", flat=True).get(job__listing=listing, name=name)


def last_error(listing, name) -> str:
    return OwedCheck.objects.values_list("last_error", flat=True).get(job__listing=listing, name=name)


def test_a_listing_has_its_vector_in_a_moment_and_loses_it_when_it_is_withdrawn(site, merchant):
    listing = submit(merchant)
    assert_published_once(listing)
    until(lambda: ItemVector.objects.filter(listing=listing).exists(), 20, "the worker has read it")
    selling.end(listing=listing, seller=merchant)
    until(lambda: not ItemVector.objects.exists(), 20, "what is not on sale has no vector")


def test_a_vector_that_the_broker_lost_is_made_by_the_sweep(site, merchant):
    listing = submit(merchant)
    assert_published_once(listing)
    until(lambda: ItemVector.objects.filter(listing=listing).exists(), 20, "the worker has read it")
    ItemVector.objects.all().delete()  # as if its task had never come
    until(lambda: ItemVector.objects.filter(listing=listing).exists(), LATER, "the sweep sees the difference")
