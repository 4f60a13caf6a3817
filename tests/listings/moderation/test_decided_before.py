from listings import submission, validation
from listings.lifecycle import Status
from listings.models import Listing, OwedCheck, ReviewJob
from listings.moderation import decisions, queue
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS
from tests.listings.moderation.conftest import REASON


def checked(listing):
    """All its checks are made; none finds anything."""
    for check in OwedCheck.objects.filter(job__listing=listing, job__revision=listing.revision):
        validation.run(check.pk)
    listing.refresh_from_db()
    return listing


def reported(merchant, moderator, action="reject"):
    """On sale after all checks, then reported, and a moderator found what they had missed."""
    listing = checked(submission.submit(seller=merchant, content=WORDS, photos=[]))
    assert listing.status == Status.PUBLISHED
    case = queue.open_job(listing, revision=1, kind="report", cause="-", status_before=listing.status)
    decisions.decide(job=case, moderator=moderator, word=Word(action, "weapons", REASON))
    listing.refresh_from_db()
    return listing


def again(listing, merchant, **changes):
    return submission.resubmit(
        listing=listing, seller=merchant, content=WORDS | changes, photos=[], base_edits=listing.edits
    )


def test_what_was_rejected_does_not_come_back_unseen(merchant, moderator):
    listing = reported(merchant, moderator)
    assert listing.status == Status.REJECTED
    listing = checked(again(listing, merchant))
    assert listing.status == Status.IN_REVIEW
    case = ReviewJob.objects.get(listing=listing, state="open")
    assert REASON in case.cause and case.policy == "weapons"
    decisions.approve(job=case, moderator=moderator)
    assert checked(again(listing_now(listing), merchant, title="Wooden train set")).status == Status.PUBLISHED


def listing_now(listing):
    return Listing.objects.get(pk=listing.pk)


def test_nor_with_other_words_nor_as_a_new_listing_in_the_same(merchant, other_merchant, moderator):
    listing = reported(merchant, moderator)
    assert checked(again(listing, merchant, title="Train set of wood")).status == Status.IN_REVIEW
    twin = checked(submission.submit(seller=merchant, content=WORDS, photos=[]))
    assert twin.status == Status.IN_REVIEW
    ReviewJob.objects.all().update(state="withdrawn")
    Listing.objects.filter(seller=merchant).update(status=Status.ENDED)
    elsewhere = checked(submission.submit(seller=other_merchant, content=WORDS, photos=[]))
    assert elsewhere.status == Status.PUBLISHED, "another seller may sell a train set"


def test_what_had_to_be_changed_is_looked_at_once_it_is(merchant, moderator):
    listing = reported(merchant, moderator, "changes")
    assert listing.status == Status.NEEDS_CHANGES
    assert checked(again(listing, merchant, title="Wooden train set")).status == Status.IN_REVIEW
