"""Real jobs, decided by the real functions, and what must be counted of them."""

import json
from collections import Counter
from datetime import timedelta
from math import log

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import PendingDecision, ReviewJob, SettingChange, Suspension, ValidationJob, Verdict
from listings.moderation import (
    appeals,
    decisions,
    drift,
    kappa,
    pace,
    pairs,
    quality,
    quality_jobs,
    reports,
    thresholds,
)
from listings.moderation.decisions import Word
from listings.trust import intervals, settings
from models import contract, manifest
from tests.conftest import person

pytestmark = pytest.mark.django_db
REASON = "This cannot be sold here, as the rules say."
Kind = ReviewJob.Kind


@pytest.fixture
def since():
    return timezone.now() - timedelta(days=30)


@pytest.fixture
def second_moderator(db):
    return person("noor", "moderator")


@pytest.fixture
def decide(moderator):
    def make(job, action="reject", policy="weapons", by=None):
        words = {"approve": Word("approve"), "changes": Word("changes", "", REASON)}
        word = words.get(action) or Word(action, policy, REASON)
        return decisions.decide(job=job, moderator=by or moderator, word=word)

    return make


@pytest.fixture
def passed(make_listing):
    """A listing on sale whose checks let it pass."""

    def make(number=1, at=None):
        found = []
        for _ in range(number):
            listing = make_listing()
            ValidationJob.objects.create(
                listing=listing, revision=1, category="kitchen", state="done", outcome=Status.PUBLISHED,
                finished_at=at or timezone.now(),
            )  # fmt: skip
            found.append(listing)
        return found

    return make


@pytest.fixture
def set_to(moderator):
    def change(**values):
        for name, value in values.items():
            SettingChange.objects.create(name=name, value=value, before=0, actor=moderator, reason="For this test.")
        settings.forget()

    return change


@pytest.fixture
def twice(make_case, decide, second_moderator, set_to):
    """A case that two moderators decided, the second by the blind job that the first decision drew."""
    set_to(second_share=1)

    def make(first, second, policy="weapons"):
        case = make_case(policy=policy)
        decision = decide(case, *first)
        job = ReviewJob.objects.get(about=decision, kind=Kind.SECOND)
        decide(job, *second, by=second_moderator)
        return decision

    return make


@pytest.fixture
def golden_case(twice, make_case, set_to, monkeypatch):
    """A rejection that two moderators came to, drawn as a case with a known answer; each call draws it anew."""
    monkeypatch.setattr(quality_jobs, "GOLDEN_AGE", timedelta(0))  # nobody has to forget it
    twice(["reject"], ["reject"])
    make_case()  # known answers are a share of what waits
    set_to(golden_share=1)

    def draw():
        assert quality_jobs.draw_golden() == 1
        return ReviewJob.objects.get(kind=Kind.GOLDEN, state="open")

    return draw


def appealed(decision, merchant, by, word):
    appeals.appeal(decision=decision, person=merchant, text="This is a harmless thing, please look again.")
    return decisions.decide(job=ReviewJob.objects.get(about=decision, kind=Kind.APPEAL), moderator=by, word=word)


# --- Precision -------------------------------------------------------------------------------------------------------
def test_precision_is_the_share_of_suspicions_that_moderators_confirmed(make_case, decide, since):
    for action in ("reject", "reject", "changes", "approve"):
        decide(make_case(policy="weapons"), action)
    decide(make_case(policy="weapons"), "reject", "drugs")
    decide(make_case(policy="drugs"), "approve")
    decide(make_case(policy=""), "approve")
    found = quality.precision(since)
    weapons, drugs = found.by_policy
    assert (weapons.name, weapons.violations) == ("Weapons", quality.Share(4, 5))
    assert weapons.under_another == 2, "changes without a policy, and a rejection under drugs"
    assert drugs.violations == quality.Share(0, 1)
    assert found.all == quality.Share(4, 6)
    assert found.unnamed == 1
    assert weapons.violations.interval == intervals.share_interval(4, 5)
    assert weapons.violations.interval == pytest.approx((0.2836, 0.9949), abs=1e-4), "Clopper and Pearson's own table"


