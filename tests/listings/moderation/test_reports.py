import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from listings import checks, orders, selling, submission
from listings.lifecycle import Status
from listings.models import Debt, Listing, Notice, Report, ReviewJob
from listings.moderation import claims, decisions, reports
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS

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
