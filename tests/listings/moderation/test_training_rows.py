"""Moderators' decisions as rows to train on: what is in them, what is left out, what nobody may read there."""

import csv
import gzip
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from listings.models import Decision, RemovedPhoto, ReviewJob
from listings.moderation import appeals, decisions, training_rows
from listings.moderation.decisions import Word
from marketplace.demo.dating import dating_back
from tests.conftest import person

REASON = "This is a weapon, whatever the title says."


@pytest.fixture
def exported(db, tmp_path):
    def export(**options):
        out = tmp_path / "decisions.csv.gz"
        call_command("export_decisions", out=out, **options)
        with gzip.open(out, "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return export


def test_an_empty_database_gives_a_file_without_rows(exported, capsys):
    assert exported() == []
    assert "no decisions" in capsys.readouterr().out


def test_approvals_are_safe_and_rejections_have_their_policy(exported, make_case, moderator):
    approved, rejected = make_case("Shotgun microphone"), make_case("Flick knife")
    decisions.approve(job=approved, moderator=moderator)
    decisions.reject(job=rejected, moderator=moderator, policy="weapons", reason=REASON)
    rows = exported()
    assert list(rows[0]) == list(training_rows.COLUMNS)
    found = [(row["title"], row["policy"], row["action"], row["source"]) for row in rows]
    assert found == [
        ("Shotgun microphone", "safe", "approve", "decisions-check"),
        ("Flick knife", "weapons", "reject", "decisions-check"),
    ]
    assert all(row["decided_at"].endswith("+00:00") for row in rows)


def test_the_words_are_those_that_were_decided_about(exported, make_case, moderator):
    job = make_case("Flick knife")
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    job.listing.title, job.listing.revision = "Bread knife", 2
    job.listing.save()
    (row,) = exported()
    assert (row["title"], row["policy"]) == ("Flick knife", "weapons")


def test_what_an_appeal_overturned_is_safe_and_says_nothing_else(exported, make_case, merchant, moderator):
    job = make_case("Butterfly display case")
    first = decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    appeals.appeal(decision=first, person=merchant, text="It holds butterflies, not knives.")
    decisions.decide(
        job=ReviewJob.objects.get(kind="appeal"), moderator=person("iris", "moderator"),
        word=Word("overturn", reason="It is a case for insects, we were wrong."),
    )  # fmt: skip
    (row,) = exported()
    assert (row["policy"], row["action"], row["source"]) == ("safe", "overturn", "decisions-appeal")


def test_what_an_appeal_upheld_stands_once(exported, make_case, merchant, moderator):
    job = make_case("Butterfly knife")
    first = decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    appeals.appeal(decision=first, person=merchant, text="It is only for training.")
    decisions.decide(
        job=ReviewJob.objects.get(kind="appeal"), moderator=person("iris", "moderator"),
        word=Word("uphold", reason="A blade that flips open is a weapon."),
    )  # fmt: skip
    (row,) = exported()
    assert (row["policy"], row["action"]) == ("weapons", "reject")


def test_of_two_decisions_about_the_same_words_the_later_counts(exported, make_case, moderator):
    job = make_case("Flick knife")
    decisions.approve(job=job, moderator=moderator)
    reported = ReviewJob.objects.create(listing=job.listing, revision=1, kind="report", cause="Reported.")
    decisions.reject(job=reported, moderator=moderator, policy="weapons", reason=REASON)
    assert [(row["policy"], row["source"]) for row in exported()] == [("weapons", "decisions-report")]


def test_a_photo_or_a_missing_detail_says_nothing_of_the_words(exported, make_case, moderator, capsys):
    by_photo, changes = make_case("Garden chair"), make_case("Five rackets")
    decision = decisions.reject(job=by_photo, moderator=moderator, policy="weapons", reason=REASON)
    RemovedPhoto.objects.create(decision=decision, policy="weapons", sha256="0" * 64)
    decisions.decide(job=changes, moderator=moderator, word=Word("changes", reason="One listing for one thing."))
    assert exported() == []
    said = capsys.readouterr().out
    assert "1 changes under no policy, 1 decided by a photo" in said


def test_nor_does_one_that_an_appeal_put_under_another_policy(exported, make_case, merchant, moderator):
    first = decisions.reject(job=make_case("Garden chair"), moderator=moderator, policy="weapons", reason=REASON)
    RemovedPhoto.objects.create(decision=first, policy="weapons", sha256="0" * 64)
    appeals.appeal(decision=first, person=merchant, text="It holds butterflies, not knives.")
    decisions.decide(
        job=ReviewJob.objects.get(kind="appeal"), moderator=person("iris", "moderator"),
        word=Word("modify", policy="counterfeit", reason="The photo shows a forged label, no weapon."),
    )  # fmt: skip
    assert exported() == []


def test_nobody_can_be_reached_or_named_by_it(exported, make_case, moderator):
    job = make_case("Knife \U0001f52a write to jo@example.com", policy="weapons")
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
    (row,) = exported()
    assert row["title"] == "Knife \U0001f52a write to [mail address]"
    everything = " ".join(row.values())
    for name in ("mona", "alice", "Alice's Attic", job.listing.public_id, REASON):
        assert name not in everything


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Call me on 020 7946 0958, evenings.", "[telephone number], evenings."),
        ("Oak table, 120 x 80 cm, ISBN 9780306406157", "Oak table, 120 x 80 cm, ISBN 9780306406157"),
        ("", ""),
        ("www.shop.com and jo@example.com", "[link] and [mail address]"),
    ],
)
def test_contact_details_give_way_to_their_kind(text, masked):
    assert training_rows.masked(text) == masked


def test_a_range_of_days_includes_both_ends(exported, make_case, moderator):
    today = timezone.localdate()
    for age in range(4):
        decision = decisions.approve(job=make_case(f"Lamp {age} days old"), moderator=moderator)
        with dating_back():
            Decision.objects.filter(pk=decision.pk).update(created_at=timezone.now() - timedelta(days=age))
    rows = exported(since=str(today - timedelta(days=2)), until=str(today - timedelta(days=1)))
    assert [row["title"] for row in rows] == ["Lamp 2 days old", "Lamp 1 days old"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"since": "yesterday"}, "2026-11-01"),
        ({"since": "2026-11-03", "until": "2026-11-02"}, "comes after"),
        ({"out": "decisions.txt"}, "ends in .csv"),
        ({"out": "nowhere/decisions.csv"}, "no folder"),
    ],
)
def test_what_cannot_be_done_is_said(db, tmp_path, options, said):
    out = tmp_path / options.pop("out", "decisions.csv")
    with pytest.raises(CommandError, match=said):
        call_command("export_decisions", out=out, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_breaks_off_leaves_the_old_file(make_case, moderator, tmp_path, monkeypatch):
    decisions.approve(job=make_case("Lamp"), moderator=moderator)
    out = tmp_path / "decisions.csv"
    out.write_text("old")

    def broken(text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training_rows, "masked", broken)
    with pytest.raises(CommandError, match="No space left"):
        call_command("export_decisions", out=out)
    assert [path.name for path in tmp_path.iterdir()] == ["decisions.csv"]
    assert out.read_text() == "old"
    monkeypatch.undo()
    assert training_rows.write(out, until=date(2020, 1, 1)).rows == 0
    assert out.read_text().splitlines() == [",".join(training_rows.COLUMNS)]
