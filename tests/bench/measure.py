"""The measurements: each drives the page as a merchant does and returns plain numbers (milliseconds, bytes)."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from models import text as native
from tests.bench.texts import text
from tests.browser.recorder import Recorder

RERANK = Path(__file__).with_name("rerank.mjs")
# Long tasks from the first script on; the observer itself is there before the page.
OBSERVE = """
  globalThis.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ startTime, duration });
  }).observe({ type: 'longtask', buffered: true });
"""
# From the first focus of a form that already holds text, to the verdict on the page. No pause for typing in it.
FOCUS_TO_VERDICT = """([title, description]) => new Promise((resolve, reject) => {
  const form = document.getElementById('sell-form');
  form.elements.title.value = title;
  form.elements.description.value = description;
  const status = document.getElementById('device-check-status');
  const began = performance.now();
  const look = () => {
    if (status.textContent.startsWith('Checked on your device')) resolve({ began, ms: performance.now() - began });
    else if (status.textContent.includes('could not run')) reject(new Error(status.textContent));
  };
  new MutationObserver(look).observe(status, { attributes: true, childList: true });
  form.elements.title.focus();
})"""
# Checks one after the other through the page's own client, in a worker of its own.
CHECKS = """async (texts) => {
  const loaded = performance.getEntriesByType('resource').map((entry) => entry.name);
  const { createClient } = await import(loaded.find((name) => name.includes('/ml/client.')));
  const { workerUrl, manifestUrl } = document.getElementById('sell-form').dataset;
  const client = createClient({ workerUrl, manifestUrl });
  const found = [];
  for (const [title, description] of texts) {
    const answer = await client.check([['title', title], ['description', description]]);
    if (answer.status !== 'verdict') throw new Error(JSON.stringify(answer));
    found.push([answer.verdict.ms, answer.ms]);
  }
  client.stop();
  return found;
}"""
# Every photo in the list has a verdict of this device, whatever it says.
ALL_JUDGED = """(count) => {
  const states = ['pass', 'unsure', 'warn', 'block'].map((state) => `.photo-item[data-state=${state}]`);
  return document.querySelectorAll(states.join()).length === count;
}"""
WARM_UP = 20


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(values), 3), "p95": round(percentile(values, 0.95), 3)}


def span(values: Sequence[float]) -> dict[str, Any]:
    taken = [round(value, 1) for value in values]
    return {"median": round(statistics.median(taken), 1), "min": min(taken), "max": max(taken), "runs": taken}


def open_form(page: Page, url: str) -> None:
    page.goto(f"{url}/sell/new/")
    page.locator("#sell-form[data-ready='1']").wait_for(state="attached")
    page.wait_for_load_state("load")


def kind_of(url: str) -> str:
    path = url.split("?")[0]
    if "/ort/" in path:
        return "runtime"
    if path.endswith(".onnx"):
        return "model"
    if "/api/" in path:
        return "manifest and rules"
    if path.endswith((".js", ".css", ".svg")):
        return "site's code and style"
    return "page"


def visit(page: Page, url: str, seed: int) -> dict[str, Any]:
    """One visit up to the first verdict. focus_ms: from the first focus; long tasks before and from the focus on."""
    page.add_init_script(OBSERVE)
    open_form(page, url)
    page.wait_for_timeout(300)  # the page is at rest before the merchant comes
    found = page.evaluate(FOCUS_TO_VERDICT, list(text(400, seed)))
    page.wait_for_timeout(300)  # a long task is reported after its end
    tasks = page.evaluate("longTasks")
    before = [task for task in tasks if task["startTime"] < found["began"]]
    return {"focus_ms": found["ms"], "long_before": len(before), "long_after": len(tasks) - len(before)}


def first_visit_bytes(
    browser: Browser, recorder: Recorder, sign_in: Callable[[BrowserContext], None]
) -> dict[str, Any]:
    """Bytes as transferred (compressed bodies) by kind, until the page also works offline; and all of the line."""
    context = browser.new_context()
    sign_in(context)
    kinds: dict[str, int] = {}
    seen: list[Any] = []
    context.on("requestfinished", lambda request: seen.append(request))
    page = context.new_page()
    visit(page, recorder.url, 0)
    until_verdict = recorder.received
    page.wait_for_timeout(3000)  # the service worker keeps what an offline visit needs
    for request in seen:
        response = request.response()
        if response is None or response.from_service_worker:
            continue
        size = request.sizes()["responseBodySize"]
        kinds[kind_of(request.url)] = kinds.get(kind_of(request.url), 0) + size
    context.close()
    return {"by_kind": kinds, "line_until_verdict": until_verdict, "line_total": recorder.received}


def starts(
    browser: Browser, url: str, sign_in: Callable[[BrowserContext], None], rounds: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Cold: a fresh profile each time. Revisit: the same profile again, in a new tab."""
    cold, again = [], []
    for seed in range(rounds):
        context = browser.new_context()
        sign_in(context)
        page = context.new_page()
        cold.append(visit(page, url, seed))
        page.wait_for_timeout(3000)  # the service worker has kept everything
        page.close()
        page = context.new_page()
        again.append(visit(page, url, seed + 1000))
        context.close()
    return cold, again


