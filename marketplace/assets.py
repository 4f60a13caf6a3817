"""Lays out what the browser loads besides our own static files: the runtime, the models meant for browsers, and the
library that draws plots for moderators.

`python -m marketplace.assets` fills var/assets/, which is one of the folders that `collectstatic` reads.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from models import manifest, sets

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "var" / "assets"
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
# The WASM build alone. The WebGPU builds are up to twice as large and start slower.
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PLOTS = ROOT / "node_modules" / "uplot" / "dist"
PLOT_FILES = ("uPlot.esm.js", "uPlot.min.css")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def browser_models(published: Path) -> tuple[dict[str, Path], list[str]]:
    """{path under ASSETS: its source} and what is wrong with the models left out: no model is worse than a wrong one,
    but the site runs without, for the server checks all the same."""
    files: dict[str, Path] = {}
    problems = []
    for folder in (published, *map(sets.folder_of, sets.names())):  # those beside, for a release may name them any time
        try:
            models = manifest.browser_subset(manifest.load(folder))["models"]
        except manifest.ModelUnavailable as error:
            problems.append(str(error))
            continue
        for name, entry in models.items():
            source = folder / entry["file"]
            if source.exists() and sha256(source) == entry["sha256"]:
                files[f"models/{entry['file']}"] = source
            else:
                problems.append(f"{source.name} ({name}) is missing or damaged. Restore it from git.")
    return files, problems


def lay_out(
    target: Path = ASSETS, runtime: Path = RUNTIME, published: Path = manifest.PUBLISHED
) -> tuple[list[str], list[str]]:
    """Copy what is new or changed and remove what is no longer wanted; returns the names copied and the problems."""
    files, problems = browser_models(published)
    files |= {f"ort/{name}": runtime / name for name in RUNTIME_FILES}
    files |= {f"plots/{name}": PLOTS / name for name in PLOT_FILES}
    copied = []
    for name, source in files.items():
        path = target / name
        if path.exists() and sha256(path) == sha256(source):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        shutil.copyfile(source, aside)
        aside.replace(path)
        copied.append(name)
    for path in target.rglob("*"):
        if path.is_file() and path.relative_to(target).as_posix() not in files:
            path.unlink()
    return copied, problems


def main() -> None:
    try:
        copied, problems = lay_out()
    except OSError as error:
        sys.exit(f"The runtime or the library for plots is not in node_modules: {error}")
    if copied:
        print(f"Laid out for the browser: {', '.join(copied)}", flush=True)
    for problem in problems:
        print(f"Warning: {problem} Until then drafts are checked on the server only.", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
