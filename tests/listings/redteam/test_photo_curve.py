"""The curve of the attacker on photos: what each stage stops, and the photos that it is drawn from."""

import random

import numpy as np
import pytest

from listings.redteam import curve, photo_curve, photo_edits
from listings.redteam.photo_edits import KINDS
from marketplace.demo import load
from tests.listings.redteam.photo_cast import case, grey, network, says, stages
from tests.models import photos as made_photos

HARMLESS = load.FOLDER / "pictures"


def report_of(given=None, budget=5, **more):
    cases = [case(number) for number in range(2)]
    about = {"budget": budget, "seed": 1, "models": {}, "own": True}
    return photo_curve.report(cases, network(), given or stages(), **about | more)


def lightness(file):
    return float(np.asarray(photo_edits.opened(file)).mean())


# --- Stages ----------------------------------------------------------------------------------------------------------


def test_with_open_doors_every_kind_is_through_at_once():
    found = report_of()
    assert list(found["by_kind"]) == list(KINDS)
    for about in found["by_kind"].values():
        assert [row["attempts"] for row in about["curve"]] == [1, 2, 5]
        assert all(row["past_device"] == row["past_gate"] == row["published"] == 1 for row in about["curve"])
        assert about["known_again"] == 0


def test_what_the_device_never_lets_through_meets_no_other_stage():
    def never(*_):
        raise AssertionError("asked")

    found = report_of(
        stages(device=lambda file: "warn", gate=never, cloud=never, reader=never, knows=never, kept=never)
    )
    assert all(about["curve"][-1]["past_device"] == 0 for about in found["by_kind"].values())
    assert all(about["known_again"] is None for about in found["by_kind"].values())


@pytest.mark.parametrize("budget", [1, 3, 7])
def test_the_budget_is_kept_and_unsure_is_not_past_the_device(budget):
    seen = []
    report_of(stages(device=lambda file: seen.append(file) or "unsure"), budget)
    most = {kind: len(list(KINDS[kind](case(0).scene(), network(), random.Random(1)))) for kind in KINDS}
    assert len(seen) == 2 * sum(min(budget, count) for count in most.values())


@pytest.mark.parametrize(("decision", "past"), [("pass", True), ("unsure", True), ("warn", True), ("block", False)])
def test_the_gate_stops_what_the_site_stops_by_its_word_alone(decision, past):
    found = report_of(stages(gate=says(decision)))["by_kind"]["turned"]["curve"][-1]
    assert (found["past_gate"], found["published"]) == ((1, 1) if past else (0, 0))


def test_the_worker_stops_what_its_model_holds_against_a_photo():
    found = report_of(stages(cloud=says("warn", "listing-photo-cloud", "cloud")))
    assert all(a["curve"][-1]["past_gate"] == 1 and a["curve"][-1]["published"] == 0 for a in found["by_kind"].values())


def test_the_reader_is_asked_about_what_is_written_alone():
    found = report_of(stages(reader=says("block", "photo-text", "cloud")))
    published = {kind: about["curve"][-1]["published"] for kind, about in found["by_kind"].items()}
    assert published == {kind: float(kind != "written") for kind in KINDS}


def test_the_bank_counts_where_the_photo_was_removed_before_and_is_told_of_all():
    asked = []

    def knows(removed, image):
        asked.append(removed)
        return True

    found = report_of(stages(knows=knows))["by_kind"]
    assert {kind for kind, about in found.items() if about["curve"][-1]["published"] == 0} == {"removed"}
    assert all(about["known_again"] == 1 for about in found.values())
    assert len(asked) == 2 * len(KINDS)
    harmless = {case(number).harmless.content for number in range(2)}
    assert sum(removed in harmless for removed in asked) == 4, "written and removed are of the harmless photo"


def test_what_the_server_says_does_not_help_the_attacker():
    device = lambda file: "pass" if lightness(file) > 150 else "block"  # noqa: E731
    strict, open_ = report_of(stages(device=device, gate=says("block"))), report_of(stages(device=device))
    for kind in KINDS:
        shares = [[row["past_device"] for row in found["by_kind"][kind]["curve"]] for found in (strict, open_)]
        assert shares[0] == shares[1]


def test_the_same_seed_gives_the_same_report():
    device = lambda file: "pass" if hash(file[-40:]) % 5 == 0 else "block"  # noqa: E731
    assert report_of(stages(device=device)) == report_of(stages(device=device))


