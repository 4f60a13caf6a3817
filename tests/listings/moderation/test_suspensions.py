"""A suspension has its reasons, its notice, and one appeal, which somebody else answers."""

import csv
import io
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from listings import submission
from listings.lifecycle import Status
from listings.models import Decision, Listing, Notice, ReviewJob, StatusChange, Strike, Suspension
from listings.moderation import appeals, claims, decisions, notices, queue, site_statements, statements, strikes
from listings.moderation.decisions import Word
from listings.trust import record
from tests.conftest import person
from tests.listings.conftest import WORDS
from tests.listings.moderation.conftest import REASON
from tests.listings.moderation.test_decided_before import checked

WHY = "These were theatre props, and I said so in each of them."
ANSWER = "We have read all three again, and weighed them together."


@pytest.fixture
def suspended(merchant, rejected):
    merchant.email = "alice@example.com"
    merchant.save()
    for number in range(3):
        rejected(f"Knife {number}")
    return Suspension.objects.get()


@pytest.fixture
def appealed(suspended, merchant):
    return appeals.appeal_suspension(suspension=suspended, person=merchant, text=WHY)


def answer(job, moderator, action):
    return decisions.decide(job=job, moderator=moderator, word=Word(action, "", ANSWER))


# --- Who answers -----------------------------------------------------------------------------------------------------
def test_whoever_gave_one_of_its_strikes_does_not_answer_while_somebody_else_can(make_case, moderator, merchant):
    other, third = person("max", "moderator"), person("mia", "moderator")
    for number, by in enumerate((other, moderator, moderator)):
        decisions.reject(job=make_case(f"Knife {number}"), moderator=by, policy="weapons", reason=REASON)
    appealed = appeals.appeal_suspension(suspension=Suspension.objects.get(), person=merchant, text=WHY)
    assert "led to this suspension" in claims.why_never(appealed, other)
    assert claims.why_never(appealed, third) == ""
    assert not queue.for_moderator(other).filter(pk=appealed.pk).exists()
    assert queue.for_moderator(third).filter(pk=appealed.pk).exists()
    third.is_active = False
    third.save()
    assert claims.why_never(appealed, other) == "", "nobody is left who gave none"
    assert queue.for_moderator(other).filter(pk=appealed.pk).exists()
    assert claims.why_never(appealed, moderator), "whose strike was the last never does"


# --- Its reasons -----------------------------------------------------------------------------------------------------
def test_a_suspension_is_told_on_the_site_and_by_mail(suspended, merchant):
    notice = Notice.objects.get(person=merchant, title="Your account is suspended")
    assert notice.url == f"/decisions/suspensions/{suspended.pk}/" and "another look" in notice.text
    notices.mail_due()
    (sent,) = [each for each in mail.outbox if each.subject == notice.title]
    assert sent.to == ["alice@example.com"] and notice.url in sent.body


def test_its_statement_has_all_that_article_17_asks_for(suspended, merchant):
    found = site_statements.of_suspension(suspended)
    assert found.what == "Account suspended" and "Nothing of yours is on sale" in found.scope
    assert f"{suspended.until:%-d %B %Y}" in found.duration
    assert [f"Knife {number}" in fact for number, fact in enumerate(found.facts[1:])] == [True] * 3
    assert "3 strikes" in found.facts[0] and "In part" in found.automated_decision and found.automated_detection
    assert "Weapons law" in found.legal_ground and "Strikes and suspension" in found.contractual_ground
    assert "once and free of charge" in found.redress[0] and "courts" in found.redress[-1]
    row = site_statements.row_of_suspension(suspended)
    assert set(row) == set(statements.COLUMNS) and row["statement"] == f"suspension-{suspended.pk}"


def test_what_it_rests_on_does_not_change_with_what_comes_later(suspended, rejected):
    before = site_statements.of_suspension(suspended)
    rejected("Knife 4")
    Strike.objects.update(expires_at=timezone.now())
    assert site_statements.of_suspension(Suspension.objects.get()) == before


