"""The whole simulation: one stream, four arms, the scenarios, and every figure with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from listings.redteam import curve
from models import manifest, photo, text

from . import LEFT_OUT, figures, intervals, scenarios, stream, turncoats
from .arms import ARMS, CLOUD_AT_SUBMIT, HYBRID, SERVER_GATE, Arm
from .intervals import Table, by_seller, interval, ratio
from .looks import Looks
from .market import Fate, Market
from .merchant import Forgery, Merchants
from .parameters import Parameters
from .stream import Offer
from .texts import Pool
from .turncoats import Turncoat

Say = Callable[[str], None]
COLUMNS: dict[str, Callable[[Fate], float]] = {
    "heavy_before_publication": lambda f: f.heavy_before,
    "heavy_validations": lambda f: f.heavy_drafting + f.heavy_before + f.heavy_after,
    "bytes_up": lambda f: f.bytes_drafting + f.bytes_submit,
    "bytes_up_while_drafting": lambda f: f.bytes_drafting,
    "server_seconds": lambda f: f.server_ms / 1000,
    "unsafe_views": lambda f: f.unsafe_views,
    "views": lambda f: f.views,
}
NAMES = tuple(COLUMNS)
BEFORE, HEAVY, REMOVED = 0.20, 0.45, 0.50  # targets


def run(pool: Pool, p: Parameters, terms: dict[str, float], say: Say = lambda _: None) -> dict[str, Any]:
    """What `--json` prints. Same seed, parameters, texts and models: the same figures, but for the run times of models
    (server_seconds, verdict_ms). Raises ModelUnavailable."""
    offers = stream.draw(pool, p)
    looks = Looks()
    looks.warm()
    merchants = Merchants(looks, p)

    def market(arm: Arm, coming: Sequence[Offer] = offers, **more: Any) -> list[Fate]:
        say(f"{arm.name}{' again, ' + ', '.join(more) if more else ''}")
        # A market without debts has no memory: what came before the counted days changes nothing in it.
        return Market(arm, merchants, p, **({"terms": terms} | more)).run([o for o in coming if o.counted or arm.debts])

    found = {arm.name: market(arm) for arm in ARMS}
    counted = {name: [fate for fate in fates if fate.offer.counted] for name, fates in found.items()}
    hybrid = counted[HYBRID.name]
    pairs = list(zip(counted[SERVER_GATE.name], hybrid, strict=True))
    ways = {way.value: market(HYBRID, forgery=way) for way in Forgery}
    hour = scenarios.worst_hour(found[HYBRID.name], p)
    stopped = market(HYBRID, stopped=hour, rush=scenarios.rush(hour, p))
    worths = {
        worth: [fate for fate in market(HYBRID, terms=terms | {"worth": worth}) if fate.offer.counted]
        for worth in scenarios.WORTHS
    }
    unsafe = sum(fate.offer.unsafe for fate in hybrid)
    forbidden = turncoats.past_the_gate(pool, looks, terms, p)

    def turned(way: Turncoat, **more: Any) -> dict[str, Any]:
        coming, sent = turncoats.among(offers, way, forbidden, p)
        fates, alone = market(HYBRID, coming, forgery=Forgery.COPIED, **more), market(CLOUD_AT_SUBMIT, sent)
        theirs = {offer.number for offer in sent}
        return scenarios.turned([fate for fate in fates if fate.offer.number in theirs], alone, terms)

    # The workers stop when the last of it is sent, before they could be given the first of these debts.
    hours = turncoats.without_workers(p)
    return {
        "listings": len(hybrid),
        "unsafe": unsafe,
        "seed": p.seed,
        "data": pool.name,
        "arms": {name: figures.arm(fates) for name, fates in counted.items()},
        "intervals": _intervals(counted, pairs, p),
        "mix": stream.mix(offers),
        "merchant": {name: figures.merchant(fates) for name, fates in counted.items()},
        "obedience": {"rate": p.obey} | scenarios.obedience(pairs),
        "forging": scenarios.forging(ways),
        "workers_stopped": scenarios.workers_stopped(stopped, hour, p),
        "turned": {way.value: turned(way) for way in Turncoat},
        "turned_and_workers_stopped": {
            way.value: turned(way, stopped=hours, rush=scenarios.rush(hours, p)) for way in Turncoat
        },
        "worth": scenarios.worth(worths, counted[CLOUD_AT_SUBMIT.name]),
        "debts": {arm.name: figures.debts(counted[arm.name]) for arm in ARMS if arm.debts},
        "heavy_before_per_submit": {arm.name: figures.before_by_place(counted[arm.name]) for arm in ARMS if arm.debts},
        "device_credit": _credit(counted),
        "models": {"runs": looks.runs(), "versions": curve.versions(), "device_download_bytes": _downloads()},
        "parameters": asdict(p),
        "settings": terms,
        "left_out": list(LEFT_OUT),
    }


def _intervals(counted: dict[str, list[Fate]], pairs: Sequence[tuple[Fate, Fate]], p: Parameters) -> dict[str, Any]:
    """Ratios to the cloud at submit, and the targets."""
    sellers = [gate.offer.seller for gate, _ in pairs]
    columns = [[COLUMNS[name](fate) for fate in counted[arm.name]] for arm in ARMS for name in NAMES]
    rejected = [float(gate.rejected) for gate, _ in pairs]
    removed = [float(gate.rejected and scenarios.removed(hybrid, p.obey)) for gate, hybrid in pairs]
    table = by_seller(sellers, [*columns, rejected, removed])
    sums = intervals.resampled(table, p.resamples, p.seed)
    found: dict[str, Any] = {"level": intervals.LEVEL, "by": f"paired bootstrap over {len(table)} sellers"}
    for arm in ARMS:
        found[arm.name] = {
            name: interval(table, sums, ratio(_at(arm, name), _at(CLOUD_AT_SUBMIT, name)))
            for name in ("heavy_before_publication", "heavy_validations", "bytes_up", "server_seconds")
        }
        found[arm.name]["unsafe_views_per_10k"] = interval(table, sums, partial(_unsafe_ratio, arm=arm))
    found["targets"] = {
        "heavy_before_publication": _most(found[HYBRID.name]["heavy_before_publication"], BEFORE),
        "heavy_in_all": _most(found[HYBRID.name]["heavy_validations"], HEAVY),
        "unsafe_views_per_10k_more": _most(
            interval(table, sums, lambda sums: _per_10k(sums, HYBRID) - _per_10k(sums, CLOUD_AT_SUBMIT)), 0.0
        ),
        "bytes_while_drafting": _most(
            interval(table, sums, lambda sums: sums[:, _at(HYBRID, "bytes_up_while_drafting")]), 0.0
        ),
        "removed_by_device": _least(interval(table, sums, ratio(len(columns) + 1, len(columns))), REMOVED),
    }
    return found


def _at(arm: Arm, name: str) -> int:
    return ARMS.index(arm) * len(NAMES) + NAMES.index(name)


def _per_10k(sums: Table, arm: Arm) -> Table:
    found: Table = figures.PER * sums[:, _at(arm, "unsafe_views")] / np.maximum(sums[:, _at(arm, "views")], 1)
    return found


def _unsafe_ratio(sums: Table, arm: Arm) -> Table:
    found: Table = _per_10k(sums, arm) / _per_10k(sums, CLOUD_AT_SUBMIT)
    return found


def _most(found: dict[str, float | None], target: float) -> dict[str, Any]:
    """met: by the value; surely: by the whole interval. null where nothing can be said."""
    value, high = found["value"], found["high"]
    return found | {
        "at_most": target,
        "met": None if value is None else value <= target,
        "surely": None if high is None else high <= target,
    }


def _least(found: dict[str, float | None], target: float) -> dict[str, Any]:
    value, low = found["value"], found["low"]
    return found | {
        "at_least": target,
        "met": None if value is None else value >= target,
        "surely": None if low is None else low >= target,
    }


def _credit(counted: dict[str, list[Fate]]) -> dict[str, float]:
    """What the device alone saves: the market without it minus the one with it."""
    without, with_it = figures.arm(counted[SERVER_GATE.name]), figures.arm(counted[HYBRID.name])
    names = ("heavy_validations", "heavy_before_publication", "submits", "rejected", "reviewed_by_people")
    found = {name: without[name] - with_it[name] for name in (*names, "server_seconds", "unsafe_views")}
    return {name: round(value, 3) for name, value in found.items()}


def _downloads() -> dict[str, int]:
    """Bytes that a device loads once, of each model."""
    published = manifest.load()
    entries = {name: manifest.model(published, name) for name in (text.MODEL, photo.MODEL)}
    return {
        name: int(entry["variants"][manifest.variant_name(entry, "device")]["bytes"]) for name, entry in entries.items()
    }
