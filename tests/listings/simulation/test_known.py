"""The market's memory is weighed by the site's rules, and the words that a warning marks can be taken out."""

from __future__ import annotations

from django.utils import timezone

from listings.simulation.known import Known
from listings.simulation.merchant import without
from listings.simulation.parameters import DAY
from listings.trust import cells, debts, tiers
from listings.trust.tiers import Tier
from tests.listings.simulation.conftest import TERMS


def test_standing_is_that_of_the_site(earn, merchant):
    earn(12)
    site = tiers.standing(merchant, "toys", TERMS)
    known = Known(TERMS)
    for day in range(12):
        known.came_through(1, "toys", day, 20.0, -day * DAY)
    found = known.standing(1, "toys", 0)
    assert (found.tier, found.points, found.dearest) == (site.tier, site.points, site.dearest)
    assert known.standing(1, "books", 0).tier == Tier.NEW


def test_no_more_than_so_much_trust_a_day():
    known = Known(TERMS)
    for number in range(30):
        known.came_through(1, "toys", number, 20.0, 60.0)
    assert known.standing(1, "toys", 0).points == TERMS["trust_a_day"]


def test_a_rejection_weighs_and_ends():
    known = Known(TERMS)
    for number in range(12):
        known.came_through(1, "toys", number, 20.0, -number * DAY)
    known.was_rejected(1, "books", 99, 0.0)
    assert known.standing(1, "toys", DAY).tier == Tier.NEW
    assert known.standing(1, "toys", (TERMS["violation_days"] + 1) * DAY).tier == Tier.TRUSTED


def test_trust_is_earned_anew_after_a_rejection():
    known = Known(TERMS)
    known.came_through(1, "toys", 0, 20.0, -DAY)
    known.was_rejected(1, "books", 99, 0.0)
    for number in range(1, 12):
        known.came_through(1, "toys", number, 20.0, number * DAY)
    found = known.standing(1, "toys", 12 * DAY)
    assert (found.tier, found.points) == (Tier.KNOWN, 11), "one was earned before; none makes trusted"


def test_a_category_opens_when_the_gate_was_measured_in_it():
    known = Known(TERMS)
    assert "weapons" in cells.shut(known.cells("toys"), TERMS)
    known.seen["toys"] = 60
    assert cells.shut(known.cells("toys"), TERMS) == []
    known.missed["toys", "weapons"] = 3
    assert cells.shut(known.cells("toys"), TERMS) == ["weapons"]


def test_expected_harm_is_the_same_in_numbers_and_in_the_database(owing):
    from listings.models import Debt

    debt = owing()
    row = Debt.objects.annotate(expected=debts.expected_harm()).get(pk=debt.pk)
    hours = (timezone.now() - debt.opened_at).total_seconds() / 3600
    assert abs(row.expected - debts.harm(debt.risk, debt.impressions, hours)) < 1e-3


def test_marked_words_are_taken_out():
    spans = [{"field": "title", "start": 3, "end": 6}, {"field": "description", "start": 0, "end": 9}]
    assert without("title", "😀 old knife", spans) == "😀 knife"
    assert without("description", "all of it", spans) == "all of it"
