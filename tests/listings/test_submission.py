"""From the form to the outbox: one transaction, one listing a draft, nothing believed, nothing lost."""

import json
import threading
import time
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from listings import checks, content, submission, validation
from listings.lifecycle import Status
from listings.models import Listing, ReviewJob, StatusChange, ValidationJob, Verdict
from models import text
from tests.listings.conftest import WORDS


@pytest.fixture
def words():
    def make(**changes):
        return WORDS | changes

    return make


def device_claim(words, **changes) -> str:
    fields = content.text_fields(
        title=words["title"], description=words["description"], category="toys", attributes={}, alts=[]
    )
    return json.dumps(text.check_text(fields, where="device") | changes)


def test_listing_claim_gate_verdict_and_outbox_row_are_stored_together(merchant, words):
    listing = submission.submit(seller=merchant, content=words(), photos=[], claim=device_claim(words()))
    assert listing.status == Status.CHECKING
    assert {verdict.where for verdict in listing.verdicts.all()} == {"device", "gate"}
    claim = listing.verdicts.get(where="device")
    assert claim.detail == {}, "an honest claim is kept without a doubt"
    assert ValidationJob.objects.get().revision == listing.revision == 1
    assert StatusChange.objects.get().actor == merchant


def test_an_honest_claim_about_another_text_is_kept_but_not_believed(merchant, words):
    claim = device_claim(words(title="Something else"))
    listing = submission.submit(seller=merchant, content=words(), photos=[], claim=claim)
    assert "another text" in listing.verdicts.get(where="device").detail["disbelieved"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "1900.1"}, "another version"),
        ({"model": "my-own-model"}, "not the text model"),
        ({"scores": {"safe": 1.0}}, "not those of the model"),
    ],
)
def test_a_forged_claim_says_in_its_detail_why_it_is_not_believed(merchant, words, changes, why):
    claim = device_claim(words(), **changes)
    listing = submission.submit(seller=merchant, content=words(), photos=[], claim=claim)
    assert why in listing.verdicts.get(where="device").detail["disbelieved"]


def test_scores_that_differ_from_the_gates_are_recorded(merchant, words):
    honest = json.loads(device_claim(words()))
    scores = honest["scores"] | {"safe": honest["scores"]["safe"] / 2}
    claim = json.dumps(honest | {"scores": scores})
    listing = submission.submit(seller=merchant, content=words(), photos=[], claim=claim)
    assert listing.verdicts.get(where="device").detail["differs_from_gate"] > 0.1


@pytest.mark.parametrize("claim", ["", "x", "{}", "[]", "1e999", '{"decision":"pass"}', "\ud800", "[" * 70_000])
def test_whatever_stands_in_the_claim_the_listing_is_stored_and_waits(merchant, words, claim):
    listing = submission.submit(seller=merchant, content=words(), photos=[], claim=claim)
    assert listing.status == Status.CHECKING
    assert ValidationJob.objects.filter(listing=listing, state="owed").exists()


def test_one_draft_makes_one_listing_and_a_corrected_resend_is_an_edit(merchant, words):
    key = uuid.uuid4()
    first = submission.submit(seller=merchant, content=words(), photos=[], draft_key=key)
    second = submission.submit(seller=merchant, content=words(), photos=[], draft_key=key)
    assert first == second
    assert second.revision == 1
    third = submission.submit(
        seller=merchant, content=words(title="Wooden train set, 25 pieces"), photos=[], draft_key=key
    )
    assert third == first
    assert (third.title, third.revision) == ("Wooden train set, 25 pieces", 2)
    assert Listing.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_submit_pressed_twice_at_the_same_moment_makes_one_listing(merchant, words):
    key, found = uuid.uuid4(), []
    start = threading.Barrier(2)

    def press() -> None:
        start.wait()
        found.append(submission.submit(seller=merchant, content=words(), photos=[], draft_key=key).pk)
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert ValidationJob.objects.count() == 1


def test_an_edit_drops_what_was_owed_and_withdraws_the_review(merchant, words, make_listing):
    listing = make_listing(status=Status.IN_REVIEW, category="toys")
    ReviewJob.objects.create(listing=listing, revision=1, cause="unsure")
    checks.owe(listing, [])
    submission.resubmit(listing=listing, seller=merchant, content=words(), photos=[], base_edits=1)
    assert ReviewJob.objects.get().state == "withdrawn"
    assert list(ValidationJob.objects.order_by("revision").values_list("revision", "state")) == [
        (1, "dropped"),
        (2, "owed"),
    ]


def test_a_stale_edit_changes_nothing(merchant, words, make_listing):
    listing = make_listing(edits=2)
    with pytest.raises(submission.StaleRevision, match="changed in another tab"):
        submission.resubmit(listing=listing, seller=merchant, content=words(), photos=[], base_edits=1)
    listing.refresh_from_db()
    assert listing.title == "Blue enamel kettle"
    assert not ValidationJob.objects.exists()


@pytest.mark.parametrize("field", ["title", "description", "category"])
def test_new_words_or_another_category_are_checked_again(merchant, words, make_listing, field):
    base = words()
    listing = make_listing(**{k: base[k] for k in ("title", "description", "category")})
    change = {"title": "Butterfly knife", "description": "Sharp.", "category": "tools"}[field]
    submission.resubmit(listing=listing, seller=merchant, content=base | {field: change}, photos=[], base_edits=1)
    listing.refresh_from_db()
    assert (listing.status, listing.revision) == (Status.CHECKING, 2)


