"""docs/states.md names every state and every way out of it, as the code has them."""

from __future__ import annotations

import re

from listings.lifecycle import TRANSITIONS, Status
from tests.settings import ROOT

ROW = re.compile(r"^\| (\w+) \| (\w+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
PEOPLE = {"the merchant", "the site", "a moderator", "the merchant, or the site"}


def rows() -> list[tuple[str, ...]]:
    return [row for row in ROW.findall((ROOT / "docs" / "states.md").read_text("utf-8")) if row[0] != "from"]


def test_the_table_has_each_way_of_the_code_once_and_no_other():
    written = [(source, target) for source, target, _, _ in rows()]
    assert len(written) == len(set(written))
    assert set(written) == {(source, target) for source, targets in TRANSITIONS.items() for target in targets}


def test_each_state_has_a_way_out_for_its_merchant_and_each_way_a_reason():
    for status in Status:
        assert any(source == status and "the merchant" in who for source, _, who, _ in rows()), status
    for source, target, who, when in rows():
        assert who.strip() in PEOPLE, (source, target)
        assert len(when.strip()) > 5, (source, target)
