"""`manage.py replay`: the plan of a day, what is known of it, and some hours of it played on the real site."""

import itertools
import random
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command

from listings import policies
from listings.lifecycle import Status
from listings.models import (
    Appeal,
    Decision,
    JobEvent,
    Listing,
    PendingDecision,
    Report,
    ReviewJob,
    SettingChange,
    User,
)
from listings.moderation import reports
from listings.submission import remember
from listings.trust import settings as trust_settings
from marketplace.demo import load, people
from marketplace.demo.replay import merchants, moderators, play, script, shoppers, stage, truth
from marketplace.demo.replay.script import MIDDAY, Do
from marketplace.demo.replay.stage import Care, Habits
from marketplace.management.commands import replay as command
from tests.stack import until


@pytest.fixture(scope="module")
def goods():
    return script.stock(load.FOLDER, ["petra_grows", "hazel_mcrae", "okafor_audio", "byte_barn", "marta_ruiz"])


# --- The plan --------------------------------------------------------------------------------------------------------
def test_a_seed_plans_the_same_day_and_another_one_another():
    assert script.day(3, 24) == script.day(3, 24)
    assert script.day(3, 24) != script.day(4, 24)


def test_a_day_holds_everything_in_order_and_its_first_hours_are_its_beginning():
    acts = script.day(1, 24)
    counts = Counter(act.do for act in acts)
    for do, number in script.A_DAY.items():
        assert counts[do] == pytest.approx(number, abs=13)
    assert [act.minute for act in acts] == sorted(act.minute for act in acts)
    assert script.day(1, 5.5) == [act for act in acts if act.minute < 330]
    assert script.clock(0) == "06:00"
    assert script.clock(MIDDAY + 65) == "13:05"
    assert script.clock(19 * 60) == "01:00"


def test_moderators_sleep_at_night_and_merchants_hardly():
    night = [act.do for act in script.day(1, 24) if 18 * 60 <= act.minute < 24 * 60]
    assert Do.WORK not in night
    assert Do.SUBMIT in night


def test_until_midday_more_comes_than_moderators_look_at_and_then_less():
    acts = script.day(1, 24)

    def number(begin, end, *kinds):
        return sum(act.do in kinds for act in acts if 60 * begin <= act.minute < 60 * end)

    # Of what is submitted a third is doubtful in the morning; a report is a case each.
    came = number(0, 6, Do.REPORT) + number(0, 6, Do.SUBMIT) * (script.MORNING.unsafe + script.MORNING.alike)
    assert came > 2 * number(0, 6, Do.WORK)
    assert number(8, 14, Do.WORK) > 2 * (number(8, 14, Do.REPORT) + number(8, 14, Do.SUBMIT) * 0.5)


def test_our_own_offers_are_sound(goods):
    offers = [offer for _, offer in script.read_offers()]
    for offer in offers:
        assert offer.truth == "safe" or policies.get(offer.truth), offer
    assert {offer.truth for offer in offers} == {"safe", *(policy.id for policy in policies.all())}
    titles = [offer.content["title"] for offer in offers]
    assert not [a for a in titles for b in titles if a != b and a.startswith(b)]
    for kind in (goods.unsafe, goods.alike, goods.harmless):
        assert min(len(found) for found in kind.values()) >= 6


def test_from_midday_on_another_mix_of_words_comes(goods):
    rng = random.Random(5)
    early = [script.offer(goods, MIDDAY - 1, rng) for _ in range(1500)]
    late = [script.offer(goods, MIDDAY, rng) for _ in range(1500)]

    def unsafe(offers):
        return sum(offer.truth != "safe" for offer in offers) / len(offers)

    assert unsafe(early) == pytest.approx(script.MORNING.unsafe, abs=0.03)
    assert unsafe(late) == pytest.approx(script.AFTERNOON.unsafe, abs=0.04)
    cloud = [offer.content["title"].startswith("Cloud bars") for offer in late]
    assert sum(cloud) > 3 * sum(offer.content["title"].startswith("Cloud bars") for offer in early)