def test_what_an_appeal_overturned_is_no_violation_and_what_it_modified_stays_one(
    make_case, decide, merchant, second_moderator, since
):
    appealed(decide(make_case()), merchant, second_moderator, Word("overturn", "", REASON))
    appealed(decide(make_case()), merchant, second_moderator, Word("modify", "drugs", REASON))
    appealed(decide(make_case()), merchant, second_moderator, Word("uphold", "", REASON))
    [weapons] = quality.precision(since).by_policy
    assert weapons.violations == quality.Share(2, 3)
    assert weapons.overturned == 1
    assert weapons.under_another == 1, "the modified one is under drugs now"


def test_only_cases_of_checks_in_the_period_count(make_case, make_listing, decide, moderator, since):
    old = make_case()
    decide(old)
    ReviewJob.objects.filter(pk=old.pk).update(decided_at=timezone.now() - timedelta(days=31))
    make_case()
    assert quality.precision(since).by_policy == []


# --- Recall ----------------------------------------------------------------------------------------------------------
def test_recall_is_estimated_from_samples_of_what_passed(make_case, passed, decide, set_to, since):
    for _ in range(18):
        decide(make_case())
    passed(40)
    set_to(samples_a_day=240)  # ten at a time
    assert quality_jobs.draw_sample() == 10
    for number, job in enumerate(ReviewJob.objects.filter(kind=Kind.SAMPLE).order_by("pk")):
        decide(job, "reject" if number < 1 else "approve")
    found = quality.recall(since)
    assert (found.caught, found.reported, found.passed) == (18, 0, 40)
    assert found.sample == quality.Share(1, 10)
    assert found.missed == 4, "a tenth of forty"
    assert found.value == pytest.approx(18 / 22)
    low, high = intervals.share_interval(1, 10)
    assert found.interval == pytest.approx((18 / (18 + 40 * high), 18 / (18 + 1))), "one violation is known"
    assert low * 40 < 1
    assert found.is_wide
    assert found.sample.of < found.needed <= found.passed


def test_a_report_tells_of_a_miss_and_its_listing_is_no_longer_among_those_that_nobody_saw(
    make_case, passed, decide, shopper, since
):
    decide(make_case())
    seen, _ = passed(2)
    reports.report(listing=seen, reporter=shopper, address="", policy="weapons", text="")
    decide(ReviewJob.objects.get(kind=Kind.REPORT))
    found = quality.recall(since)
    assert (found.caught, found.reported, found.passed) == (1, 1, 1)
    assert found.value is None, "without a sample nothing is known of the rest"
    assert found.missed_between == (1, 2)
    assert found.interval == (pytest.approx(1 / 3), pytest.approx(1 / 2))


def test_samples_of_what_passed_before_the_period_are_left_out(passed, decide, set_to, since):
    passed(1, at=timezone.now() - timedelta(days=40))
    quality_jobs.draw_sample()
    decide(ReviewJob.objects.get(kind=Kind.SAMPLE), "approve")
    assert quality.recall(since) == quality.Recall(0, 0, 0, quality.Share(0, 0))


def test_so_many_samples_are_needed_until_the_interval_is_narrow():
    few = quality.Recall(caught=100, reported=0, passed=1000, sample=quality.Share(0, 20))
    assert few.is_wide
    enough = quality.Recall(100, 0, 1000, quality.Share(0, few.needed))
    one_less = quality.Recall(100, 0, 1000, quality.Share(0, few.needed - 1))
    assert not enough.is_wide
    assert one_less.is_wide
    # 100 / (100 + 1000 upper) >= 0.9 asks for an upper end of 1/90: 1 - 0.025^(1/n) <= 1/90 from n = 331 on.
    assert few.needed == 331


def test_without_a_miss_among_the_samples_the_estimate_is_its_own_upper_end():
    none = quality.Recall(caught=9, reported=1, passed=100, sample=quality.Share(0, 20))
    assert none.is_most and none.value == none.interval[1] == 0.9
    assert not quality.Recall(9, 1, 100, quality.Share(1, 20)).is_most
    assert not quality.Recall(9, 1, 100, quality.Share(0, 0)).is_most


def test_no_more_is_missed_than_what_no_sample_has_seen():
    nearly_all = quality.Recall(caught=73, reported=0, passed=160, sample=quality.Share(0, 157))
    assert nearly_all.missed_between == (0, 3), "the binomial interval alone would say 3.7"
    every = quality.Recall(caught=9, reported=0, passed=10, sample=quality.Share(1, 10))
    assert every.interval == (0.9, 0.9)
    assert every.needed == 10


