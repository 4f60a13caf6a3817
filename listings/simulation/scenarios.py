"""The questions beside the savings: does forging pay, what may happen without workers, what if merchants obey less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .market import Fate
from .parameters import HOUR, Parameters
from .stream import Kind

WORTHS = (0.1, 1.0, 5.0, 20.0, 1_000.0)  # of the setting: unsafe views that are worth a check of idle workers
RATES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


def forging(by_way: Mapping[str, Sequence[Fate]]) -> dict[str, Any]:
    """by_way: the same offers with each way of forging. What forging sellers show before anybody has looked is what
    they gain: at most what the caps give."""
    return {way: _exposure([f for f in fates if f.offer.kind == Kind.FORGING]) for way, fates in by_way.items()}


def _exposure(fates: Sequence[Fate]) -> dict[str, Any]:
    owing = [fate.debt for fate in fates if fate.debt]
    unsafe = [fate for fate in fates if fate.offer.unsafe]
    return {
        "listings": len(fates),
        "unsafe": len(unsafe),
        "published_before_their_checks": len(owing),
        "views_while_owing": sum(debt.impressions for debt in owing),
        "caps_give": sum(debt.cap for debt in owing),
        "within_caps": all(debt.impressions <= debt.cap for debt in owing),
        "unsafe_views": sum(fate.views for fate in unsafe),
        "unsafe_views_while_owing": sum(fate.debt.impressions for fate in unsafe if fate.debt),
    }


def turned(sent: Sequence[Fate], cloud: Sequence[Fate], terms: dict[str, float]) -> dict[str, Any]:
    """sent: what one trusted seller offers from the turn on; cloud: the same listings, had everything been checked in
    full first. settings_give: the most that so many debts of one seller at a time could have shown."""
    owing = [fate.debt for fate in sent if fate.debt]
    return _exposure(sent) | {
        "passed_by_the_gate_with_margin": sum(fate.gate_clear for fate in sent),
        "settings_give": round(terms["seller_day"] * terms["heavy_cap"]),
        "called_in_for": dict(Counter(debt.cause or "none" for debt in owing)),
        "found_in_the_end": sum(fate.rejected for fate in sent),
        "unsafe_views_checked_first": sum(fate.unsafe_views for fate in cloud),
    }


def worst_hour(fates: Sequence[Fate], p: Parameters) -> tuple[float, float]:
    """The hour that begins with a counted listing's debt and holds most unsafe ones, or else most of all."""
    starts = [fate.debt.since for fate in fates if fate.debt and fate.offer.counted]
    begun = [(fate.debt.since, fate.offer.unsafe) for fate in fates if fate.debt]
    if not starts:
        middle = p.days * 43_200
        return middle, middle + HOUR

    def weight(begin: float) -> tuple[int, int]:
        inside = [unsafe for since, unsafe in begun if begin <= since < begin + HOUR]
        return sum(inside), len(inside)

    begin = max(starts, key=weight)
    return begin - 1, begin - 1 + HOUR


def rush(hour: tuple[float, float], p: Parameters) -> list[float]:
    """Times of the further views, evenly spread."""
    return [hour[0] + HOUR * (n + 0.5) / p.rush for n in range(p.rush)]


def workers_stopped(fates: Sequence[Fate], hour: tuple[float, float], p: Parameters) -> dict[str, Any]:
    """Of what owes its checks within that hour: its views so far, the caps at that time, and what they bound."""
    begin, end = hour
    owing = [
        fate
        for fate in fates
        if fate.debt and fate.debt.since < end and (fate.debt.until is None or fate.debt.until > begin)
    ]
    unsafe = [fate for fate in owing if fate.offer.unsafe]
    return {
        "hour_from_day": round(begin / 86_400, 3),
        "views_of_each_listing": p.rush,
        "owing": len(owing),
        "taken_off_by_the_caps": sum(fate.debt.cause == "views" for fate in owing if fate.debt),
        "views_while_owing": sum(fate.debt.impressions for fate in owing if fate.debt),
        "caps_give": sum(fate.debt.cap for fate in owing if fate.debt),
        "unsafe_owing": len(unsafe),
        "unsafe_views_while_owing": sum(fate.debt.impressions for fate in unsafe if fate.debt),
        "unsafe_caps_give": sum(fate.debt.cap for fate in unsafe if fate.debt),
        "within_caps": all(fate.debt.impressions <= fate.debt.cap for fate in owing if fate.debt),
    }


def removed(hybrid: Fate, rate: float) -> bool:
    """By the device alone, were the rate of obeying another one: warned of, and dropped."""
    offer = hybrid.offer
    return hybrid.written.warned and offer.unsafe and offer.kind.means_well and offer.obeys < rate


def obedience(pairs: Sequence[tuple[Fate, Fate]]) -> dict[str, Any]:
    """pairs: fates without device and with it. Of the submits that end in a rejection without one, the share that is
    never sent: of all sellers, and of those who mean well."""
    would = [(gate, hybrid) for gate, hybrid in pairs if gate.rejected]
    well = [hybrid for _, hybrid in would if hybrid.offer.kind.means_well]
    return {
        "would_be_rejected": len(would),
        "of_those_who_mean_well": len(well),
        "warned": sum(hybrid.written.warned for _, hybrid in would),
        "curve": [
            {
                "rate": rate,
                "removed": round(sum(removed(h, rate) for _, h in would) / len(would), 4) if would else None,
                "removed_of_those_who_mean_well": round(sum(removed(h, rate) for h in well) / len(well), 4)
                if well
                else None,
            }
            for rate in RATES
        ],
    }


def worth(by_worth: Mapping[float, Sequence[Fate]], cloud: Sequence[Fate]) -> list[dict[str, Any]]:
    """What the diligence of idle workers costs and saves. Heavy validations as shares of the cloud's at submit."""
    whole = sum(fate.heavy_before for fate in cloud)
    return [
        {
            "worth": worth,
            "heavy_before_publication": round(sum(f.heavy_before for f in fates) / whole, 4),
            "heavy_in_all": round(sum(f.heavy_before + f.heavy_after for f in fates) / whole, 4),
            "unsafe_views": sum(f.unsafe_views for f in fates),
            "unsafe_views_per_10k": round(
                10_000 * sum(f.unsafe_views for f in fates) / max(1, sum(f.views for f in fates)), 3
            ),
        }
        for worth, fates in by_worth.items()
    ]
