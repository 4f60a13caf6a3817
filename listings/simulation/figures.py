"""What each arm cost and let through, from the fates of the counted listings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .market import Fate
from .parameters import DAY

PER = 10_000


def arm(fates: Sequence[Fate]) -> dict[str, Any]:
    """The fields of the contract first. verdict_ms: until the merchant hears a first word."""
    views = sum(fate.views for fate in fates)
    waits = [fate.verdict_ms for fate in fates if fate.verdict_ms]
    p50, p95 = np.percentile(waits, [50, 95]) if waits else (0.0, 0.0)
    before, after = sum(fate.heavy_before for fate in fates), sum(fate.heavy_after for fate in fates)
    drafting = sum(fate.heavy_drafting for fate in fates)
    return {
        "heavy_validations": drafting + before + after,
        "light_validations": sum(fate.light for fate in fates),
        "bytes_up": sum(fate.bytes_drafting + fate.bytes_submit for fate in fates),
        "server_seconds": round(sum(fate.server_ms for fate in fates) / 1000, 3),
        "unsafe_published": sum(fate.published_at is not None and fate.offer.unsafe for fate in fates),
        "unsafe_views_per_10k": round(PER * sum(fate.unsafe_views for fate in fates) / max(1, views), 3),
        "verdict_ms_p50": round(float(p50), 2),
        "verdict_ms_p95": round(float(p95), 2),
        "heavy_while_drafting": drafting,
        "heavy_before_publication": before,
        "heavy_after_publication": after,
        "bytes_up_while_drafting": sum(fate.bytes_drafting for fate in fates),
        "submits": sum(fate.submits for fate in fates),
        "dropped": sum(fate.written.dropped for fate in fates),
        "rejected": sum(fate.rejected for fate in fates),
        "sent_back": sum(fate.refused for fate in fates),
        "reviewed_by_people": sum(fate.reviewed for fate in fates),
        "decided_by_people_instead": sum(fate.spared for fate in fates),
        "granted": sum(fate.debt is not None for fate in fates),
        "views": views,
        "unsafe_views": sum(fate.unsafe_views for fate in fates),
    }


def merchant(fates: Sequence[Fate]) -> dict[str, Any]:
    """Of honest and careless merchants. seconds: from the first key to the market, of what gets there."""
    own = [fate for fate in fates if fate.offer.kind.means_well]
    safe = [fate for fate in own if not fate.offer.unsafe]
    seconds = [
        fate.written.seconds + fate.published_at - fate.offer.at for fate in safe if fate.published_at is not None
    ]
    p50, p95 = np.percentile(seconds, [50, 95]) if seconds else (None, None)
    warned = [fate for fate in own if fate.written.warned]
    return {
        "edits_per_listing": _share(sum(fate.written.edits + fate.submits - 1 for fate in safe), len(safe)),
        "seconds_to_publication_p50": p50 and round(float(p50), 1),
        "seconds_to_publication_p95": p95 and round(float(p95), 1),
        "warnings": len(warned),
        "warnings_obeyed": _share(sum(fate.written.obeyed for fate in warned), len(warned)),
        "false_alarms_per_listing": _share(sum(fate.written.warned for fate in safe), len(safe)),
        "held_by_people_though_safe": _share(sum(fate.reviewed for fate in safe), len(safe)),
    }


def debts(fates: Sequence[Fate]) -> dict[str, Any]:
    """Why debts were called in ("none": they ended with the listing, or are open), and why others had none.
    ended_seen: those that ended with the listing, were seen by somebody, and are never checked."""
    owed = [fate.debt for fate in fates if fate.debt]
    grounds = Counter(fate.grounds[0].split("(")[0].split(":")[0].strip(" .") for fate in fates if fate.grounds)
    return {
        "called_in_for": dict(Counter(debt.cause or "none" for debt in owed).most_common()),
        "first_ground_against": dict(grounds.most_common()),
        "views_while_owing": sum(debt.impressions for debt in owed),
        "ended_seen": sum(not debt.cause and not debt.open and debt.impressions > 0 for debt in owed),
        "unsafe_views_while_owing": sum(f.debt.impressions for f in fates if f.debt and f.offer.unsafe),
        "days_open_mean": _share(sum((d.until or d.since) - d.since for d in owed) / DAY, len(owed)),
    }


def before_by_place(fates: Sequence[Fate]) -> dict[str, float | None]:
    """Heavy validations before publication for each submit: with them any other mix of sellers can be worked out."""
    groups = {
        "first_5_in_category": lambda o: o.place_in_category < 5,
        "6_to_10_in_category": lambda o: 5 <= o.place_in_category < 10,
        "later_in_category": lambda o: o.place_in_category >= 10,
        "text_alone": lambda o: o.photo is None,
        "with_photo": lambda o: o.photo is not None,
    }
    found = {}
    for name, belongs in groups.items():
        own = [fate for fate in fates if belongs(fate.offer)]
        found[name] = _share(sum(f.heavy_before for f in own), sum(f.submits for f in own))
    return found


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
