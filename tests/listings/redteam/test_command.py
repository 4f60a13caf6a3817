"""The command that attacks listings: its output, and when it ends with an error."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from listings.redteam import committed, curve
from tests.listings.redteam.cast import HEADER, LISTINGS, stages


@pytest.fixture
def command(monkeypatch, tmp_path, csv_of):
    """The command on six listings, a made-up device and open doors behind it; the committed curve is in tmp_path."""
    rows = "".join(f"{x.id},{x.draft.title},{x.draft.description},{x.policy},plain\n" for x in LISTINGS)
    path = csv_of(HEADER + rows)
    monkeypatch.setattr(curve, "real_stages", stages)
    monkeypatch.setattr(curve, "versions", lambda: {"listing-text": {"sha256": "1"}})
    monkeypatch.setattr(committed, "PATH", tmp_path / "curve.json")

    def call(*arguments):
        out, err = io.StringIO(), io.StringIO()
        call_command("redteam", "--only", "texts", "--listings", str(path), *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return call


def test_json_alone_is_on_standard_output_and_progress_beside_it(command):
    command("--budget", "10", "--seed", "2", "--update")
    out, err = command("--budget", "10", "--seed", "2", "--json")
    found = json.loads(out)
    assert (found["seed"], found["budget"], found["listings"]) == (2, 10, 6)
    assert [row["attempts"] for row in found["curve"]] == [1, 2, 5, 10]
    assert set(found["curve"][0]) == {"attempts", "past_device", "past_gate", "published", "views"}
    assert "6 of 6 listings attacked" in err
    assert "Up to 10 attempts, no more listings get through" in err
    assert found == json.loads(committed.PATH.read_text())


def test_views_follow_the_ruling(command, monkeypatch):
    monkeypatch.setattr(curve, "real_stages", lambda: stages(views=lambda fields: 40 if "Pills" in str(fields) else 0))
    out, _ = command("--budget", "30", "--json", "--limit", "6")
    assert 0 < json.loads(out)["curve"][-1]["views"] < 40


def test_a_table_for_people(command):
    out, _ = command("--budget", "5", "--update")
    assert "past device" in out and "16.7%" in out


def test_it_ends_with_an_error_when_more_gets_through(command):
    command("--budget", "10", "--update")
    kept = json.loads(committed.PATH.read_text())
    kept["curve"][-1]["published"] = 0.0
    committed.PATH.write_text(json.dumps(kept))
    with pytest.raises(CommandError, match=r"within 10 attempts [0-9.]+% are published, committed 0\.0% \+ 2\.0%"):
        command("--budget", "10", "--json")


def test_another_seed_is_not_compared_and_says_so(command):
    command("--budget", "10", "--update")
    _, err = command("--budget", "10", "--seed", "5")
    assert "Not compared with the committed curve" in err
    assert "seed 5, committed 1" in err


def test_a_smaller_budget_is_compared_as_far_as_it_goes(command):
    command("--budget", "10", "--update")
    _, err = command("--budget", "5")
    assert "Up to 5 attempts, no more listings get through" in err
    kept = json.loads(committed.PATH.read_text())
    kept["curve"][0]["published"] = 0.0
    committed.PATH.write_text(json.dumps(kept))
    with pytest.raises(CommandError, match="within 1 attempts"):
        command("--budget", "5")


def test_a_budget_between_two_rows_is_compared_up_to_the_lower_one(command):
    command("--budget", "10", "--update")
    _, err = command("--budget", "4")
    assert "Up to 2 attempts" in err


def test_other_listings_than_those_of_the_committed_curve_end_with_an_error(command, monkeypatch, csv_of):
    command("--budget", "2", "--update")
    path = csv_of(HEADER + "x,Cocaine,By post,drugs,plain\n")
    monkeypatch.setattr(curve, "LISTINGS", path)
    with pytest.raises(CommandError, match=r"not those of the committed curve .* write the curve anew with --update"):
        command("--budget", "2", "--listings", str(path))


def test_a_limited_run_says_that_it_is_not_compared(command):
    out, err = command("--budget", "3", "--limit", "2", "--json")
    assert json.loads(out)["listings"] == 2
    assert "Not compared" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "0"], "--budget must be at least 1"),
        (["--limit", "0"], "--limit must be at least 1"),
        (["--limit", "2", "--update"], "leave out --limit"),
        (["--listings", "gone.csv"], "gone.csv cannot be read"),
        (["--budget", "2"], "Write it with --update"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(command, arguments, message):
    with pytest.raises(CommandError, match=message):
        command(*arguments)
