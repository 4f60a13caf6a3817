"""Forged claims and an hour without workers: nobody is shown more than the caps give."""

from __future__ import annotations

import pytest

from listings.simulation import scenarios, stream, turncoats
from listings.simulation.arms import CLOUD_AT_SUBMIT, HYBRID
from listings.simulation.market import Market
from listings.simulation.merchant import Forgery
from listings.simulation.stream import Kind
from listings.simulation.turncoats import Turncoat


@pytest.fixture(scope="module")
def busy(parameters):
    """Two thirds of the sellers forge; most of what they offer is harmless, so that they become trusted."""
    return parameters(forging_sellers=0.65, careless_sellers=0.1, views=400.0)


@pytest.fixture(scope="module")
def offers(pool, busy):
    return stream.draw(pool, busy)


def test_forging_gains_no_more_than_the_caps(offers, busy, merchants, open_terms):
    found = scenarios.forging(
        {way.value: Market(HYBRID, merchants, busy, open_terms, forgery=way).run(offers) for way in Forgery}
    )
    assert found["copied"]["published_before_their_checks"] > 0
    for way in ("made up", "replayed", "none"):
        assert found[way]["published_before_their_checks"] == 0, way
    for way in found.values():
        assert way["within_caps"]
        assert way["views_while_owing"] <= way["caps_give"]


def test_a_capped_listing_comes_back_when_its_checks_are_made(offers, busy, merchants, open_terms):
    fates = Market(HYBRID, merchants, busy, open_terms).run(offers)
    capped = [fate for fate in fates if fate.debt and fate.debt.cause == "views" and not fate.offer.unsafe]
    assert capped
    assert all(fate.debt.impressions == fate.debt.cap for fate in capped)
    assert any(fate.views > fate.debt.cap for fate in capped)
    assert all(fate.heavy_after + fate.heavy_before >= 1 for fate in capped)


def test_without_workers_the_caps_hold(offers, busy, merchants, open_terms):
    before = Market(HYBRID, merchants, busy, open_terms).run(offers)
    hour = scenarios.worst_hour(before, busy)
    rush = scenarios.rush(hour, busy)
    fates = Market(HYBRID, merchants, busy, open_terms, stopped=hour, rush=rush).run(offers)
    found = scenarios.workers_stopped(fates, hour, busy)
    assert found["owing"] > 0 and found["taken_off_by_the_caps"] > 0
    assert found["within_caps"]
    assert found["unsafe_views_while_owing"] <= found["unsafe_caps_give"]
    # What is new in that hour has had no light check: the lower cap.
    new = [f for f in fates if f.debt and hour[0] < f.debt.since < hour[1] and (f.debt.until or 0) >= hour[1]]
    assert new
    assert all(fate.debt.impressions <= open_terms["light_cap"] for fate in new if fate.debt.cause == "views")


def test_while_workers_are_behind_nothing_more_is_granted(offers, busy, merchants, open_terms):
    # From the first day on, for all the time: whoever is new waits, and after ten minutes everybody does.
    stopped = (-busy.earlier_days * 86_400, busy.days * 86_400 + 1)
    fates = Market(HYBRID, merchants, busy, open_terms, stopped=stopped).run(offers)
    assert not [fate for fate in fates if fate.debt]
    assert any("The workers are behind." in fate.grounds for fate in fates)


@pytest.mark.parametrize("way", list(Turncoat))
def test_a_trusted_seller_who_turns_shows_what_the_caps_give_and_no_more(
    way, pool, offers, busy, merchants, open_terms
):
    forbidden = turncoats.past_the_gate(pool, merchants.looks, open_terms, busy)
    coming, sent = turncoats.among(offers, way, forbidden, busy)
    theirs = {offer.number for offer in sent}
    assert len(theirs) == busy.turncoat_sends and len({offer.number for offer in coming}) == len(coming)
    alone = Market(CLOUD_AT_SUBMIT, merchants, busy, open_terms).run(sent)
    hour = turncoats.without_workers(busy)
    stopped = {"stopped": hour, "rush": scenarios.rush(hour, busy)}
    for more in ({}, stopped):
        fates = Market(HYBRID, merchants, busy, open_terms, forgery=Forgery.COPIED, **more).run(coming)
        found = scenarios.turned([fate for fate in fates if fate.offer.number in theirs], alone, open_terms)
        assert found["unsafe"] == busy.turncoat_sends
        assert found["published_before_their_checks"] > 0, more
        assert found["within_caps"]
        assert 0 < found["unsafe_views_while_owing"] <= found["caps_give"] <= found["settings_give"]


def test_attackers_and_forgers_obey_nothing(offers, busy, merchants, open_terms):
    fates = Market(HYBRID, merchants, busy, open_terms, obey=1.0).run(offers)
    assert not [fate for fate in fates if fate.written.obeyed and not fate.offer.kind.means_well]
    assert all(fate.written.obeyed for fate in fates if fate.written.warned and fate.offer.kind.means_well)
    assert {Kind.FORGING, Kind.REDTEAM, Kind.HONEST} <= {fate.offer.kind for fate in fates}