def test_a_variation_keeps_its_title_and_is_known_again(goods):
    known = truth.truths(goods, load.FOLDER)
    rng = random.Random(2)
    for _ in range(400):
        offer = script.offer(goods, rng.choice((0, MIDDAY)), rng)
        words = offer.content["title"], offer.content["description"]
        said = known.of(truth.draft_key(), *words)
        assert said == (truth.CONTACT if offer.truth == "safe" and "Call me on" in words[1] else offer.truth)
        assert len(words[0]) <= 120


def test_the_key_says_that_a_listing_is_ours_and_is_never_the_same_twice(db, merchant):
    keys = [truth.draft_key() for _ in range(100)]
    assert len(set(keys)) == 100
    for key in (keys[0], None):
        Listing.objects.create(seller=merchant, title="Lamp", category="home", price=1, draft_key=key)
    assert Listing.objects.get(truth.ours()).draft_key == keys[0]


# --- People, one step at a time --------------------------------------------------------------------------------------
@pytest.fixture
def scene(db):
    people.add_people(load.FOLDER)
    said = []
    found = stage.set_up(load.FOLDER, said.append)
    found.said = said
    return found


def on_review(scene, offer, kind="check"):
    seller = User.objects.get(username="petra_grows")
    listing = Listing.objects.create(
        seller=seller, status=Status.IN_REVIEW, draft_key=truth.draft_key(), **offer.content
    )
    remember(listing)
    return ReviewJob.objects.create(listing=listing, revision=1, kind=kind, cause="-")


def always(**habits):
    none = dict.fromkeys(("skips", "walks_away", "passes_on", "undoes"), 0.0)
    return Habits(**(none | {"care": (Care(0, 0), Care(0, 0))} | habits))


def test_what_somebody_else_sells_is_left_to_others(scene, merchant):
    listing = Listing.objects.create(seller=merchant, title="Lamp", category="home", price=1, status=Status.IN_REVIEW)
    ReviewJob.objects.create(listing=listing, revision=1, cause="-")
    moderators.work(scene, random.Random(1))
    assert not JobEvent.objects.exists()


def test_a_careful_moderator_is_right_and_a_careless_one_wrong(scene, goods):
    bad, good = goods.unsafe["morning"][0], goods.alike["morning"][0]
    for care in (0, 1):
        PendingDecision.objects.all().delete()
        jobs = {on_review(scene, bad).pk: bad.truth, on_review(scene, good).pk: "safe"}
        scene.habits = always(care=(Care(care, care),) * 2)
        for _ in jobs:
            moderators.work(scene, random.Random(1))
        for pending in PendingDecision.objects.filter(job__in=jobs):
            right = "approve" if jobs[pending.job_id] == "safe" else "reject"
            assert (pending.action == right) is (care == 0)
        ReviewJob.objects.filter(pk__in=jobs).update(state="withdrawn")
    assert any("(wrongly)" in line for line in scene.said)


def test_habits_show_in_what_happened_to_the_job(scene, goods):
    for habit, event in (
        ("skips", "skipped"),
        ("walks_away", "taken"),
        ("passes_on", "escalated"),
        ("undoes", "undone"),
    ):
        job = on_review(scene, goods.unsafe["morning"][1])
        scene.habits = always(**{habit: 1.0})
        moderators.work(scene, random.Random(1))
        assert JobEvent.objects.filter(job=job, kind=event).exists(), habit
        ReviewJob.objects.filter(pk=job.pk).update(state="withdrawn")


def test_nobody_plays_the_one_click_accounts(scene, goods):
    assert not {"merchant", "shopper", "moderator"} & {*scene.merchants, *scene.shoppers, *scene.moderators}
    theirs = script.stock(load.FOLDER, scene.merchants).harmless
    for seed in range(40):
        for offer in (goods.unsafe["midday"][0], goods.alike["midday"][0], theirs["morning"][seed]):
            seller = merchants._seller(scene, offer, random.Random(seed))
            assert seller.username in scene.merchants or seller.username == "newcomer_1"
    assert User.objects.filter(username="newcomer_1").count() == 1


