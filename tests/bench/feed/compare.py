"""What recommendations cost as the catalogue grows, how much of the exact answer the index finds, and how many a second
the server gives beside an empty view. Catalogues are drawn (catalogue.py), in scratch databases."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from django.db import connections
from numpy.typing import NDArray

from models import towers
from recommendations import feed, nearby, retrieval, scratch, vectors
from tests import settings as own
from tests.bench.feed import catalogue, load
from tests.bench.measure import spread
from tests.stack import fetch, free_port, until

SIZES = (10_000, 100_000)
MILLION = 1_000_000  # with --million: about ten minutes, and 4 GB of disk
SERVED = 100_000
SHOPPERS, INTERESTS, LIMIT = (
    3_000,
    4,
    60,
)  # so many that none is asked for twice within seconds; what a device asks first
TOP, TIMED = 100, 300
SECONDS, ROUNDS, WARM_UP = 6.0, 3, 6.0
URL = "/api/recommendations"
APPLICATION = "marketplace.wsgi"
Say = Callable[[str], None]
Asked = list[NDArray[np.int8]]


def run(say: Say, *, million: bool = False) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    throughput: dict[str, Any] = {}
    for number in (*SIZES, *([MILLION] if million else [])):
        say(f"A catalogue of {number:,} …")
        with scratch.catalogue():
            begun = time.monotonic()
            rng = np.random.default_rng(number)
            made = catalogue.fill(number, rng)
            seconds = time.monotonic() - begun
            say(f"  made in {seconds:.0f} s; shoppers …")
            asked = shoppers(made, rng)
            sizes[str(number)] = {"made_in_s": round(seconds), **recall(made, asked), **costs(asked), **stored()}
            if number == SERVED:
                say("  the server, beside an empty view …")
                throughput = served(asked)
    return {"sizes": sizes, "throughput": throughput}


def shoppers(made: catalogue.Made, rng: np.random.Generator) -> Asked:
    """int8 [INTERESTS, 128] of each: near listings of a few things."""
    near = rng.integers(0, len(made.vectors), SHOPPERS * INTERESTS)
    found = catalogue.away(made.vectors[near], catalogue.QUERY_APART, rng)
    return list(np.rint(127 * found).astype(np.int8).reshape(SHOPPERS, INTERESTS, towers.DIMENSIONS))


def recall(made: catalogue.Made, asked: Asked) -> dict[str, Any]:
    """Share of the exactly nearest hundred that the database's index finds, and the copy that a process holds."""
    interests = feed.units(np.concatenate(asked[:50]))
    unit = made.vectors / np.linalg.norm(made.vectors, axis=1, keepdims=True)
    exact = [set((made.first + np.argpartition(-(unit @ row), TOP)[:TOP]).tolist()) for row in interests]

    def share(found: list[list[tuple[int, float]]]) -> float:
        return round(
            float(
                np.mean([len(right & {pk for pk, _ in near}) / TOP for right, near in zip(exact, found, strict=True)])
            ),
            4,
        )

    begun = time.perf_counter()
    of_index = share(vectors.nearest(interests, TOP))
    seconds = time.perf_counter() - begun
    nearby.make(towers.space())
    held = nearby.nearest(interests, towers.space(), len(made.vectors), TOP)
    return {
        "recall_at_100": {"index": of_index, "held": share(held) if held is not None else None},
        "index_ms": round(1000 * seconds / len(interests), 2),
    }


def costs(asked: Asked) -> dict[str, Any]:
    """Milliseconds of a request in one process, the first of each shopper."""
    space = towers.space()
    found: dict[str, Any] = {}
    for name, interests in (("one_vector", 1), (f"{INTERESTS}_vectors", INTERESTS)):
        ways: dict[str, list[float]] = {"retrieval_ms": [], "feed_ms": []}
        for each in asked:
            begun = time.perf_counter()
            retrieval.find(feed.units(each[:interests]), space, feed.candidates_for(LIMIT))
            between = time.perf_counter()
            feed.forget_answers()
            feed.as_json(feed.page(space, each[:interests], LIMIT))
            ways["retrieval_ms"].append(1000 * (between - begun))
            ways["feed_ms"].append(1000 * (time.perf_counter() - between))
        found[name] = {way: spread(values) for way, values in ways.items()}
    return found


