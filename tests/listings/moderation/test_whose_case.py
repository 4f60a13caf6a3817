"""What a moderator reads of a case that is not theirs to decide, of an empty queue, and of an undo that came twice."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from listings.models import Listing, PendingDecision, ReviewJob, Revision
from listings.moderation import appeals, claims, decisions, queue
from listings.moderation.decisions import Word
from listings.moderation.queue import Filters
from tests.conftest import person
from tests.listings.moderation.conftest import REASON


@pytest.fixture
def other_moderator(db):
    return person("max", "moderator")


def passed_on(make_case, moderator, merchant):
    job = make_case()
    claims.escalate(job.pk, moderator, "Is this a replica or not?")
    return job


def against_own_decision(make_case, moderator, merchant):
    job = make_case()
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    appeals.appeal(decision=job.decision, person=merchant, text="It is a kettle, look again please.")
    return ReviewJob.objects.get(kind="appeal")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [(passed_on, "You have passed this on"), (against_own_decision, "You have judged this before")],
)
def test_a_case_that_is_not_theirs_says_so_and_loses_nothing(
    as_user, make_case, moderator, merchant, other_moderator, make, sentence
):
    job = make(make_case, moderator, merchant)
    mine, theirs = as_user(moderator), as_user(other_moderator)
    page = mine.get(f"/moderation/{job.pk}/").content.decode()
    assert sentence in page
    assert "data-decision" not in page and 'data-key="n"' in page
    assert "data-decision" in theirs.get(f"/moderation/{job.pk}/").content.decode()
    action = "overturn" if job.kind == "appeal" else "reject"
    said = {"action": action, "policy": "weapons", "reason": "All of this was written.", "revision": job.revision}
    answer = mine.post(f"/moderation/{job.pk}/", said)
    assert answer.status_code == 403
    assert "All of this was written." in answer.content.decode()
    assert sentence in answer.content.decode()
    assert not PendingDecision.objects.exists()
    for step in ("take", "skip"):
        assert mine.post(f"/moderation/{job.pk}/", {"action": step}).status_code == 403
    job.refresh_from_db()
    assert job.claimed_by is None


def test_whoever_passed_it_on_is_not_given_it_by_a_claim_either(make_case, moderator, merchant):
    job = passed_on(make_case, moderator, merchant)
    with pytest.raises(claims.PermissionDenied, match="passed this on"):
        claims.take(job.pk, moderator)


def test_an_undo_that_comes_twice_is_no_failure(as_user, make_case, moderator):
    job = make_case()
    pending = decisions.propose(
        job=job, moderator=moderator, word=Word("reject", "weapons", REASON), revision=job.revision
    )
    client = as_user(moderator)
    for _ in range(2):
        answer = client.post("/moderation/undo/", {"pending": pending.pk}, follow=True)
        assert answer.redirect_chain == [(f"/moderation/{job.pk}/", 302)]
        assert "Too late" not in answer.content.decode()
        assert "Taken back. The case is yours again." in answer.content.decode()
    pending.refresh_from_db()
    assert pending.state == "undone"


def test_what_is_decided_and_not_yet_in_force_is_not_counted(make_case, moderator):
    first = make_case("Kettle")
    make_case("Teapot")
    assert queue.waiting()["all"].number == 2
    decisions.propose(job=first, moderator=moderator, word=Word("approve"), revision=first.revision)
    assert queue.waiting()["all"].number == queue.waiting()["checks"].number == 1
    assert sum(number for _, _, number in queue.counts()) == len(queue.page(Filters())[0]) == 1


def test_the_queue_asks_as_often_for_many_cases_of_earlier_words_as_for_few(as_user, make_case, moderator):
    client, asked = as_user(moderator), []
    for more in (2, 8):
        for number in range(more):
            listing = make_case(f"Kettle {more}{number}").listing
            Revision.objects.get_or_create(listing=listing, number=1, defaults={"title": f"Knife {number}", "price": 5})
            Listing.objects.filter(pk=listing.pk).update(revision=2)
        client.get("/moderation/")
        with CaptureQueriesContext(connection) as caught:
            page = client.get("/moderation/").content.decode()
        asked.append(len(caught))
    assert page.count("data-row") == 10
    assert asked[0] == asked[1]


def test_nothing_to_take_is_explained(as_user, make_case, moderator, other_moderator, merchant):
    client = as_user(moderator)
    answer = client.post("/moderation/next/", follow=True)
    assert "Nothing waits here now." in answer.content.decode()
    for title in ("Held", "Skipped", "Passed on"):
        make_case(title)
    held, skipped, given = ReviewJob.objects.order_by("pk")
    claims.take(held.pk, other_moderator)
    claims.skip(skipped.pk, moderator)
    claims.escalate(given.pk, moderator, "Is this a replica or not?")
    assert queue.why_nothing(moderator) == (
        "Nothing here is yours to take now. Of 3 that wait: 1 held by others, 1 that you skipped, 1 that you may not "
        "decide or that wait for a check."
    )
    assert "1 that you skipped" in client.post("/moderation/next/", follow=True).content.decode()


def test_a_page_with_an_error_puts_the_cursor_where_something_lacks(as_user, make_case, moderator):
    job = make_case()
    page = as_user(moderator).post(f"/moderation/{job.pk}/", {"action": "escalate", "reason": ""})
    assert page.status_code == 400
    reason = page.content.decode().split("<textarea", 1)[1].split(">", 1)[0]
    assert "autofocus" in reason
