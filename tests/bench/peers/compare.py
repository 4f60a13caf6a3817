"""The comparison: a check of 400 characters in turns, cold starts in turns, bytes over the line; and its table."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from models import manifest
from tests.bench import measure
from tests.bench.peers import files, server
from tests.bench.texts import query, text

CHARACTERS = 400
ROUNDS = 80
STARTS = 5
OURS, PEER, PLAIN = "listing-text", "transformers", "transformers-plain"
NAMES = (OURS, PEER, PLAIN)
TOWER, FLOOR = "query-tower", "floor"
QUERIES = 200
TARGET = 1 / 50
Round = dict[str, dict[str, Any]]


def run(browser: Browser, say: Callable[[str], None], published: Path = manifest.PUBLISHED) -> dict[str, Any]:
    """All figures, or {"missing": why there are none}."""
    models = files.LAID_OUT / "models"
    try:
        versions = files.installed()
        entry = files.peer_files(models, published)
        sources = files.addresses(models, published)
    except (files.NotInstalled, manifest.ModelUnavailable) as error:
        return {"missing": str(error)}
    packed = {path: server.packed(source, files.LAID_OUT / "brotli", say) for path, source in sources.items()}
    with server.serving(packed) as site:
        say(f"Peers: {STARTS} cold starts of each …")
        cold, line = starts(browser, site)
        say(f"Peers: {ROUNDS} rounds of {CHARACTERS} characters …")
        rounds = turns(browser, site)
        say(f"Peers: {QUERIES} searches …")
        searches = queries(browser, site)
    contenders = {
        name: {
            "worker": measure.spread([round[name]["worker"] for round in rounds]),
            "page": measure.spread([round[name]["page"] for round in rounds]),
            "cold_start_ms": measure.span(cold[name]),
            "bytes": line[name],
        }
        for name in NAMES
    }
    for name in (PEER, PLAIN):
        contenders[name]["ours_by_this"] = {
            place: round(contenders[OURS][place]["p50"] / contenders[name][place]["p50"], 5)
            for place in ("worker", "page")
        }
    return {
        "ratio": contenders[PEER]["ours_by_this"]["worker"],
        "target": TARGET,
        "characters": CHARACTERS,
        "pieces": statistics.median(round[PEER]["pieces"] for round in rounds),
        "rounds": ROUNDS,
        "versions": versions,
        "peer_model": f"{files.MODEL} {entry['version']} {entry['published']['cloud']}",
        "threads": 1,
        "load_average": round(os.getloadavg()[0], 2),
        "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "contenders": contenders,
        "searches": searches,
    }


def open_page(browser: Browser, site: server.Site) -> Page:
    page = browser.new_context().new_page()
    page.goto(site.url)
    page.wait_for_function("globalThis.peers")
    return page


def starts(browser: Browser, site: server.Site) -> tuple[dict[str, list[float]], dict[str, dict[str, Any]]]:
    """Of each contender the milliseconds of its cold starts, a fresh profile each, and the bytes of one."""
    cold: dict[str, list[float]] = {name: [] for name in NAMES}
    line: dict[str, dict[str, Any]] = {}
    for seed in range(STARTS):
        for name in NAMES:
            page = open_page(browser, site)
            site.sent.clear()
            cold[name].append(
                page.evaluate("([name, text]) => peers.start(name, text)", [name, text(CHARACTERS, seed)])
            )
            line[name] = over_the_line(site)
            page.context.close()
    return cold, line


def over_the_line(site: server.Site, kind_of: Callable[[str], str] = files.kind_of) -> dict[str, Any]:
    """{"raw", "brotli", "by_kind": {kind: the same}} of everything sent, bodies only."""
    total = {"raw": 0, "brotli": 0}
    kinds: dict[str, dict[str, int]] = {}
    for path in list(site.sent):
        found = site.files[path]
        for sums in (total, kinds.setdefault(kind_of(path), {"raw": 0, "brotli": 0})):
            sums["raw"] += found.raw
            sums["brotli"] += len(found.body)
    return {**total, "by_kind": kinds}


def turns(browser: Browser, site: server.Site) -> list[Round]:
    """A round is one text to each contender in turn; the first rounds only warm up."""
    rounds = asked(browser, site, NAMES, [text(CHARACTERS, seed) for seed in range(measure.WARM_UP + ROUNDS)])
    for round in rounds:
        for name in NAMES:  # real work leaves a distribution over the policies
            if abs(sum(round[name]["scores"]) - 1) > 0.01:
                raise RuntimeError(f"{name} gave no scores: {round[name]['scores']}")
    return rounds


def asked(browser: Browser, site: server.Site, names: Sequence[str], texts: Sequence[Sequence[str]]) -> list[Round]:
    page = open_page(browser, site)
    rounds: list[Round] = page.evaluate("([names, texts]) => peers.turns(names, texts)", [list(names), list(texts)])
    page.context.close()
    return rounds[measure.WARM_UP :]


def queries(browser: Browser, site: server.Site) -> dict[str, Any]:
    """Searches in turns to the query tower, to MiniLM, and to a graph of one step, the least that a run can take."""
    names = (TOWER, FLOOR, PEER, PLAIN)
    rounds = asked(browser, site, names, [[query(seed)] for seed in range(measure.WARM_UP + QUERIES)])
    found: dict[str, Any] = {
        name: {place: measure.spread([round[name][place] for round in rounds]) for place in ("worker", "page")}
        for name in names
    }
    for name in (PEER, PLAIN):
        for share, ours in (("ours_by_this", TOWER), ("floor_by_this", FLOOR)):
            found[name][share] = {
                place: round(found[ours][place]["p50"] / found[name][place]["p50"], 5) for place in ("worker", "page")
            }
    return {"queries": QUERIES, "pieces": statistics.median(each[PEER]["pieces"] for each in rounds), **found}


# --- The table -------------------------------------------------------------------------------------------------------
def table(found: dict[str, Any]) -> str:
    if "missing" in found:
        return f"Beside Transformers.js with MiniLM q8: not measured. {found['missing']}"
    versions, contenders = found["versions"], found["contenders"]

    def times(place: str, share: str) -> list[str]:
        return [f"{contenders[name][place][share]:.2f}" for name in NAMES]

    cold = [f"{contenders[name]['cold_start_ms']['median']:.0f}" for name in NAMES]

    def line(size: str) -> list[str]:
        return [f"{contenders[name]['bytes'][size]:,}" for name in NAMES]

    def ours_by(place: str) -> list[str]:
        return ["", *(f"1/{1 / contenders[name]['ours_by_this'][place]:.0f}" for name in (PEER, PLAIN))]

    pieces = f"{found['characters']} characters ({found['pieces']:.0f} word pieces)"
    return "\n".join(
        [
            f"Beside Transformers.js {versions['transformers']} with MiniLM-L6 q8 ({found['peer_model']}): one page,",
            f"{found['rounds']} rounds in turns, {pieces}, one thread each, load {found['load_average']}",
            columns("", ["listing-text", "Transformers.js", "same, plain"]),
            columns("in the worker, p50 ms", times("worker", "p50")),
            columns("in the worker, p95 ms", times("worker", "p95")),
            columns("as the page feels it, p50 ms", times("page", "p50")),
            columns("as the page feels it, p95 ms", times("page", "p95")),
            columns(f"cold start, ms (median of {STARTS})", cold),
            columns("bytes until the first verdict, raw", line("raw")),
            columns("bytes until the first verdict, Brotli 11", line("brotli")),
            columns(f"p50 of listing-text (wanted: 1/{1 / found['target']:.0f})", ours_by("worker")),
            columns("the same, as the page feels it", ours_by("page")),
            "",
            *searches_table(found["searches"]),
            "  plain: with the WASM-only build of its runtime, as we ship it, not the one it takes by itself.",
            "  Under the site's security policy; it forbids the cache (blob:) of Transformers.js for its runtime.",
        ]
    )


def searches_table(found: dict[str, Any]) -> list[str]:
    names = (TOWER, FLOOR, PEER, PLAIN)
    return [
        columns(
            f"{found['queries']} searches ({found['pieces']:.0f} word pieces)",
            [TOWER, "one step", "Transformers.js", "same, plain"],
        ),
        *(
            columns(f"{label}, {share} ms", [f"{found[name][place][share]:.2f}" for name in names])
            for place, label in (("worker", "in the worker"), ("page", "as the page feels it"))
            for share in ("p50", "p95")
        ),
        *(
            columns(label, ["", "", *(f"1/{1 / found[name][share]['worker']:.0f}" for name in (PEER, PLAIN))])
            for label, share in (
                (f"p50 of {TOWER} (wanted: 1/{1 / TARGET:.0f})", "ours_by_this"),
                ("p50 of one step, which no model can beat", "floor_by_this"),
            )
        ),
    ]


def columns(label: str, cells: list[str]) -> str:
    return f"  {label:<42}" + "".join(f"{cell:>17}" for cell in cells)
