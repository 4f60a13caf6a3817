"""Listings on sale, their vectors, and a vocabulary that has counted them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pgvector import HalfVector

from listings.models import Listing
from models import towers
from recommendations import feed, vocabulary
from recommendations.models import ItemVector
from tests.listings.conftest import as_user, make_listing, models_away  # noqa: F401  (fixtures)
from tests.recommendations.histories import collection  # noqa: F401  (a fixture)

TITLES = (
    "Blue enamel kettle",
    "Red enamel kettle, whistling",
    "Kettle bell, cast iron, 8 kg",
    "Cordless drill with two batteries",
    "Cordless drill, charger missing",
    "Drill bits, steel, 13 pieces",
    "Garden hose 1/2 in. x 50ft",
    "Garden hose 3/4 in. x 50ft",
    "Over-ear headphones, new pads",
    "Rust Oleum paint, 1 gallon",
    "Rust Oleum primer, grey",
)


def forget_all() -> None:
    vocabulary.forget()
    feed.forget()


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """A process keeps words, what is popular and rows; the next test has another catalogue."""
    forget_all()
    yield
    forget_all()


@pytest.fixture
def on_sale(make_listing: Callable[..., Listing]) -> dict[str, Listing]:  # noqa: F811
    """A small market by title, counted."""
    listings = {title: make_listing(title, description="In good order.") for title in TITLES}
    vocabulary.refresh()
    return listings


@pytest.fixture
def place() -> Callable[..., Any]:
    """Give a listing a vector: (listing, the axis it points along)."""

    def put(listing: Listing, axis: int, space: str = "") -> np.ndarray:
        vector = np.zeros(128, np.float32)
        vector[axis] = 1
        space = space or towers.space()
        ItemVector.objects.create(listing=listing, vector=HalfVector(vector), model_version=space, revision=1)
        return vector

    return put
