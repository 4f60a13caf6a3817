"""What an operator may change about trust and moderation, each with a safe default, its bounds and a sentence that
explains it.

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
MODERATION = "Moderation"


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
    group: str = "Trust and debts"

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
            1,  # the other defaults and the caps bound what this lets through
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
            "For so long, what a seller had earned before a rejection counts for nothing: they are new in every "
            "category, and cannot be trusted in any.",
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
            0.05,
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
        Setting(
            "left_views",
            "Views of what left for each check",
            "What was sold or withdrawn before its heavy checks gets them for the record by lot, as likely as its "
            "views are a share of these: one check falls on so many views, over however many listings somebody spreads "
            "them. 1: whatever was seen is checked. What was edited always is.",
            400,
            1,
            1_000_000,
            unit="views",
        ),
        Setting(
            "lease_minutes",
            "Minutes that a case is held",
            "So long a moderator has a case to themselves; working on it counts anew. Then others may take it.",
            10,
            1,
            240,
            unit="minutes",
            group=MODERATION,
        ),
        Setting(
            "undo_seconds",
            "Seconds to take a decision back",
            "A decision comes into force after so long; until then its moderator may undo it, and nobody else sees it.",
            20,
            0,
            600,
            unit="seconds",
            group=MODERATION,
        ),
        Setting(
            "appeal_days",
            "Days to ask for another look",
            "So long after a decision its merchant may appeal. The Digital Services Act asks for six months (Art. 20).",
            183,
            1,
            3_650,
            unit="days",
            group=MODERATION,
        ),
        Setting(
            "strike_days",
            "Days that a strike counts",
            "A rejection under a policy of the highest severity is a strike for so long.",
            90,
            1,
            3_650,
            unit="days",
            group=MODERATION,
        ),
        Setting(
            "strikes_to_suspend",
            "Strikes that suspend a seller",
            "With so many at a time, a seller's listings are paused and nothing new can be submitted.",
            3,
            1,
            100,
            group=MODERATION,
        ),
        Setting(
            "suspend_days",
            "Days of a suspension",
            "Then the seller may put listings back on sale.",
            30,
            1,
            3_650,
            unit="days",
            group=MODERATION,
        ),
        Setting(
            "reports_a_day",
            "Reports of one sender a day",
            "Further ones are refused with a sentence. Each listing can be reported once by everybody.",
            20,
            1,
            10_000,
            group=MODERATION,
        ),
        Setting(
            "samples_a_day",
            "Passed listings looked at a day",
            "So many listings on sale, drawn at random, are shown to moderators: this measures what all checks miss.",
            5,
            0,
            10_000,
            group=MODERATION,
        ),
        Setting(
            "second_share",
            "Share of decisions looked at twice",
            "Another moderator decides these again without knowing how they were decided; it measures agreement.",
            0.05,
            0.0,
            1.0,
            whole=False,
            group=MODERATION,
        ),
        Setting(
            "golden_share",
            "Share of cases with a known answer",
            "Mixed in among the others, from decisions on which two moderators agreed; it measures each moderator.",
            0.02,
            0.0,
            1.0,
            whole=False,
            group=MODERATION,
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


def value(name: str) -> float:
    return values()[name]


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
