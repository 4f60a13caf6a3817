"""The manifest of published models: labels, thresholds, files and their hashes. Written by `publish` alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PUBLISHED = Path(__file__).resolve().parent / "published"
FILE = "manifest.json"
FOR_BROWSERS = (
    "version", "policies_version", "labels", "window_bytes", "side", "longest_side", "tolerance", "claim_tolerance",
    "inputs", "outputs", "splits", "operating_points", "space", "dimensions", "events",
)  # fmt: skip
VERSION = 1


_read: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}  # by path: what told the file from another, and it


class ModelUnavailable(Exception):
    """A model cannot be used now. The message says why and what to do; the cause may pass, so try again later."""


def load(folder: Path = PUBLISHED) -> dict[str, Any]:
    """The manifest as a dict, which callers leave as it is; read anew when the file was replaced. Raises
    ModelUnavailable."""
    path = folder / FILE
    try:
        about = path.stat()
        read = (about.st_ino, about.st_mtime_ns, about.st_size)
        if path in _read and _read[path][0] == read:
            return _read[path][1]
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelUnavailable(f"The model manifest is missing: {path}. Restore it from git.") from error
    except ValueError as error:
        raise ModelUnavailable(f"The model manifest is damaged: {path}. Restore it from git.") from error
    if not isinstance(manifest, dict) or manifest.get("manifest") != VERSION or "models" not in manifest:
        raise ModelUnavailable(f"{path} is not a manifest of version {VERSION}. Restore it from git.")
    _read[path] = (read, manifest)
    return manifest


def model(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """The entry of one model. Raises ModelUnavailable when it is not published."""
    try:
        entry: dict[str, Any] = manifest["models"][name]
    except KeyError:
        raise ModelUnavailable(f"No model named {name} is published. Run: python -m models publish {name}") from None
    return entry


def variant_name(entry: dict[str, Any], variant: str) -> str:
    """The variant behind `variant`, which may be the alias "device" or "cloud". Raises ModelUnavailable."""
    name: str = entry["published"].get(variant, variant)
    if name not in entry["variants"]:
        raise ModelUnavailable(f"There is no variant {variant}; published are {', '.join(entry['variants'])}.")
    return name


def files_of(entry: dict[str, Any]) -> set[str]:
    """Names of every file of a model's entry."""
    return {about["file"] for part in ("variants", "files") for about in entry.get(part, {}).values()}


def browser_subset(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a browser needs of each model it may load: the entry without its other variants, plus `variant`, `file`,
    `sha256` and `bytes` of the one that is for browsers. Whoever serves it adds the url."""
    models: dict[str, Any] = {}
    for name, entry in manifest["models"].items():
        for variant, about in entry["variants"].items():
            if about.get("browser"):
                models[name] = {key: entry[key] for key in FOR_BROWSERS if key in entry}
                models[name] |= {"variant": variant} | {key: about[key] for key in ("file", "sha256", "bytes")}
    return {"manifest": manifest["manifest"], "models": models}
