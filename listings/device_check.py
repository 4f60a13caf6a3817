"""The files that a browser loads to check on the device, by their addresses."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

from models import manifest, photo, sets, text

from . import live_models

RUNTIME = {"mjs": "ort/ort-wasm-simd-threaded.mjs", "wasm": "ort/ort-wasm-simd-threaded.wasm"}
FRONT = "ort/ort.wasm.min.mjs"
FOLDER = "js/ml"
WORKER = "worker.js"
OF_THE_PAGE = ("client.js", "rerank.js", "reasons.js", "weights.js")  # no modules of the worker


def runtime() -> dict[str, str]:
    """Raises ValueError when the static files were collected without them."""
    return {name: static(path) for name, path in RUNTIME.items()}


def model_url(file: str) -> str:
    """Raises ValueError when the static files were collected without it."""
    return static(f"models/{file}")


def not_laid_out(release: sets.Release) -> str:
    """Why browsers could not load a model file of a release; "" when they can. Raises ModelUnavailable."""
    listed = manifest.browser_subset(sets.entries(release))["models"]
    try:
        for entry in listed.values():
            model_url(entry["file"])
    except ValueError:
        return f"{entry['file']} is not laid out for browsers yet. Start the site anew (make run), then try again."
    return ""


def runtime_url() -> str:
    """The runtime's program, which is most of what is loaded; "" where it was not collected."""
    try:
        return runtime()["wasm"]
    except ValueError:
        return ""


@cache
def worker_modules() -> list[str]:
    """All modules that the worker imports, one after the other as it comes to know of them; 34 kB on the line. The
    runtime's program and the models are none of them."""
    names = sorted(path.name for path in (settings.BASE_DIR / "static" / FOLDER).glob("*.js"))
    return [*(f"{FOLDER}/{name}" for name in names if name not in (WORKER, *OF_THE_PAGE)), FRONT, RUNTIME["mjs"]]


def worker_imports() -> list[str]:
    """Their addresses, so that the page may ask for them side by side. Those that were not collected are left out, for
    the worker then says so itself."""
    found = []
    for path in worker_modules():
        try:
            found.append(static(path))
        except ValueError:
            continue
    return found


def download_sizes() -> list[tuple[str, int]]:
    """What a device loads once, before it checks its first listing: (name, bytes). Models as the manifest says, modules
    and runtime as they lie here; compressed on the line they are smaller. Empty where a part is missing."""
    try:
        listed = live_models.for_browsers()["models"]
        models = [(name, int(listed[name]["bytes"])) for name in (text.MODEL, photo.MODEL)]
    except (manifest.ModelUnavailable, KeyError):
        return []
    programs = [finders.find(path) for path in (RUNTIME["wasm"], f"{FOLDER}/{WORKER}", *worker_modules())]
    if not all(programs):
        return []
    sizes = [Path(str(path)).stat().st_size for path in programs]
    return [("runtime", sizes[0]), ("modules", sum(sizes[1:])), *models]
