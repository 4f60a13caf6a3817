import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from listings import checks, orders, selling, senders, submission
from listings.lifecycle import Status
from listings.models import Debt, Listing, Notice, Report, ReviewJob
from listings.moderation import appeals, claims, decisions, queue, reports
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS
from tests.listings.moderation.test_decided_before import again, checked

WHAT = "The blade springs out at the side."


def send(listing, reporter=None, address="192.0.2.7", policy="weapons", text=WHAT):
    return reports.report(listing=listing, reporter=reporter, address=address, policy=policy, text=text)


def test_a_report_opens_a_job_and_takes_nothing_off_the_market(make_listing, shopper):
    listing = make_listing()
    send(listing, shopper)
    listing.refresh_from_db()
    job = ReviewJob.objects.get()
    assert (listing.status, job.kind, job.policy) == (Status.PUBLISHED, "report", "weapons")
    assert job.cause == "1 report: Weapons (1)." and job.reports.get().text == WHAT


def test_reports_of_many_are_one_job_and_make_it_more_urgent(make_listing):
    listing = make_listing()
    for number in range(5):
        send(listing, address=f"192.0.2.{number}", policy="weapons" if number else "")
    job = ReviewJob.objects.get()
    assert "5 reports" in job.cause and "Weapons (4)" in job.cause
    assert job.rank_at < job.created_at and 0.5 < job.risk <= reports.MOST_RISK


def test_the_same_sender_reports_a_listing_once(make_listing, shopper):
    listing = make_listing()
    assert send(listing, shopper) == send(listing, shopper, text="Once more: it is a knife.")
    assert Report.objects.count() == 1


def test_a_thousand_reports_from_one_account_end_at_the_days_measure(make_listing, shopper, set_to):
    set_to(reports_a_day=3)
    listings = [make_listing(f"Kettle {number}") for number in range(6)]
    refused = 0
    for listing in listings:
        try:
            send(listing, shopper)
        except reports.TooMany:
            refused += 1
    assert (Report.objects.count(), refused) == (3, 3)
    assert Listing.objects.filter(status=Status.PUBLISHED).count() == 6


def test_nothing_of_the_address_is_kept(make_listing):
    report = send(make_listing())
    assert "192.0.2.7" not in str(Report.objects.values().get(pk=report.pk))


@pytest.mark.parametrize(("policy", "text"), [("", "short"), ("nonsense", WHAT), ("weapons", "x" * 1_001)])
def test_a_report_that_says_nothing_says_what_it_lacks(make_listing, policy, text):
    with pytest.raises(ValidationError):
        send(make_listing(), policy=policy, text=text)
    assert not Report.objects.exists() and not ReviewJob.objects.exists()


def test_what_is_not_on_sale_or_ones_own_is_not_reported(make_listing, merchant):
    with pytest.raises(ValidationError, match="not on sale"):
        send(make_listing(status=Status.PAUSED))
    with pytest.raises(ValidationError, match="your own"):
        send(make_listing(), merchant)


@pytest.mark.parametrize(("action", "stands"), [("approve", Status.PUBLISHED), ("reject", Status.REJECTED)])
def test_the_reporter_hears_what_came_of_it(make_listing, shopper, moderator, action, stands):
    listing = make_listing()
    send(listing, shopper)
    send(listing)
    word = Word("approve") if action == "approve" else Word("reject", "weapons", "It is a knife, you see.")
    decisions.decide(job=ReviewJob.objects.get(), moderator=moderator, word=word)
    listing.refresh_from_db()
    assert listing.status == stands
    assert Notice.objects.filter(person=shopper).count() == 1
    assert Notice.objects.filter(person=listing.seller).count() == (action == "reject")


def test_an_edit_takes_the_report_along_to_the_new_words(make_listing, merchant, moderator):
    listing = make_listing()
    send(listing)
    submission.resubmit(listing=listing, seller=merchant, content=WORDS, photos=[], base_edits=1)
    job = ReviewJob.objects.get(kind="report")
    assert (job.state, job.revision) == ("open", 2)
    with pytest.raises(ValidationError, match="changed or withdrawn"):
        decisions.propose(job=job, moderator=moderator, word=Word("approve"), revision=1)


