"""What goes on in the demo's moderation: by the site's own steps, dated back, once."""

import tomllib
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import Appeal, Decision, Listing, Notice, Report, ReviewJob, SecondLook, Strike, User
from listings.moderation import decisions, strikes
from listings.submission import remember
from marketplace import catalogue
from marketplace.demo import load, moderation, people
from marketplace.demo.dating import dating_back

REF = "longboard"
BOOK = """
[[appeal]]
listing = "Brass knuckles"
text = "It is a paperweight, look at the desk it came with."
hours = 5
[[report]]
listing = "longboard"
reporter = "shopper"
policy = "counterfeit"
text = "A copy, I think."
hours = 26
answer = { moderator = "mod_iris", action = "approve" }
[[sample]]
listing = "longboard"
hours = 6
[[second]]
listing = "Brass knuckles"
hours = 8
answer = { moderator = "mod_iris", action = "reject", policy = "weapons", reason = "Knuckledusters they are." }
[[sample]]
listing = "nothing of that name"
hours = 6
"""


def make_listing(title, **fields):
    values = {"description": "-", "category": "sports", "price": 30, "status": Status.PUBLISHED}
    listing = Listing.objects.create(title=title, **(values | fields))
    remember(listing)
    return listing


@pytest.fixture
def market(db, tmp_path):
    """A rejected case and a listing on sale of the demo's people; moderation.toml beside them."""
    users, _ = people.add_people(load.FOLDER)
    seller, moderator = users["merchant"], users["moderator"]
    make_listing("Longboard", seller=seller, draft_key=catalogue.draft_key(REF))
    bad = make_listing("Brass knuckles", seller=seller, status=Status.IN_REVIEW)
    job = ReviewJob.objects.create(listing=bad, revision=1, cause="-", policy="weapons")
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason="Knuckledusters are weapons.")
    ReviewJob.objects.exclude(pk=job.pk).delete()  # a second look that the lot may have drawn
    with dating_back():
        Decision.objects.update(created_at=timezone.now() - timedelta(days=9))
    (tmp_path / "moderation.toml").write_text(BOOK)
    return tmp_path, users


def test_there_is_life_at_once_and_it_happened_before_now(market):
    folder, users = market
    said = []
    moderation.add_moderation(folder, users, said.append)
    rejection = Decision.objects.get(action="reject")
    appeal = Appeal.objects.get(decision=rejection)
    assert appeal.job.state == "open"
    report = Report.objects.get()
    assert (report.job.state, report.job.decision.action) == ("decided", "approve")
    assert SecondLook.objects.get().about == rejection
    # The report's answer has looked at the same words, and the sample was drawn after it.
    assert ReviewJob.objects.get(kind="sample").state == "open"
    assert strikes.living(users["merchant"]).get().created_at == rejection.created_at
    notice = Notice.objects.get(person=users["merchant"], url=reverse("decision", args=[rejection.pk]))
    assert notice.created_at == rejection.created_at
    assert notice.read_at is None
    hour_ago = timezone.now() - timedelta(minutes=59)
    for rows in (Appeal, Report, SecondLook, Decision, Notice, Strike, ReviewJob.objects.exclude(kind="check")):
        rows = rows.objects.all() if hasattr(rows, "objects") else rows
        assert all(row.created_at < hour_ago for row in rows)
    assert rejection.created_at < appeal.created_at
    assert not any("left out" in line for line in said)


def test_a_second_run_adds_nothing(market):
    folder, users = market
    moderation.add_moderation(folder, users, print)
    models = (Appeal, Report, ReviewJob, Decision, SecondLook, Notice, Strike)
    before = [list(model.objects.order_by("pk").values_list()) for model in models]
    moderation.add_moderation(folder, users, print)
    assert [list(model.objects.order_by("pk").values_list()) for model in models] == before


def test_what_people_did_since_is_left_alone(market):
    folder, users = market
    Listing.objects.filter(title="Longboard").update(status=Status.ENDED)
    moderation.add_moderation(folder, users, print)
    assert not Report.objects.exists()
    assert not ReviewJob.objects.filter(kind="sample").exists()
    assert Appeal.objects.exists()


def test_the_real_file_names_what_is_there_and_leaves_open_what_a_visitor_can_decide(db):
    users, _ = people.add_people(load.FOLDER)
    book = tomllib.loads((load.FOLDER / moderation.FILE).read_text())
    cases = tomllib.loads((load.FOLDER / "cases.toml").read_text())["listing"]
    rejected = {case["title"]: case["moderator"] for case in cases if case["status"] == "rejected"}
    ordered = {each["listing"] for each in tomllib.loads((load.FOLDER / "cases.toml").read_text())["order"]}
    refs = {row.ref for row in catalogue.read(load.FOLDER)}
    for name in ("appeal", "second"):
        for case in book[name]:
            decided_by = rejected[case["listing"]]
            assert case.get("answer", {}).get("moderator") != decided_by
    assert {case["listing"] for name in ("report", "sample") for case in book[name]} <= refs - ordered
    for cases in book.values():
        assert {"answer" in case for case in cases} == {True, False}
        for case in cases:
            assert users[case.get("answer", {}).get("moderator", "mod_iris")].role == User.Role.MODERATOR
