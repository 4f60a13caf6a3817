"""How well recommendations find what people opened next: real histories over a scratch catalogue.

PATH holds cases.jsonl.gz ({"id", "history": [events], "target"}), and products.csv.gz there or in its parent; the train
folder holds sessions.jsonl.gz ({"id", "events": [events]}): what the site would have counted from its own visits.
Everything goes through the site's own code: the towers as a device runs them, then `feed.page`, whose only knowledge of
a history are the vectors that a device would send.
"""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from models import manifest, towers
from models.rankings import ndcg, reciprocal_rank

from . import counting, dense, feed, ranking, remembered, retrieval, scratch, standing, stock
from .models import CoVisit, ListingViews, QueryClick, RememberedQuery, Standing
from .retrieval_quality import NoCollection, Say, file_in, rows_of
from .scratch import Product

TOP = 10
DAY = date(2026, 1, 1)  # of everything that was counted
KINDS = {"search": "search", "view": "view", "favourite": "favourite", "buy": "purchase", "dismiss": "dismissal"}
ENOUGH = settings.REMEMBERED_QUERY_DAYS


class Event(NamedTuple):
    """about: the words of a search, else a product id."""

    kind: str
    about: str


@dataclass(frozen=True)
class Case:
    history: list[Event]
    target: str


# --- Files -----------------------------------------------------------------------------------------------------------
def read_products(path: Path) -> list[Product]:
    """Of a folder or its parent. Raises NoCollection."""
    return [
        Product(
            row["product_id"],
            row["title"],
            row.get("description") or "",
            row.get("category_path") or "",
            _price(row.get("price") or ""),
        )
        for row in rows_of(file_in("products.csv.gz", path, path.parent))
    ]


def _price(text: str) -> Decimal | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 < price < 10**7 else None


def read_cases(path: Path) -> list[Case]:
    """Raises NoCollection."""
    rows = _lines(file_in("cases.jsonl.gz", path))
    return [Case(_events(row["history"]), row["target"]) for row in rows]


def read_sessions(path: Path) -> list[list[Event]]:
    """Raises NoCollection."""
    return [_events(row["events"]) for row in _lines(file_in("sessions.jsonl.gz", path))]


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, EOFError, ValueError) as error:
        raise NoCollection(f"{path} cannot be read: {error}") from None


def _events(rows: list[dict[str, Any]]) -> list[Event]:
    return [
        Event(KINDS[row["kind"]], row["query"] if row["kind"] == "search" else row["product_id"])
        for row in rows
        if row["kind"] in KINDS
    ]


# --- What the site would know from its own visits --------------------------------------------------------------------
def count(sessions: Iterable[list[Event]], keys: dict[str, int]) -> None:
    """Fill the counters as visits would have, every session on a day of its own, and what tasks make of them. Replaces
    what was counted before. keys: {product id: listing key}.

    An item after an item counts as a step and as one more click of the search before them: people go on to what is
    similar or back to the results, and the data does not say which."""
    views, steps, clicks = Counter[int](), Counter[tuple[int, int]](), Counter[tuple[str, int]]()
    days = Counter[str]()
    for session in sessions:
        before: int | None = None  # the last page is all that the site knows of a visit (its Referer)
        searched, led = "", set()
        for event in session:
            if event.kind == "search":
                searched, before = counting.normal(event.about), None
            elif event.about in keys:
                pk = keys[event.about]
                views[pk] += 1
                if before is not None:
                    steps[before, pk] += 1
                before = pk
                if searched:
                    clicks[searched, pk] += 1
                    led.add(searched)
        days.update(led)
    for model in (ListingViews, CoVisit, QueryClick, RememberedQuery, Standing):
        model.objects.all().delete()
    ListingViews.objects.bulk_create(
        [ListingViews(listing_id=pk, day=DAY, count=n) for pk, n in views.items()], batch_size=scratch.BATCH
    )
    CoVisit.objects.bulk_create(
        [CoVisit(before_id=a, after_id=b, count=n) for (a, b), n in steps.items()], batch_size=scratch.BATCH
    )
    kept = RememberedQuery.objects.bulk_create(
        [
            RememberedQuery(
                digest=counting.digest(query), text=query if number >= ENOUGH else "", days=number, last_day=DAY
            )
            for query, number in days.items()
        ],
        batch_size=scratch.BATCH,
    )
    of = {query: row.pk for query, row in zip(days, kept, strict=True)}
    QueryClick.objects.bulk_create(
        [QueryClick(query_id=of[query], listing_id=pk, count=n) for (query, pk), n in clicks.items()],
        batch_size=scratch.BATCH,
    )
    standing.refresh(DAY)
    remembered.sweep()
    scratch.analyse(CoVisit, RememberedQuery, QueryClick, Standing)
    feed.forget()


