"""`manage.py demo`: a small folder with one of each case, and the real files."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from listings import checks, policies, submission
from listings.lifecycle import Status
from listings.models import (
    Cell,
    Debt,
    Decision,
    Listing,
    Order,
    OwedCheck,
    Photo,
    ReviewJob,
    Ruling,
    SettingChange,
    StatusChange,
    User,
    ValidationJob,
    Verdict,
)
from listings.trust import savings, settings
from marketplace import catalogue
from marketplace.demo import entries, load, people

ROWS = [
    ("desk", "Storage box for a desk, white, with a lid", "home"),
    ("chair", "Seat cushion for a dining chair, grey", "home"),
    ("bag", "Cotton book bag, black with white boat print", "fashion"),
]
PEOPLE = """
[[merchant]]
username = "merchant"
shop_name = "Second Shelf"
town = "Ghent"
about = "We clear houses."
joined = 2021-03-14
[[shopper]]
username = "shopper"
name = "Lena Ortega"
town = "Antwerp"
[[moderator]]
username = "moderator"
name = "Sam Albrecht"
"""
CASE = """
[[listing]]
seller = "merchant"
title = "{title}"
description = "{description}"
category = "tools"
price = "25.00"
currency = "EUR"
condition = "good"
attributes = {{}}
photos = []
status = "{status}"
policy = "{policy}"
reason = "{reason}"
moderator = "{moderator}"
"""
CASES = [
    ("Brass knuckles, heavy", "Four brass rings for fighting.", "rejected", "weapons", "A weapon!!!", "moderator"),
    ("Switchblade with a button", "The blade jumps out by itself.", "in_review", "weapons", "", ""),
    ("Storm lantern, red enamel, new wick", "Burns for ten hours on one filling.", "in_review", "fraud", "", ""),
    ("Zip purse in cork and blue cotton", "Write to purse@example.com please.", "needs_changes", "", "Not used.", ""),
    ("Standing table mirror, beech", "Turned frame, clear glass.", "needs_changes", "", "Say its height.", ""),
    ("Digital camera body, black", "Battery and charger are included.", "paused", "", "", ""),
    ("Wooden train, engine and three wagons", "Beech, blue and natural.", "ended", "", "", ""),
]  # fmt: skip
ORDERS = """
[[order]]
buyer = "shopper"
listing = "desk"
status = "settled"
[[order]]
buyer = "shopper"
listing = "chair"
status = "cancelled"
"""


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "demo"
    (path / "pictures").mkdir(parents=True)
    (path / "people.toml").write_text(PEOPLE)
    names = ("title", "description", "status", "policy", "reason", "moderator")
    cases = [CASE.format(**dict(zip(names, case, strict=True))) for case in CASES]
    (path / "cases.toml").write_text("".join(cases) + ORDERS)
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow([*catalogue.NEEDED, *catalogue.OPTIONAL])
    for ref, title, category in ROWS:
        writer.writerow(
            [
                ref,
                category,
                title,
                "Kept indoors, clean, works well.",
                "40",
                "EUR",
                "good",
                "merchant",
                "",
                f"{ref}.jpg",
            ]
        )
    (path / "catalogue.csv").write_text(sheet.getvalue())
    return path


def draw(folder: Path, name: str, color: str = "green") -> None:
    Image.new("RGB", (90, 60), color).save(folder / "pictures" / name, "JPEG")


@pytest.fixture
def loaded(db: None, folder: Path) -> Callable[[], tuple[load.Report, list[str]]]:
    def run() -> tuple[load.Report, list[str]]:
        said: list[str] = []
        return load.load(said.append, folder), said

    return run


def by_title() -> dict[str, Listing]:
    return {listing.title: listing for listing in Listing.objects.all()}


def test_everything_has_the_status_it_is_meant_to_have(loaded):
    report, said = loaded()
    assert (report.people, report.listings, report.orders, report.stopped) == (3, 10, 2, [])
    assert "10 of 10 listings checked and stored" in said
    found = by_title()
    for title, _, status, *_ in CASES:
        assert found[title].status == status, title
    assert found["Cotton book bag, black with white boat print"].status == Status.PUBLISHED
    assert not ValidationJob.objects.exclude(state="done").exists()


def test_every_listing_was_checked_by_gate_and_worker(loaded):
    loaded()
    for listing in Listing.objects.all():
        verdicts = [(verdict.where, verdict.model) for verdict in listing.verdicts.all()]
        assert sorted(verdicts) == [
            ("cloud", "contact-details"),
            ("cloud", "duplicates"),
            ("cloud", "listing-text-cloud"),
            ("device", "listing-text"),
            ("gate", "listing-text"),
            ("gate", "listing-text-gate"),
        ]
        assert all(verdict.digest for verdict in listing.verdicts.filter(model="listing-text"))


def test_each_has_a_ruling_and_its_place_among_what_is_counted(loaded):
    loaded()
    assert Ruling.objects.count() == Listing.objects.count()
    assert not ValidationJob.objects.filter(category="").exists()
    assert not Debt.objects.exists(), "three listings open no category"
    found = savings.count(90)
    assert (found.revisions.sent, found.device.claimed, found.device.agreed) == (10, 10, 10)
    assert found.revisions.fates["before"] == 10


SETTING = """
[[setting]]
name = "cell_miss"
value = 0.25
moderator = "moderator"
reason = "A market to try things in."
"""


@pytest.fixture
def larger(folder: Path) -> Path:
    """A dozen older listings of one merchant in one category, and then one of each of three ages."""
    days = [*[range(7, 40)] * 12, range(2, 5), range(2, 5), range(1)]
    seller = User(pk=1)
    rows, tried = [], 0
    for within in days:
        ref = ""
        while not ref or (timezone.now() - entries.moment(entry(ref, seller))).days not in within:
            ref, tried = f"box-{tried}", tried + 1
        rows.append((ref, f"Storage box number {tried}, white, with a lid", "home"))
    sheet = (folder / "catalogue.csv").read_text().splitlines()
    line = sheet[1]
    made = [line.replace(ROWS[0][0], ref).replace(ROWS[0][1], title) for ref, title, _ in rows]
    (folder / "catalogue.csv").write_text("\n".join([sheet[0], *made]) + "\n")
    (folder / "cases.toml").write_text(SETTING)
    return folder


def entry(ref: str, seller: User) -> entries.Entry:
    return entries.Entry(catalogue.draft_key(ref), seller, {})


def test_what_came_last_was_on_sale_at_once_and_the_newest_still_owes(loaded, larger):
    report, _ = loaded()
    assert (report.listings, report.stopped) == (15, [])
    change = SettingChange.objects.get()
    assert (change.name, change.actor.username, settings.values()["cell_miss"]) == ("cell_miss", "moderator", 0.25)
    assert (timezone.now() - change.created_at).days == load.SETTINGS_DAYS
    assert set(Cell.objects.values_list("category", "seen", "missed")) == {("home", 12, 0)}
    paid, _, owed = Debt.objects.order_by("opened_at")
    assert (paid.state, paid.cause, paid.closed_at - paid.opened_at) == ("paid", "idle", entries.PAID_AFTER)
    assert (owed.state, owed.listing.status) == ("open", Status.PUBLISHED)
    assert owed.light_at == owed.opened_at + timedelta(seconds=2)
    assert OwedCheck.objects.get(job=owed.job, state="owed").due_at == checks.DEFERRED
    assert all(debt.opened_at == debt.listing.created_at for debt in (paid, owed))
    fates = savings.count(90).revisions.fates
    assert (fates["before"], fates["paid"], fates["owed"]) == (12, 2, 1)
    again, _ = loaded()
    assert again.listings == 0
    assert SettingChange.objects.count() == 1


def test_what_an_operator_has_set_stays(loaded, larger, moderator):
    settings.change(name="cell_miss", value=0.1, actor=moderator, reason="Because I say so.")
    loaded()
    assert settings.values()["cell_miss"] == 0.1
    assert not Debt.objects.exists()


def test_moderators_have_real_cases_with_their_grounds(loaded):
    loaded()
    rejected = by_title()["Brass knuckles, heavy"]
    decision = Decision.objects.get()
    assert (decision.listing, decision.action, decision.policy) == (rejected, "reject", "weapons")
    assert decision.moderator.username == "moderator"
    assert rejected.status_note == f"{policies.name('weapons')}: A weapon!!!"
    harmless = ReviewJob.objects.get(listing__title__startswith="Storm lantern")
    assert (harmless.state, harmless.policy) == ("open", "fraud")
    assert "demo data" in harmless.cause
    truly = ReviewJob.objects.get(listing__title__startswith="Switchblade")
    assert "demo data" not in truly.cause


def test_merchants_read_the_checks_own_words_where_a_check_found_it(loaded):
    loaded()
    found = by_title()
    assert "mail address" in found["Zip purse in cork and blue cotton"].status_note
    assert found["Standing table mirror, beech"].status_note == "Say its height."


def test_dates_lie_in_the_last_forty_days_and_in_order(loaded):
    loaded()
    now = timezone.now()
    for listing in Listing.objects.all():
        assert now - timedelta(days=40) <= listing.created_at < now - timedelta(hours=1)
        assert listing.created_at <= listing.updated_at < now
        if listing.status == Status.PUBLISHED:
            assert listing.published_at == listing.created_at + timedelta(seconds=2)
        steps = [step.created_at for step in listing.status_changes.order_by("pk")]
        assert steps == sorted(steps)
        assert max(steps) < now
        assert all(listing.created_at <= verdict.created_at < now for verdict in listing.verdicts.all())
    for order in Order.objects.all():
        assert order.listing.created_at < order.created_at < now


def test_the_demo_does_not_use_up_what_a_merchant_may_send(loaded, form_content):
    loaded()
    merchant = User.objects.get(username="merchant")
    for number in range(submission.SUBMITS_IN_A_ROW):
        submission.submit(seller=merchant, content=form_content(number), photos=[])
    with pytest.raises(submission.TooManySubmissions):
        submission.submit(seller=merchant, content=form_content(99), photos=[])


@pytest.fixture
def form_content() -> Callable[[int], dict[str, Any]]:
    def make(number: int) -> dict[str, Any]:
        words = {"title": f"Jar {number}", "description": "Glass.", "category": "kitchen", "attributes": {}}
        return words | {"price": 3, "currency": "EUR", "condition": "good"}

    return make


def test_a_second_run_adds_nothing_and_changes_nothing(loaded):
    loaded()
    models = (
        *(User, Listing, Verdict, StatusChange, ReviewJob, Decision, Order, Photo),
        *(ValidationJob, Ruling, Debt, OwedCheck, SettingChange),
    )
    before = [sorted(map(repr, model.objects.values_list())) for model in models if model is not Listing]
    listings = list(
        Listing.objects.order_by("pk").defer("search").values_list("pk", "status", "updated_at", "revision")
    )
    report, _ = loaded()
    assert (report.people, report.listings, report.orders, report.photos) == (0, 0, 0, 0)
    assert [sorted(map(repr, model.objects.values_list())) for model in models if model is not Listing] == before
    again = list(Listing.objects.order_by("pk").defer("search").values_list("pk", "status", "updated_at", "revision"))
    assert again == listings


def test_what_people_did_since_stays(loaded):
    loaded()
    Listing.objects.filter(title__startswith="Cotton").update(status=Status.PAUSED, title="My bag")
    User.objects.filter(username="merchant").update(shop_name="Mine")
    loaded()
    assert Listing.objects.get(title="My bag").status == Status.PAUSED
    assert User.objects.get(username="merchant").shop_name == "Mine"


def test_pictures_come_when_they_are_there_and_are_replaced_when_drawn_anew(loaded, folder, media):
    draw(folder, "desk.jpg")
    report, _ = loaded()
    assert (report.photos, report.missing_pictures) == (1, ["bag.jpg", "chair.jpg"])
    bag = Listing.objects.get(title__startswith="Cotton")
    assert not bag.photos.exists()
    draw(folder, "bag.jpg")
    assert loaded()[0].photos == 1
    first = bag.photos.get()
    assert (media / first.file).exists()
    assert loaded()[0].photos == 0
    draw(folder, "bag.jpg", "red")
    assert loaded()[0].photos == 1
    assert bag.photos.get().sha256 != first.sha256
    Listing.objects.filter(pk=bag.pk).update(revision=2)  # its merchant has edited it since
    draw(folder, "bag.jpg", "blue")
    assert loaded()[0].photos == 0


def test_a_picture_that_is_none_is_told_and_the_others_come(loaded, folder):
    (folder / "pictures" / "desk.jpg").write_text("not drawn well")
    draw(folder, "bag.jpg")
    report, said = loaded()
    assert report.photos == 1
    assert any(line.startswith("picture desk.jpg not used: ") for line in said)


def test_many_pictures_are_made_by_several_processes(tmp_path):
    from marketplace.demo import pictures

    paths = []
    for number in range(pictures.FEW + 4):
        paths.append(tmp_path / f"{number}.jpg")
        Image.new("RGB", (60 + number, 40), "red").save(paths[-1], "JPEG")
    made = dict(pictures.rendered(paths))
    assert [made[path].width for path in paths] == [60 + number for number in range(pictures.FEW + 4)]


def test_a_listing_that_a_check_stops_is_reported_with_its_scores(loaded, folder):
    text = (folder / "catalogue.csv").read_text()
    (folder / "catalogue.csv").write_text(text.replace("Cotton book bag", "Pistol with 50 rounds of 9 mm ammunition"))
    report, _ = loaded()
    (stopped,) = report.stopped
    assert stopped.listing.status == Status.IN_REVIEW
    assert "weapons" in stopped.scores[0]


@pytest.mark.django_db
@pytest.mark.parametrize("verbosity", [1, 2])
def test_the_command_counts_what_a_check_stopped_and_says_more_when_asked(folder, verbosity):
    text = (folder / "catalogue.csv").read_text()
    (folder / "catalogue.csv").write_text(text.replace("Cotton book bag", "Pistol with 50 rounds of 9 mm ammunition"))
    # One that its moderator is meant to send back waits too, and is not counted among the harmless.
    cases = (folder / "cases.toml").read_text()
    (folder / "cases.toml").write_text(cases.replace('"Standing table mirror, beech"', '"Switchblade, another one"'))
    out = io.StringIO()
    call_command("demo", folder=folder, stdout=out, verbosity=verbosity)
    assert "a check was not sure or wrong: 1\n" in out.getvalue()
    assert ("should be published and is in_review" in out.getvalue()) is (verbosity == 2)


def test_faulty_files_of_the_demo_are_told(loaded, folder):
    text = (folder / "catalogue.csv").read_text()
    (folder / "catalogue.csv").write_text(text.replace(",40,", ",forty,"))
    with pytest.raises(load.Faulty, match="price: Write the price in digits"):
        loaded()
    assert not Listing.objects.exists()


def test_a_name_of_somebody_else_is_not_taken_over(loaded, shopper):
    User.objects.filter(pk=shopper.pk).update(username="moderator")
    with pytest.raises(people.NameTaken, match="moderator is taken by a shopper"):
        loaded()


def test_everybody_signs_in_with_the_password_that_is_told(db, folder, client, settings):
    out = io.StringIO()
    call_command("demo", folder=folder, stdout=out)
    assert out.getvalue().endswith("The password of every demo account is: demo\n")
    for name in ("merchant", "shopper", "moderator"):
        assert client.login(username=name, password="demo")
        settings.DEMO = True
        assert client.post(f"/accounts/demo/{name}/").status_code == 302


def test_a_database_of_ones_own_gets_the_public_password_only_on_purpose(db, settings):
    settings.DATABASE_URL, settings.DEMO = "postgresql://somewhere/else", False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("demo")
    assert not User.objects.exists()


def test_the_real_files_are_sound(db):
    """Every row, case and order by the rules of the site; the pictures may be drawn later."""
    users, _ = people.add_people(load.FOLDER)
    entries = [*load._catalogue(load.FOLDER, users), *load._cases(load.FOLDER, users)]
    assert len(entries) > 300
    assert len({(entry.seller.pk, entry.key) for entry in entries}) == len(entries)
    assert {entry.status for entry in entries} == set(Status) - {Status.CHECKING}
    for entry in entries:
        if entry.status == Status.REJECTED:
            assert entry.moderator
            assert policies.get(entry.policy)
            assert len(entry.reason) >= 10
    refs = {row.ref for row in catalogue.read(load.FOLDER)}
    cases = tomllib.loads((load.FOLDER / "cases.toml").read_text())
    assert {order["listing"] for order in cases["order"]} <= refs
    assert len({order["listing"] for order in cases["order"]}) == len(cases["order"])
    drawn = {row["file"] for row in csv.DictReader((load.FOLDER / "pictures.csv").open())}
    assert {name for entry in entries for name in entry.photos} <= drawn
