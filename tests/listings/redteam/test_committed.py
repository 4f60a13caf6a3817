"""A curve is compared with the committed one: chance passes, more than chance does not."""

import pytest

from listings.redteam import committed, curve


def report_of(published=0.1, past_gate=0.2, listings=240, **more):
    row = {"attempts": 1, "past_device": 0.5, "past_gate": past_gate, "published": published, "views": 10}
    return {
        "seed": 1,
        "budget": 1,
        "listings": listings,
        "listings_sha256": "abc",
        "models": {"m": {"sha256": "1"}},
        "curve": [row],
    } | more


@pytest.mark.parametrize(
    "now",
    [report_of(), report_of(published=0.05, past_gate=0.1), report_of(published=0.12), report_of(past_gate=0.2258)],
)
def test_equal_better_and_chance_pass(now):
    committed.compare(now, report_of())


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (report_of(published=0.121), r"12\.1% are published, committed 10\.0% \+ 2\.0%"),
        (report_of(past_gate=0.227), r"22\.7% are past the gate, committed 20\.0% \+ 2\.6%"),
    ],
)
def test_more_than_chance_fails_and_says_where(now, words):
    with pytest.raises(curve.RedteamError, match=words):
        committed.compare(now, report_of())


def test_the_tolerance_is_a_standard_error_and_never_below_two_points():
    assert committed.tolerance(0.5, 100) == pytest.approx(0.05)
    assert committed.tolerance(0.0, 100) == 0.02


@pytest.mark.parametrize("change", [{"seed": 2}, {"listings": 9}, {"listings_sha256": "xyz"}])
def test_unlike_runs_are_told_apart(change):
    assert committed.differences(report_of(**change), report_of())
    assert committed.differences(report_of(budget=9), report_of()) == []


def test_other_models_are_named():
    assert committed.changed_models(report_of(models={"m": {"sha256": "2"}}), report_of()) == ["m"]
    assert committed.changed_models(report_of(), report_of()) == []


def test_the_committed_curve_is_of_the_published_models_and_the_committed_listings():
    kept = committed.load(committed.PATH)
    assert kept["models"] == curve.versions()
    assert kept["listings_sha256"] == curve.digest(curve.read(curve.LISTINGS))


def test_curves_without_a_common_row_are_not_called_equal():
    kept = report_of() | {"curve": []}
    with pytest.raises(curve.RedteamError, match="no row to compare"):
        committed.compared_up_to(report_of(), kept)
