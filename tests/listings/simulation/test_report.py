"""The figures of one small simulation, and that the same seed gives them again."""

from __future__ import annotations

from dataclasses import replace

from listings.lifecycle import Status
from listings.outcome import Outcome
from listings.simulation import arms, figures, market, report, stream
from tests.listings.simulation.conftest import LISTINGS

FIELDS = {
    "heavy_validations",
    "light_validations",
    "bytes_up",
    "server_seconds",
    "unsafe_published",
    "unsafe_views_per_10k",
    "verdict_ms_p50",
    "verdict_ms_p95",
}
MEASURED = ("server_seconds", "verdict_ms_p50", "verdict_ms_p95")


def test_four_arms_have_the_fields_of_the_contract(found):
    assert list(found["arms"]) == ["cloud_per_pause", "cloud_at_submit", "server_gate", "hybrid"]
    assert all(set(arm) >= FIELDS for arm in found["arms"].values())
    assert found["listings"] == LISTINGS
    assert 0 < found["unsafe"] < LISTINGS


def test_the_same_seed_gives_the_same_figures_and_another_one_others(pool, parameters, open_terms):
    def discrete(one):
        return {
            arm: {name: value for name, value in figures.items() if name not in MEASURED}
            for arm, figures in one["arms"].items()
        }

    small = {"listings": 15, "earlier": 1.0}
    found = report.run(pool, parameters(**small), open_terms)
    again = report.run(pool, parameters(**small), open_terms)
    assert discrete(again) == discrete(found)
    for name in ("mix", "merchant", "obedience", "forging", "workers_stopped", "debts", "heavy_before_per_submit"):
        assert again[name] == found[name], name
    other = report.run(pool, parameters(**small | {"seed": 4}), open_terms)
    assert discrete(other) != discrete(found)


def test_every_submit_is_checked_by_somebody(found):
    arms = found["arms"]
    assert arms["cloud_at_submit"]["heavy_validations"] == arms["cloud_at_submit"]["submits"]
    assert arms["cloud_per_pause"]["heavy_while_drafting"] >= LISTINGS
    for name in ("server_gate", "hybrid"):
        assert arms[name]["light_validations"] == arms[name]["submits"]
        assert 0 < arms[name]["granted"] < LISTINGS
        assert arms[name]["heavy_validations"] < arms["cloud_at_submit"]["heavy_validations"]


def test_a_device_sends_nothing_while_drafting_and_the_cloud_is_sent_each_draft(found):
    arms = found["arms"]
    assert arms["hybrid"]["bytes_up_while_drafting"] == 0
    assert arms["cloud_per_pause"]["bytes_up_while_drafting"] > 0
    assert arms["cloud_per_pause"]["bytes_up"] > arms["cloud_at_submit"]["bytes_up"]


def test_ratios_stand_within_their_intervals(found):
    for arm in found["arms"]:
        for name, each in found["intervals"][arm].items():
            if each["value"] is not None:
                assert each["low"] <= each["value"] <= each["high"], (arm, name)
    assert found["intervals"]["cloud_at_submit"]["heavy_validations"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    targets = found["intervals"]["targets"]
    hybrid, cloud = found["arms"]["hybrid"], found["arms"]["cloud_at_submit"]
    share = hybrid["heavy_before_publication"] / cloud["heavy_before_publication"]
    assert targets["heavy_before_publication"]["value"] == round(share, 4)
    assert targets["bytes_while_drafting"]["met"] and targets["bytes_while_drafting"]["surely"]


def test_more_obedience_removes_more(found):
    removed = [row["removed"] for row in found["obedience"]["curve"]]
    assert removed == sorted(removed)
    assert removed[0] == 0 < removed[-1] <= 1
    assert found["obedience"]["would_be_rejected"] == found["arms"]["server_gate"]["rejected"]


def test_the_less_idle_workers_do_the_fewer_heavy_checks_there_are(found):
    shares = [row["heavy_in_all"] for row in found["worth"]]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < shares[0]


def test_of_what_left_so_much_is_checked_as_its_views_are_worth(pool, parameters, open_terms, merchants):
    """Views come before and after in the same order, so each share of the lot is drawn among the same debts."""
    offers = stream.draw(pool, parameters())

    def ran(left_views: float) -> list[market.Fate]:
        return market.Market(arms.HYBRID, merchants, parameters(), open_terms | {"left_views": left_views}).run(offers)

    every, some, none = ran(1), ran(60), ran(1_000_000)
    seen = [f for f in none if f.debt and not f.debt.cause and f.debt.impressions]
    assert figures.debts(none)["ended_seen"] == len(seen) > 30
    assert figures.debts(every)["ended_seen"] == 0
    drawn = [f for f in some if f.debt and f.debt.cause == "left"]
    assert all(f.debt.impressions > 60 * f.debt.place for f in drawn)
    assert 0 < len(drawn) < len(seen)
    assert all(f.heavy_after == 1 and f.status == Status.ENDED for f in drawn), "off the market it stays"


def test_a_finding_for_the_record_weighs_on_its_seller_and_moves_nothing(pool, parameters, open_terms, merchants):
    offers = stream.draw(pool, parameters())
    this = market.Market(arms.HYBRID, merchants, parameters(), open_terms | {"left_views": 1})
    fate = next(f for f in this.run(offers) if f.debt and f.debt.cause == "left")
    fate.offer = replace(fate.offer, case=pool.unsafe[0])
    this._for_the_record(fate, Outcome(Status.IN_REVIEW), 5.0)
    (at, _, decide, whose, _) = this.events[0]
    assert (whose, at) == (fate, 5.0 + fate.offer.moderator_seconds)
    decide(fate, at)
    assert (fate.rejected, fate.status) == (True, Status.ENDED)
    assert this.known.standing(fate.offer.seller, fate.offer.category, at).violation


def test_the_mix_is_stated(found):
    mix = found["mix"]
    assert 0 < mix["beyond_first_10"] <= mix["beyond_first_5"] <= 1
    assert mix["earlier_listings"] == 3 * LISTINGS
    assert mix["text_alone"] == 1  # the project's own listings have no photos