def test_text_in_a_detail_is_checked_again_and_reaches_the_model(merchant, words, make_listing):
    base = words(category="audio")
    listing = make_listing(**{k: base[k] for k in ("title", "description", "category")})
    content_ = base | {"attributes": {"brand": "cocaine"}}
    submission.resubmit(listing=listing, seller=merchant, content=content_, photos=[], base_edits=1)
    listing.refresh_from_db()
    assert listing.status == Status.CHECKING
    assert ("attributes", "cocaine") in content.fields_of(listing)


def test_an_ended_listing_comes_back_only_through_a_check(merchant, words, make_listing):
    base = words()
    listing = make_listing(**{k: base[k] for k in ("title", "description", "category")}, status=Status.ENDED)
    submission.resubmit(listing=listing, seller=merchant, content=base, photos=[], base_edits=1)
    listing.refresh_from_db()
    assert listing.status == Status.CHECKING


def test_only_an_active_merchant_submits_and_only_their_own(merchant, other_merchant, shopper, words, make_listing):
    with pytest.raises(PermissionDenied):
        submission.submit(seller=shopper, content=words(), photos=[])
    with pytest.raises(PermissionDenied):
        submission.resubmit(listing=make_listing(), seller=other_merchant, content=words(), photos=[], base_edits=1)
    merchant.is_active = False
    with pytest.raises(PermissionDenied):
        submission.submit(seller=merchant, content=words(), photos=[])


def test_a_missing_model_file_does_not_stop_a_submission(merchant, words, models_away):
    with models_away():
        listing = submission.submit(seller=merchant, content=words(), photos=[])
    assert listing.status == Status.CHECKING
    assert not Verdict.objects.filter(where="gate").exists()
    assert ValidationJob.objects.get().state == "owed"


def test_a_stale_price_is_refused_too(merchant, words, make_listing):
    base = words()
    listing = make_listing(**{k: base[k] for k in ("title", "description", "category")})
    common = {"listing": listing, "seller": merchant, "photos": [], "base_edits": 1}
    submission.resubmit(content=base | {"price": Decimal(20)}, **common)
    with pytest.raises(submission.StaleRevision):
        submission.resubmit(content=base | {"price": Decimal(30)}, **common)
    listing.refresh_from_db()
    assert (listing.price, listing.revision, listing.edits) == (20, 1, 2)


def test_a_corrected_condition_sent_again_is_kept(merchant, words):
    key = uuid.uuid4()
    submission.submit(seller=merchant, content=words(), photos=[], draft_key=key)
    submission.submit(seller=merchant, content=words(condition="fair"), photos=[], draft_key=key)
    assert Listing.objects.get().condition == "fair"


@pytest.mark.parametrize("status", [Status.NEEDS_CHANGES, Status.REJECTED])
def test_saving_a_returned_listing_asks_for_another_look_at_the_same_words(merchant, words, make_listing, status):
    base = words()
    listing = make_listing(**{k: base[k] for k in ("title", "description", "category")}, status=status)
    submission.resubmit(listing=listing, seller=merchant, content=base, photos=[], base_edits=1)
    listing.refresh_from_db()
    assert listing.status == Status.CHECKING


def test_a_sold_thing_is_not_listed_again(merchant, shopper, words, make_listing):
    listing = make_listing(status=Status.ENDED)
    listing.orders.create(buyer=shopper, price=18, currency="EUR")
    with pytest.raises(ValidationError, match="sold"):
        submission.resubmit(listing=listing, seller=merchant, content=words(), photos=[], base_edits=1)
    listing.orders.update(status="cancelled")
    submission.resubmit(listing=listing, seller=merchant, content=words(), photos=[], base_edits=1)


@pytest.mark.parametrize("name", ["model", "version", "variant", "policy", "digest", "provider"])
def test_no_length_of_a_claims_words_breaks_the_submit(merchant, words, name):
    for length in (20, 21, 30, 31, 40, 41, 64, 65):
        claim = device_claim(words(), **{name: "a" * length})
        submission.submit(seller=merchant, content=words(title=f"Train {name} {length}"), photos=[], claim=claim)


def test_a_claim_of_a_policy_that_is_none_is_not_believed(merchant, words):
    claim = device_claim(words(), decision="warn", policy="spaceships")
    listing = submission.submit(seller=merchant, content=words(), photos=[], claim=claim)
    assert "does not have" in listing.verdicts.get(where="device").detail["disbelieved"]


@pytest.mark.django_db(transaction=True)
def test_an_edit_and_the_workers_last_step_do_not_lock_each_other_out(merchant, words, make_listing, monkeypatch):
    """Both change the listing and its job; the window is widened so that a wrong order of locks would show."""
    base = words()
    listing = make_listing(**{k: base[k] for k in ("title", "description", "category")}, status=Status.CHECKING)
    job = checks.owe(listing, [])
    words_check = job.checks.get(name="words")
    job.checks.exclude(pk=words_check.pk).delete()
    real, errors = submission.withdraw_jobs, []

    def slow_withdraw(listing):
        time.sleep(0.3)
        real(listing)

    monkeypatch.setattr(submission, "withdraw_jobs", slow_withdraw)

    def guarded(step, *args, **kwargs) -> None:
        try:
            step(*args, **kwargs)
        except Exception as error:
            errors.append(error)
        connection.close()

    edit = {"listing": listing, "seller": merchant, "content": words(title="Another"), "photos": [], "base_edits": 1}
    threads = [
        threading.Thread(target=guarded, args=[submission.resubmit], kwargs=edit),
        threading.Thread(target=guarded, args=[validation.run, words_check.pk]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [error for error in errors if not isinstance(error, submission.StaleRevision)]
    listing.refresh_from_db()
    assert listing.status in (Status.CHECKING, Status.PUBLISHED)
