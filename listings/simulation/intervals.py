"""Intervals by the paired bootstrap over sellers: a resample takes a seller with everything they sent, in all arms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 95.0
Table = NDArray[np.float64]  # [sellers, columns]: sums


def resampled(table: Table, resamples: int, seed: int) -> Table:
    """[resamples, columns]: sums over as many sellers as there are, drawn with repetition."""
    rng = np.random.default_rng(seed)
    sellers = len(table)
    drawn = rng.multinomial(sellers, np.full(sellers, 1 / sellers), size=resamples)
    sums: Table = drawn @ table
    return sums


def interval(table: Table, sums: Table, figure: Callable[[Table], Table], digits: int = 4) -> dict[str, float | None]:
    """figure: from sums [..., columns] to a number each; what cannot be said (a division by 0) is left out, and is null
    where nothing is left."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(figure(table.sum(axis=0)[None])[0])
        spread = figure(sums)
    spread = spread[np.isfinite(spread)]
    if not np.isfinite(value) or not len(spread):
        return {"value": None, "low": None, "high": None}
    low, high = np.percentile(spread, [50 - LEVEL / 2, 50 + LEVEL / 2])
    return {"value": round(value, digits), "low": round(float(low), digits), "high": round(float(high), digits)}


def by_seller(sellers: Sequence[int], columns: Sequence[Sequence[float]]) -> Table:
    """Sums of each column by seller. sellers: of each row; columns: a sequence of rows each."""
    known, places = np.unique(np.asarray(sellers), return_inverse=True)
    table = np.zeros((len(known), len(columns)))
    for place, column in enumerate(columns):
        np.add.at(table[:, place], places, np.asarray(column, dtype=np.float64))
    return table


def ratio(above: Any, below: Any) -> Callable[[Table], Table]:
    """Of two columns, or sums of several."""
    above, below = np.atleast_1d(above), np.atleast_1d(below)
    return lambda sums: sums[:, above].sum(axis=1) / sums[:, below].sum(axis=1)
