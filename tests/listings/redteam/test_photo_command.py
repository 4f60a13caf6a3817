"""The photos' half of the command: its output, and when it ends with an error."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from listings.redteam import committed, curve, photo_curve, photo_network
from marketplace.demo import load
from tests.listings.redteam import photo_cast
from tests.listings.redteam.cast import HEADER, LISTINGS
from tests.listings.redteam.cast import stages as text_stages
from tests.models import photos as made_photos


@pytest.fixture
def doors(monkeypatch):
    """The stages that the command meets; a test may put others in their place."""
    found = {"stages": photo_cast.stages()}
    monkeypatch.setattr(photo_curve, "real_stages", lambda: found["stages"])
    return found


@pytest.fixture
def command(monkeypatch, tmp_path, csv_of, doors):
    """The command on four made-up photos, with open doors; the committed curves are in tmp_path."""
    made_photos.write(tmp_path, "dev", {"weapons": 3, "tobacco_alcohol": 1})
    rows = "".join(f"{x.id},{x.draft.title},{x.draft.description},{x.policy},plain\n" for x in LISTINGS)
    listings = csv_of(HEADER + rows)
    monkeypatch.setattr(curve, "LISTINGS", listings)
    monkeypatch.setattr(curve, "real_stages", text_stages)
    monkeypatch.setattr(curve, "versions", lambda: {"listing-text": {"sha256": "1"}})
    monkeypatch.setattr(photo_network, "public", photo_cast.network)
    monkeypatch.setattr(photo_curve, "versions", lambda: {"listing-photo": {"sha256": "1"}})
    monkeypatch.setattr(committed, "PATH", tmp_path / "curve.json")
    monkeypatch.setattr(committed, "PHOTOS_PATH", tmp_path / "photo_curves.json")

    def call(*arguments, only="photos", photos=tmp_path):
        out, err = io.StringIO(), io.StringIO()
        which = ["--only", only] if only else []
        given = ["--photos", str(photos), "--listings", str(listings)]
        call_command("redteam", "--budget", "2", *given, *which, *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return call


def test_photos_are_a_part_of_the_one_json_object(command):
    command("--update", only=None)
    out, err = command("--json", only=None)
    found = json.loads(out)
    assert found["listings"] == 6 and found["curve"]
    assert found["photos"]["photos"] == 4 and not found["photos"]["own"]
    assert set(found["photos"]["by_kind"]["small"]["curve"][0]) == {
        "attempts", "past_device", "past_gate", "published", "views",
    }  # fmt: skip
    assert "4 of 4 photos attacked" in err
    assert "no more listings get through" in err and "No more photos get through" in err
    assert [found["photos"]] == json.loads(committed.PHOTOS_PATH.read_text())


def test_either_half_alone(command):
    command("--update")
    assert set(json.loads(command("--json")[0])) == {"photos"}
    command("--update", only="texts")
    assert "photos" not in json.loads(command("--json", only="texts")[0])


def test_a_table_for_people_says_whose_photos_they_are(command):
    out, _ = command("--update")
    assert "4 unsafe photos (photos of yours), seed 1" in out
    assert "gradient" in out and "100%" in out and "known again" in out


def test_it_ends_with_an_error_when_one_kind_gets_further(command, doors):
    doors["stages"] = photo_cast.stages(reader=photo_cast.says("block", "photo-text", "cloud"))
    command("--update")
    doors["stages"] = photo_cast.stages()
    with pytest.raises(CommandError, match=r"written: within 1 attempts 100\.0% are published, committed 0\.0% \+ 25"):
        command("--json")


def test_one_photo_more_is_chance(command, doors, tmp_path):
    command("--update")
    kept = json.loads(committed.PHOTOS_PATH.read_text())
    for share, fails in ((0.75, False), (0.5, True)):
        for row in kept[0]["by_kind"]["small"]["curve"]:
            row["published"] = share
        committed.PHOTOS_PATH.write_text(json.dumps(kept))
        if fails:
            with pytest.raises(CommandError, match="small: within 1 attempts"):
                command()
        else:
            command()


def test_both_halves_have_their_say_before_the_error(command):
    command("--update", only=None)
    for path in (committed.PATH, committed.PHOTOS_PATH):
        path.write_text(path.read_text().replace('"published": 1.0', '"published": 0.0'))
    kept = json.loads(committed.PATH.read_text())
    kept["curve"] = [row | {"published": 0.0} for row in kept["curve"]]
    committed.PATH.write_text(json.dumps(kept))
    with pytest.raises(CommandError, match=r"(?s)unsafe listings get through.*unsafe photos get through"):
        command(only=None)


def test_photos_without_a_committed_curve_are_not_compared_and_said_so(command):
    _, err = command()
    assert "Not compared: photo_curves.json has no curve of these photos" in err
    command("--update")
    _, err = command("--seed", "5")
    assert "Not compared" in err


def test_our_own_pictures_without_a_committed_curve_end_with_an_error(command, monkeypatch, tmp_path):
    monkeypatch.setattr(photo_curve, "OWN", tmp_path / "dev.csv")
    with pytest.raises(CommandError, match=r"no curve of these pictures .* anew with --update"):
        command(photos=photo_curve.OWN)
    command("--update", photos=photo_curve.OWN)
    out, _ = command(photos=photo_curve.OWN)
    assert "rendered, no photographs" in out


def test_our_own_pictures_have_one_curve_also_after_they_changed(command, monkeypatch, tmp_path):
    monkeypatch.setattr(photo_curve, "OWN", tmp_path / "dev.csv")
    command("--update", photos=photo_curve.OWN)
    path = tmp_path / "dev.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    command("--update", photos=photo_curve.OWN)
    assert [each["photos"] for each in committed.load_photos(committed.PHOTOS_PATH)] == [3]


def test_curves_of_other_photos_stay_when_one_is_written(command, monkeypatch, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    made_photos.write(other, "dev", {"weapons": 2}, first=7)
    command("--update")
    command("--update", photos=other)
    command("--update", "--seed", "2")
    kept = committed.load_photos(committed.PHOTOS_PATH)
    assert sorted((each["photos"], each["seed"]) for each in kept) == [(2, 1), (4, 2)]
    _, err = command(photos=other)
    assert "No more photos get through" in err


def test_a_limited_run_says_that_it_is_not_compared(command):
    out, err = command("--limit", "2", "--json")
    assert json.loads(out)["photos"]["photos"] == 2
    assert "Not compared" in err


def test_a_list_that_is_not_there_is_refused_with_what_to_do(command, tmp_path):
    with pytest.raises(CommandError, match=r"gone\.csv cannot be read .* with --photos"):
        command(photos=tmp_path / "gone.csv")


def test_a_damaged_committed_curve_is_refused(command):
    committed.PHOTOS_PATH.write_text("[")
    with pytest.raises(CommandError, match="Restore it from git"):
        command()


def test_the_committed_curve_is_of_the_published_models_and_our_own_pictures():
    kept = [each for each in committed.load_photos(committed.PHOTOS_PATH) if each["own"]]
    assert [each["models"] for each in kept] == [photo_curve.versions()]
    sources = photo_curve.read(photo_curve.OWN)
    assert kept[0]["photos_sha256"] == photo_curve.digest(photo_curve.cases(sources, load.FOLDER / "pictures"))
