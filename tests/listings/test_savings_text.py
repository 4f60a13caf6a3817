"""How times and amounts are written on pages of the staff."""

from datetime import timedelta

import pytest

from listings.templatetags import savings_text


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (None, "–"),
        (0.0, "0.0 ms"),
        (999.96, "1.0 s"),
        (1_500, "1.5 s"),
        (59_900, "59.9 s"),
        (3_420_000, "57.0 min"),
        (3_599_000, "1.0 h"),
        (timedelta(hours=1), "1.0 h"),
        (timedelta(hours=47), "47.0 h"),
        (timedelta(hours=48), "2.0 days"),
        (timedelta(hours=309.1), "12.9 days"),
        (timedelta(days=1_200), "1,200.0 days"),
    ],
)
def test_a_time_is_written_in_the_unit_that_a_person_reads(time, written):
    assert savings_text.duration(time) == written