def test_a_report_calls_a_debt_in_and_leaves_the_listing_on_sale(make_listing):
    listing = make_listing()
    job = checks.owe(listing, [])
    checks.defer(job)
    Debt.objects.create(listing=listing, job=job, risk=0.1)
    send(listing)
    listing.refresh_from_db()
    assert Debt.objects.get().cause == "report"
    assert not job.checks.filter(due_at=checks.DEFERRED).exists()
    assert listing.status == Status.PUBLISHED


def test_the_seller_reads_nothing_that_a_reporter_wrote(make_listing, shopper, moderator, merchant, as_user):
    listing = make_listing()
    secret = "I am his neighbour Rita Miller."
    send(listing, shopper, text=secret)
    decision = decisions.decide(
        job=ReviewJob.objects.get(), moderator=moderator, word=Word("reject", "weapons", "It is a knife, you see.")
    )
    client = as_user(merchant)
    for address in (f"/decisions/{decision.pk}/", f"/decisions/{decision.pk}/statement.json", "/notices/", "/sell/"):
        assert "Rita" not in client.get(address).content.decode(), address
    case = as_user(moderator).get(f"/moderation/{decision.review_job_id}/").content.decode()
    assert secret in case, "moderators read it"


def test_a_report_that_nobody_has_read_is_a_question_of_its_own(make_listing, shopper, moderator):
    listing = make_listing()
    send(listing)
    job = ReviewJob.objects.get()
    pending = decisions.propose(job=job, moderator=moderator, word=Word("approve"), revision=1)
    late = send(listing, shopper, policy="drugs")
    assert decisions.settle(pending.pk)
    late.refresh_from_db()
    assert late.job.state == "open" and late.job != job
    assert late.job.cause == "1 report: Drugs and medicines (1)."
    assert not Notice.objects.filter(person=shopper).exists()


def test_ending_and_listing_again_does_not_wash_a_report_off(make_listing, shopper, merchant):
    listing = make_listing()
    send(listing, shopper)
    selling.end(listing=listing, seller=merchant)
    assert ReviewJob.objects.get().state == "withdrawn"
    assert "left the market" in Notice.objects.get(person=shopper).text
    listing.refresh_from_db()
    submission.resubmit(listing=listing, seller=merchant, content=WORDS, photos=[], base_edits=1)
    again = ReviewJob.objects.get(state="open")
    assert (again.kind, again.revision, again.reports.count()) == ("report", 2, 1)


def test_what_is_sold_waits_for_nobody(make_listing, shopper):
    listing = make_listing()
    send(listing)
    orders.place(listing=listing, buyer=shopper, price_seen=str(listing.price))
    assert ReviewJob.objects.get().state == "withdrawn"


def test_nobody_decides_on_their_own_report(make_listing, moderator):
    send(make_listing(), moderator)
    assert claims.take_next(moderator) is None
    with pytest.raises(PermissionDenied, match="reported this yourself"):
        decisions.decide(job=ReviewJob.objects.get(), moderator=moderator, word=Word("approve"))


# --- What was sent back ----------------------------------------------------------------------------------------------
@pytest.fixture
def sent_back(merchant, shopper):
    """Reported, then edited so that the checks alone send it back: a report that nobody has looked at."""
    listing = checked(submission.submit(seller=merchant, content=WORDS, photos=[]))
    send(listing, shopper)
    listing = checked(again(listing, merchant, description="Beech tracks. Call me: +32 9 233 44 55, any evening."))
    assert listing.status == Status.NEEDS_CHANGES
    return listing


def test_a_report_of_what_the_checks_sent_back_is_in_no_queue_until_it_is_sent_again(sent_back, merchant, shopper):
    assert queue.waiting()["reports"].number == 0
    assert "left the market" in Notice.objects.get(person=shopper).text
    checked(again(sent_back, merchant))
    job = ReviewJob.objects.get(kind="report", state="open")
    assert (job.revision, job.reports.get().reporter) == (3, shopper)
    assert queue.waiting()["reports"].number == 1


