from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from listings import checks, photos, policies, selling, submission
from listings.lifecycle import Status
from listings.models import Appeal, Decision, Listing, Notice, RemovedPhoto, ReviewJob, Strike, Verdict
from listings.moderation import appeals, claims, decisions, queue, statements, strikes
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS

WHY = "It is a comb in the shape of a knife, it has no blade."
ANSWER = "We looked again, and it has a blade."


@pytest.fixture
def appealed(rejected, merchant):
    decision = rejected()
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    return decision


def status(decision):
    return Listing.objects.get(pk=decision.listing_id).status


def answer(decision, moderator, action, policy=""):
    job = Appeal.objects.get(decision=decision).job
    return decisions.decide(job=job, moderator=moderator, word=Word(action, policy, ANSWER))


def test_upheld_everything_stays(appealed, second):
    answer(appealed, second, "uphold")
    assert status(appealed) == Status.REJECTED
    assert Strike.objects.get().revoked_at is None
    assert list(Decision.objects.standing()) == list(Decision.objects.all())


def test_overturned_it_is_on_sale_and_nothing_speaks_against_the_seller(appealed, second, merchant):
    answer(appealed, second, "overturn")
    assert status(appealed) == Status.PUBLISHED
    assert not strikes.living(merchant).exists()
    assert appealed not in Decision.objects.standing()
    assert "taken back" in Notice.objects.filter(person=merchant).first().title


def test_overturned_the_photos_leave_the_bank(make_case, moderator, second, merchant, jpeg):
    case = make_case()
    photo = photos.store_upload(merchant, jpeg())
    case.listing.photos.add(photo)
    decision = decisions.reject(
        job=case, moderator=moderator, policy="weapons", reason="It is a knife, is it not?", photos=[photo.pk]
    )
    assert RemovedPhoto.objects.exists()
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    answer(decision, second, "overturn")
    assert not RemovedPhoto.objects.exists()


def test_modified_the_merchant_may_change_it(appealed, second):
    answer(appealed, second, "modify", policy="tobacco_alcohol")
    listing = Listing.objects.get(pk=appealed.listing_id)
    assert listing.status == Status.NEEDS_CHANGES and ANSWER in listing.status_note
    assert Strike.objects.get().revoked_at is not None


def test_what_was_edited_meanwhile_keeps_its_way_and_the_strike_goes(appealed, second, merchant):
    Listing.objects.filter(pk=appealed.listing_id).update(status=Status.CHECKING, revision=2)
    answer(appealed, second, "overturn")
    assert status(appealed) == Status.CHECKING
    assert not strikes.living(merchant).exists()


def test_the_first_moderator_does_not_answer(appealed, moderator):
    with pytest.raises(PermissionDenied):
        answer(appealed, moderator, "uphold")
    assert ReviewJob.objects.get(kind="appeal").state == "open"


def test_only_once_only_in_time_and_only_ones_own(appealed, rejected, merchant, other_merchant, monkeypatch):
    with pytest.raises(ValidationError, match="already"):
        appeals.appeal(decision=appealed, person=merchant, text=WHY)
    late = rejected("Another knife")
    with pytest.raises(PermissionDenied):
        appeals.appeal(decision=late, person=other_merchant, text=WHY)
    with pytest.raises(ValidationError, match="ten characters"):
        appeals.appeal(decision=late, person=merchant, text="no")
    later = timezone.now() + timedelta(days=184)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(ValidationError, match="time for this was over"):
        appeals.appeal(decision=late, person=merchant, text=WHY)


def test_an_approval_or_an_answer_cannot_be_appealed(appealed, make_case, moderator, second, merchant):
    fine = decisions.approve(job=make_case("Kettle"), moderator=moderator)
    for decision in (fine, answer(appealed, second, "uphold")):
        with pytest.raises(ValidationError, match="nothing to appeal"):
            appeals.appeal(decision=decision, person=merchant, text=WHY)


def test_what_the_checks_alone_sent_back_can_be_laid_before_a_person(make_listing, merchant, other_merchant):
    listing = make_listing(status=Status.NEEDS_CHANGES, status_note="Weapons: the words suggest it.")
    with pytest.raises(PermissionDenied):
        appeals.ask_for_a_person(listing=listing, seller=other_merchant)
    job = appeals.ask_for_a_person(listing=listing, seller=merchant)
    listing.refresh_from_db()
    assert (listing.status, job.policy, job.kind) == (Status.IN_REVIEW, "weapons", "check")
    with pytest.raises(ValidationError):
        appeals.ask_for_a_person(listing=listing, seller=merchant)


def test_what_a_moderator_sent_back_is_appealed_against_instead(make_case, moderator, merchant):
    case = make_case()
    decisions.decide(job=case, moderator=moderator, word=Word("changes", "", "Show the maker's mark, please."))
    with pytest.raises(ValidationError, match="our checks alone"):
        appeals.ask_for_a_person(listing=case.listing, seller=merchant)


# --- Strikes ---------------------------------------------------------------------------------------------------------
def test_the_third_strike_suspends_and_an_overturned_one_lifts_it(rejected, make_listing, merchant, second):
    on_sale = make_listing("Kettle")
    found = [rejected(f"Knife {number}") for number in range(3)]
    merchant.refresh_from_db()
    assert strikes.pause_suspended() == 1
    on_sale.refresh_from_db()
    assert merchant.is_suspended
    assert on_sale.status == Status.PAUSED and "suspended" in on_sale.status_note
    appeals.appeal(decision=found[0], person=merchant, text=WHY)
    answer(found[0], second, "overturn")
    merchant.refresh_from_db()
    assert not merchant.is_suspended