# --- The device ------------------------------------------------------------------------------------------------------
class Device:
    """What a device makes of a history: int8 vectors, the only thing that leaves it."""

    def __init__(self, keys: dict[str, int], variant: str = "device") -> None:
        pks = sorted(keys.values())
        self.keys, self.variant = keys, variant
        self.place = {pk: at for at, pk in enumerate(pks)}
        self.items = rounded(dense.of(pks))  # as they come with items over the wire
        self.queries: dict[str, NDArray[np.float32]] = {}

    def vector(self, event: Event) -> NDArray[np.float32] | None:
        """float32 [128] of one event; None of a product that is not on sale, or of words that say nothing."""
        if event.kind != "search":
            return self.items[self.place[self.keys[event.about]]] if event.about in self.keys else None
        if event.about not in self.queries:
            self.queries[event.about] = rounded(towers.encode_queries([event.about], self.variant))[0]
        found = self.queries[event.about]
        return found if found.any() else None

    def sends(self, history: list[Event]) -> NDArray[np.int8]:
        """int8 [k, 128]. The data has no times: every event is of today."""
        read = [(event.kind, vector) for event in history if (vector := self.vector(event)) is not None]
        if not read:
            return np.zeros((0, towers.DIMENSIONS), np.int8)
        interests = towers.user_interests(
            np.stack([vector for _, vector in read]),
            np.array([towers.KINDS.index(kind) for kind, _ in read], np.int64),
            np.zeros(len(read), np.float32),
            self.variant,
        )
        return np.rint(127 * interests).astype(np.int8)