def stored() -> dict[str, float]:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_relation_size('item_vector_nearest'), pg_total_relation_size('recommendations_itemvector')"
        )
        index, everything = cursor.fetchone()
    return {"index_mb": round(index / 1e6, 1), "vectors_mb": round(everything / 1e6, 1)}


# --- The server ------------------------------------------------------------------------------------------------------
@contextmanager
def server() -> Iterator[int]:
    """gunicorn as `make run` starts it, over the scratch catalogue; its port."""
    at = connections["default"].settings_dict
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{at['USER']}@{quote(str(at['HOST']), safe='')}/{at['NAME']}",
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "PORT": str(port),
    }
    log = own.FOLDER / "log" / "bench-web.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, *f"-m gunicorn -c marketplace/gunicorn.conf.py --max-requests 0 {APPLICATION}".split()],
            cwd=own.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until(lambda: answers(port), 60, f"the server answers; see {Path(log).name}")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def answers(port: int) -> bool:
    try:
        return fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200
    except OSError:
        return False


def served(asked: Asked) -> dict[str, Any]:
    """Answers a second, in turns of some seconds each, so that what else the machine does falls on all alike."""
    requests = {
        "empty_view": [load.get("/healthz")],
        "one_vector": [request(each[:1]) for each in asked],
        f"{INTERESTS}_vectors": [request(each) for each in asked],
        "same_vectors": [request(asked[0])],
        "no_vector": [request(each[:0]) for each in asked[:1]],
    }
    rates: dict[str, list[float]] = {name: [] for name in requests}
    sizes: dict[str, int] = {}
    with server() as port:
        for each in requests.values():
            load.per_second(port, each, WARM_UP)
        for _ in range(ROUNDS):
            for name, each in requests.items():
                rate, size = load.per_second(port, each, SECONDS)
                rates[name].append(rate)
                sizes[name] = round(size)
    empty = np.array(rates["empty_view"])
    return {
        name: {
            "per_second": round(float(np.median(values)), 1),
            "share_of_empty": round(float(np.median(np.array(values) / empty)), 3),
            "bytes": sizes[name],
        }
        for name, values in rates.items()
    }


def request(vectors: NDArray[np.int8]) -> bytes:
    encoded = [base64.b64encode(row.tobytes()).decode() for row in vectors]
    body = {"model_version": towers.space(), "vectors": encoded, "limit": LIMIT}
    return load.post(URL, json.dumps(body).encode())


def table(found: dict[str, Any]) -> str:
    many = f"{INTERESTS}_vectors"
    lines = [
        f"Recommendations by size of the catalogue, ms in one process (p50, p95), {LIMIT} items",
        f"  {'listings':>10} {'recall@100: index, held':>24} {'1 vector':>17} {'4 vectors':>17} {'retrieval of 4':>17}"
        f" {'index':>9}",
    ]
    for number, each in found["sizes"].items():
        one, four, alone = each["one_vector"]["feed_ms"], each[many]["feed_ms"], each[many]["retrieval_ms"]
        cells = "".join(cell_text(cell) for cell in (one, four, alone))
        shares = ", ".join("–" if share is None else f"{share:.3f}" for share in each["recall_at_100"].values())
        lines.append(f"  {int(number):>10,} {shares:>24}{cells} {each['index_mb']:>6.0f} MB")
    lines += ["", f"Answers a second at {SERVED:,} listings, 8 connections"]
    for name, each in found["throughput"].items():
        share = f"{each['share_of_empty']:.2f} of an empty view"
        lines.append(
            f"  {name.replace('_', ' '):<14} {each['per_second']:>9,.0f}   {share}   {each['bytes']:>7,} bytes"
        )
    return "\n".join(lines)


def cell_text(cell: dict[str, float]) -> str:
    pair = f"{cell['p50']:.1f}, {cell['p95']:.1f}"
    return f" {pair:>17}"