def test_recall_without_anything_is_not_known():
    nothing = quality.Recall(0, 0, 0, quality.Share(0, 0))
    assert nothing.value is None
    assert nothing.interval == (0, 1)
    assert nothing.needed == 0


# --- Kappa -----------------------------------------------------------------------------------------------------------
def test_kappa_of_a_table_reckoned_by_hand():
    # 20 both yes, 5 yes and no, 10 no and yes, 15 both no: observed 35/50 = 0.7; expected 0.5 x 0.6 + 0.5 x 0.4 = 0.5.
    found = kappa.agreement({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15})
    assert found.observed == 0.7
    assert found.kappa == pytest.approx(0.4)
    # 0.4 (0.5 - 1.1 x 0.3)^2 + 0.3 (0.5 - 0.9 x 0.3)^2 = 0.02743; 0.3^2 (0.1 x 1.1^2 + 0.2 x 0.9^2) = 0.02547;
    # (0.7 x 0.5 - 2 x 0.5 + 0.7)^2 = 0.0025; (0.02743 + 0.02547 - 0.0025) / (50 x 0.5^4) = 0.016128.
    assert found.error == pytest.approx(0.016128**0.5)
    assert found.interval == pytest.approx((0.4 - 1.96 * 0.126996, 0.4 + 1.96 * 0.126996), abs=1e-5)


def test_kappa_of_three_answers():
    """Three diagnoses of a hundred people (Fleiss, Levin and Paik 2003, chapter 18): kappa 0.68."""
    table = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    names = ["psychotic", "neurotic", "organic"]
    pairs = {(a, b): table[i][j] for i, a in enumerate(names) for j, b in enumerate(names)}
    found = kappa.agreement(pairs)
    assert found.observed == 0.89
    assert found.kappa == pytest.approx((0.89 - 0.66) / 0.34, abs=0.005)


def test_kappa_where_it_cannot_be_given():
    assert kappa.agreement({}).kappa is None
    one_thing = kappa.agreement({("approve", "approve"): 9})
    assert (one_thing.observed, one_thing.kappa, one_thing.interval) == (1, None, None)
    all_alike = kappa.agreement({("approve", "approve"): 5, ("reject", "reject"): 5})
    assert all_alike.kappa == 1
    assert all_alike.interval is None, "the formula would say that there is no error at all"
    for rows in ({("r", "r"): 3, ("r", "a"): 2}, {("r", "r"): 1, ("a", "a"): 4}, {("r", "r"): 3, ("a", "a"): 11}):
        assert kappa.agreement(rows).interval is None, "whatever is left of 0 by rounding"
    against = kappa.agreement({("approve", "reject"): 5, ("reject", "approve"): 5})
    assert against.kappa == -1


def test_second_looks_are_compared_and_those_that_differ_are_named(twice, since):
    for _ in range(3):
        twice(["reject"], ["reject"])
    twice(["approve"], ["approve"], policy="drugs")
    other_action = twice(["reject"], ["approve"])
    other_policy = twice(["reject", "drugs"], ["reject", "weapons"])
    found = quality.decided_twice(since)
    assert (found.actions.pairs, found.actions.agreed) == (6, 5)
    # Observed 5/6; the first rejects 5 of 6, the second 4: expected 20/36 + 2/36 = 22/36.
    assert found.actions.kappa == pytest.approx((5 / 6 - 22 / 36) / (14 / 36))
    assert (found.grounds.pairs, found.grounds.agreed) == (6, 4)
    assert [look.about for look in found.apart] == [other_policy, other_action]
    assert dict(found.by_policy)["Weapons"].pairs == 5
    assert found.table == [("Approved", [1, 0, 0]), ("Changes asked for", [0, 0, 0]), ("Rejected", [1, 0, 4])]


def test_known_answers_measure_each_moderator(golden_case, decide, since):
    for name, action in (("olga", "reject"), ("pia", "approve")):
        decide(golden_case(), action, by=person(name, "moderator"))
    right, wrong = quality.golden(since)
    assert (right.moderator, right.same_action, right.same_policy) == ("olga", quality.Share(1, 1), quality.Share(1, 1))
    assert (wrong.moderator, wrong.same_action, wrong.same_policy) == ("pia", quality.Share(0, 1), quality.Share(0, 0))
    assert quality.decided_twice(since).actions.pairs == 1, "they are no second looks"