def test_its_page_and_json_are_its_sellers_and_moderators_alone(
    suspended, as_user, merchant, other_merchant, shopper, moderator, client
):
    for address in (
        f"/decisions/suspensions/{suspended.pk}/",
        f"/decisions/suspensions/{suspended.pk}/statement.json",
    ):
        assert client.get(address).status_code == 302
        assert as_user(other_merchant).get(address).status_code == 404
        assert as_user(shopper).get(address).status_code == 404
        assert as_user(merchant).get(address).status_code == as_user(moderator).get(address).status_code == 200
    assert "moderator" not in as_user(merchant).get(address).json()
    page = as_user(merchant).get(f"/decisions/suspensions/{suspended.pk}/").content.decode()
    assert "Knife 2" in page and "Ask for another look" in page and moderator.username not in page
    assert f"/decisions/suspensions/{suspended.pk}/" in as_user(merchant).get("/decisions/").content.decode()


def test_the_export_has_every_kind_of_statement_in_the_order_of_time(suspended, as_user, moderator, merchant):
    other = Listing.objects.create(
        seller=merchant, title="Pan", description="Iron.", category="kitchen", price=1, status=Status.CHECKING
    )
    Listing.objects.move(other.pk, source=Status.CHECKING, target=Status.NEEDS_CHANGES, note="Take the number out.")
    body = b"".join(as_user(moderator).get("/moderation/statements.csv").streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(body)))
    assert [row["decision"] for row in rows] == [*["Rejected"] * 3, "Account suspended", "Changes asked for"]
    times = [row["decided_at"] for row in rows]
    assert times == sorted(times) and all(row["redress"] and row["scope"] for row in rows)


# --- Its appeal ------------------------------------------------------------------------------------------------------
def test_overturned_it_is_lifted_and_the_strikes_stay(appealed, second, merchant, make_listing):
    assert answer(appealed, second, "overturn") is None
    merchant.refresh_from_db()
    found = Suspension.objects.get()
    assert not merchant.is_suspended and found.lifted_at and found.answered_by == second
    assert strikes.living(merchant).count() == 3
    assert Decision.objects.count() == 3 and Decision.objects.standing().count() == 3, "of listings nothing is decided"
    notice = Notice.objects.filter(person=merchant).latest("pk")
    assert notice.title == "Your suspension is lifted" and ANSWER in notice.text
    paused = make_listing("Pan", status=Status.PAUSED)
    assert Listing.objects.move(paused.pk, source=Status.PAUSED, target=Status.PUBLISHED)


def test_upheld_it_stays(appealed, second, merchant):
    answer(appealed, second, "uphold")
    merchant.refresh_from_db()
    assert merchant.is_suspended and Suspension.objects.get().answer == "uphold"
    assert Notice.objects.filter(person=merchant).latest("pk").title == "Your suspension stands"
    appealed.refresh_from_db()
    assert appealed.state == "decided"


def test_whoever_made_the_last_strike_does_not_answer(appealed, moderator, second):
    with pytest.raises(PermissionDenied):
        answer(appealed, moderator, "overturn")
    assert claims.take_next(moderator, queue.Filters(lane="appeals")) is None
    assert claims.take_next(second, queue.Filters(lane="appeals")) == appealed


def test_only_uphold_or_overturn_with_a_reason(appealed, second):
    for word in (Word("modify", "weapons", ANSWER), Word("approve"), Word("overturn", "", "no")):
        with pytest.raises(ValidationError):
            decisions.decide(job=appealed, moderator=second, word=word)


