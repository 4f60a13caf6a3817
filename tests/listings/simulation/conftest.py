"""A small market of the project's own listings, text alone, with the real models and rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from listings.simulation import looks, merchant, report, texts
from listings.simulation.parameters import Parameters
from listings.trust import settings
from tests.listings.trust.conftest import claim, earn, open_cells, owing, send, set_to  # noqa: F401

TERMS = {name: setting.default for name, setting in settings.ALL.items()} | {"debts": 1.0, "spare_checks": 1.0}
LISTINGS = 40


@pytest.fixture(scope="session")
def pool() -> texts.Pool:
    return texts.pool(data=Path("/nowhere"))


@pytest.fixture(scope="session")
def parameters() -> Callable[..., Parameters]:
    """A market that knows its sellers: one category, many earlier listings."""

    def make(**changes: Any) -> Parameters:
        given = {
            "listings": LISTINGS,
            "seed": 3,
            "earlier": 3.0,
            "categories": 1,
            "listings_per_seller": 20.0,
            "unsafe_share": 0.1,
            "resamples": 200,
            "turncoat_tries": 60,
        }
        return Parameters(**given | changes)

    return make


@pytest.fixture(scope="session")
def open_terms() -> dict[str, float]:
    """Cells are open after few listings, and nothing is called in but by views."""
    return TERMS | {"cell_miss": 0.3, "audit_share": 0.0, "worth": 1_000.0}


@pytest.fixture(scope="session")
def merchants(parameters: Callable[..., Parameters]) -> merchant.Merchants:
    return merchant.Merchants(looks.Looks(), parameters())


@pytest.fixture(scope="session")
def found(pool: texts.Pool, parameters: Callable[..., Parameters], open_terms: dict[str, float]) -> dict[str, Any]:
    return report.run(pool, parameters(), open_terms)