def test_a_strike_expires(rejected, merchant):
    rejected()
    assert strikes.living(merchant).count() == 1
    Strike.objects.update(expires_at=timezone.now())
    assert strikes.living(merchant).count() == 0


def test_a_mild_policy_gives_no_strike(make_case, moderator):
    mild = next(policy for policy in policies.all() if policy.severity < strikes.GRAVE_FROM)
    decisions.reject(job=make_case(), moderator=moderator, policy=mild.id, reason="This is not sold here.")
    assert not Strike.objects.exists()


def test_nothing_of_a_suspended_seller_comes_on_sale_whoever_says_so(merchant, make_listing, make_case, moderator):
    case, sent_back = make_case("Kettle"), make_listing("Pot", status=Status.NEEDS_CHANGES)
    merchant.suspended_until = timezone.now() + timedelta(days=1)
    merchant.save()
    decisions.approve(job=case, moderator=moderator)
    case.listing.refresh_from_db()
    assert case.listing.status == Status.PAUSED and "suspended until" in case.listing.status_note
    with pytest.raises(ValidationError, match="suspended until"):
        appeals.ask_for_a_person(listing=sent_back, seller=merchant)
    checked = make_listing("Pan", status=Status.CHECKING)
    assert Listing.objects.move(checked.pk, source=Status.CHECKING, target=Status.PUBLISHED)
    checked.refresh_from_db()
    assert checked.status == Status.PAUSED


def test_overturned_what_its_merchant_had_paused_stays_paused_and_owes_what_was_dropped(
    make_listing, moderator, second, merchant
):
    listing = make_listing("Kettle", status=Status.PAUSED)
    job = checks.owe(listing, [])
    case = queue.open_job(listing, revision=1, kind="report", cause="-", status_before=Status.PAUSED)
    decision = decisions.reject(job=case, moderator=moderator, policy="weapons", reason="It is a knife, is it not?")
    checks.drop(type(job).objects.filter(pk=job.pk))
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    answer(decision, second, "overturn")
    listing.refresh_from_db()
    job.refresh_from_db()
    assert (listing.status, job.state) == (Status.PAUSED, "owed")
    assert set(job.checks.values_list("state", flat=True)) == {"owed"}


def test_an_appeal_against_changes_can_be_modified(make_case, moderator, second, merchant):
    case = make_case()
    decision = decisions.decide(job=case, moderator=moderator, word=Word("changes", "", "Show the maker's mark."))
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    answer(decision, second, "modify", policy="tobacco_alcohol")
    case.listing.refresh_from_db()
    assert case.listing.status == Status.NEEDS_CHANGES and ANSWER in case.listing.status_note


def test_a_suspended_seller_submits_nothing_and_resumes_nothing(merchant, make_listing):
    merchant.suspended_until = timezone.now() + timedelta(days=1)
    merchant.save()
    with pytest.raises(submission.Suspended, match="suspended until"):
        submission.submit(seller=merchant, content=WORDS, photos=[])
    with pytest.raises(ValidationError, match="suspended until"):
        selling.resume(listing=make_listing(status=Status.PAUSED), seller=merchant)


# --- Who answers, and what counts ------------------------------------------------------------------------------------
def test_whoever_looked_at_it_unseen_does_not_answer_the_appeal(make_case, moderator, second, merchant, set_to):
    set_to(second_share=1)
    decision = decisions.reject(job=make_case(), moderator=moderator, policy="weapons", reason="It is a knife, is it?")
    decisions.decide(job=ReviewJob.objects.get(kind="second"), moderator=second, word=Word("approve"))
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    assert claims.take_next(second) is None
    with pytest.raises(PermissionDenied, match="judged this before"):
        answer(decision, second, "overturn")


def test_a_rejection_under_another_policy_counts_as_one(appealed, second, merchant):
    modified = answer(appealed, second, "modify", policy="drugs")
    assert list(Decision.objects.violations()) == [modified]
    assert [strike.policy for strike in strikes.living(merchant)] == ["drugs"]
    assert appeals.why_not(modified, merchant) == "", "it keeps the listing off the market"


def test_what_was_said_does_not_change_with_the_settings(rejected, set_to):
    decision = rejected()
    before = (statements.appeal_until(decision), statements.of(decision).automated_detection)
    set_to(appeal_days=1)
    Verdict.objects.create(
        listing=decision.listing, revision=1, where="cloud", model="listing-text-cloud", decision="block"
    )
    assert (statements.appeal_until(decision), statements.of(decision).automated_detection) == before


def test_the_notice_names_the_photos_that_may_not_come_back(make_case, moderator, merchant, jpeg):
    case = make_case()
    photo = photos.store_upload(merchant, jpeg())
    case.listing.photos.add(photo)
    decisions.reject(
        job=case, moderator=moderator, policy="weapons", reason="It is a knife, is it not?", photos=[photo.pk]
    )
    assert "Photo 1: not allowed here" in Notice.objects.get(person=merchant).text
