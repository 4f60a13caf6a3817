"""Rows made by hand, and what must be counted of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings import checks, validation
from listings.lifecycle import Status
from listings.models import Debt, Decision, OwedCheck, ReviewJob, StatusChange, ValidationJob, Verdict
from listings.moderation import decisions
from listings.trust import costs, debts, intervals, savings
from listings.trust.tiers import Tier

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=40)


@pytest.fixture
def sent(make_listing):
    """A revision with one heavy check and one light one, in the states named; `debt`: fields of its debt."""

    def make(job="done", heavy="done", light="done", debt=None, revision=1, listing=None, ago=timedelta(hours=1)):
        at = timezone.now() - ago
        listing = listing or make_listing()
        row = ValidationJob.objects.create(
            listing=listing, revision=revision, category=listing.category, state=job, created_at=at
        )
        OwedCheck.objects.create(job=row, name=checks.WORDS, state=heavy)
        OwedCheck.objects.create(job=row, name=checks.DUPLICATES, state=light)
        if debt:
            closed = None if debt["state"] == "open" else at
            fields = {"risk": 0.01, "tier": Tier.TRUSTED, "opened_at": at, "closed_at": closed}
            Debt.objects.create(listing=listing, job=row, **fields | debt)
        return row

    return make


@pytest.fixture
def audited(sent, moderator):
    """A paid audit; `ended`: how, "" for without a doubt."""

    def make(ended="", tier=Tier.TRUSTED, ago=timedelta(hours=1), **debt):
        job = sent(debt={"state": "paid", "audit": True, "cause": "audit", "tier": tier} | debt, ago=ago)
        if ended:
            states = {"waiting": "open", "withdrawn": "withdrawn"}
            review = ReviewJob.objects.create(
                listing=job.listing, revision=job.revision, cause="?", state=states.get(ended, "decided")
            )
            if ended in ("approve", "reject"):
                Decision.objects.create(review_job=review, listing=job.listing, moderator=moderator, action=ended)
        return job

    return make


def said(job, where, model, decision="pass", ms=None, **detail):
    return Verdict.objects.create(
        listing=job.listing, revision=job.revision, where=where, model=model, decision=decision, ms=ms, detail=detail
    )


def test_every_revision_has_one_fate(sent):
    sent()
    sent(heavy="failed")
    waits = sent(job="owed", heavy="owed")
    type(waits.listing).objects.filter(pk=waits.listing_id).update(status=Status.CHECKING)
    sent(job="dropped", heavy="dropped")
    for cause in ("idle", "idle", "views"):
        sent(debt={"state": "paid", "cause": cause})
    sent(job="owed", heavy="owed", debt={"state": "open"})
    sent(job="owed", heavy="owed", debt={"state": "left"})
    sent(job="dropped", heavy="dropped", debt={"state": "void"})
    sent(job="dropped", heavy="done", debt={"state": "void", "cause": "audit"})
    sent(ago=LONG_AGO)
    ValidationJob.objects.update_or_create(listing=sent(ago=LONG_AGO).listing, revision=9)  # photos that came later
    found = savings.count(30).revisions
    assert found.fates == {"before": 2, "waiting": 1, "gone": 1, "paid": 3, "owed": 2, "avoided": 1, "spent": 1}
    assert found.sent == 11
    assert found.causes == {"idle": 2, "views": 1}
    assert savings.count(90).revisions.fates["before"] == 4
    assert len(savings.count(90).revisions.by_day) == 2


def test_what_is_on_sale_while_photos_that_came_later_are_checked_does_not_wait(sent):
    job = sent()
    assert job.listing.status == Status.PUBLISHED
    OwedCheck.objects.create(job=job, name=checks.PHOTO_MODEL, state="owed")
    ValidationJob.objects.update(state="owed", finished_at=None)
    spared = sent(job="owed", heavy="dropped")
    OwedCheck.objects.create(job=spared, name=checks.PHOTO_MODEL, state="owed")
    assert savings.count(30).revisions.fates == {"before": 1, "spared": 1}


def test_checks_are_counted_by_what_became_of_them(sent):
    sent()
    sent(heavy="failed", light="failed")
    sent(job="owed", heavy="owed", debt={"state": "open"})
    sent(job="dropped", heavy="dropped", debt={"state": "void"})
    sent(job="dropped", heavy="dropped", light="dropped")
    found = {check.name: check for check in savings.count(30).checks}
    words, light = found[checks.WORDS], found[checks.DUPLICATES]
    assert (words.made, words.owed, words.avoided, words.dropped, words.heavy) == (2, 1, 1, 1, True)
    assert (light.made, light.owed, light.avoided, light.dropped, light.heavy) == (4, 0, 0, 1, False)
    assert found[checks.PHOTO_TEXT].all == 0


def test_avoided_time_is_the_measured_mean_of_what_was_made(sent):
    for ms in (100.0, 300.0, None):
        job = sent()
        said(job, "cloud", "listing-text-cloud", ms=ms)
        said(job, "gate", "listing-text", ms=1.5)
        said(job, "device", "listing-text", ms=9_999_999.0)
    for _ in range(3):
        sent(job="dropped", heavy="dropped", debt={"state": "void"})
    found = savings.count(7)
    assert [(each.where, each.model, each.verdicts, each.ms) for each in found.ran] == [
        ("cloud", "listing-text-cloud", 3, 400.0),
        ("gate", "listing-text", 3, 4.5),
    ]
    assert found.ran[0].mean_ms == 200.0, "a verdict without a time is not one of 0 ms"
    assert found.avoided_ms == {"words": 600.0, "photo-model": 0.0, "photo-text": 0.0}
    assert (found.seconds, found.seconds_avoided) == (pytest.approx(0.4045), pytest.approx(0.6))


def test_nothing_is_said_of_a_time_that_was_never_measured(sent):
    sent(job="dropped", heavy="dropped", debt={"state": "void"})
    assert savings.count(7).avoided_ms["words"] is None


def test_the_miss_rate_is_of_decided_audits(audited, sent):
    for ended in ["", "", "", "approve", "reject", "waiting", "withdrawn"]:
        audited(ended)
    audited("", tier=Tier.KNOWN)
    audited("reject", ago=LONG_AGO)
    sent(debt={"state": "paid", "cause": "idle"})
    changed = audited()
    StatusChange.objects.create(listing=changed.listing, revision=1, source="checking", target="needs_changes")
    found = savings.count(30).audits
    assert (found.all.missed, found.all.decided) == (1, 7)
    assert found.all.interval == intervals.share_interval(1, 7)
    assert {tier: (each.missed, each.decided) for tier, each in found.by_tier.items()} == {
        Tier.KNOWN: (0, 1),
        Tier.TRUSTED: (1, 6),
    }
    assert (found.waiting, found.withdrawn, found.changed) == (1, 1, 1)
    assert savings.count(90).audits.all.missed == 2


def test_a_rejection_of_another_revision_is_no_miss(audited, sent, moderator):
    job = audited()
    later = sent(listing=job.listing, revision=2)
    review = ReviewJob.objects.create(listing=job.listing, revision=2, cause="?", state="decided")
    Decision.objects.create(review_job=review, listing=later.listing, moderator=moderator, action="reject")
    assert savings.count(30).audits.all.missed == 0


@pytest.mark.parametrize(("missed", "target"), [(0, 0.002), (1, 0.002), (7, 0.05), (2, 0.5)])
def test_so_many_audits_are_needed_and_not_one_fewer(missed, target):
    needed = savings.audits_needed(missed, target)
    assert intervals.share_upper(missed, needed) <= target
    assert intervals.share_upper(missed, needed - 1) > target


def test_the_design_says_1500_audits_for_a_fifth_of_a_percent():
    assert savings.audits_needed(0, 0.002) == 1497
    with pytest.raises(ValueError, match="no number"):
        savings.audits_needed(3, 0.0)


def test_views_are_of_one_revision_each(audited, sent):
    first = sent(job="owed", heavy="owed", debt={"state": "left", "impressions": 40})
    sent(listing=first.listing, revision=2, debt={"state": "paid", "impressions": 7})
    audited("reject", impressions=5)
    found = savings.count(30).views
    assert (found.debts, found.views, found.unsafe_debts, found.unsafe) == (3, 52, 1, 5)
    assert found.per_10k == pytest.approx(10_000 * 5 / 52)
    effective = 52**2 / (40**2 + 7**2 + 5**2)
    low, high = intervals.share_interval(effective * 5 / 52, effective)
    assert found.interval == (pytest.approx(10_000 * low), pytest.approx(10_000 * high))
    assert found.is_wide


def test_one_listing_seen_often_makes_the_interval_of_views_no_narrower():
    few, many = savings.Views(10, 10, 1, 1, 10), savings.Views(10, 1_000, 1, 100, 10 * 100**2)
    assert few.interval == many.interval == tuple(10_000 * end for end in intervals.share_interval(1, 10))
    assert savings.Views(0, 0, 0, 0).interval == (0, 10_000)
    assert not savings.Views(10_000, 10_000, 100, 100, 10_000).is_wide


def test_the_squares_of_many_views_are_no_number_too_large(owing):
    owing()
    Debt.objects.update(impressions=100_000)
    assert savings.views(timezone.now() - timedelta(days=1)).squares == 10**10


def test_what_the_device_said_is_held_against_the_gate(sent):
    def revision(gate, *claims):
        job = sent()
        said(job, "gate", "listing-text", gate)
        said(job, "gate", "listing-text-gate")
        for decision, detail in claims:
            said(job, "device", "listing-text", decision, **detail)

    revision("pass", ("pass", {}))
    revision("pass", ("pass", {}), ("pass", {"differs_from_gate": 0.2}))
    revision("warn", ("warn", {}))
    revision("warn", ("pass", {"disbelieved": "It is about another text."}))
    revision("unsure")
    revision("pass")
    said(sent(), "device", "listing-text")  # the gate's models were missing
    found = savings.count(30).device
    assert (found.revisions, found.claimed, found.unclaimed) == (6, 4, 2)
    assert (found.agreed, found.disbelieved, found.warned) == (2, 1, 1)
    assert (found.doubted_claimed, found.doubted_unclaimed) == (2, 1)
    assert found.with_claim == intervals.share_interval(2, 4)
    assert found.sellers == 1


def test_an_empty_database_is_counted_without_dividing_by_nothing():
    found = savings.count(90)
    assert (found.revisions.sent, found.ran, found.views.per_10k, found.audits.all.rate) == (0, [], None, None)
    assert (found.seconds, found.seconds_avoided, found.audits.all.interval) == (0, 0, (0, 1))
    assert (found.device.with_claim, found.device.without_claim) == ((0, 1), (0, 1))


def test_more_rows_are_no_more_queries(audited):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as caught:
            savings.count(30)
        return len(caught)

    audited("reject")
    few = queries()
    for ended in ["reject", "approve", "waiting", ""] * 5:
        said(audited(ended, impressions=3), "cloud", "listing-text-cloud", ms=3.0)
    assert queries() == few


def test_the_sites_own_steps_are_counted(owing, moderator):
    """Not by hand: published at once, called in for an audit, checked, in doubt, rejected."""
    debt = owing()
    debt.audit = True
    debt.save(update_fields=["audit"])
    found = savings.count(7)
    assert (found.revisions.fates["owed"], found.views.debts, found.device.agreed) == (1, 1, 1)
    assert debts.call_in(debt, Debt.Cause.AUDIT)
    check = debt.job.checks.get(name=checks.WORDS)
    doubt = Verdict(where="cloud", model="listing-text-cloud", decision="block", policy="weapons", ms=4.0)
    validation.finish(check, [doubt])
    for row in debt.job.checks.filter(state="owed"):
        validation.run(row.pk)
    review = ReviewJob.objects.get(listing=debt.listing_id)
    assert savings.count(7).audits.waiting == 1
    decisions.reject(job=review, moderator=moderator, policy="weapons", reason="Not a train set at all.")
    found = savings.count(7)
    assert (found.audits.all.missed, found.audits.all.decided, found.views.unsafe_debts) == (1, 1, 1)
    assert found.revisions.causes == {"doubt": 1}, "the gravest"


def test_costs_follow_the_assumptions():
    terms = {"server_hour": 0.4, "cores": 8.0, "watts": 12.0, "gigabyte": 0.1}
    assert costs.of_seconds(7200, terms) == pytest.approx(0.1)
    assert costs.energy(1800, terms) == pytest.approx(6)
    assert costs.of_bytes(5 * 10**9, terms) == pytest.approx(0.5)