def test_nor_is_it_lost_when_its_merchant_asks_for_a_person(sent_back, merchant, moderator, shopper):
    check = appeals.ask_for_a_person(listing=sent_back, seller=merchant)
    assert ReviewJob.objects.filter(kind="report", state="open").exists()
    decisions.approve(job=check, moderator=moderator)
    assert "found in it" in Notice.objects.filter(person=shopper).latest("pk").text
    assert not ReviewJob.objects.filter(state="open").exists()


# --- What was answered -----------------------------------------------------------------------------------------------
@pytest.fixture
def approved(make_listing, moderator):
    """Reported as a weapon, and a moderator found none."""
    listing = make_listing()
    send(listing)
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    return listing


def test_twelve_more_who_say_the_same_open_nothing_and_hear_so(approved, shopper):
    for number in range(11):
        assert reports.is_answered(send(approved, address=f"198.51.100.{number}", text=WHAT.upper()))
    assert reports.is_answered(send(approved, shopper, text=""))
    assert not ReviewJob.objects.filter(state="open").exists()
    assert "after an earlier report" in Notice.objects.get(person=shopper).text
    assert Report.objects.count() == 13, "they are kept"


def test_another_policy_new_words_and_a_new_revision_are_looked_at(approved, moderator, merchant):
    assert not reports.is_answered(send(approved, address="198.51.100.1", policy="drugs"))
    decisions.approve(job=ReviewJob.objects.get(state="open"), moderator=moderator)
    told = "Behind the third photo lies the butterfly knife that he offers by message."
    assert not reports.is_answered(send(approved, address="198.51.100.2", text=told))
    decisions.approve(job=ReviewJob.objects.get(state="open"), moderator=moderator)
    approved.refresh_from_db()
    Listing.objects.filter(pk=again(approved, merchant).pk).update(status=Status.PUBLISHED)
    assert not reports.is_answered(send(approved, address="198.51.100.3"))
    assert ReviewJob.objects.get(kind="report", state="open").revision == 2


def test_the_page_says_that_it_is_answered(approved, client):
    answer = client.post(f"/item/{approved.public_id}/report/", {"policy": "weapons", "text": ""}, follow=True)
    assert "after an earlier report" in answer.content.decode()


# --- Who sends -------------------------------------------------------------------------------------------------------
def reported_from(client, listing, **headers):
    client.post(f"/item/{listing.public_id}/report/", {"policy": "weapons"}, **headers)


@pytest.mark.parametrize(("https", "senders"), [(True, 2), (False, 1)])
def test_behind_a_proxy_each_sender_is_one_and_nobody_writes_their_own_address(
    make_listing, client, settings, https, senders
):
    settings.HTTPS = https
    listing = make_listing()
    for written in ("203.0.113.5, 198.51.100.1", "203.0.113.6, 198.51.100.1", "203.0.113.5, 198.51.100.2"):
        reported_from(client, listing, HTTP_X_FORWARDED_FOR=written, REMOTE_ADDR="10.0.0.1")
    assert Report.objects.count() == senders


def test_one_home_is_one_sender_however_many_addresses_it_has(settings):
    settings.HTTPS = True

    def of(*forwarded):
        return senders.address({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": ", ".join(forwarded)})

    assert of("2001:db8:1:2::1") == of("2001:db8:1:2:ffff::9") != of("2001:db8:1:3::1")
    assert of("::ffff:192.0.2.7") == of("192.0.2.7") == "192.0.2.7"
    assert of() == "10.0.0.1"


def test_a_case_names_the_policies_of_its_last_reports_and_no_more(make_listing, moderator, as_user):
    listing = make_listing()
    for number in range(25):
        send(listing, address=f"198.51.100.{number}", policy="drugs", text=f"Report number {number}.")
    shown = as_user(moderator).get(f"/moderation/{ReviewJob.objects.get().pk}/").content.decode()
    assert shown.count("<li>Drugs and medicines: “Report number") == 20
    assert "Report number 24." in shown and "Report number 4." not in shown
