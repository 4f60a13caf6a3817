"""`make bench`: prints a table and writes var/bench.json. Nothing passes or fails; figures move with the machine.

`python -m tests.bench peers` makes only the comparison with Transformers.js, `photos` only the part on photos, with
nsfwjs beside them (both are installed by `make bench`), `feed` that on recommendations, `queue` that on the review
queue; `--million` adds a catalogue of a million to the feed (ten minutes more).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from models import manifest
from tests import settings as own
from tests.bench import measure, queue
from tests.bench.feed import compare as feed
from tests.bench.peers import compare
from tests.bench.photos import compare as photos
from tests.bench.photos import files, pictures
from tests.browser import chromium
from tests.browser.conftest import sign_in
from tests.browser.recorder import recording
from tests.conftest import person
from tests.stack import Stack

TARGET = own.ROOT / "var" / "bench.json"
STARTS = 5
CHECKS = 200
LENGTHS = (400, 4000)
PHONE_PHOTOS = 6
PARTS = ("peers", "photos", "feed", "queue")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def running_site() -> Iterator[Stack]:
    """The whole site over a database of its own, with hashed and compressed static files."""
    say("Starting the site …")
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings"}  # hashed names, as the site serves
    for command in (["-m", "marketplace.assets"], ["manage.py", "collectstatic", "--no-input", "--verbosity", "0"]):
        subprocess.run([sys.executable, *command], cwd=own.ROOT, check=True, stdin=subprocess.DEVNULL, env=environment)
    setup_databases(verbosity=0, interactive=False)  # the test database; the next run makes it anew
    stack = Stack(own.FOLDER, own.SITE_FOLDER, connection.settings_dict["NAME"])
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def run(browser: Browser, site: Stack) -> dict[str, Any]:
    merchant = person("bench", "merchant")

    def signed_in(context: BrowserContext) -> None:
        sign_in(context, merchant, site.url)

    say("First visit: bytes …")
    with recording(site.port) as recorder:
        transferred = measure.first_visit_bytes(browser, recorder, signed_in)
    say(f"Cold start and revisit, {STARTS} times …")
    cold, again = measure.starts(browser, site.url, signed_in, STARTS)
    checks = {}
    for characters in LENGTHS:
        say(f"{CHECKS} checks of {characters:,} characters, in the browser and natively …")
        found = measure.checks(browser, site.url, signed_in, characters, CHECKS)
        found["native"] = measure.native_checks(characters, CHECKS)
        checks[str(characters)] = found
    say("Typing …")
    typed = measure.typing(browser, site.url, signed_in)
    say("Photos of a phone …")
    taken = pictures.make(pictures.DEMO, PHONE_PHOTOS, files.LAID_OUT / "pictures", pictures.PHONE)["phone"]
    chosen = measure.photos(browser, site.url, signed_in, taken)
    say("Sorting anew after a click …")
    reranked = measure.rerank()
    long_tasks = {
        "cold_start": sum(visit["long_after"] for visit in cold),
        "revisit": sum(visit["long_after"] for visit in again),
        "checks": sum(found["long_tasks"] for found in checks.values()),
        "typing": typed["long_tasks"],
        "photos": chosen.get("long_tasks", 0),
        "page_load_before_focus": sum(visit["long_before"] for visit in [*cold, *again]),
    }
    return {
        "first_visit_bytes": transferred,
        "cold_start_ms": measure.span([visit["focus_ms"] for visit in cold]),
        "revisit_ms": measure.span([visit["focus_ms"] for visit in again]),
        "checks_ms": checks,
        "last_key_to_verdict_ms": typed["last_key_to_verdict_ms"],
        "photos_on_the_page": chosen,
        "rerank": reranked,
        "long_tasks": long_tasks,
    }


def about(browser: Browser) -> dict[str, Any]:
    entry = manifest.load()["models"]["listing-text"]
    variant = entry["published"]["device"]
    runtime = json.loads((own.ROOT / "node_modules/onnxruntime-web/package.json").read_text())["version"]
    return {
        "chromium": browser.version,
        "onnxruntime_web": runtime,
        "model": f"listing-text {entry['version']} {variant}",
        "model_bytes": entry["variants"][variant]["bytes"],
        "cpus": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def table(found: dict[str, Any]) -> str:
    setting, sizes, long = found["about"], found["first_visit_bytes"], found["long_tasks"]
    lines = [
        f"Chromium {setting['chromium']}, onnxruntime-web {setting['onnxruntime_web']}, {setting['model']}, "
        f"{setting['cpus']} CPUs, load {setting['load_average']}",
        "",
        "First visit, bytes as transferred (Brotli)",
        *(row(kind, f"{size:>11,}") for kind, size in sorted(sizes["by_kind"].items(), key=lambda pair: -pair[1])),
        row("all of these", f"{sum(sizes['by_kind'].values()):>11,}"),
        row("on the line until the verdict, headers too", f"{sizes['line_until_verdict']:>11,}"),
        row("on the line until it works offline", f"{sizes['line_total']:>11,}"),
        "",
        "First focus to first verdict, ms (median of 5; min to max)",
        row("cold start, fresh profile", start(found["cold_start_ms"])),
        row("revisit", start(found["revisit_ms"])),
        row("revisit / cold start", f"{found['revisit_ms']['median'] / found['cold_start_ms']['median']:>11.2f}"),
        "",
        f"One check, ms{'':<29} {'p50':>9} {'p95':>9} {'x native':>9}",
    ]
    for characters, check in found["checks_ms"].items():
        base = check["native"]["p50"]
        for place, label in (
            ("worker", "in the worker"),
            ("page", "as the page feels it"),
            ("native", "native (gate)"),
        ):
            values = check[place]
            cells = f"{values['p50']:>9.2f} {values['p95']:>9.2f} {values['p50'] / base:>9.2f}"
            lines.append(row(f"{int(characters):,} characters, {label}", cells))
    click = found["rerank"]
    lines += [
        "",
        f"Sorting {click['items']} candidates anew after a click, ms in node (one frame: 16)",
        row("median, p95", f"{click['p50_ms']:>9.2f} {click['p95_ms']:>9.2f}"),
        row("median / its dot products alone", f"{click['p50_ms'] / click['dots_p50_ms']:>9.2f}"),
        row("the very first, before the engine has warmed up", f"{click['first_ms']:>9.2f}"),
    ]
    after = sum(number for name, number in long.items() if name != "page_load_before_focus")
    lines += [
        row("last key to verdict (with 250 ms pause)", f"{found['last_key_to_verdict_ms']:>9.2f}"),
        "",
        "Long tasks (over 50 ms) on the main thread",
        row("from the first focus on: must be 0", f"{after:>11}"),
        row("  of it while photos of a phone are chosen", photos_cell(found["photos_on_the_page"], long["photos"])),
        row("while the page itself loads, all visits", f"{long['page_load_before_focus']:>11}"),
    ]
    return "\n".join(lines)


def photos_cell(chosen: dict[str, Any], long: int) -> str:
    if "missing" in chosen:
        return f"not measured. {chosen['missing']}"
    return f"{long:>11}   ({chosen['photos']} judged in {chosen['until_all_judged_ms']} ms)"


def row(label: str, value: str) -> str:
    return f"  {label:<44} {value}"


def start(values: dict[str, Any]) -> str:
    return f"{values['median']:>11.0f}   ({values['min']:.0f} to {values['max']:.0f})"


@contextmanager
def running_browser() -> Iterator[Browser]:
    path = chromium.path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.flags())
        yield browser
        browser.close()


@contextmanager
def a_database() -> Iterator[None]:
    """The embedded server is up; scratch catalogues stand beside the test database."""
    setup_databases(verbosity=0, interactive=False)
    yield


def keep(found: dict[str, Any]) -> None:
    TARGET.write_text(json.dumps(found, indent=2) + "\n")


def earlier() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(TARGET.read_text())
    except (OSError, ValueError):
        return {}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Figures of the check on the device.")
    parser.add_argument(
        "part", nargs="?", choices=PARTS, help="only the comparison with Transformers.js, with nsfwjs, feed or queue"
    )
    parser.add_argument("--published", type=Path, default=manifest.PUBLISHED, help="another folder of published models")
    parser.add_argument("--photos", type=Path, default=pictures.DEMO, help="a folder of photos, in place of the demo's")
    parser.add_argument("--million", action="store_true", help="also a catalogue of a million (ten minutes, 4 GB)")
    options = parser.parse_args()
    if options.part is None:
        with running_site() as site, running_browser() as browser:
            found = {"about": about(browser), **run(browser, site)}
        keep(found)
        print(table(found) + "\n")
    else:
        found = earlier()
    if options.part in (None, "peers"):
        with running_browser() as browser:
            found["peers"] = compare.run(browser, say, options.published)
        print(compare.table(found["peers"]))
        keep(found)
    if options.part in (None, "photos"):
        with running_browser() as browser:
            found["photos"] = photos.run(browser, say, options.published, options.photos)
        print(photos.table(found["photos"]))
        keep(found)
    if options.part in (None, "feed"):
        with a_database():
            found["feed"] = feed.run(say, million=options.million)
        print(feed.table(found["feed"]))
        keep(found)
    if options.part in (None, "queue"):
        with a_database():
            found["queue"] = queue.run(say)
        print(queue.table(found["queue"]))
        keep(found)
    print(f"\nWritten to {Path(TARGET).relative_to(settings.BASE_DIR)}")


if __name__ == "__main__":
    main()
