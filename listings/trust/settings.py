"""What an operator may change about trust, each with a safe default, its bounds and a sentence that explains it.

A change is a row (`SettingChange`) with its author and reason; the last one counts. Values are kept for two seconds by
each process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max

from ..models import SettingChange, User

SECONDS = 2.0
REASON_CHARS, REASON_MOST = 10, 500


@dataclass(frozen=True)
class Setting:
    name: str
    label: str
    about: str
    default: float
    low: float
    high: float
    whole: bool = True
    unit: str = ""

    def shown(self, value: float) -> str:
        """For people; of a switch "on" or "off"."""
        if self.whole and (self.low, self.high) == (0, 1):
            return "on" if value else "off"
        return f"{value:.10g}"


ALL = {
    setting.name: setting
    for setting in (
        Setting(
            "debts",
            "Publish before the heavy checks",
            "1: known sellers’ listings that the gate passes with margin are on sale at once. 0: everything is checked "
            "in full first; what is owed already is still paid.",
            0,  # until somebody who knows this market says so
            0,
            1,
        ),
        Setting(
            "spare_checks",
            "Spare what a person decides",
            "1: what the gate warns of goes to a moderator without the heavy checks, which could not change that. 0: "
            "the moderator reads what these found, too.",
            0,
            0,
            1,
        ),
        Setting(
            "light_cap",
            "Views before the light checks",
            "So often a listing may be shown until duplicates, contact details and known photos were looked for.",
            10,
            0,
            1_000,
            unit="views",
        ),
        Setting(
            "heavy_cap",
            "Views before the heavy checks",
            "So often it may be shown until the larger models have read its words and seen its photos. Then it leaves "
            "the market until they have.",
            100,
            0,
            100_000,
            unit="views",
        ),
        Setting(
            "margin",
            "Margin of the gate",
            "The gate’s unsafe scores must be below this share of the point where its models become unsure.",
            0.5,
            0.0,
            1.0,
            whole=False,
        ),
        Setting(
            "known_after",
            "Listings until a seller is known",
            "So many listings of a category must have come through their checks, or sales been handed over.",
            5,
            1,
            1_000,
        ),
        Setting(
            "trusted_after",
            "Listings until a seller is trusted",
            "Until then a known seller’s listings are audited twice as often and shown half as often.",
            10,
            1,
            1_000,
        ),
        Setting(
            "trust_a_day",
            "Trust that can be earned in a day",
            "More checked listings or sales than this on one day count no further, so that nobody hurries to be "
            "trusted.",
            5,
            1,
            1_000,
        ),
        Setting(
            "violation_days",
            "Days that a violation weighs",
            "Whoever had a listing rejected is checked in full first for so long.",
            90,
            1,
            3_650,
            unit="days",
        ),
        Setting(
            "price_level",
            "Another price level",
            "A listing dearer than so many times the seller’s dearest that was checked is checked in full first.",
            3.0,
            1.0,
            1_000.0,
            whole=False,
            unit="times",
        ),
        Setting(
            "cell_miss",
            "How often the gate may be wrong",
            "In a category where the gate passed more unsafe listings of a policy than this share (upper end of the "
            "95 % interval), everything is checked in full first. .05 needs some 60 listings without a miss.",
            0.05,
            0.0,
            1.0,
            whole=False,
        ),
        Setting(
            "audit_share",
            "Share drawn for an audit",
            "Of what is published before its heavy checks, so much gets them at once, whatever is seen of it: this "
            "measures what the gate lets through.",
            0.1,
            0.0,
            1.0,
            whole=False,
        ),
        Setting(
            "seller_debts",
            "Debts of one seller at a time",
            "Further listings of a seller are checked in full first. A trusted seller may have more, in the measure in "
            "which more of theirs was checked.",
            10,
            0,
            10_000,
        ),
        Setting(
            "seller_day",
            "Debts of one seller a day",
            "Likewise, counted over a day, whether they are paid or not.",
            20,
            0,
            10_000,
        ),
        Setting(
            "all_debts",
            "Debts of all sellers at a time",
            "With so many open, everything is checked in full first.",
            5_000,
            0,
            1_000_000,
        ),
        Setting(
            "behind",
            "Minutes that workers may be behind",
            "While a merchant has waited longer than this for a check, nothing is published before its checks.",
            10,
            1,
            10_000,
            unit="minutes",
        ),
        Setting(
            "worth",
            "Unsafe views that are worth a check",
            "Idle workers pay the debts with at least so many unsafe views expected in the next day (risk times "
            "views); others wait until they are seen more. Where 3 of 100 listings are unsafe and each is seen 100 "
            "times, a check of a listing of which nothing is known saves 3 in all.",
            1.0,
            0.0,
            1_000.0,
            whole=False,
            unit="views",
        ),
        Setting(
            "debt_days",
            "Days until a debt is paid in any case",
            "However little is seen of the listing.",
            90,
            1,
            365,
            unit="days",
        ),
    )
}

_kept: tuple[float, dict[str, float]] = (0.0, {})


def values() -> dict[str, float]:
    """Every setting as it is now."""
    global _kept
    until, found = _kept
    if until > time.monotonic():
        return found
    found = {name: setting.default for name, setting in ALL.items()}
    last = SettingChange.objects.order_by().values("name").annotate(last=Max("pk")).values("last")
    found |= {row.name: row.value for row in SettingChange.objects.filter(pk__in=last) if row.name in ALL}
    _kept = (time.monotonic() + SECONDS, found)
    return found


def forget() -> None:
    """The next one who asks reads the database."""
    global _kept
    _kept = (0.0, {})


def change(*, name: str, value: float, actor: User, reason: str) -> SettingChange | None:
    """None when it is so already. Raises PermissionDenied, ValidationError with a sentence on what to do."""
    if not actor.is_moderator or not actor.is_active:
        raise PermissionDenied("Only moderators change settings.")
    setting = ALL.get(name)
    if setting is None:
        raise ValidationError("There is no such setting.")
    if not setting.low <= value <= setting.high:  # false of NaN
        raise ValidationError({name: f"Choose a number from {setting.low:,g} to {setting.high:,.10g}."})
    if setting.whole and value != int(value):
        raise ValidationError({name: "Choose a whole number."})
    reason = reason.replace("\x00", " ").strip()
    if len(reason) > REASON_MOST:
        raise ValidationError({"reason": f"Say it in {REASON_MOST} characters or fewer."})
    if len(reason) < REASON_CHARS:
        raise ValidationError({"reason": "Say why in ten characters or more: it stands in the record."})
    forget()
    before = values()[name]
    if before == value:
        return None
    row = SettingChange.objects.create(name=name, value=value, before=before, actor=actor, reason=reason)
    forget()
    return row
