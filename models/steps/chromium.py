"""Timing models in onnxruntime-web's WASM in a real Chromium: one thread, one page, one model after the other."""

from __future__ import annotations

import base64
import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.steps.errors import StepError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PAGE = "<!doctype html><title>Timing</title>"
TIME = """async ({ url, feeds, rounds }) => {
  const ort = await import('/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/';
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  const tensors = feeds.map((feed) => Object.fromEntries(Object.entries(feed).map(([name, { type, dims, data }]) => {
    const raw = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    return [name, new ort.Tensor(type, type === 'int64' ? new BigInt64Array(raw.buffer) : raw, dims)];
  })));
  const spent = [];
  for (let round = 0; round < rounds + 5; round += 1) {
    const began = performance.now();
    await session.run(tensors[round % tensors.length], ['scores']);
    spent.push(performance.now() - began);
  }
  await session.release();
  return spent.slice(5).sort((a, b) => a - b)[Math.floor(rounds / 2)];
}"""


def path() -> str:
    """A Chromium of this machine. Raises StepError."""
    named = os.environ.get("CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found:
        raise StepError("The bench times models in Chromium and found none. Install it, or name one in CHROMIUM.")
    return found


class Timer:
    """p50(content, feeds): milliseconds of a run in the browser."""

    def __init__(self, browser: Any, folder: Path, url: str) -> None:
        self.browser, self.folder, self.url = browser, folder, url
        self.version: str = browser.version

    def p50(self, content: bytes, feeds: list[dict[str, Any]], rounds: int = 40) -> float:
        (self.folder / "model.onnx").write_bytes(content)
        page = self.browser.new_page()  # a fresh page: WASM memory never shrinks
        try:
            page.goto(f"{self.url}/index.html")
            sent = [{name: as_json(array) for name, array in feed.items()} for feed in feeds]
            found = page.evaluate(TIME, {"url": "/model.onnx", "feeds": sent, "rounds": rounds})
        finally:
            page.close()
        return round(float(found), 3)


def as_json(array: Any) -> dict[str, Any]:
    return {"type": array.dtype.name, "dims": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def timer() -> Iterator[Timer]:
    """A Chromium and a small file server on this machine, for as long as the context lasts."""
    from playwright.sync_api import sync_playwright

    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "index.html").write_text(PAGE)
        for file in RUNTIME:
            (folder / file).symlink_to(DIST / file)
        handler = functools.partial(Quiet, directory=name)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=path(), args=["--no-sandbox"] if os.geteuid() == 0 else [])
        try:
            yield Timer(browser, folder, f"http://127.0.0.1:{server.server_port}")
        finally:
            browser.close()
            server.shutdown()
