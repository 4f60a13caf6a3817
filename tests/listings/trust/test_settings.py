"""Settings of trust: bounds, reasons, the record; lots and intervals."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from listings.models import SettingChange
from listings.trust import intervals, lot, settings

WHY = "Too many unsafe views last week."


def test_every_default_lies_within_its_bounds():
    for setting in settings.ALL.values():
        assert setting.low <= setting.default <= setting.high
        assert setting.about.endswith(".")


def test_a_change_counts_at_once_and_stands_in_the_record(moderator):
    settings.change(name="heavy_cap", value=50, actor=moderator, reason=WHY)
    assert settings.values()["heavy_cap"] == 50
    assert settings.change(name="heavy_cap", value=50, actor=moderator, reason=WHY) is None
    settings.change(name="heavy_cap", value=60, actor=moderator, reason=WHY)
    assert list(SettingChange.objects.values_list("before", "value")) == [(50, 60), (100, 50)]


@pytest.mark.parametrize(
    ("name", "value", "reason", "says"),
    [
        ("heavy_cap", -1, WHY, "from 0 to"),
        ("heavy_cap", float("nan"), WHY, "from 0 to"),
        ("heavy_cap", 1.5, WHY, "whole number"),
        ("heavy_cap", 50, "because", "Say why"),
        ("nothing", 1, WHY, "no such setting"),
    ],
)
def test_a_setting_that_cannot_be_says_what_to_do(moderator, name, value, reason, says):
    with pytest.raises(ValidationError, match=says):
        settings.change(name=name, value=value, actor=moderator, reason=reason)
    assert not SettingChange.objects.exists()


def test_merchants_change_no_settings(merchant):
    with pytest.raises(PermissionDenied):
        settings.change(name="heavy_cap", value=50, actor=merchant, reason=WHY)


def test_a_lot_is_the_same_for_the_same_words_on_a_day_and_nobody_else_can_tell_it(settings):
    day = date(2026, 11, 29)
    first = lot.draw(1, day, "words")
    assert first == lot.draw(1, day, "words")
    assert len({first, lot.draw(2, day, "words"), lot.draw(1, date(2026, 11, 30), "words"), lot.draw(1, day, "x")}) == 4
    settings.SECRET_KEY = "another key " * 4
    assert lot.draw(1, day, "words") != first


def test_every_place_in_the_lot_is_as_likely():
    places = sorted(lot.place(lot.draw(seller, date(2026, 11, 29), "words")) for seller in range(4_000))
    # Kolmogorov and Smirnov: at 4,000 draws of a uniform law the greatest distance is below this in 999 of 1,000.
    assert max(abs(place - n / 4_000) for n, place in enumerate(places)) < 1.95 / 4_000**0.5
    assert places[0] >= 0 and places[-1] < 1, "nobody is drawn by a share of 0, everybody by one of 1"
    assert lot.place("") == 0, "a listing from before there were lots is always drawn"


def test_intervals_are_those_of_the_tables():
    # R: binom.test(3, 100)$conf.int and binom.test(0, 59, alternative = "less")$conf.int
    assert intervals.share_interval(3, 100) == pytest.approx((0.006229972, 0.08517605), abs=1e-7)
    assert intervals.share_upper(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59), abs=1e-9)
    assert intervals.share_interval(0, 0) == (0.0, 1.0)
    assert intervals.share_interval(5, 5)[1] == 1.0


def test_so_many_audits_are_needed():
    for upper in (0.5, 0.05, 0.01, 0.002):
        number = intervals.needed(upper)
        assert intervals.share_upper(0, number) <= upper < intervals.share_upper(0, number - 1)