def test_a_case_that_a_visitor_made_or_held_is_left_to_others(scene, goods):
    bad = goods.unsafe["morning"][0]

    def of_visitor(job, **fields):
        Listing.objects.filter(pk=job.listing_id).update(**fields)

    def person(name):
        return User.objects.get(username=name)

    sold, held, signed_in, unknown = (on_review(scene, bad) for _ in range(4))
    of_visitor(sold, seller=person("merchant"))
    ReviewJob.objects.filter(pk=held.pk).update(claimed_by=person("moderator"))  # and the lease is over
    for job, reporter in ((signed_in, person("shopper")), (unknown, None)):
        of_visitor(job, status=Status.PUBLISHED)
        job.listing.refresh_from_db()
        reports.report(listing=job.listing, reporter=reporter, address="10.0.0.1", policy=bad.truth, text="-")
    # What a signed-in visitor made of a listing of the demo's data: another revision of it.
    edited = on_review(scene, bad)
    of_visitor(edited, draft_key=next(iter(scene.truths.keys)), revision=2)
    for seed in range(6):
        moderators.work(scene, random.Random(seed))
        merchants.edit(scene, random.Random(seed))
        merchants.withdraw(scene, random.Random(seed))
        shoppers.report(scene, random.Random(seed))
    assert scene.tally["moments without a case"] == 6
    assert not JobEvent.objects.exists()
    # The withdrawals and edits are of the one that was only held.
    assert not [line for line in scene.said if not line.split("  ")[1].startswith("petra_grows")]
    assert Report.objects.count() == 2


def test_a_case_that_the_scripts_own_people_made_is_taken(scene, goods):
    job = on_review(scene, goods.unsafe["morning"][0])
    Listing.objects.update(status=Status.PUBLISHED)
    ReviewJob.objects.filter(pk=job.pk).update(state="withdrawn")
    scene.habits = always()
    shoppers.report(scene, random.Random(1))
    moderators.work(scene, random.Random(1))
    assert PendingDecision.objects.get().job.kind == "report"


def test_newcomers_have_the_password_of_every_demo_account(scene, client):
    User.objects.create(username="newcomer_1", role="merchant", shop_name="New here 1", password="!")  # of before
    User.objects.create(username="newcomer_2", role="merchant", shop_name="My own shop", password="!")
    assert merchants._newcomer(2) is None
    for number in (1, 3):
        merchants._newcomer(number)
        assert client.login(username=f"newcomer_{number}", password=people.PASSWORD)
    assert not client.login(username="newcomer_2", password=people.PASSWORD)


