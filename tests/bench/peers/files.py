"""What the page of the comparison loads: addresses and the files behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from marketplace import assets
from models import manifest, runtime
from tests.settings import ROOT

HERE = Path(__file__).resolve().parent
PACKAGES = HERE / "node_modules"
LAID_OUT = ROOT / "var" / "bench" / "peers"
MODEL = "listing-text-cloud"
LONGEST = 512  # positions of MiniLM
OWN_RUNTIME = "ort-wasm-simd-threaded"
RUNTIMES = ("ort-wasm-simd-threaded.asyncify", "ort-wasm-simd-threaded")


class NotInstalled(Exception):
    """The peers' packages are missing. The message says what to do."""


def peer_files(folder: Path, published: Path = manifest.PUBLISHED) -> dict[str, Any]:
    """Lay out our published MiniLM under `folder` as Transformers.js looks for it; returns its entry in the manifest.

    Raises ModelUnavailable.
    """
    entry = manifest.model(manifest.load(published), MODEL)
    model = entry["variants"][manifest.variant_name(entry, "cloud")]
    tokenizer = entry["files"]["tokenizer"]
    contents = {
        "onnx/model_quantized.onnx": runtime.checked_bytes(published / model["file"], model["sha256"]),
        "tokenizer.json": runtime.checked_bytes(published / tokenizer["file"], tokenizer["sha256"]),
    }
    # What Transformers.js asks of a configuration; all else stands in the graph and in tokenizer.json.
    settings = {
        "config.json": {"model_type": "bert", "id2label": dict(enumerate(entry["labels"]))},
        "tokenizer_config.json": {"tokenizer_class": "BertTokenizer", "model_max_length": LONGEST},
    }
    contents |= {name: json.dumps(value).encode() for name, value in settings.items()}
    for name, content in contents.items():
        path = folder / MODEL / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return entry


def installed(packages: Path = PACKAGES) -> dict[str, str]:
    """Versions of Transformers.js and of the runtime it brings. Raises NotInstalled."""
    names = {"transformers": "@huggingface/transformers", "onnxruntime_web": "onnxruntime-web"}
    try:
        return {
            key: json.loads((packages / name / "package.json").read_text())["version"] for key, name in names.items()
        }
    except OSError as error:
        raise NotInstalled("Transformers.js is not installed. Run: make bench") from error


def own_manifest(published: Path = manifest.PUBLISHED) -> dict[str, Any]:
    """As GET /api/models/manifest answers, with the addresses of this page."""
    subset = manifest.browser_subset(manifest.load(published))
    for entry in subset["models"].values():
        entry["url"] = f"/static/models/{entry.pop('file')}"
    return subset | {"runtime": {end: f"/static/ort/{OWN_RUNTIME}.{end}" for end in ("mjs", "wasm")}}


def addresses(
    models: Path, published: Path = manifest.PUBLISHED, packages: Path = PACKAGES
) -> dict[str, Path | dict[str, Any]]:
    """{path of the address: its file, or what to serve as JSON}. models: where `peer_files` laid out the peer's."""
    ours = own_manifest(published)
    library, library_runtime = packages / "@huggingface/transformers/dist", packages / "onnxruntime-web/dist"
    found: dict[str, Path | dict[str, Any]] = {
        "/": HERE / "page.html",
        "/peers/page.js": HERE / "page.js",
        "/peers/transformers.worker.js": HERE / "transformers.worker.js",
        "/peers/floor.worker.js": HERE / "floor.worker.js",
        "/api/models/manifest": ours,
        "/transformers/transformers.min.js": library / "transformers.min.js",
    }
    found |= {f"/static/js/ml/{path.name}": path for path in sorted((ROOT / "static/js/ml").glob("*.js"))}
    found |= {f"/static/ort/{name}": assets.RUNTIME / name for name in assets.RUNTIME_FILES}
    for entry in ours["models"].values():
        found[entry["url"]] = published / Path(entry["url"]).name
    found |= {
        f"/transformers-ort/{name}.{end}": library_runtime / f"{name}.{end}"
        for name in RUNTIMES
        for end in ("mjs", "wasm")
    }
    found |= {f"/models/{p.relative_to(models)}": p for p in sorted((models / MODEL).rglob("*")) if p.is_file()}
    return found


def kind_of(path: str) -> str:
    if path.startswith(("/static/ort/", "/transformers-ort/")):
        return "runtime"
    if path.startswith(("/static/models/", "/models/")):
        return "model and tokenizer"
    return "code"