# --- The stages of the site ------------------------------------------------------------------------------------------


def test_the_bank_knows_a_photo_again_and_no_other():
    ours = sorted(HARMLESS.glob("*.jpg"))
    first, other = (path.read_bytes() for path in (ours[0], ours[40]))
    again = photo_edits.opened(photo_edits.jpeg(photo_edits.opened(first), 40))
    assert photo_curve.bank_knows(first, again)
    assert not photo_curve.bank_knows(other, again)
    assert not photo_curve.bank_knows(first, grey(200)), "a photo of nothing is like no other"


def test_the_stored_photo_is_what_the_later_stages_look_at():
    large = photo_edits.png(grey(120, (2400, 1200)))
    assert photo_curve.as_stored(large).size == (1600, 800)


def test_the_real_stages_answer():
    given = photo_curve.real_stages()
    file = case(1).source.content
    assert given.device(file) in ("pass", "unsure", "warn", "block")
    image = given.kept(file)
    for verdict in (given.gate(image), given.cloud(image)):
        assert isinstance(photo_curve.doubted([verdict]), bool)
    assert set(photo_curve.versions()) == {"listing-photo", "listing-photo-cloud", "listing-text-cloud"}


def test_the_reader_reads_what_the_attacker_writes():
    case_ = photo_curve.cases(photo_curve.read(photo_curve.OWN, 1), HARMLESS)[0]
    label = photo_edits.labelled(case_.harmless.image(), "Glock pistol 9mm with 50 rounds, no questions", "plain", 0)
    verdict = photo_curve.real_stages().reader(photo_curve.as_stored(photo_edits.jpeg(label)), "Pistol")
    assert "pistol" in verdict.detail["text"].lower()
    assert photo_curve.doubted([verdict])


# --- Photos ----------------------------------------------------------------------------------------------------------


def test_our_own_pictures_are_all_there():
    found = photo_curve.read(photo_curve.OWN, 1000)
    assert len(found) == len({source.content for source in found}) == photo_curve.PHOTOS
    assert {source.policy for source in found} == {"weapons", "tobacco_alcohol"}
    assert {path.name for path in photo_curve.OWN.parent.glob("*.jpg")} == {source.id for source in found}


def test_safe_rows_are_left_out_and_a_limit_is_spread_over_the_list(tmp_path):
    path = made_photos.write(tmp_path, "dev", {"weapons": 4, "safe": 3, "tobacco_alcohol": 4})
    assert [source.policy for source in photo_curve.read(path)] == ["weapons"] * 4 + ["tobacco_alcohol"] * 4
    assert [source.policy for source in photo_curve.read(path, 2)] == ["weapons", "tobacco_alcohol"]
    assert photo_curve.read(tmp_path) == photo_curve.read(path), "the folder will do"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,policy\na.jpg,safe\n", "no unsafe photo"),
        ("path,policy\n", "no unsafe photo"),
        ("path,label\na.jpg,weapons\n", "columns path and policy are needed"),
        ("path,policy\na.jpg,weapons\n", "a.jpg cannot be opened as a photo"),
        ("path,policy\nphotos.csv,weapons\n", "photos.csv cannot be opened as a photo"),
        (b"\x1f\x8b\xff\xfe", "not a CSV file in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_attacked_is_refused_with_what_to_do(tmp_path, content, message):
    path = tmp_path / "photos.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(curve.RedteamError, match=message):
        photo_curve.read(path)


def test_a_folder_without_a_list_or_harmless_photos_is_refused(tmp_path):
    with pytest.raises(curve.RedteamError, match=r"photos\.csv cannot be read .* with --photos"):
        photo_curve.read(tmp_path)
    with pytest.raises(curve.RedteamError, match="no harmless photo"):
        photo_curve.cases(photo_curve.read(photo_curve.OWN, 1), tmp_path)


def test_the_listing_has_a_harmless_title():
    given = photo_curve.cases(photo_curve.read(photo_curve.OWN, 2), HARMLESS)
    assert [each.title for each in given] == [
        each.harmless.id.removesuffix(".jpg").rstrip("0123456789").replace("-", " ").strip() for each in given
    ]
    assert all(len(each.title.split()) > 2 for each in given)


def test_other_photos_have_another_digest():
    assert photo_curve.digest([case(1), case(2)]) == photo_curve.digest([case(1), case(2)])
    assert photo_curve.digest([case(1), case(3)]) != photo_curve.digest([case(1), case(2)])