def test_an_answer_that_an_appeal_overturned_is_known_no_longer(golden_case, decide, merchant, since):
    job = golden_case()
    decide(job, "approve", by=person("olga", "moderator"))
    assert len(quality.golden(since)) == 1
    appealed(job.about, merchant, person("pia", "moderator"), Word("overturn", "", REASON))
    assert quality.golden(since) == []


# --- Device, gate and cloud ------------------------------------------------------------------------------------------
def said(listing, where, model, decision="pass", unsafe=0.01, policy="", at=None, revision=1, **detail):
    """A verdict as the models store it."""
    names = manifest.load()["models"]["listing-text"]["labels"]
    scores = dict.fromkeys(names, 0.0) | {policy or "weapons": unsafe, "safe": round(1 - unsafe, 6)}
    return Verdict.objects.create(
        listing=listing, revision=revision, where=where, model=model, decision=decision, scores=scores, policy=policy,
        version=manifest.load()["models"][model]["version"] if model in manifest.load()["models"] else "",
        created_at=at or timezone.now(), detail=detail,
    )  # fmt: skip


def test_device_and_gate_are_compared_with_the_cloud_about_the_same_revision(make_listing, since):
    for device, gate, cloud in [("pass", "pass", "pass"), ("pass", "warn", "warn"), ("warn", "warn", "pass")]:
        listing = make_listing()
        said(listing, "device", "listing-text", device)
        said(listing, "gate", "listing-text", gate)
        said(listing, "cloud", "listing-text-cloud", cloud, policy="" if cloud == "pass" else "weapons")
    edited = make_listing()
    said(edited, "device", "listing-text", "warn", revision=1)
    said(edited, "cloud", "listing-text-cloud", "pass", revision=2)
    forged = make_listing()
    said(forged, "device", "listing-text", "pass", disbelieved="Forged.")
    said(forged, "cloud", "listing-text-cloud", "block", policy="weapons")
    device, gate = pairs.compare(since)
    assert (device.name, device.all) == ("device", pairs.Square(1, 1, 1, 0))
    assert (gate.name, gate.all) == ("gate", pairs.Square(1, 0, 1, 1))
    assert device.all.apart == quality.Share(2, 3)
    assert device.policies == [("Weapons", pairs.Square(0, 1, 0, 0))]
    [(monday, square)] = device.weeks
    assert monday.weekday() == 0
    assert square == device.all


def test_weeks_are_told_apart(make_listing):
    now = timezone.now()
    for back in (0, 0, 14):
        listing = make_listing()
        said(listing, "gate", "listing-text", at=now - timedelta(days=back))
        said(listing, "cloud", "listing-text-cloud", at=now - timedelta(days=back))
    [gate] = pairs.compare(now - timedelta(days=30))
    assert [square.all for _, square in gate.weeks] == [1, 2]


# --- Drift -----------------------------------------------------------------------------------------------------------
def test_the_index_of_shares_reckoned_by_hand():
    # Half and half, then 60 and 40: 0.1 ln 1.2 - 0.1 ln 0.8 = 0.018232 + 0.022314.
    assert drift.psi([50, 50], [60, 40]) == pytest.approx(0.040547, abs=1e-6)
    assert drift.psi([50, 50], [500, 500]) == 0
    # An empty part counts as half a score: (0.995 - 0.5) ln 1.99 ... is finite.
    assert drift.psi([50, 50], [100, 0]) == pytest.approx(0.5 * 0.693147 + 0.495 * 4.605170, abs=1e-5)


def test_chance_alone_is_known_and_says_how_much_is_needed():
    # Chi-square of nine degrees of freedom: 95 % below 16.919.
    assert drift.by_chance(100, 400, 10) == pytest.approx(16.919 * 0.0125, abs=1e-4)
    needed = drift.needed(400, 10)
    assert drift.by_chance(needed, 400, 10) <= drift.SOME < drift.by_chance(needed - 1, 400, 10)
    assert drift.needed(100, 10) == 0, "a hundred before are too few for any number now"


def test_parts_hold_as_much_each_and_the_few_suspected_are_in_the_highest():
    even = Counter(dict.fromkeys(range(100), 10))
    assert drift.parts(even, drift.quantile_cuts(even)) == [100] * 10
    steep = Counter({1: 900, 50: 40, 90: 60})
    assert drift.parts(steep, drift.quantile_cuts(steep)) == [900, 100]
    assert drift.quantile_cuts(Counter()) == []


