import pytest

from listings import submission
from listings.lifecycle import Status
from listings.models import Decision, Listing, ReviewJob, SecondLook
from listings.moderation import claims, decisions, quality_jobs, queue
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS
from tests.listings.moderation.conftest import REASON


@pytest.fixture
def twice(make_case, moderator, set_to):
    """A decision that is to be looked at a second time, and the job for it."""
    set_to(second_share=1)
    decision = decisions.reject(job=make_case(), moderator=moderator, policy="weapons", reason=REASON)
    return decision, ReviewJob.objects.get(kind="second")


def test_a_second_look_reads_like_the_first_and_goes_to_somebody_else(twice, moderator, second):
    decision, job = twice
    first = decision.review_job
    assert (job.cause, job.policy, job.risk) == (first.cause, first.policy, first.risk)
    assert claims.take_next(moderator) is None
    assert claims.take_next(second) == job


def test_a_second_look_is_noted_and_changes_nothing(twice, second):
    decision, job = twice
    assert decisions.decide(job=job, moderator=second, word=Word("approve")) is None
    assert SecondLook.objects.get().action == "approve"
    assert Listing.objects.get().status == Status.REJECTED
    assert list(Decision.objects.all()) == [decision]


def test_the_page_of_a_blind_case_does_not_tell_how_it_was_decided(twice, second, as_user):
    _, job = twice
    page = as_user(second).get(f"/moderation/{job.pk}/").content.decode()
    assert REASON not in page and "Not allowed" not in page
    assert "<dt>Rejected</dt><dd>0</dd>" in page and "<dt>Strikes</dt><dd>0</dd>" in page, "as it was before"
    assert "Approve" in page


def test_the_share_is_a_share(make_case, moderator, set_to, monkeypatch):
    set_to(second_share=0.5)
    for number, luck in enumerate((0.1, 0.49, 0.5, 0.9)):
        monkeypatch.setattr(quality_jobs._random, "random", lambda luck=luck: luck)
        decisions.approve(job=make_case(f"Case {number}"), moderator=moderator)
    assert ReviewJob.objects.filter(kind="second").count() == 2


def test_a_sample_is_drawn_once_of_each_and_within_the_days_measure(make_listing, set_to):
    set_to(samples_a_day=24)
    for number in range(3):
        make_listing(f"Kettle {number}")
    make_listing("Paused", status=Status.PAUSED)
    assert [quality_jobs.draw_sample() for _ in range(5)] == [1, 1, 1, 0, 0]
    sampled = ReviewJob.objects.filter(kind="sample")
    assert sampled.values("listing").distinct().count() == 3
    assert not sampled.filter(listing__title="Paused").exists()


def test_no_more_samples_wait_than_people_look_at(make_listing, set_to):
    set_to(samples_a_day=1)
    for number in range(5):
        make_listing(f"Kettle {number}")
    assert [quality_jobs.draw_sample() for _ in range(3)] == [1, 0, 0]


def test_a_violation_found_in_a_sample_leaves_the_market(make_listing, moderator, set_to):
    set_to(samples_a_day=24)
    make_listing("Butterfly knife")
    quality_jobs.draw_sample()
    decisions.reject(job=ReviewJob.objects.get(), moderator=moderator, policy="weapons", reason=REASON)
    assert Listing.objects.get().status == Status.REJECTED


def test_known_answers_come_from_cases_on_which_two_agreed(twice, second, make_case, set_to, monkeypatch):
    decision, job = twice
    assert not quality_jobs.agreed().exists()
    decisions.decide(job=job, moderator=second, word=Word("reject", "weapons", REASON))
    assert list(quality_jobs.agreed()) == [decision]
    set_to(golden_share=1)
    make_case("Waits")
    assert quality_jobs.draw_golden() == 0, "it is fresh in everybody's mind"
    monkeypatch.setattr(quality_jobs, "GOLDEN_AGE", quality_jobs.GOLDEN_AGE * 0)
    assert quality_jobs.draw_golden() == 1
    golden = ReviewJob.objects.get(kind="golden")
    assert golden.about == decision and golden in queue.open_jobs(queue.Filters(lane="checks"))
    Listing.objects.filter(pk=decision.listing_id).update(revision=2)
    assert not quality_jobs.agreed().exists(), "its words are others now"


def test_an_edit_between_drawing_and_opening_leaves_no_sample_of_the_old_words(
    make_listing, merchant, set_to, monkeypatch
):
    set_to(samples_a_day=24)
    listing = make_listing()
    draw = quality_jobs._any_of

    def drawn_then_edited(rows):
        found = draw(rows)
        submission.resubmit(listing=listing, seller=merchant, content=WORDS, photos=[], base_edits=1)
        return found

    monkeypatch.setattr(quality_jobs, "_any_of", drawn_then_edited)
    assert quality_jobs.draw_sample() == 0
    assert not ReviewJob.objects.filter(kind="sample").exists()


def test_two_runs_that_draw_one_listing_open_one_sample_and_go_on(make_listing, set_to, monkeypatch):
    set_to(samples_a_day=24)
    make_listing()
    draw = quality_jobs._any_of

    def drawn_by_another_too(rows):
        found = draw(rows)
        monkeypatch.setattr(quality_jobs, "_any_of", draw)
        assert quality_jobs.draw_sample() == 1
        return found

    monkeypatch.setattr(quality_jobs, "_any_of", drawn_by_another_too)
    assert quality_jobs.draw_sample() == 0
    assert ReviewJob.objects.filter(kind="sample").count() == 1
