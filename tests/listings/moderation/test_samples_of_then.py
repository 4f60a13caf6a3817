"""A sample is judged in the words and photos that were drawn, whatever became of them: nobody edits themselves out."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from listings import orders, photos, selling, submission
from listings.lifecycle import Status
from listings.models import Decision, Listing, Notice, ReviewJob, Strike, ValidationJob
from listings.moderation import claims, decided_before, decisions, evidence, quality, quality_jobs, queue, statements
from listings.moderation.decisions import Word
from listings.moderation.queue import Filters
from tests.listings.conftest import WORDS
from tests.listings.moderation.conftest import REASON

SAMPLES = Filters(lane="samples")


@pytest.fixture
def drawn(make_listing, set_to):
    """On sale, passed by its checks, and drawn."""

    def make(title="Butterfly knife", **fields):
        set_to(samples_a_day=240)
        listing = make_listing(title, **fields)
        ValidationJob.objects.create(
            listing=listing, revision=1, category="kitchen", state="done", outcome=Status.PUBLISHED,
            finished_at=timezone.now(),
        )  # fmt: skip
        assert quality_jobs.draw_sample() == 1
        return ReviewJob.objects.get(listing=listing, kind="sample")

    return make


def edit(job, **words):
    listing = Listing.objects.get(pk=job.listing_id)
    return submission.resubmit(
        listing=listing, seller=listing.seller, content=WORDS | words, photos=[], base_edits=listing.edits
    )


def status(job):
    return Listing.objects.get(pk=job.listing_id).status


def leave(job, how, merchant, shopper):
    """The listing leaves its words behind, in one of the ways there are."""
    listing = Listing.objects.get(pk=job.listing_id)
    if how == "edited":
        edit(job)
    elif how == "ended":
        selling.end(listing=listing, seller=merchant)
    else:
        orders.place(listing=listing, buyer=shopper, price_seen=str(listing.price))


@pytest.mark.parametrize("how", ["edited", "ended", "sold"])
def test_what_was_drawn_is_judged_and_counts_whatever_became_of_it(
    drawn, merchant, shopper, moderator, how, django_capture_on_commit_callbacks
):
    job = drawn()
    leave(job, how, merchant, shopper)
    before = status(job)
    assert claims.take_next(moderator, SAMPLES) == job
    assert evidence.words_of(job)["title"] == "Butterfly knife"
    decisions.propose(job=job, moderator=moderator, word=Word("reject", "weapons", REASON), revision=1)
    decisions.settle_due(timezone.now() + timedelta(minutes=1))
    decision = Decision.objects.get()
    assert decision.past and decision.revision == 1
    assert status(job) == before, "nothing moves"
    assert quality.recall(timezone.now() - timedelta(days=7)).sample == quality.Share(1, 1)
    assert Strike.objects.get().decision == decision, "as what left: it counts against the seller"
    assert Decision.objects.violations().count() == 1


def test_recall_does_not_improve_by_editing_in_time(drawn, merchant, shopper, moderator):
    """Four unsafe and four harmless were drawn; the unsafe ones are edited before anybody looks."""
    unsafe, harmless = [drawn(f"Knife {n}") for n in range(4)], [drawn(f"Kettle {n}") for n in range(4)]
    for number, job in enumerate(unsafe):
        edit(job, title=f"Wooden train set, {number} pieces")
    for job in unsafe:
        decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    for job in harmless:
        decisions.approve(job=job, moderator=moderator)
    found = quality.recall(timezone.now() - timedelta(days=7))
    assert found.sample == quality.Share(4, 8)


def test_live_in_those_words_it_acts_as_ever(drawn, moderator, merchant):
    job = drawn()
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    assert status(job) == Status.REJECTED and not Decision.objects.get().past
    assert "cannot be on sale as it is" in Notice.objects.get(person=merchant).text
    paused = drawn("Pan")
    selling.pause(listing=Listing.objects.get(pk=paused.listing_id), seller=merchant)
    decisions.decide(job=paused, moderator=moderator, word=Word("changes", "", "Show the maker's mark, please."))
    assert status(paused) == Status.NEEDS_CHANGES


def test_of_what_left_the_merchant_reads_that_nothing_moves(drawn, moderator, merchant, as_user):
    job = drawn()
    edit(job, title="Wooden train set, 23 pieces")
    page = as_user(moderator).get(f"/moderation/{job.pk}/").content.decode()
    assert "<h1>Butterfly knife</h1>" in page and "Not on sale any more in these words" in page
    assert "Butterfly knife" in as_user(moderator).get("/moderation/?lane=samples").content.decode()
    said = {"of": "reject", "policy": "weapons", "reason": REASON, "job": job.pk}
    (message,) = as_user(moderator).post("/moderation/preview/", said).json()["messages"]
    decision = decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    notice = Notice.objects.get(person=merchant)
    assert [message["title"], *message["paragraphs"]] == [notice.title, *notice.text.split("\n\n")]
    assert "“Butterfly knife” said while it was on sale" in notice.text and "checked in full first" in notice.text
    assert "had left the market" in statements.of(decision).scope
    changes = drawn("Kettle, call me")
    edit(changes, title="Wooden train set, 22 pieces")
    decision = decisions.decide(job=changes, moderator=moderator, word=Word("changes", "", "The number has to go."))
    assert statements.of(decision).scope == statements.NOTHING_FOLLOWS
    assert Decision.objects.violations().count() == 1


def test_while_the_same_words_are_checked_anew_it_waits(drawn, moderator, rejecting):
    job = drawn()
    Listing.objects.move(job.listing_id, source=Status.PUBLISHED, target=Status.IN_REVIEW, note="A doubt came later.")
    assert claims.take_next(moderator, SAMPLES) is None
    for attempt in (
        lambda: decisions.propose(job=job, moderator=moderator, word=rejecting, revision=1),
        lambda: decisions.decide(job=job, moderator=moderator, word=rejecting),
    ):
        with pytest.raises(ValidationError, match="waits for them"):
            attempt()
    job.refresh_from_db()
    assert job.state == "open" and status(job) == Status.IN_REVIEW


def test_a_decision_about_later_words_leaves_the_sample_and_one_about_the_same_answers_it(
    drawn, moderator, second, make_listing
):
    earlier, same = drawn(), drawn("Pan")
    listing = edit(earlier)
    Listing.objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
    later = queue.open_job(Listing.objects.get(pk=listing.pk), revision=2, cause="-")
    decisions.approve(job=later, moderator=moderator)
    now = Listing.objects.get(pk=same.listing_id)
    reported = queue.open_job(now, revision=1, kind="report", cause="-", status_before=now.status)
    decisions.approve(job=reported, moderator=moderator)
    for job in (earlier, same):
        job.refresh_from_db()
    assert (earlier.state, same.state) == ("open", "withdrawn")


def test_an_edited_listing_is_drawn_anew_beside_the_sample_of_its_earlier_words(drawn):
    job = drawn()
    listing = edit(job)
    Listing.objects.filter(pk=listing.pk).update(status=Status.PUBLISHED)
    assert quality_jobs.draw_sample() == 1
    assert list(ReviewJob.objects.filter(kind="sample").order_by("pk").values_list("revision", "state")) == [
        (1, "open"), (2, "open"),
    ]  # fmt: skip


def test_whoever_finds_nothing_in_what_it_said_once_has_not_cleared_what_it_says_now(drawn, moderator, second):
    job = drawn("Kettle")
    listing = edit(job)
    Listing.objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
    case = queue.open_job(Listing.objects.get(pk=listing.pk), revision=2, cause="-")
    rejection = decisions.reject(job=case, moderator=moderator, policy="weapons", reason=REASON)
    assert decisions.approve(job=job, moderator=second).past
    assert decided_before.find(Listing.objects.get(pk=listing.pk)) == rejection
    assert status(job) == Status.REJECTED


def test_its_photos_are_kept_and_may_go_into_the_bank(drawn, merchant, moderator, jpeg, settings, tmp_path, as_user):
    settings.MEDIA_ROOT = tmp_path / "media"
    photo = photos.store_upload(merchant, jpeg())
    listing = submission.submit(seller=merchant, content=WORDS, photos=[photo])
    Listing.objects.filter(pk=listing.pk).update(status=Status.PUBLISHED)
    assert quality_jobs.draw_sample() == 1
    job = ReviewJob.objects.get(kind="sample")
    edit(job, title="Wooden train set, 23 pieces")
    assert photos.remove_abandoned(older_than=timedelta(0)) == 0
    assert photo.url in as_user(moderator).get(f"/moderation/{job.pk}/").content.decode()
    decision = decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON, photos=[photo.pk])
    assert decision.removed_photos.count() == 1 and "Photo 1" in Notice.objects.get(person=merchant).text