def test_it_is_asked_once_in_time_and_by_the_seller_alone(suspended, merchant, other_merchant, monkeypatch):
    with pytest.raises(PermissionDenied):
        appeals.appeal_suspension(suspension=suspended, person=other_merchant, text=WHY)
    with pytest.raises(ValidationError, match="ten characters"):
        appeals.appeal_suspension(suspension=suspended, person=merchant, text="no")
    with monkeypatch.context() as patch:
        later = suspended.appeal_until + timedelta(seconds=1)
        patch.setattr(timezone, "now", lambda: later)
        with pytest.raises(ValidationError, match="time for this was over"):
            appeals.appeal_suspension(suspension=suspended, person=merchant, text=WHY)
    appeals.appeal_suspension(suspension=suspended, person=merchant, text=WHY)
    for found in (suspended, Suspension.objects.get()):  # as a page from before has it, and as it is
        with pytest.raises(ValidationError, match="already"):
            appeals.appeal_suspension(suspension=found, person=merchant, text=WHY)
    assert ReviewJob.objects.filter(kind="seller").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_appeals_at_the_same_moment_one_is_made(suspended, merchant):
    said = []
    gate = threading.Barrier(2)

    def ask():
        gate.wait()
        try:
            appeals.appeal_suspension(suspension=Suspension.objects.get(), person=merchant, text=WHY)
            said.append("asked")
        except ValidationError:
            said.append("already")
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["already", "asked"] and ReviewJob.objects.filter(kind="seller").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_strike_that_is_overturned_lifts_it_and_takes_its_appeal_out_of_the_queue(appealed, merchant, second):
    decision = Decision.objects.order_by("pk").first()
    job = appeals.appeal(decision=decision, person=merchant, text=WHY).job
    answer(job, second, "overturn")
    merchant.refresh_from_db()
    appealed.refresh_from_db()
    assert not merchant.is_suspended and Suspension.objects.get().lifted_at and appealed.state == "withdrawn"
    assert "no longer suspended" in Notice.objects.filter(person=merchant, title__contains="account").first().title


def test_a_strike_too_many_still_suffices_without_one(suspended, rejected, merchant, second):
    rejected("Knife 4")
    decision = Decision.objects.order_by("pk").first()
    job = appeals.appeal(decision=decision, person=merchant, text=WHY).job
    answer(job, second, "overturn")
    merchant.refresh_from_db()
    assert merchant.is_suspended and Suspension.objects.get().lifted_at is None


def test_another_grave_ground_in_its_place_neither_lifts_nor_begins_anew(suspended, merchant, second):
    until = suspended.until
    job = appeals.appeal(decision=Decision.objects.order_by("pk").first(), person=merchant, text=WHY).job
    decisions.decide(job=job, moderator=second, word=Word("modify", "drugs", ANSWER))
    merchant.refresh_from_db()
    assert merchant.suspended_until == until and Suspension.objects.count() == 1
    assert not Notice.objects.filter(title__contains="no longer").exists()


def test_a_ground_that_changes_suspends_nobody_whose_suspension_was_overturned(appealed, merchant, second):
    answer(appealed, second, "overturn")
    job = appeals.appeal(decision=Decision.objects.order_by("pk").first(), person=merchant, text=WHY).job
    decisions.decide(job=job, moderator=second, word=Word("modify", "drugs", ANSWER))
    merchant.refresh_from_db()
    assert not merchant.is_suspended and strikes.living(merchant).count() == 3


def test_an_old_suspension_that_is_overturned_leaves_a_later_one(appealed, rejected, merchant, second):
    past = timezone.now() - timedelta(days=1)
    Suspension.objects.update(until=past)
    merchant.suspended_until = past
    merchant.save()
    rejected("Knife 4")
    merchant.refresh_from_db()
    assert merchant.is_suspended and Suspension.objects.count() == 2
    answer(appealed, second, "overturn")
    merchant.refresh_from_db()
    assert merchant.is_suspended


