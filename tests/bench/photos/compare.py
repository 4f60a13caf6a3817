"""The comparison: photos in turns, first verdicts on a slow device and line, bytes, long tasks; and its table."""

from __future__ import annotations

import gzip
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from models import manifest, photo
from tests.bench import measure
from tests.bench.peers import compare as peers
from tests.bench.peers import files as packages
from tests.bench.peers import server
from tests.bench.photos import files, native, pictures
from tests.bench.photos.files import NAMES, OURS, PEER, TUNED

PHOTOS = 8
ROUNDS = 3  # of every photo in turns; one more before them warms up
STARTS = 3
# Chromium's own "Fast 4G", and a processor of a quarter of the speed. Both hold for workers too; threads on which
# WebAssembly is compiled are not slowed, on either side.
SLOWER = 4
LINE = {"offline": False, "latency": 165, "downloadThroughput": 1_012_500, "uploadThroughput": 168_750}
PATIENCE_MS = 120_000  # a busy machine, slowed down fourfold
TARGETS = {"p50": 1 / 20, "cold": 0.8, "bytes": 3_000_000, "second_opinion": 1 / 10}


def run(
    browser: Browser,
    say: Callable[[str], None],
    published: Path = manifest.PUBLISHED,
    folder: Path = pictures.DEMO,
) -> dict[str, Any]:
    """All figures, or {"missing": why there are none}."""
    try:
        versions = files.installed()
        files.lay_out(files.LAID_OUT)
        sources = files.addresses(files.LAID_OUT, published)
        taken = pictures.make(folder, PHOTOS, files.LAID_OUT / "pictures")
    except (packages.NotInstalled, manifest.ModelUnavailable, ValueError) as error:
        return {"missing": str(error)}
    try:
        return {"versions": versions} | measured(browser, say, published, folder, sources, taken)
    except PlaywrightError as error:
        return {"missing": f"The page failed: {error.message.splitlines()[0]}"}


