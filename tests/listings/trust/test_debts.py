"""A debt from its beginning to its end: called in, paid, void; and what nobody gets by waiting."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from listings import checks, selling, tasks, validation
from listings.lifecycle import Status
from listings.models import Debt, Listing, OwedCheck, ReviewJob, Verdict
from listings.moderation import decisions
from listings.trust import debts, exposure


def run(debt, *names) -> None:
    rows = debt.job.checks.order_by("pk")
    for check in rows.filter(name__in=names) if names else rows:
        validation.run(check.pk)
    debt.refresh_from_db()
    debt.listing.refresh_from_db()


def test_the_light_checks_raise_the_cap_the_heavy_ones_pay_the_debt(owing, set_to):
    debt = owing()
    published_at = Listing.objects.get(pk=debt.listing_id).published_at
    assert exposure.owing([debt.listing_id])[0].cap == 10
    run(debt, *checks.LIGHT)
    assert debt.light_at
    assert exposure.owing([debt.listing_id])[0].cap == 100
    run(debt)
    assert (debt.state, debt.listing.status, debt.listing.published_at) == ("paid", Status.PUBLISHED, published_at)
    assert debt.job.__class__.objects.get(pk=debt.job_id).state == "done"
    assert exposure.owing([debt.listing_id]) == []


def test_enough_views_take_it_off_the_market_until_it_is_checked(owing):
    debt = owing()
    published_at = Listing.objects.get(pk=debt.listing_id).published_at
    for _ in range(9):
        exposure.shown([debt.listing_id])
    debt.listing.refresh_from_db()
    assert debt.listing.status == Status.PUBLISHED
    exposure.shown([debt.listing_id])
    debt.refresh_from_db()
    debt.listing.refresh_from_db()
    assert (debt.listing.status, debt.cause) == (Status.CHECKING, "views")
    assert "before more people see it" in debt.listing.status_note
    assert not OwedCheck.objects.filter(due_at=checks.DEFERRED).exists()
    run(debt)
    assert (debt.state, debt.listing.status) == ("paid", Status.PUBLISHED)
    assert debt.listing.published_at == published_at, "back on sale is not new on sale"


def test_ten_thousand_forged_views_at_once_only_bring_its_check_forward(owing):
    debt = owing()
    for _ in range(200):
        exposure.shown([debt.listing_id] * 50)
    debt.listing.refresh_from_db()
    assert debt.listing.status == Status.CHECKING
    run(debt)
    assert debt.listing.status == Status.PUBLISHED
    for _ in range(200):
        exposure.shown([debt.listing_id])
    debt.listing.refresh_from_db()
    assert debt.listing.status == Status.PUBLISHED, "what is paid has no cap"


@pytest.mark.parametrize(
    "page",
    [
        "/",
        "/?q=train",
        "/?q=trian+zzyzx&exact",
        "/c/toys/",
        "/seller/alice/",
        "/item/{}/",
        "/api/search?q=train",
        "/api/search/suggestions?q=train",
    ],
)
def test_each_page_that_names_it_counts_once(owing, client, page):
    debt = owing()
    assert client.get(page.format(debt.listing.public_id)).status_code == 200
    debt.refresh_from_db()
    assert debt.impressions == 1, "also where it stands in two lists of one answer"


def test_a_doubt_of_a_light_check_takes_it_off_at_once(owing):
    debt = owing()
    check = debt.job.checks.get(name=checks.CONTACT_DETAILS)
    found = Verdict(
        where="cloud", model=checks.CONTACT_DETAILS, decision="warn", evidence=[{"kind": "telephone number"}]
    )
    validation.finish(check, [found])
    debt.refresh_from_db()
    assert (Listing.objects.get(pk=debt.listing_id).status, debt.cause) == (Status.CHECKING, "doubt")


def test_what_the_heavy_check_finds_goes_to_a_moderator(owing):
    debt = owing()
    heavy = debt.job.checks.get(name=checks.WORDS)
    found = Verdict(
        where="cloud", model="listing-text-cloud", decision="block", policy="weapons", scores={"weapons": 0.99}
    )
    run(debt, *checks.LIGHT)
    debts.call_in(debt, Debt.Cause.IDLE)
    assert Listing.objects.get(pk=debt.listing_id).status == Status.PUBLISHED, "idle workers take nothing off"
    validation.finish(heavy, [found])
    debt.refresh_from_db()
    assert (Listing.objects.get(pk=debt.listing_id).status, debt.state) == (Status.IN_REVIEW, "paid")
    assert ReviewJob.objects.get().policy == "weapons"


def test_a_rejection_takes_everything_that_the_seller_owes_off_the_market(
    owing, send, moderator, django_capture_on_commit_callbacks
):
    first = owing()
    other = send(title="Wooden train set, 30 pieces")
    Debt.objects.update(risk=0.0001)
    ended = Listing.objects.create(seller=first.listing.seller, title="Old", category="toys", price=20)
    Listing.objects.filter(pk=ended.pk).update(status=Status.IN_REVIEW)
    case = ReviewJob.objects.create(listing=ended, revision=ended.revision, cause="Reported.")
    with django_capture_on_commit_callbacks(execute=True):
        decisions.reject(job=case, moderator=moderator, policy="weapons", reason="It is a weapon after all.")
    assert set(Debt.objects.values_list("cause", flat=True)) == {"doubt"}
    assert {Listing.objects.get(pk=pk).status for pk in (first.listing_id, other.pk)} == {Status.CHECKING}
    for debt in Debt.objects.all():
        run(debt)
    assert {Listing.objects.get(pk=pk).status for pk in (first.listing_id, other.pk)} == {Status.PUBLISHED}


def test_an_audit_is_called_in_first_whatever_is_seen_and_stays_on_sale(earn, open_cells, set_to, send):
    earn(12)
    open_cells()
    set_to(audit_share=1, worth=1000)
    listing = send()
    assert debts.pay() == 1
    debt = Debt.objects.get()
    assert (debt.audit, debt.cause) == (True, "audit")
    assert Listing.objects.get(pk=listing.pk).status == Status.PUBLISHED
    assert not OwedCheck.objects.filter(due_at=checks.DEFERRED).exists()


def test_idle_workers_pay_the_most_harmful_first_and_leave_the_rest(owing, send, set_to, monkeypatch):
    first = owing()
    send(title="Wooden train set, 30 pieces")
    send(title="Wooden train set, 36 pieces")
    low, high, lowest = Debt.objects.order_by("pk")
    Debt.objects.filter(pk=low.pk).update(risk=0.05, impressions=5)
    Debt.objects.filter(pk=high.pk).update(risk=0.05, impressions=50)
    Debt.objects.filter(pk=lowest.pk).update(risk=0.0001, impressions=0)
    monkeypatch.setattr(debts, "PAID_AT_ONCE", 1)
    assert first == low
    assert debts.pay() == 1
    high.refresh_from_db()
    assert high.cause == "idle"
    monkeypatch.setattr(debts, "PAID_AT_ONCE", 9)
    assert debts.pay() == 1
    assert debts.pay() == 0, "not worth a check yet"
    set_to(worth=0)
    assert debts.pay() == 1


def test_a_debt_does_not_grow_old(owing, set_to):
    debt = owing()
    set_to(worth=1000)
    assert debts.pay() == 0
    Debt.objects.update(opened_at=timezone.now() - timedelta(days=91))
    assert debts.pay() == 1
    debt.refresh_from_db()
    assert debt.cause == "age"


def test_a_clock_that_jumps_back_pays_nothing_twice(owing, set_to):
    debt = owing()
    Debt.objects.update(opened_at=timezone.now() + timedelta(days=2), risk=0.5)
    assert debts.pay() == 1
    assert debts.pay() == 0
    debt.refresh_from_db()
    assert (debt.state, debt.cause) == ("open", "idle")


def test_a_paused_listing_keeps_its_debt_and_its_views(owing, merchant):
    debt = owing()
    for _ in range(9):
        exposure.shown([debt.listing_id])
    selling.pause(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
    selling.resume(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
    exposure.shown([debt.listing_id])
    assert Listing.objects.get(pk=debt.listing_id).status == Status.CHECKING


def test_a_light_check_that_failed_is_not_made(owing):
    debt = owing()
    for check in debt.job.checks.filter(name__in=checks.LIGHT):
        validation.finish(check, [], failed=True)
    debt.refresh_from_db()
    assert (debt.light_at, debt.cause) == (None, "doubt")
    assert Listing.objects.get(pk=debt.listing_id).status == Status.CHECKING


def test_a_doubt_about_a_paused_listing_holds_when_it_is_resumed(owing, merchant):
    debt = owing()
    selling.pause(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
    debts.call_in(debt, Debt.Cause.IDLE)
    debts.call_in(debt, Debt.Cause.DOUBT)
    selling.resume(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
    assert Listing.objects.get(pk=debt.listing_id).status == Status.CHECKING


def test_idle_workers_are_given_no_more_than_they_get_through(owing, send, set_to, monkeypatch):
    owing()
    send(title="Wooden train set, 30 pieces")
    set_to(worth=0)
    monkeypatch.setattr(debts, "PAID_AT_ONCE", 1)
    assert debts.pay() == 1
    assert debts.pay() == 0, "the first is not paid yet"


def test_workers_are_behind_also_after_the_sweeper_came_by(owing, make_listing, other_merchant):
    owing()
    job = checks.owe(make_listing(seller=other_merchant, status=Status.CHECKING), [])
    long_ago = timezone.now() - timedelta(hours=1)
    job.__class__.objects.filter(pk=job.pk).update(created_at=long_ago)
    OwedCheck.objects.filter(job=job).update(due_at=long_ago)
    tasks.sweep()
    assert debts.pay() == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_call_one_debt_in_once(owing):
    debt = owing()
    answers, start = [], threading.Barrier(2)

    def call() -> None:
        try:
            start.wait()
            answers.append(debts.call_in(Debt.objects.get(pk=debt.pk), Debt.Cause.IDLE))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, True]


def test_a_deferred_check_is_not_sent_until_it_is_due(owing, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "enqueue", lambda pk, *_: sent.append(pk) or True)
    debt = owing()
    tasks.enqueue_job(debt.job_id)
    names = set(OwedCheck.objects.filter(pk__in=sent).values_list("name", flat=True))
    assert names == {checks.CONTACT_DETAILS, checks.DUPLICATES}
    sent.clear()
    tasks.sweep()
    assert not OwedCheck.objects.filter(pk__in=sent, due_at=checks.DEFERRED).exists()
