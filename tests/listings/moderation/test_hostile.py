"""Somebody tries to get around the console: late, twice, both at once, about themselves, in somebody else's name, or
with code for words. What other files prove already is not repeated here."""

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import get_resolver
from django.utils import timezone

from listings import selling, submission, validation
from listings.lifecycle import Status
from listings.models import (
    Appeal,
    Decision,
    Listing,
    Notice,
    OwedCheck,
    PendingDecision,
    Report,
    ReviewJob,
    StatusChange,
)
from listings.moderation import appeals, claims, decisions, notices, reports
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS
from tests.listings.moderation.conftest import REASON

WHY = "It is a comb in the shape of a knife, it has no blade."
CODE = '<script>alert(1)</script><img src=x onerror="alert(2)">{{ 7|add:7 }}'
WEAPON = {"title": "Glock 19 pistol, 9 mm, with ammunition", "description": "Handgun with two magazines. No papers."}
AFTER = timedelta(minutes=1)


def at_once(*attempts):
    """Each in a thread of its own, all at the same moment; what each gave, or the error."""
    gate, given = threading.Barrier(len(attempts)), [None] * len(attempts)

    def run(place, attempt):
        gate.wait()
        try:
            given[place] = attempt()
        except (ValidationError, PermissionDenied, reports.TooMany, submission.StaleRevision) as error:
            given[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(attempts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def status(case):
    return Listing.objects.get(pk=case.listing_id).status


# --- Late ------------------------------------------------------------------------------------------------------------
def test_an_expired_lease_that_somebody_else_took_decides_nothing_by_the_page(
    as_user, moderator, second, make_case, set_to
):
    set_to(undo_seconds=0)
    case = make_case()
    claims.take(case.pk, moderator)
    ReviewJob.objects.update(claimed_until=timezone.now() - AFTER)
    claims.take(case.pk, second)
    said = {"action": "reject", "revision": 1, "policy": "weapons", "reason": REASON}
    answer = as_user(moderator).post(f"/moderation/{case.pk}/", said)
    assert answer.status_code == 409 and REASON in answer.content.decode()
    assert status(case) == Status.IN_REVIEW and not Decision.objects.exists()


@pytest.mark.parametrize("word", [Word("approve"), Word("reject", "weapons", REASON)], ids=["approve", "reject"])
def test_what_its_merchant_has_withdrawn_is_not_decided_before_or_while_it_can_be_taken_back(
    make_case, merchant, moderator, word
):
    early, late = make_case("Early"), make_case("Late")
    selling.end(listing=Listing.objects.get(pk=early.listing_id), seller=merchant)
    with pytest.raises(ValidationError):
        decisions.propose(job=early, moderator=moderator, word=word, revision=1)
    decisions.propose(job=late, moderator=moderator, word=word, revision=1)
    selling.end(listing=Listing.objects.get(pk=late.listing_id), seller=merchant)
    assert decisions.settle_due(timezone.now() + AFTER) == 0
    assert status(early) == status(late) == Status.ENDED
    assert not Decision.objects.exists() and not Notice.objects.exists()
    assert len(decisions.untold(moderator)) == 1


# --- About oneself ---------------------------------------------------------------------------------------------------
def test_nobody_decides_their_own_listing_by_any_way_of_the_pages(as_user, merchant, moderator, make_case, set_to):
    set_to(undo_seconds=0)
    own, other = make_case("Own"), make_case("Other")
    Listing.objects.filter(pk=own.listing_id).update(seller=moderator)
    client = as_user(moderator)
    said = {"revision": 1, "policy": "weapons", "reason": REASON}
    for action in ("take", "approve", "reject", "changes", "escalate"):
        assert client.post(f"/moderation/{own.pk}/", said | {"action": action}).status_code == 403
    several = said | {"job": [own.pk, other.pk], f"revision-{own.pk}": 1, f"revision-{other.pk}": 1}
    client.post("/moderation/bulk/", several | {"action": "approve", "sure": "1"})
    assert (status(own), status(other)) == (Status.IN_REVIEW, Status.PUBLISHED)
    assert (
        "Own" not in client.post("/moderation/next/", follow=True).content.decode().split("<h1>")[1].split("</h1>")[0]
    )


# --- Both at once ----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_approve_and_reject_from_two_tabs_at_once_make_one_decision(make_case, moderator, rejecting):
    case = make_case()
    words = (Word("approve"), rejecting)
    given = at_once(*(
        lambda word=word: decisions.propose(job=case, moderator=moderator, word=word, revision=1) for word in words
    ))  # fmt: skip
    (made,) = [each for each in given if isinstance(each, PendingDecision)]
    assert sum(isinstance(each, ValidationError) for each in given) == 1
    assert decisions.settle_due(timezone.now() + AFTER) == 1
    assert status(case) == (Status.PUBLISHED if made.action == "approve" else Status.REJECTED)
    assert Decision.objects.get().action == made.action


@pytest.mark.django_db(transaction=True)
def test_an_edit_and_an_approval_at_once_never_put_the_new_words_on_sale_unchecked(make_case, merchant, moderator):
    for _ in range(3):
        case = make_case()
        listing = Listing.objects.get(pk=case.listing_id)
        at_once(
            lambda case=case: decisions.approve(job=ReviewJob.objects.get(pk=case.pk), moderator=moderator),
            lambda listing=listing: submission.resubmit(
                listing=listing, seller=merchant, content=WORDS | WEAPON, photos=[], base_edits=1
            ),
        )
        listing.refresh_from_db()
        assert (listing.revision, listing.status) == (2, Status.CHECKING)
        published = StatusChange.objects.filter(listing=listing, target=Status.PUBLISHED)
        assert set(published.values_list("revision", flat=True)) <= {1}


@pytest.mark.django_db(transaction=True)
def test_of_two_appeals_at_once_one_is_made(rejected, merchant):
    decision = rejected()
    given = at_once(*[lambda: appeals.appeal(decision=decision, person=merchant, text=WHY)] * 2)
    assert sum(isinstance(each, Appeal) for each in given) == 1
    assert ReviewJob.objects.filter(kind="appeal").count() == 1


# --- An unsafe edit right after approval -----------------------------------------------------------------------------
def test_an_unsafe_edit_right_after_approval_is_off_sale_at_once_and_does_not_come_back(
    make_case, merchant, moderator, django_capture_on_commit_callbacks
):
    case = make_case("Kettle")
    decisions.approve(job=case, moderator=moderator)
    assert status(case) == Status.PUBLISHED
    listing = Listing.objects.get(pk=case.listing_id)
    submission.resubmit(listing=listing, seller=merchant, content=WORDS | WEAPON, photos=[], base_edits=1)
    assert status(case) == Status.CHECKING
    for pk in OwedCheck.objects.filter(job__listing=listing, job__revision=2).values_list("pk", flat=True):
        validation.run(pk)
    assert status(case) == Status.IN_REVIEW
    assert not StatusChange.objects.filter(listing=listing, revision=2, target=Status.PUBLISHED).exists()
    again = ReviewJob.objects.get(listing=listing, state="open")
    assert (again.revision, again.policy) == (2, "weapons")


def test_an_unsafe_edit_while_the_approval_can_be_taken_back_is_not_approved(make_case, merchant, moderator):
    case = make_case("Kettle")
    decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1)
    listing = Listing.objects.get(pk=case.listing_id)
    submission.resubmit(listing=listing, seller=merchant, content=WORDS | WEAPON, photos=[], base_edits=1)
    assert decisions.settle_due(timezone.now() + AFTER) == 0
    assert status(case) == Status.CHECKING and not Decision.objects.exists()


# --- In somebody else's name -----------------------------------------------------------------------------------------
def test_no_page_or_step_of_the_console_opens_to_a_merchant(client, as_user, merchant, make_case):
    """Every address under /moderation/ that there is, about the merchant's own case and another's."""
    case = make_case()
    fill = {"pk": case.pk, "public_id": case.listing.public_id}
    patterns = [str(each.pattern) for each in get_resolver("listings.urls").url_patterns]
    paths = [path for path in patterns if path.startswith("moderation/")]
    assert len(paths) > 12
    for path in paths:
        for name, value in fill.items():
            path = path.replace(f"<int:{name}>", str(value)).replace(f"<public_id:{name}>", str(value))
        assert "<" not in path, path
        for send in (as_user(merchant).get, as_user(merchant).post):
            assert send(f"/{path}").status_code in (403, 405), path
        assert client.get(f"/{path}").status_code in (302, 405), path
    case.refresh_from_db()
    assert case.claimed_by is None and not PendingDecision.objects.exists()


def test_a_merchant_reads_and_appeals_nothing_of_another(as_user, other_merchant, merchant, rejected):
    decision = rejected()
    notice = Notice.objects.get(person=merchant)
    client = as_user(other_merchant)
    for path in (f"/decisions/{decision.pk}/", f"/decisions/{decision.pk}/statement.json"):
        assert client.get(path).status_code == 404
    assert client.post(f"/decisions/{decision.pk}/", {"text": WHY}).status_code == 404
    assert client.post(f"/notices/{notice.pk}/").status_code == 404
    for path in ("/decisions/", "/notices/", "/sell/"):
        page = client.get(path).content.decode()
        assert decision.listing.title not in page and REASON not in page
    assert not Appeal.objects.exists() and Notice.objects.get().read_at is None


# --- A thousand reports ----------------------------------------------------------------------------------------------
def test_a_thousand_reports_from_one_account_leave_twenty_and_nothing_off_the_market(
    as_user, shopper, merchant, make_listing
):
    Listing.objects.bulk_create(
        Listing(
            seller=merchant, title=f"Kettle {number}", description="Blue.", category="kitchen", price=5,
            status=Status.PUBLISHED, published_at=timezone.now(),
        )
        for number in range(1_000)
    )  # fmt: skip
    refused = 0
    for listing in Listing.objects.all():
        try:
            reports.report(listing=listing, reporter=shopper, address="", policy="weapons", text="")
        except reports.TooMany:
            refused += 1
    assert (Report.objects.count(), ReviewJob.objects.count(), refused) == (20, 20, 980)
    assert Listing.objects.published().count() == 1_000
    last = Listing.objects.last()
    answer = as_user(shopper).post(f"/item/{last.public_id}/report/", {"policy": "weapons"})
    assert answer.status_code == 429


@pytest.mark.django_db(transaction=True)
def test_reports_sent_at_once_do_not_pass_the_days_measure_together(shopper, make_listing, set_to):
    set_to(reports_a_day=2)
    listings = [make_listing(f"Kettle {number}") for number in range(6)]
    given = at_once(*(
        lambda listing=listing: reports.report(
            listing=listing, reporter=shopper, address="", policy="weapons", text=""
        )
        for listing in listings
    ))  # fmt: skip
    assert sum(isinstance(each, Report) for each in given) == Report.objects.count() == 2


# --- Code for words --------------------------------------------------------------------------------------------------
def test_code_in_a_reason_and_in_an_appeal_is_only_ever_words(as_user, merchant, moderator, second, make_case, set_to):
    set_to(undo_seconds=0)
    merchant.email = "alice@example.com"
    merchant.save()
    case = make_case()
    said = {"action": "reject", "revision": 1, "policy": "weapons", "reason": CODE}
    as_user(moderator).post(f"/moderation/{case.pk}/", said)
    decision = Decision.objects.get()
    as_user(merchant).post(f"/decisions/{decision.pk}/", {"text": CODE})
    asked = Appeal.objects.get().job
    seen_by = {
        as_user(merchant): ["/sell/", "/decisions/", f"/decisions/{decision.pk}/", "/notices/"],
        as_user(second): [
            "/moderation/", f"/moderation/{case.pk}/", f"/moderation/{asked.pk}/", f"/decisions/{decision.pk}/",
            f"/moderation/record/{case.listing.public_id}/",
        ],
    }  # fmt: skip
    for client, paths in seen_by.items():
        for path in paths:
            answer = client.get(path)
            page = answer.content.decode()
            assert answer.status_code == 200 and "<script>alert" not in page and "<img src=x" not in page, path
            if path != "/moderation/":
                assert "&lt;script&gt;alert(1)" in page and "7|add:7" in page, path
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"], path
    answer = as_user(second).get(f"/decisions/{decision.pk}/statement.json")
    assert answer.headers["Content-Type"].startswith("application/json") and answer.json()["explanation"] == CODE
    notices.mail_due()
    (sent,) = mail.outbox
    assert not sent.alternatives, "plain text alone"