def rounded(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Through int8 and back to unit length, as the wire does it."""
    quantized = np.rint(127 * vectors)
    found: NDArray[np.float32] = quantized / np.maximum(np.linalg.norm(quantized, axis=1, keepdims=True), 1)
    return found.astype(np.float32)


# --- Figures ---------------------------------------------------------------------------------------------------------
def figures(ranking: list[str], target: str) -> tuple[float, float, float]:
    """(hit among the first ten, NDCG@10, reciprocal rank) of the one right answer."""
    right = {target: 1}
    return float(target in ranking[:TOP]), ndcg(ranking, right, TOP), reciprocal_rank(ranking, right)


def mean(measured: list[tuple[float, float, float]]) -> dict[str, float]:
    names = ("hr_at_10", "ndcg_at_10", "mrr")
    return {name: round(fmean(column), 4) for name, column in zip(names, zip(*measured, strict=True), strict=True)}


def report(path: Path, train: Path | None, say: Say) -> dict[str, Any]:
    """The fields of `manage.py evaluate_feed --json`. Raises NoCollection, ModelUnavailable."""
    products, cases = read_products(path), read_cases(path)
    sessions = read_sessions(train) if train else []
    if not cases:
        raise NoCollection(f"There is no case in {path}.")
    with site(products, say) as ids:
        count(sessions, {product: pk for pk, product in ids.items()})
        say(f"{len(sessions)} sessions counted")
        return _measured(cases, ids, say)


class _Site:
    """A scratch catalogue with its products, whose traces in this process are gone afterwards, too."""

    def __init__(self, products: list[Product], say: Say) -> None:
        self.products, self.say, self.catalogue = products, say, scratch.catalogue()

    def __enter__(self) -> dict[int, str]:
        self.catalogue.__enter__()
        feed.forget()
        return scratch.filled(self.products, self.say)

    def __exit__(self, *error: Any) -> None:
        feed.forget()
        self.catalogue.__exit__(*error)


site = _Site


def _measured(cases: list[Case], ids: dict[int, str], say: Say) -> dict[str, Any]:
    """ids: {listing key: product id}."""
    keys = {product: pk for pk, product in ids.items()}
    popular = [ids[pk] for pk in Standing.objects.order_by("-popularity", "pk").values_list("pk", flat=True)]
    published, full = Device(keys), Device(keys, "fp32")
    ways: dict[str, list[tuple[float, float, float]]] = {"int8": [], "fp32": [], "popularity": []}
    space, seconds = towers.space(), 0.0
    for number, case in enumerate(cases, 1):
        feed.forget_answers()  # each shopper is somebody new
        begun = time.perf_counter()
        sent = published.sends(case.history)
        ranking = answer(space, sent, ids)
        seconds += time.perf_counter() - begun
        ways["int8"].append(figures(ranking, case.target))
        of_full = full.sends(case.history)
        if not np.array_equal(of_full, sent):  # the same request has the same answer
            ranking = answer(space, of_full, ids)
        ways["fp32"].append(figures(ranking, case.target))
        ways["popularity"].append(figures(popular, case.target))
        if number % 1000 == 0:
            say(f"{number} of {len(cases)} cases: {mean(ways['int8'])}")
    return {
        "cases": len(cases),
        **mean(ways["int8"]),
        "fp32": mean(ways["fp32"]),
        "popularity": mean(ways["popularity"]),
        "ms_per_user_1thread": round(1000 * seconds / len(cases), 2),
        "user_tower_bytes": _bytes("user-tower"),
    }


def answer(space: str, sent: NDArray[np.int8], ids: dict[int, str]) -> list[str]:
    return [ids[pk] for pk in feed.page(space, sent, feed.MOST).keys]


def _bytes(model: str) -> int:
    entry = manifest.model(manifest.load(), model)
    size: int = entry["variants"][manifest.variant_name(entry, "device")]["bytes"]
    return size


# --- Examples for training the ranker --------------------------------------------------------------------------------
FOLDS = 6
Example = tuple[NDArray[np.float32], int]


def examples(sessions: list[list[Event]], keys: dict[str, int], most: int, seed: int, say: Say) -> Iterator[Example]:
    """(features float32 [candidates, FEATURES], place of what was opened, or -1) of moments in sessions, as the site
    would have ranked them, where the counters know all sessions but a share with this one: what is learned must not
    rest on the answer itself. Inside `site`."""
    rng = np.random.default_rng(seed)
    fold = rng.integers(0, FOLDS, len(sessions))
    moments = [
        (number, at)
        for number, session in enumerate(sessions)
        for at in range(1, len(session))
        if session[at].kind != "search"
    ]
    chosen = sorted(moments[at] for at in rng.permutation(len(moments))[:most])
    device = Device(keys)
    for left_out in range(FOLDS):
        count((session for session, of in zip(sessions, fold, strict=True) if of != left_out), keys)
        say(f"part {left_out + 1} of {FOLDS}")
        for number, at in chosen:
            if fold[number] == left_out:
                yield from _example(device, sessions[number][:at], sessions[number][at].about)


def examples_of_cases(
    cases: list[Case], sessions: list[list[Event]], keys: dict[str, int], most: int, seed: int
) -> Iterator[Example]:
    """The same of cases that are held back, where the counters know all sessions. Inside `site`."""
    count(sessions, keys)
    device = Device(keys)
    for at in sorted(np.random.default_rng(seed).permutation(len(cases))[:most]):
        yield from _example(device, cases[at].history, cases[at].target)


def _example(device: Device, history: list[Event], opened: str) -> Iterator[Example]:
    interests, space = feed.units(device.sends(history)), towers.space()
    if not len(interests) or opened not in device.keys:
        return
    found = retrieval.find(interests, space, feed.CANDIDATES)
    known = stock.of(found.pks, space)
    pks = [pk for pk in found.pks if pk in known]
    values = ranking.features(found, pks, [known[pk] for pk in pks], retrieval.market())
    target = device.keys[opened]
    yield values, pks.index(target) if target in pks else -1