def test_what_is_submitted_has_the_demos_photos_and_a_title_of_its_own(scene, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    scene.goods = script.Stock(
        {"morning": [next(each for each in scene.goods.harmless["morning"] if len(each.photos) > 1)]},
        {"morning": [script.Offer({}, "weapons")]},
        {"morning": [script.Offer({}, "safe")]},
    )
    offer = scene.goods.harmless["morning"][0]
    other = User.objects.get(username="merchant")
    Listing.objects.create(seller=other, **offer.content)
    drawn = {photo.read_bytes() for photo in offer.photos}
    scene.habits = replace(scene.habits, with_device=1.0)
    seeds = (seed for seed in range(99) if luck(seed) > 0.5)  # neither of the two that are nothing here
    for seed in itertools.islice(seeds, len(script.TAILS) + 2):
        merchants.submit(scene, random.Random(seed))
    made = Listing.objects.filter(truth.ours())
    assert made.count() == len(script.TAILS) + 2, scene.said
    titles = list(Listing.objects.values_list("title", flat=True))
    assert len(set(titles)) == len(titles)
    for listing in made:
        assert listing.seller.username == offer.seller
        assert {photo.sha256 for photo in listing.photos.all()} == {sha256(each).hexdigest() for each in drawn}
        said = listing.verdicts.filter(photo__isnull=False, where="device")
        assert said.count() == len(drawn)
        assert not [verdict for verdict in said if verdict.detail]


def luck(seed):
    """The draw that chooses between what is forbidden, what sounds alike, and what is harmless."""
    rng = random.Random(seed)
    return rng.random() < script.OF_THE_TIME and rng.random()


def test_a_shopper_reports_what_breaks_a_rule_and_looks(scene, goods):
    bad = goods.unsafe["morning"][0]
    job = on_review(scene, bad)
    Listing.objects.update(status=Status.PUBLISHED)
    scene.habits = replace(scene.habits, false_reports=0.0)
    shoppers.report(scene, random.Random(1))
    assert ReviewJob.objects.get(kind="report").policy == bad.truth
    assert ReviewJob.objects.get(kind="report").listing == job.listing
    shoppers.look(scene, random.Random(1))
    assert scene.tally["views"] == 1


# --- The command -----------------------------------------------------------------------------------------------------
def test_where_the_demo_is_off_it_says_so(db, settings):
    settings.DEMO, settings.DATABASE_URL = False, "postgresql://somewhere/else"
    with pytest.raises(CommandError, match="DEMO is off here"):
        call_command("replay")
    assert not User.objects.exists()


def test_without_the_demos_people_it_says_how_to_get_them(db):
    with pytest.raises(CommandError, match=r"manage\.py demo"):
        call_command("replay")


@pytest.mark.parametrize("options", [{"speed": 0.0}, {"speed": float("nan")}, {"hours": 25.0}, {"hours": -1.0}])
def test_a_day_has_a_length_and_time_goes_forward(db, options):
    with pytest.raises(CommandError, match="--speed is a number above 0"):
        call_command("replay", **options)


def test_ctrl_c_ends_it_with_a_summary(db, capsys, monkeypatch):
    people.add_people(load.FOLDER)
    monkeypatch.setattr(command, "ANSWERS_WITHIN", 0.1)

    def interrupted(scene, rng):
        scene.tally["submitted"] += 1
        raise KeyboardInterrupt

    monkeypatch.setitem(play.ACTS, Do.SUBMIT, interrupted)
    call_command("replay", hours=24.0, speed=1e6, seed=1)
    said = capsys.readouterr().out
    assert "Ended at " in said
    assert "1 submitted" in said
    assert "cases waited at the beginning" in said


# --- On the running site ---------------------------------------------------------------------------------------------
@pytest.fixture
def hurried(site):
    """Leases of three seconds, a second to take a decision back: a day is played in less than a minute here."""
    people.add_people(load.FOLDER)
    operator = User.objects.get(username="moderator")
    for name, value in (("lease_minutes", 0.05), ("undo_seconds", 1), ("second_share", 0.5)):
        before = trust_settings.ALL[name].default
        SettingChange.objects.create(name=name, value=value, before=before, actor=operator, reason="A hurried day.")
    trust_settings.forget()


def test_some_hours_played_on_the_real_site(site, hurried):
    lines = []
    habits = Habits(
        care=(Care(0.2, 0.5), Care(0.2, 0.5)), walks_away=0.2, undoes=0.3, appeals_wrong=1.0, looks_wrong_again=0.0
    )
    scene = stage.set_up(load.FOLDER, lines.append, habits)
    acts = [act for act in script.day(7, 14) if act.minute > 60]

    def everything():
        return (
            Decision.objects.filter(about__isnull=False).exists()
            and JobEvent.objects.filter(kind="lost").exists()
            and JobEvent.objects.filter(kind="undone").exists()
        )

    play.play(scene, acts, speed=1500)
    waited = ReviewJob.objects.count()
    assert waited >= 8, lines
    assert set(ReviewJob.objects.values_list("kind", flat=True)) >= {"check", "report", "sample"}
    # What takes its time on a busy machine may come a little after the last hour.
    rng = random.Random(1)

    def goes_on():
        merchants.answer(scene, rng)
        moderators.work(scene, rng)
        return everything()

    until(goes_on, 120, "an appeal is answered, a lease runs out, a decision is taken back", pause=0.3)
    appeal = Appeal.objects.filter(decision__answers__isnull=False).first()
    answer = appeal.decision.answers.get()
    assert answer.moderator != appeal.decision.moderator
    assert Decision.objects.filter(moderator__username__in=scene.moderators).count() == Decision.objects.count()
    assert Listing.objects.filter(truth.ours(), status=Status.PUBLISHED).exists()
    assert not [line for line in lines if "Traceback" in line]