def test_it_goes_by_the_pages_from_the_merchant_to_the_answer(
    suspended, as_user, merchant, moderator, second, no_undo_here
):
    address = f"/decisions/suspensions/{suspended.pk}/"
    client = as_user(merchant)
    assert client.post(address, {"text": "no"}).status_code == 400
    assert client.post(address, {"text": f"<b>{WHY}</b>"}).status_code == 302
    assert client.post(address, {"text": WHY}).status_code == 400
    job = ReviewJob.objects.get(kind="seller")
    shown = as_user(second).get(f"/moderation/{job.pk}/").content.decode()
    assert "The suspension it is against" in shown and "&lt;b&gt;" in shown and "<b>These" not in shown
    assert 'value="modify"' not in shown and 'name="policy" value=""' in shown
    said = {"of": "overturn", "reason": ANSWER, "job": job.pk}
    (message,) = as_user(second).post("/moderation/preview/", said).json()["messages"]
    refused = as_user(moderator).post(f"/moderation/{job.pk}/", {"action": "uphold", "revision": 1, "reason": ANSWER})
    assert refused.status_code == 403
    done = as_user(second).post(f"/moderation/{job.pk}/", {"action": "overturn", "revision": 1, "reason": ANSWER})
    assert done.status_code == 302
    notice = Notice.objects.filter(person=merchant).latest("pk")
    assert [message["title"], *message["paragraphs"]] == [notice.title, *notice.text.split("\n\n")]
    assert "Overturned" in client.get(address).content.decode()
    assert "Overturned" in as_user(moderator).get(f"/moderation/{job.pk}/").content.decode()
    lines = [line.what for line in record.of(suspended.decision.listing)]
    assert {"Asked for another look at the suspension", "The suspension: overturned"} <= set(lines)


@pytest.fixture
def no_undo_here(set_to):
    set_to(undo_seconds=0)


# --- What the checks alone send back ---------------------------------------------------------------------------------
@pytest.fixture
def sent_back(merchant):
    merchant.email = "alice@example.com"
    merchant.save()
    words = WORDS | {"description": "Beech tracks. Call me: +32 9 233 44 55, any evening."}
    listing = checked(submission.submit(seller=merchant, content=words, photos=[]))
    assert listing.status == Status.NEEDS_CHANGES
    return StatusChange.objects.get(listing=listing, target=Status.NEEDS_CHANGES)


def test_what_the_checks_alone_send_back_is_told_on_the_site_and_by_mail(sent_back, merchant):
    notice = Notice.objects.get(person=merchant)
    assert notice.title == f"“{WORDS['title']}” needs changes" and notice.url == f"/decisions/checks/{sent_back.pk}/"
    assert "telephone number" in notice.text and "No person has looked at it" in notice.text
    assert notices.mail_due() == 1 and notice.url in mail.outbox[0].body


def test_its_statement_says_that_a_machine_decided(sent_back):
    found = site_statements.of_checks(sent_back)
    assert found.automated_decision.startswith("Yes") and "contact-details" in found.automated_detection
    assert "+32 9 233 44 55" in " ".join(found.facts) and "Contact details" in found.contractual_ground
    assert "person" in found.redress[0] and "Until" in found.duration
    assert set(site_statements.row_of_checks(sent_back)) == set(statements.COLUMNS)


def test_its_page_leads_to_a_person_and_is_nobody_elses(sent_back, as_user, merchant, other_merchant, moderator):
    address = f"/decisions/checks/{sent_back.pk}/"
    for each in (address, f"{address}statement.json"):
        assert as_user(other_merchant).get(each).status_code == 404
        assert as_user(moderator).get(each).status_code == 200
    client = as_user(merchant)
    ask = f"/sell/{sent_back.listing.public_id}/ask/"
    assert ask in client.get(address).content.decode() and address in client.get("/sell/").content.decode()
    assert address in client.get("/decisions/").content.decode()
    client.post(ask)
    assert ask not in client.get(address).content.decode(), "asked"
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    row = client.get(f"{address}statement.json").json()
    assert row["appeal"] and row["appeal_outcome"] == "Approved" and "moderator" not in row


def test_a_moderators_change_has_no_statement_of_the_checks(make_case, moderator, as_user):
    case = make_case()
    decisions.decide(job=case, moderator=moderator, word=Word("changes", "", REASON))
    change = StatusChange.objects.get(listing=case.listing, target=Status.NEEDS_CHANGES)
    assert as_user(moderator).get(f"/decisions/checks/{change.pk}/").status_code == 404
