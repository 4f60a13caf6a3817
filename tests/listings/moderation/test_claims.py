import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import JobEvent, ReviewJob
from listings.moderation import claims, decisions, queue
from listings.moderation.decisions import Word
from listings.moderation.queue import Filters


def kinds(job):
    return list(JobEvent.objects.filter(job=job).values_list("kind", flat=True))


def run_out(job):
    ReviewJob.objects.filter(pk=job.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))


def test_the_next_case_is_held_and_offered_to_nobody_else(make_case, moderator, second):
    first, other = make_case("A"), make_case("B")
    assert claims.take_next(moderator) == first
    assert claims.take_next(second) == other
    assert claims.take_next(moderator) == first, "their own is offered again"
    assert kinds(first) == ["taken"]


@pytest.mark.django_db(transaction=True)
def test_of_two_moderators_who_race_for_one_case_one_gets_it(make_case, moderator, second):
    case, got = make_case(), []
    start = threading.Barrier(2)

    def race(person):
        start.wait()
        job = claims.take_next(person)
        got.append((person, job))
        connection.close()

    threads = [threading.Thread(target=race, args=[person]) for person in (moderator, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job.pk if job else 0 for _, job in got) == [0, case.pk]
    case.refresh_from_db()
    assert case.claimed_by == next(person for person, job in got if job)


def test_a_lost_lease_says_so_and_decides_nothing(make_case, moderator, second, rejecting):
    case = make_case()
    claims.take(case.pk, moderator)
    run_out(case)
    claims.take(case.pk, second)
    assert claims.renew(case.pk, moderator) is None
    with pytest.raises(claims.Taken, match="max is at work"):
        decisions.propose(job=case, moderator=moderator, word=rejecting, revision=1)
    assert kinds(case) == ["taken", "lost", "taken"]
    assert not case.pending.exists()


def test_a_lease_that_ran_out_and_that_nobody_took_is_still_good(make_case, moderator, rejecting):
    case = make_case()
    claims.take(case.pk, moderator)
    run_out(case)
    assert decisions.propose(job=case, moderator=moderator, word=rejecting, revision=1).state == "pending"


def test_working_on_a_case_renews_the_lease(make_case, moderator):
    case = claims.take(make_case().pk, moderator)
    ReviewJob.objects.filter(pk=case.pk).update(claimed_until=timezone.now() + timedelta(seconds=5))
    until = claims.renew(case.pk, moderator)
    assert until > timezone.now() + timedelta(minutes=9)


def test_a_skipped_case_comes_back_later_and_to_others_at_once(make_case, moderator, second):
    case = make_case()
    claims.skip(case.pk, moderator)
    assert claims.take_next(moderator) is None
    assert claims.take_next(second) == case


def test_a_case_that_is_passed_on_goes_to_somebody_else(make_case, moderator, second):
    case = make_case()
    with pytest.raises(ValidationError, match="what the next moderator should know"):
        claims.escalate(case.pk, moderator, "hm")
    claims.escalate(case.pk, moderator, "Is this an antique? I cannot tell.")
    assert claims.take_next(moderator) is None
    assert claims.take_next(second, Filters(lane="escalated")) == case
    with pytest.raises(PermissionDenied, match="another moderator decides"):
        decisions.propose(job=ReviewJob.objects.get(), moderator=moderator, word=Word("approve"), revision=1)
    with pytest.raises(ValidationError, match="characters or fewer"):
        claims.escalate(make_case("Another").pk, moderator, "\x00" + "x" * 2_001)
    with pytest.raises(ValidationError, match="cannot be passed on"):
        claims.escalate(case.pk, second, "Nor can I tell, sorry.")


def test_nobody_takes_their_own_listing_or_an_appeal_against_their_own_decision(
    make_case, merchant, moderator, rejected
):
    case = make_case()
    merchant.role = "moderator"
    merchant.save()
    assert claims.take_next(merchant) is None
    with pytest.raises(PermissionDenied):
        claims.take(case.pk, merchant)
    decisions.approve(job=case, moderator=moderator)
    decision = rejected()
    appeal = queue.open_job(decision.listing, revision=1, kind="appeal", cause="-", about=decision)
    assert claims.take_next(moderator) is None
    with pytest.raises(PermissionDenied):
        claims.take(appeal.pk, moderator)


def test_what_is_decided_or_withdrawn_cannot_be_taken(make_case, moderator, second):
    case = make_case()
    decisions.approve(job=case, moderator=moderator)
    with pytest.raises(claims.Taken, match="decided"):
        claims.take(case.pk, second)


def test_only_moderators_take_cases(make_case, shopper):
    with pytest.raises(PermissionDenied):
        claims.take_next(shopper)
    with pytest.raises(PermissionDenied):
        claims.take(make_case().pk, shopper)


# --- The queue -------------------------------------------------------------------------------------------------------
def test_risk_goes_first_and_nothing_is_left_for_ever(make_case):
    calm, grave = make_case("Calm", risk=0.0), make_case("Grave", risk=1.0)
    assert list(queue.open_jobs()) == [grave, calm]
    assert list(queue.open_jobs(Filters(order="oldest"))) == [calm, grave]
    waited = timezone.now() - queue.HEAD_START - timedelta(hours=1)
    ReviewJob.objects.filter(pk=calm.pk).update(rank_at=waited)
    assert list(queue.open_jobs()) == [calm, grave]


def test_the_queue_narrows_by_policy_and_lane_and_counts(make_case, make_listing):
    weapons, none = make_case("A"), make_case("B", policy="")
    report = queue.open_job(make_listing("C"), revision=1, kind="report", cause="-")
    assert list(queue.open_jobs(Filters(policy="none", lane="checks"))) == [none]
    assert list(queue.open_jobs(Filters(policy="weapons"))) == [weapons]
    assert list(queue.open_jobs(Filters(lane="reports"))) == [report]
    assert queue.counts() == [("", "", 2), ("weapons", "Weapons", 1)]
    waiting = queue.waiting()
    assert (waiting["all"].number, waiting["checks"].number, waiting["reports"].number) == (3, 2, 1)
    assert waiting["all"].oldest == weapons.created_at


def test_the_pages_of_the_queue_follow_each_other_without_a_gap(make_case, monkeypatch):
    monkeypatch.setattr(queue, "PAGE", 2)
    cases = [make_case(f"Case {number}", risk=0.5) for number in range(5)]
    ReviewJob.objects.update(rank_at=timezone.now())  # all alike: the key tells them apart
    seen, after = [], ""
    while True:
        jobs, after = queue.page(Filters(), after)
        seen += jobs
        if not after:
            break
    assert seen == cases
    for nonsense in ("x", "_", "2026-01-01_1", "9" * 99, "2026-02-31T00:00:00+00:00_3"):
        assert queue.page(Filters(), nonsense)[0] == cases[:2]


def test_what_is_reported_and_being_checked_anew_is_not_offered(make_listing, moderator):
    listing = make_listing()
    queue.open_job(listing, revision=1, kind="report", cause="-")
    type(listing).objects.filter(pk=listing.pk).update(status=Status.CHECKING)
    assert claims.take_next(moderator) is None


def test_a_proposed_decision_leaves_the_queue(make_case, moderator, second):
    case = make_case()
    decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1)
    assert claims.take_next(second) is None and claims.take_next(moderator) is None
    with pytest.raises(claims.Taken):
        decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1)


@pytest.mark.parametrize("lease_over", [False, True])
def test_what_is_decided_and_not_yet_in_force_stays_with_its_moderator(make_case, moderator, second, lease_over):
    case = make_case()
    pending = decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1)
    if lease_over:
        ReviewJob.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert not claims.release(case.pk, moderator)
    for leave in (lambda: claims.skip(case.pk, moderator), lambda: claims.escalate(case.pk, moderator, "Whose is it?")):
        with pytest.raises(claims.Taken, match="taken back"):
            leave()
    with pytest.raises(claims.Taken):
        claims.take(case.pk, second)
    assert decisions.undo([pending], moderator) == [pending]
    case.refresh_from_db()
    assert claims.holder(case) == moderator, "the case is theirs again, as the page says"