def test_drift_compares_this_week_with_the_four_before_by_version(make_listing):
    listing, now = make_listing(), timezone.now()
    spread = [0.001, 0.004, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.95]
    rows = []
    for day, scores in ((3, spread[4:]), (10, spread), (17, spread), (24, spread), (31, spread), (40, [0.9])):
        for score in scores:
            rows += [(score, now - timedelta(days=day))] * 40
    Verdict.objects.bulk_create(
        Verdict(
            listing=listing, revision=1, where="gate", model="listing-text", version="5", decision="pass",
            scores={"safe": round(1 - score, 6)}, created_at=at,
        )
        for score, at in rows
    )  # fmt: skip
    said(listing, "device", "listing-text", unsafe=0.9)
    said(listing, "cloud", "listing-text-cloud", unsafe=0.9)
    gate, cloud = drift.drift(now + timedelta(minutes=5))
    assert (gate.model, gate.version, gate.now, gate.before) == ("listing-text", "5", 240, 1600)
    # Ten parts of a tenth; this week none in the lowest four and a sixth in each of the others.
    none = max(0, 0.5) / 240
    by_hand = 4 * (none - 0.1) * log(none / 0.1) + 6 * (1 / 6 - 0.1) * log((1 / 6) / 0.1)
    assert gate.psi == pytest.approx(by_hand)
    assert gate.enough
    assert gate.band == "large shift"
    assert gate.weeks[0] == [0, 0, 120, 80, 40], "from 0.1: three; from 0.5: two; from 0.9: one"
    assert [sum(week) for week in gate.weeks] == [240, 400, 400, 400, 400]
    assert (cloud.now, cloud.before, cloud.psi, cloud.enough) == (1, 0, None, False)


# --- Thresholds ------------------------------------------------------------------------------------------------------
GOLDEN = django_settings.BASE_DIR / "tests/golden/thresholds.json"


def test_a_threshold_comes_to_what_was_reckoned_by_hand_as_in_the_browser():
    cases = json.loads(GOLDEN.read_text("utf-8"))["cases"]
    assert len(cases) > 3
    for case in cases:
        assert vars(thresholds.at(case["rows"], case["threshold"], case["days"])) == case["expected"]


def test_stored_verdicts_are_joined_with_what_became_of_their_revisions(
    make_case, passed, decide, merchant, second_moderator, since
):
    def scored(listing, unsafe, policy="weapons", **more):
        said(listing, "gate", "listing-text", "warn", unsafe, policy, **more)

    violation, fine, overturned, waiting = (make_case() for _ in range(4))
    decide(violation)
    decide(fine, "approve")
    appealed(decide(overturned), merchant, second_moderator, Word("overturn", "", REASON))
    [quiet] = passed()
    scored(violation.listing, 0.9)
    scored(fine.listing, 0.8)
    scored(overturned.listing, 0.8)
    scored(waiting.listing, 0.7)
    scored(quiet, 0.004, "drugs")
    scored(quiet, 0.2658, "drugs", revision=2)
    said(quiet, "gate", "listing-text", "unsure", 0.1, coverage=0.1)
    said(quiet, "gate", "listing-text-gate", "warn", 0.99, "weapons")
    said(quiet, "gate", "listing-text", "warn", 0.9, "weapons", at=since - timedelta(days=1))
    found = thresholds.histogram("device", since)
    assert found.rows == {
        "weapons": [[7000, 0, 0, 1], [8000, 0, 2, 0], [9000, 1, 0, 0]],
        "drugs": [[0, 0, 1, 0], [2658, 0, 0, 1]],
    }
    assert found.unfamiliar == 1
    assert found.days == 1, "no day is taken for less than one"
    assert found.of("") == [[0, 0, 1, 0], [2658, 0, 0, 1], [7000, 0, 0, 1], [8000, 0, 2, 0], [9000, 1, 0, 0]]
    at = thresholds.at(found.of("weapons"), 0.8, found.days)
    assert (at.held, at.precision, at.recall, at.saved) == (3, 1 / 3, 1, 1 / 4)