def measured(
    browser: Browser,
    say: Callable[[str], None],
    published: Path,
    folder: Path,
    sources: dict[str, Path | dict[str, Any]],
    taken: dict[str, list[Path]],
) -> dict[str, Any]:
    packed = {path: server.packed(source, packages.LAID_OUT / "brotli", say) for path, source in sources.items()}
    entry = manifest.load(published)["models"][photo.MODEL]
    with server.serving(packed) as site:
        judged = {}
        for size, paths in taken.items():
            say(f"Photos: {len(paths)} of {pictures.SIDES[size]} pixels, {ROUNDS} times, in turns …")
            judged[size] = in_turns(browser, site, paths, published)
        say(f"Photos: {STARTS} first verdicts and revisits of each, slowed down …")
        started = starts(browser, site, taken["sent"][:1])
        say("Photos: long tasks …")
        alone = {name: one_alone(browser, site, name, taken["sent"]) for name in (OURS, PEER)}
    activations = alone[OURS].pop("activations")
    say("Photos: the server's checks …")
    return {
        "targets": TARGETS,
        "photos": "of the demo" if folder == pictures.DEMO else "of a folder that was named",
        "model": f"{photo.MODEL} {entry['version']} {entry['published']['device']}",
        "judged": judged,
        "first_visit_bytes": first_visit(site, started),
        "slowed": {
            "cpu": SLOWER,
            "line": LINE,
            "first_verdict_ms": {name: measure.span(started[name]["cold"]) for name in NAMES},
            "revisit_ms": {name: measure.span(started[name]["again"]) for name in NAMES},
            "ours_by": {
                kind: {peer: by(started[OURS][kind], started[peer][kind]) for peer in (PEER, TUNED)}
                for kind in ("cold", "again")
            },
        },
        "long_tasks": alone,
        "second_opinion_bytes": {size: sizes(activations, paths) for size, paths in taken.items() if size == "sent"},
        "server_ms": native.checks(taken["sent"], activations, published),
        "load_average": round(os.getloadavg()[0], 2),
        "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def by(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(ours) / statistics.median(theirs), 4)


def open_page(context: BrowserContext, site: server.Site, chosen: list[Path], *, is_slow: bool = False) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    if is_slow:
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.emulateNetworkConditions", LINE)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(site.url)
    page.set_input_files("#chosen", chosen)
    page.wait_for_function("globalThis.photos")
    return page


def in_turns(browser: Browser, site: server.Site, chosen: list[Path], published: Path) -> dict[str, Any]:
    """A turn is one photo to each contender, one after the other; the first round only warms up."""
    page = open_page(browser.new_context(), site, chosen)
    turns = page.evaluate("([names, rounds]) => photos.turns(names, rounds)", [list(NAMES), 1 + ROUNDS])
    page.context.close()
    for turn in turns:
        for name in NAMES:
            real(name, turn[name]["scores"])
    apart = [
        max(abs(score - here) for score, here in zip(verdict["scores"].values(), turn[OURS]["scores"], strict=True))
        for verdict, turn in zip(native.verdicts(chosen, published), turns, strict=False)
    ]
    turns = turns[len(chosen) :]
    ms = {name: [turn[name]["ms"] for turn in turns] for name in NAMES}
    return {
        "pixels": pictures.SIDES[chosen[0].name.split("-")[0]],
        "bytes": round(statistics.median(path.stat().st_size for path in chosen)),
        "photos": len(chosen),
        "rounds": ROUNDS,
        "ms": {name: measure.spread(ms[name]) for name in NAMES},
        "ours_inside": {
            part: measure.spread([turn[OURS]["timing"][part] for turn in turns]) for part in ("decode", "run")
        },
        "ours_by": {peer: by(ms[OURS], ms[peer]) for peer in (PEER, TUNED)},
        "scores_apart_from_native": {"median": round(statistics.median(apart), 4), "max": round(max(apart), 4)},
    }


def real(name: str, scores: list[float]) -> None:
    """Real work leaves a distribution over the labels."""
    if abs(sum(scores) - 1) > 0.01:
        raise RuntimeError(f"{name} gave no scores: {scores}")


def starts(browser: Browser, site: server.Site, chosen: list[Path]) -> dict[str, dict[str, Any]]:
    """Of each contender, in turns: ms from the beginning of the page's load to the first verdict, in a fresh profile
    and in the same one again; and the files that the first one took."""
    found: dict[str, dict[str, Any]] = {name: {"cold": [], "again": [], "sent": []} for name in NAMES}
    for _ in range(STARTS):
        for name in NAMES:
            context = browser.new_context()
            site.sent.clear()
            for kind in ("cold", "again"):
                page = open_page(context, site, chosen, is_slow=True)
                answer = page.evaluate("(name) => photos.first(name)", name)
                real(name, answer["scores"])
                found[name][kind].append(answer["ms"])
                if kind == "cold":
                    found[name]["sent"] = list(site.sent)
                page.close()
            context.close()
    return found


def first_visit(site: server.Site, started: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Brotli, as served: what each took for its first verdict, by kind; and what ours takes with the text model too."""
    found: dict[str, Any] = {}
    for name in NAMES:
        site.sent[:] = started[name]["sent"]
        found[name] = peers.over_the_line(site, files.kind_of)
    both = [path for path in site.files if path.startswith(("/static/ort/", "/static/models/"))]
    found["runtime_and_both_models"] = sum(len(site.files[path].body) for path in both)
    return found


def one_alone(browser: Browser, site: server.Site, name: str, chosen: list[Path]) -> dict[str, Any]:
    """Long tasks of a page on which nothing else is done; not slowed down."""
    page = open_page(browser.new_context(), site, chosen)
    found = page.evaluate("(name) => photos.alone(name)", name)
    page.context.close()
    return {
        "photos": len(chosen),
        "while_opening": found["whileOpening"],
        "while_judging": found["whileJudging"],
        "activations": [bytes(sent) for sent in found["activations"]],
    }


def sizes(activations: list[bytes], chosen: list[Path]) -> dict[str, Any]:
    """Bytes of the second opinion beside those of the photo as uploaded, and what compressing it would save."""
    packings: dict[str, Callable[[bytes], bytes]] = {
        "as_sent": bytes,
        "gzip": lambda sent: gzip.compress(sent, 9),
        "brotli": lambda sent: brotli.compress(sent, quality=11),
    }
    shares = {
        name: [len(pack(sent)) / path.stat().st_size for sent, path in zip(activations, chosen, strict=True)]
        for name, pack in packings.items()
    }
    return {
        "photo": round(statistics.median(path.stat().st_size for path in chosen)),
        "bytes": {
            name: round(statistics.median(len(pack(sent)) for sent in activations)) for name, pack in packings.items()
        },
        "share": {
            name: {"median": round(statistics.median(found), 4), "max": round(max(found), 4)}
            for name, found in shares.items()
        },
    }


# --- The table -------------------------------------------------------------------------------------------------------
def table(found: dict[str, Any]) -> str:
    if "missing" in found:
        return f"Photos, beside nsfwjs: not measured. {found['missing']}"
    versions, slowed, targets = found["versions"], found["slowed"], found["targets"]
    lines = [
        f"Photos {found['photos']}: {found['model']} beside nsfwjs {versions['nsfwjs']} (MobileNetV2 224, tfjs"
        f" {versions['tfjs']}, WASM), one page,",
        f"in turns, one thread each, from the file to the verdict, load {found['load_average']}",
        peers.columns("", ["listing-photo", "nsfwjs", "nsfwjs, tuned"]),
    ]
    for judged in found["judged"].values():
        what = f"{judged['pixels']} px, {judged['bytes'] / 1000:.0f} kB"
        for share in ("p50", "p95"):
            cells = [f"{judged['ms'][name][share]:.2f}" for name in NAMES]
            lines.append(peers.columns(f"{what}, {share} ms", cells))
        inside = judged["ours_inside"]
        lines.append(
            peers.columns("  of it decoding, the model", [f"{inside['decode']['p50']:.2f} {inside['run']['p50']:.2f}"])
        )
        lines.append(peers.columns(f"  ours (wanted: {one_in(targets['p50'])})", ["", *shares(judged["ours_by"])]))
        apart = judged["scores_apart_from_native"]
        lines.append(peers.columns("  scores apart from native", [f"max {apart['max']:.3f}"]))
    for kind, name in (("first_verdict_ms", "first verdict"), ("revisit_ms", "revisit")):
        cells = [f"{slowed[kind][contender]['median']:.0f}" for contender in NAMES]
        lines.append(peers.columns(f"{name}, {slowed['cpu']}x slower, fast 4G, ms (of {STARTS})", cells))
    cold, again = slowed["ours_by"]["cold"], slowed["ours_by"]["again"]
    lines += [
        peers.columns(
            f"  ours, first verdict (wanted: {targets['cold']})", ["", *(f"{cold[n]:.2f}x" for n in (PEER, TUNED))]
        ),
        peers.columns("  ours, revisit", ["", *(f"{again[name]:.2f}x" for name in (PEER, TUNED))]),
        *bytes_lines(found["first_visit_bytes"], targets["bytes"]),
        *rest_lines(found),
        "  tuned: weights as a file (its package brings them as text in a script), photo made 224 px by the browser.",
        "  The slower processor holds for workers too, not for the threads that compile WebAssembly, on either side.",
    ]
    return "\n".join(lines)


def bytes_lines(found: dict[str, Any], most: int) -> list[str]:
    kinds = sorted({kind for name in NAMES for kind in found[name]["by_kind"]})
    lines = [
        peers.columns(f"bytes until then, Brotli: {kind}", [kind_bytes(found[name], kind) for name in NAMES])
        for kind in kinds
    ]
    total = found["runtime_and_both_models"]
    return [
        *lines,
        peers.columns("  all of these", [f"{found[name]['brotli']:,}" for name in NAMES]),
        peers.columns(f"  runtime, photo and text (most: {most:,})", [f"{total:,}"]),
    ]


def kind_bytes(found: dict[str, Any], kind: str) -> str:
    return f"{found['by_kind'].get(kind, {'brotli': 0})['brotli']:,}"


def rest_lines(found: dict[str, Any]) -> list[str]:
    alone, sent, server_ms = found["long_tasks"], found["second_opinion_bytes"]["sent"], found["server_ms"]
    lines = [
        peers.columns(f"long tasks while {what} ({wanted})", [str(alone[name][key]) for name in (OURS, PEER)])
        for key, what, wanted in (
            ("while_opening", "it opens", "wanted: 0"),
            ("while_judging", f"{alone[OURS]['photos']} are judged", "wanted: 0"),
        )
    ]
    share = sent["share"]["as_sent"]
    lines += [
        peers.columns("second opinion, bytes", [f"{sent['bytes']['as_sent']:,}"]),
        peers.columns("  gzip, Brotli", [f"{sent['bytes']['gzip']:,} {sent['bytes']['brotli']:,}"]),
        peers.columns(f"  of the photo sent (most: {one_in(TARGETS['second_opinion'])})", [one_in(share["median"])]),
        peers.columns("  of the lightest photo", [one_in(share["max"])]),
    ]
    names = {
        "decoding": "server: opening the file",
        "gate": "server: listing-photo at the gate",
        "second_opinion": "server: tail, a second opinion",
        "cloud_whole": "server: cloud model, whole photo",
        "cloud_with_parts": "server: cloud model, whole and parts",
    }
    for key, label in names.items():
        taken = server_ms[key]
        cell = taken.get("missing") or f"{taken['p50']:.2f} {taken['p95']:.2f}"
        lines.append(peers.columns(f"{label}, p50 p95 ms", [cell]))
    return lines


def shares(ours_by: dict[str, float]) -> list[str]:
    return [one_in(ours_by[name]) for name in (PEER, TUNED)]


def one_in(share: float) -> str:
    return f"1/{1 / share:.1f}".removesuffix(".0")
