"""The order of candidates: what is known of each → numbers → the `ranker` model → diversity."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime
from models.manifest import ModelUnavailable
from models.towers import DIMENSIONS

from .retrieval import Found, Market, Shares
from .stock import Row

log = logging.getLogger(__name__)
MODEL = "ranker"
Floats = NDArray[np.float32]

SLOTS = 4  # interests that have numbers of their own; further ones count among the nearest
# What the ranker reads of each candidate. The model's manifest entry names the same, in this order.
FEATURES = (
    "cosine_1", "cosine_2", "cosine_3", "cosine_4",  # with each interest; 0 where there is none
    "cosine_most", "cosine_mean",
    "gap_1",  # by how much the candidate nearest to the first interest is nearer
    "steps_1", "steps_2", "steps_3", "steps_all",  # how many went on from what is nearest to an interest to this one
    "back_1", "back_all",  # how many came from this one to what is nearest to an interest
    "wide",  # steps from all that is like the first interest
    "lift_all", "lift_wide",  # the same against how often this one is opened at all
    "memory_1", "memory_most", "memory_root",  # share of clicks after queries like the interest
    # The same for all candidates: how far the others can be trusted.
    "known",  # cosine of the first interest with the nearest remembered query
    "counted",  # log of the steps counted from where the first interest is
    "nearest",  # the largest cosine of a candidate with the first interest
    "interests",  # how many
    "popularity",  # log, against the mean
    "price",  # log, against its category, in standard deviations
    "fresh",  # 1 when published now, half after a month
    "seller_sales",  # log
)  # fmt: skip
FRESH_DAYS = 30.0
FADING = 0.7  # of one interest against the one before it
LIFT_SCALE = 0.2

# The first version, and what orders a page while no ranker is published.
BY_HAND = {
    "cosine_1": 0.3, "cosine_most": 0.15, "steps_1": 1.0, "steps_2": 0.6, "steps_3": 0.4, "wide": 0.3,
    "memory_1": 1.5, "popularity": 0.02, "fresh": 0.02, "seller_sales": 0.005,
}  # fmt: skip
HAND = np.array([BY_HAND.get(name, 0.0) for name in FEATURES], np.float32)


def features(found: Found, pks: Sequence[int], rows: Sequence[Row], market: Market) -> Floats:
    """float32 [candidates, FEATURES]."""
    count, places = len(pks), {pk: place for place, pk in enumerate(pks)}
    cosines = _units(rows) @ found.interests.T
    numbers = np.array([row.numbers for row in rows], np.float64)
    popularity = numbers[:, 1] + 0.3
    usual = market.mean_popularity + 0.3
    chance = popularity / (usual * max(1, market.listings))
    steps_all = _faded(found.steps, places)
    wide = _column(found.wide, places)
    memory = [_column(shares, places) for shares in found.memory] or [np.zeros(count)]
    slots = np.zeros((count, SLOTS))
    slots[:, : min(SLOTS, cosines.shape[1])] = cosines[:, :SLOTS]
    days = (time.time() - numbers[:, 0]) / 86_400
    values = {
        **{f"cosine_{slot + 1}": slots[:, slot] for slot in range(SLOTS)},
        "cosine_most": cosines.max(axis=1),
        "cosine_mean": cosines.mean(axis=1),
        "gap_1": slots[:, 0].max() - slots[:, 0],
        **{f"steps_{slot + 1}": _column(_at(found.steps, slot), places) for slot in range(3)},
        "steps_all": steps_all,
        "back_1": _column(_at(found.back, 0), places),
        "back_all": _faded(found.back, places),
        "wide": wide,
        "lift_all": LIFT_SCALE * np.log1p(steps_all / chance),
        "lift_wide": LIFT_SCALE * np.log1p(wide / chance),
        "memory_1": memory[0],
        "memory_most": np.max(memory, axis=0),
        "memory_root": np.sqrt(memory[0]),
        "known": np.full(count, found.known),
        "counted": np.full(count, math.log1p(found.counted)),
        "nearest": np.full(count, slots[:, 0].max()),
        "interests": np.full(count, len(found.interests)),
        "popularity": np.log(popularity / usual),
        "price": numbers[:, 2],
        "fresh": 0.5 ** (np.maximum(days, 0) / FRESH_DAYS),
        "seller_sales": np.log1p(numbers[:, 3]),
    }
    return np.stack([values[name] for name in FEATURES], axis=1).astype(np.float32)


def _at(shares: list[Shares], slot: int) -> Shares:
    return shares[slot] if slot < len(shares) else {}


def _faded(shares: list[Shares], places: dict[int, int]) -> NDArray[np.float64]:
    total = np.zeros(len(places))
    for slot, each in enumerate(shares[:SLOTS]):
        total += FADING**slot * _column(each, places)
    return total


def _column(shares: Shares, places: dict[int, int]) -> NDArray[np.float64]:
    column = np.zeros(len(places))
    for pk, share in shares.items():
        if (place := places.get(pk)) is not None:
            column[place] = share
    return column


def scores(values: Floats) -> Floats:
    """float32 [candidates] of features [candidates, FEATURES]; by hand while the ranker is away."""
    try:
        entry = manifest.model(manifest.load(), MODEL)
        if tuple(entry["features"]) != FEATURES:
            raise ModelUnavailable("The published ranker reads other features than this site has. Train it again.")
        found: Floats = runtime.session(MODEL, "cloud").run(["scores"], {"features": values})[0]
    except ModelUnavailable as error:
        log.debug("ranking by hand: %s", error)
        return values @ HAND
    return found


# --- Diversity -------------------------------------------------------------------------------------------------------
PAGE = 24
OF_A_SELLER = 6  # on one page, while others have something
TWIN = 0.985  # two listings of a cosine above this are one thing twice
TWINS = 3  # of these on one page


def diverse(order: Sequence[int], rows: Sequence[Row]) -> list[int]:
    """The same positions, so that no seller and no single thing fills a page. `order`: positions, the best first.

    What there is too much of waits for the next page; nothing is left out.
    """
    twins = _twins([rows[at] for at in order])
    waiting, spread = list(range(len(order))), []
    while waiting:
        page: list[int] = []
        sellers: dict[str, int] = {}
        shown = [0] * len(order)  # by place: how many of its twins are on the page
        left = []
        for number, place in enumerate(waiting):
            if len(page) == PAGE:
                left += waiting[number:]
                break
            seller = rows[order[place]].seller
            if sellers.get(seller, 0) >= OF_A_SELLER or shown[place] >= TWINS:
                left.append(place)
                continue
            page.append(place)
            sellers[seller] = sellers.get(seller, 0) + 1
            for twin in twins.get(place, ()):
                shown[twin] += 1
        missing = PAGE - len(page)
        if missing:  # there is nothing else: as they were ranked
            page, left = page + left[:missing], left[missing:]
        if len(sellers) == 1:
            page, left = page + left, []
        spread += page
        waiting = left
    return [order[place] for place in spread]


def _twins(rows: Sequence[Row]) -> dict[int, list[int]]:
    """Places of the same thing, by place."""
    units = _units(rows)
    found: dict[int, list[int]] = {}
    for place, other in zip(*np.nonzero(units @ units.T > TWIN), strict=True):
        if place != other:
            found.setdefault(int(place), []).append(int(other))
    return found


def _units(rows: Sequence[Row]) -> Floats:
    """float32 [rows, 128], zero where there is no vector."""
    quantized = np.frombuffer(b"".join(row.vector for row in rows), np.int8).reshape(len(rows), DIMENSIONS)
    vectors = quantized.astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    found: Floats = vectors / np.maximum(lengths, 1.0)[:, None]
    return found
