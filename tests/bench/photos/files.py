"""What the page of the comparison with nsfwjs loads: addresses and the files behind them.

nsfwjs twice: as its package brings it (weights as text in a script, the photo in full size handed over, as its README
shows), and tuned by us (weights as the file that its README recommends, the photo made 224 pixels by the browser).
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from listings import device_check
from marketplace import assets
from models import manifest
from models.photo import MODEL
from tests.bench.peers import files as peers
from tests.settings import ROOT

HERE = Path(__file__).resolve().parent
LAID_OUT = ROOT / "var" / "bench" / "photos"
OURS, PEER, TUNED = "listing-photo", "nsfwjs", "nsfwjs-tuned"
NAMES = (OURS, PEER, TUNED)
TENSORFLOW = ("core", "layers", "converter", "backend-wasm")
WEIGHTS = "nsfwjs/dist/models/mobilenet_v2"
# Its modules name packages, which a bundler resolves: here the page's own TensorFlow.js, and what Buffer is used for.
RESOLVED = {
    'import * as tf from "@tensorflow/tfjs";': "const tf = globalThis.tf;",
    'import { Buffer } from "buffer";': "const Buffer = { from: (text) => ({ toString: () => atob(text) }) };",
}


def installed(packages: Path = peers.PACKAGES) -> dict[str, str]:
    """Versions. Raises NotInstalled."""
    names = {"nsfwjs": "nsfwjs", "tfjs": "@tensorflow/tfjs-core", "tfjs_backend_wasm": "@tensorflow/tfjs-backend-wasm"}
    try:
        return {
            key: json.loads((packages / name / "package.json").read_text())["version"] for key, name in names.items()
        }
    except OSError as error:
        raise peers.NotInstalled("nsfwjs is not installed. Run: make bench") from error


def as_file(script: Path) -> bytes:
    """The value that one of the package's model scripts holds, read by Node. Raises NotInstalled."""
    node = shutil.which("node")
    if not node:
        raise peers.NotInstalled("The weights of nsfwjs are read with Node.js, which was not found.")
    told = "const found = require(process.argv[1]);"
    told += "process.stdout.write(typeof found === 'string' ? found : JSON.stringify(found))"
    done = subprocess.run([node, "-e", told, str(script)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        raise peers.NotInstalled(f"{script.name} of nsfwjs cannot be read: {done.stderr.decode()[-300:]}")
    return done.stdout


def lay_out(folder: Path, packages: Path = peers.PACKAGES) -> None:
    """nsfwjs under `folder` as the page loads it. Raises NotInstalled."""
    installed(packages)
    core = (packages / "nsfwjs/dist/esm/core.js").read_text()
    for name, found in RESOLVED.items():
        if name not in core:
            raise peers.NotInstalled(f"nsfwjs has changed: its core.js has no line {name}")
        core = core.replace(name, found)
    model = json.loads(as_file(packages / WEIGHTS / "model.min.js"))
    model["weightsManifest"][0]["paths"] = ["weights.bin"]
    contents = {
        "core.js": core.encode(),
        "model.json": json.dumps(model, separators=(",", ":")).encode(),
        "weights.bin": base64.b64decode(as_file(packages / WEIGHTS / "group1-shard1of1.min.js")),
    }
    before, place, after = (HERE / "page.html").read_text().partition('worker-imports="')
    assert place, "page.html has no place for the worker's modules"
    contents["page.html"] = f"{before}{place}{' '.join(worker_imports())}{after}".encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def worker_imports() -> list[str]:
    """What the sell page names to the client: every module of the worker, under the names that this server uses."""
    return [f"/static/{path}" for path in device_check.worker_modules()]


def addresses(
    laid_out: Path, published: Path = manifest.PUBLISHED, packages: Path = peers.PACKAGES
) -> dict[str, Path | dict[str, Any]]:
    """{path of the address: its file, or what to serve as JSON}. Raises ModelUnavailable."""
    ours = peers.own_manifest(published)
    if MODEL not in ours["models"]:
        raise manifest.ModelUnavailable(f"No model named {MODEL} is published for browsers.")
    found: dict[str, Path | dict[str, Any]] = {
        "/": laid_out / "page.html",
        "/page.js": HERE / "page.js",
        "/api/models/manifest": ours,
        "/nsfwjs/core.js": laid_out / "core.js",
        "/nsfwjs/nsfw_classes.js": packages / "nsfwjs/dist/esm/nsfw_classes.js",
    }
    found |= {f"/static/js/ml/{path.name}": path for path in sorted((ROOT / "static/js/ml").glob("*.js"))}
    found |= {f"/static/ort/{name}": assets.RUNTIME / name for name in assets.RUNTIME_FILES}
    for entry in ours["models"].values():
        found[entry["url"]] = published / Path(entry["url"]).name
    for part in TENSORFLOW:
        found[f"/tfjs/{part}.js"] = packages / f"@tensorflow/tfjs-{part}/dist/tf-{part}.es2017.min.js"
    for path in sorted((packages / "@tensorflow/tfjs-backend-wasm/wasm-out").glob("*.wasm")):
        found[f"/tfjs/{path.name}"] = path
    for name in ("model", "group1-shard1of1"):
        found[f"/nsfwjs/packed/{name}.js"] = packages / WEIGHTS / f"{name}.min.js"
    return found | {f"/nsfwjs/hosted/{name}": laid_out / name for name in ("model.json", "weights.bin")}


def kind_of(path: str) -> str:
    if path.startswith("/static/ort/") or path.endswith(".wasm") or path.startswith("/tfjs/"):
        return "runtime"
    if path.startswith(("/static/models/", "/nsfwjs/packed/", "/nsfwjs/hosted/")):
        return "model"
    return "code"
