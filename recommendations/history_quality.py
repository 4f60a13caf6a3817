"""What a history is worth, and what is given away by asking with it.

*Freshness*: how well the next opened item is found when the last 0, 1, 3 or 5 events are missing, as a server would
rank that learns of them later. *Noise*: how much worse answers fit when a device blurs its vectors, and how much of a
known history somebody reads back who sees them: the nearest-query attack, by one who holds the published towers, every
listing, and every search that anybody ever made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import manifest, towers

from . import counting, feed, feed_quality
from .feed_quality import Case, Device, Event
from .retrieval_quality import NoCollection, Say

PATH = Path(__file__).with_name("history_quality.json")
MISSING = (0, 1, 3, 5)  # events, the newest ones
NOISES = (0.0, 2.0, 4.0)  # expected length of what is added to a vector of length 1; the choices of the privacy page
MODELS = ("item-tower", "query-tower", "user-tower", "ranker")
DRAWS, CONFIDENCE = 2_000, 0.95  # of the bootstrap
Vectors = NDArray[np.float32]
Sent = NDArray[np.int8]


def report(path: Path, train: Path | None, most: int, say: Say, seed: int = 5) -> dict[str, Any]:
    """{cases, freshness: [...], noise: [...]} of at most so many cases. Raises NoCollection, ModelUnavailable."""
    products, cases = feed_quality.read_products(path), feed_quality.read_cases(path)
    sessions = feed_quality.read_sessions(train) if train else []
    if not cases:
        raise NoCollection(f"There is no case in {path}.")
    rng = np.random.default_rng(seed)
    chosen = [cases[at] for at in sorted(rng.permutation(len(cases))[:most])]
    with feed_quality.site(products, say) as ids:
        keys = {product: pk for pk, product in ids.items()}
        feed_quality.count(sessions, keys)
        device = Device(keys)

        def measured(sent: list[Sent], what: str) -> NDArray[np.float64]:
            say(f"{len(sent)} cases, {what} …")
            return _measured(sent, chosen, ids)

        fresh = freshness(device, chosen, measured, rng)
        return {
            "cases": len(chosen),
            "models": _versions(),
            "freshness": fresh,
            "noise": noise(device, chosen, sessions, measured, rng),
        }


def _versions() -> dict[str, str]:
    """Of the models that the figures depend on."""
    published = manifest.load()
    return {name: manifest.model(published, name)["version"] for name in MODELS}


Measured = Callable[[list[Sent], str], NDArray[np.float64]]


def _measured(sent: list[Sent], cases: Sequence[Case], ids: dict[int, str]) -> NDArray[np.float64]:
    """float64 [cases, 3]: hit among the first ten, NDCG@10, reciprocal rank."""
    space, found = towers.space(), []
    for vectors, case in zip(sent, cases, strict=True):
        feed.forget_answers()
        found.append(feed_quality.figures(feed_quality.answer(space, vectors, ids), case.target))
    return np.array(found)


# --- Freshness -------------------------------------------------------------------------------------------------------
def freshness(
    device: Device, cases: Sequence[Case], measured: Measured, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """A row for each number of missing events. `gain`: by how much the whole history finds more, as a difference of
    HR@10 and of MRR over the same cases, each with its interval."""
    rows, whole = [], None
    for missing in MISSING:
        sent = [device.sends(case.history[: len(case.history) - missing]) for case in cases]
        found = measured(sent, f"without their last {missing} events")
        whole = found if whole is None else whole
        row: dict[str, Any] = {
            "missing": missing,
            "with_history": sum(len(vectors) > 0 for vectors in sent),
            **_mean(found),
        }
        if missing:
            row["gain"] = {
                "hr_at_10": interval(whole[:, 0] - found[:, 0], rng),
                "mrr": interval(whole[:, 2] - found[:, 2], rng),
            }
        rows.append(row)
    return rows


def _mean(found: NDArray[np.float64]) -> dict[str, float]:
    return feed_quality.mean([tuple(row) for row in found.tolist()])


def interval(differences: NDArray[np.float64], rng: np.random.Generator) -> list[float]:
    """[low, mean, high]: the percentile bootstrap over cases (Efron 1979), 95 %."""
    count = len(differences)
    means = [float(differences[rng.integers(0, count, count)].mean()) for _ in range(DRAWS)]
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return [round(float(low), 4), round(float(differences.mean()), 4), round(float(high), 4)]


# --- Noise -----------------------------------------------------------------------------------------------------------
def noise(
    device: Device,
    cases: Sequence[Case],
    sessions: Sequence[list[Event]],
    measured: Measured,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """A row for each amount. quality_loss: share of HR@10 lost. read_back: {what: {guessed, by_chance}}, shares of
    searches and of items in the histories that are among as many guesses as vectors were sent: the nearest of all that
    are known, against the most frequent of all."""
    queries = _known_queries(cases, sessions)
    known = {
        "searches": (queries, _vectors_of(device, queries)),
        "items": (sorted(device.keys, key=device.keys.__getitem__), device.items),
    }
    frequent = {"searches": _frequent(sessions, True), "items": _frequent(sessions, False)}
    clean = [device.sends(case.history) for case in cases]
    rows, best = [], 0.0
    for amount in NOISES:
        sent = [blurred(vectors, amount, rng) for vectors in clean]
        hits = float(measured(sent, f"noise {amount}")[:, 0].mean())
        best = best or hits
        read = {
            what: attacked(sent, cases, *known[what], frequent[what], is_search=what == "searches") for what in known
        }
        rows.append(
            {
                "amount": amount,
                "hr_at_10": round(hits, 4),
                "quality_loss": round(1 - hits / best, 4) if best else 0.0,
                "read_back": {what: found for what, found in read.items() if found},
            }
        )
    return rows


def blurred(vectors: Sent, amount: float, rng: np.random.Generator) -> Sent:
    """As static/js/ml/vectors.js does it: a normal number is added to each number of the unit vector, the result is
    brought back to unit length and rounded to bytes."""
    if not amount or not len(vectors):
        return vectors
    rows = feed.units(vectors) + rng.normal(0, amount / np.sqrt(towers.DIMENSIONS), vectors.shape)
    return np.rint(127 * rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.int8)


def attacked(
    sent: Sequence[Sent],
    cases: Sequence[Case],
    names: list[str],
    known: Vectors,
    frequent: list[str],
    *,
    is_search: bool,
) -> dict[str, float]:
    """{guessed, by_chance}; empty where the histories hold nothing of the kind."""
    total = guessed = by_chance = 0
    for vectors, case in zip(sent, cases, strict=True):
        of_history = _told(case.history, is_search)
        if not of_history:
            continue
        units = feed.units(vectors)
        guesses = {names[at] for at in (units @ known.T).argmax(axis=1)} if len(units) else set()
        total += len(of_history)
        guessed += len(of_history & guesses)
        by_chance += len(of_history & set(frequent[: len(vectors)]))
    return {"guessed": round(guessed / total, 4), "by_chance": round(by_chance / total, 4)} if total else {}


def _told(events: Sequence[Event], is_search: bool) -> set[str]:
    return {
        counting.normal(event.about) if is_search else event.about
        for event in events
        if (event.kind == "search") == is_search
    }


def _known_queries(cases: Sequence[Case], sessions: Sequence[list[Event]]) -> list[str]:
    return sorted(set().union(*(_told(events, True) for events in (*sessions, *(case.history for case in cases)))))


def _vectors_of(device: Device, queries: list[str]) -> Vectors:
    if not queries:
        return np.zeros((0, towers.DIMENSIONS), np.float32)
    return feed_quality.rounded(towers.encode_queries(queries, device.variant))


def _frequent(sessions: Sequence[list[Event]], is_search: bool) -> list[str]:
    counts: dict[str, int] = {}
    for events in sessions:
        for name in _told(events, is_search):
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


# --- What is kept ----------------------------------------------------------------------------------------------------
def save(found: dict[str, Any], name: str) -> None:
    """Beside this module, under the set's name; the privacy page reads it."""
    kept = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    PATH.write_text(json.dumps(kept | {name: found}, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def costs_of_noise() -> dict[float, dict[str, float]]:
    """{amount: {quality_loss, guessed}}, the worst of all sets, of the models that are published now; empty where
    nothing was measured with it."""
    try:
        versions = _versions()
        sets = json.loads(PATH.read_text("utf-8")).values()
    except (manifest.ModelUnavailable, OSError, ValueError):
        return {}
    rows = [row for each in sets if each["models"] == versions for row in each["noise"]]
    found: dict[float, dict[str, float]] = {}
    for row in rows:
        worst = found.setdefault(row["amount"], {"quality_loss": 0.0, "guessed": 0.0})
        worst["quality_loss"] = max(worst["quality_loss"], row["quality_loss"])
        worst["guessed"] = max(worst["guessed"], *(each["guessed"] for each in row["read_back"].values()))
    return found