def test_what_it_suspects_most_is_what_the_contract_names(make_listing, since):
    listing, entry = make_listing(), manifest.load()["models"]["listing-text"]
    points = entry["operating_points"]
    every = [dict.fromkeys(entry["labels"], 0.02) | {name: 0.3, "safe": 0.5} for name in points["policies"]]
    every.append(dict.fromkeys(entry["labels"], 0.1) | {"safe": 0.1})  # all alike: the first
    wanted = []
    for revision, scores in enumerate(every, 1):
        Verdict.objects.create(
            listing=listing, revision=revision, where="gate", model="listing-text", version=entry["version"],
            decision="warn", scores=scores, policy="x",
        )  # fmt: skip
        wanted.append(contract.decide(scores, 1.0, points)[1])
    rows = thresholds.histogram("device", since).rows
    assert sorted(policy for policy, found in rows.items() for row in found for _ in range(sum(row[1:]))) == sorted(
        wanted
    )


def test_the_published_threshold_doubts_what_the_contract_doubts(make_listing, since):
    listing, entry = make_listing(), manifest.load()["models"]["listing-text"]
    points, doubted = entry["operating_points"], 0
    for revision, unsafe in enumerate([0.2657, 0.265799, 0.2658, 0.265801, 0.3, 0.801, 0.9577, 1.0], 1):
        scores = dict.fromkeys(entry["labels"], 0.0) | {"weapons": unsafe, "safe": round(1 - unsafe, 6)}
        said(listing, "gate", "listing-text", unsafe=unsafe, policy="weapons", revision=revision)
        doubted += contract.decide(scores, 1.0, points)[0] != "pass"
    found = thresholds.histogram("device", since)
    assert thresholds.at(found.of("weapons"), points["unsure"], found.days).held == doubted == 6


def test_without_the_manifest_it_says_so(models_away, since):
    with models_away(), pytest.raises(manifest.ModelUnavailable):
        thresholds.histogram("device", since)


# --- Pace ------------------------------------------------------------------------------------------------------------
def test_waiting_time_is_told_by_lane(make_case, decide, since):
    for hours in (1, 2, 3, 4, 10):
        case = make_case()
        decide(case, "approve")
        at = timezone.now()
        ReviewJob.objects.filter(pk=case.pk).update(created_at=at - timedelta(hours=hours), decided_at=at)
    passed_on = make_case()
    ReviewJob.objects.filter(pk=passed_on.pk).update(escalated=True)
    decide(ReviewJob.objects.get(pk=passed_on.pk), "approve")
    checks, escalated = pace.waited(since)
    assert (checks.label, checks.decided) == ("Checks", 5)
    assert checks.median == timedelta(hours=3)
    assert checks.most == timedelta(hours=7.6), "between the fourth and the fifth: 4 + 0.6 x 6"
    assert (escalated.label, escalated.decided) == ("Passed on", 1)
    assert sum(pace.decided_by_day(since).values()) == 6


def test_who_decided_how_much(make_case, twice, decide, moderator, second_moderator, since):
    twice(["reject"], ["reject"])
    decide(make_case(), "approve")
    assert pace.workers(since) == [pace.Worker("mona", 2, 1), pace.Worker("noor", 1, 1)]


def test_what_was_taken_back_and_what_was_overturned(make_case, decide, merchant, moderator, second_moderator, since):
    for number in range(3):
        case = make_case()
        pending = decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1)
        if number == 0:
            assert decisions.undo([pending], moderator)
    decisions.settle_due(timezone.now() + timedelta(minutes=1))
    decisions.propose(job=make_case(), moderator=moderator, word=Word("approve"), revision=1)  # still pending
    assert PendingDecision.objects.count() == 4
    appealed(decide(make_case()), merchant, second_moderator, Word("overturn", "", REASON))
    appealed(decide(make_case()), merchant, second_moderator, Word("uphold", "", REASON))
    appeals.appeal(decision=decide(make_case()), person=merchant, text="This is a harmless thing.")
    found = pace.pace(since)
    assert found.undone == quality.Share(1, 3)
    assert found.appeals == pace.Appeals(number=3, waiting=1, overturned=quality.Share(1, 2), modified=0)
    for answer, lifted in (("uphold", None), ("overturn", timezone.now()), ("", None), ("", timezone.now())):
        now = timezone.now()
        about = {"seller": merchant, "until": now, "appeal_until": now, "appealed_at": now}
        about |= {"answer": answer, "lifted_at": lifted}
        Suspension.objects.update_or_create(decision=decide(make_case()), defaults=about)
    with_suspensions = pace.Appeals(number=6, waiting=2, overturned=quality.Share(2, 4), modified=0)
    assert pace.pace(since).appeals == with_suspensions, "one ended with its strike, unanswered"