def checks(
    browser: Browser, url: str, sign_in: Callable[[BrowserContext], None], characters: int, rounds: int
) -> dict[str, Any]:
    """In the browser: in the worker alone, and as the page feels it (with the way there and back)."""
    context = browser.new_context()
    sign_in(context)
    page = context.new_page()
    page.add_init_script(OBSERVE)
    open_form(page, url)
    page.wait_for_timeout(300)
    began = page.evaluate("performance.now()")
    found = page.evaluate(CHECKS, [list(text(characters, seed)) for seed in range(rounds + WARM_UP)])[WARM_UP:]
    page.wait_for_timeout(300)
    long = page.evaluate("(began) => longTasks.filter((task) => task.startTime >= began).length", began)
    context.close()
    return {
        "worker": spread([worker for worker, _ in found]),
        "page": spread([felt for _, felt in found]),
        "long_tasks": long,
    }


def native_checks(characters: int, rounds: int) -> dict[str, float]:
    """The server's gate on the same texts: one thread, in this process."""
    taken = []
    for seed in range(rounds + WARM_UP):
        title, description = text(characters, seed)
        began = time.perf_counter()
        native.check_text([("title", title), ("description", description)], variant="device", where="gate")
        taken.append((time.perf_counter() - began) * 1000)
    return spread(taken[WARM_UP:])


def typing(browser: Browser, url: str, sign_in: Callable[[BrowserContext], None]) -> dict[str, Any]:
    """A merchant types 400 characters, key by key: long tasks, and the wait from the last key to the verdict."""
    context = browser.new_context()
    sign_in(context)
    page = context.new_page()
    visit(page, url, 1)
    title, description = text(400, 2)
    before = page.evaluate("longTasks.length")
    page.locator("#id_title").fill(title)
    page.locator("#id_description").fill("")
    page.locator("#id_description").press_sequentially(description, delay=15)
    wait = page.evaluate(
        """() => new Promise((resolve) => {
          const began = performance.now();
          const field = document.getElementById('id_description');
          const status = document.getElementById('device-check-status');
          status.className = '';
          const look = () => status.textContent.startsWith('Checked on') && resolve(performance.now() - began);
          status.textContent = '';
          new MutationObserver(look).observe(status, { attributes: true, childList: true });
          field.value += ' Thank you.';
          field.dispatchEvent(new Event('input', { bubbles: true }));
        })"""
    )
    page.wait_for_timeout(300)
    long = page.evaluate("longTasks.length") - before
    context.close()
    return {"long_tasks": long, "last_key_to_verdict_ms": round(wait, 1)}


def photos(
    browser: Browser, url: str, sign_in: Callable[[BrowserContext], None], chosen: Sequence[Path]
) -> dict[str, Any]:
    """A merchant chooses photos of a phone: long tasks while the page shows, shrinks and judges them, and how long it
    takes until all have a verdict; {"missing": why} where none comes."""
    context = browser.new_context()
    sign_in(context)
    page = context.new_page()
    page.add_init_script(OBSERVE)
    open_form(page, url)
    page.wait_for_timeout(300)
    began = page.evaluate("performance.now()")
    page.locator("#id_photos").set_input_files(chosen)
    try:
        page.wait_for_function(ALL_JUDGED, arg=len(chosen), timeout=60_000)
        ms = page.evaluate("performance.now()") - began
        page.wait_for_timeout(300)
        long = page.evaluate("(began) => longTasks.filter((task) => task.startTime >= began).length", began)
        return {"photos": len(chosen), "until_all_judged_ms": round(ms), "long_tasks": long}
    except PlaywrightTimeout:
        return {"missing": "The sell page gave no verdicts on photos within a minute."}
    finally:
        context.close()


def rerank() -> dict[str, Any]:
    """A full history and 200 candidates into a new order, as after a click."""
    done = subprocess.run(["node", RERANK], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
