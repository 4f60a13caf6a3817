"""Check the compressed variants against the recipe's limits, then put them where browser and server find them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models import manifest as manifests
from models import runtime
from models.steps import card, golden, recipe, wasm
from models.steps.compress import VARIANTS, built_fit, refuse_mixed_fits, training_report
from models.steps.data import read_text
from models.steps.errors import StepError
from models.steps.evaluate import brotli_bytes, evaluate_rows

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden" / "listing_text.json"
PUBLISHED_AS = {"device": "int8", "cloud": "fp32"}
DEV = Path("text") / "dev.csv.gz"
CHALLENGE = Path("text") / "challenge_dev.csv"
FP32_LIMIT = 10_000_000


def refuse_accuracy_loss(measured: dict[str, dict[str, Any]], limit: float) -> None:
    """measured: variant → figures on dev. Raises StepError when a variant's AUC lies more than `limit` below fp32's."""
    for name, figures in measured.items():
        loss = measured["fp32"]["unsafe_roc_auc"] - figures["unsafe_roc_auc"]
        if loss > limit:
            raise StepError(
                f"Not published: {name} loses {loss * 100:.2f} points of AUC, {limit * 100:.1f} are allowed."
            )


def refuse_size(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise StepError(f"Not published: {name} takes {size:,} bytes of {limit:,}.")


def refuse_wasm_difference(difference: float | None, limit: float, reason: str, *, without_wasm: bool) -> None:
    """difference None: it could not be measured, for `reason`."""
    if difference is None and not without_wasm:
        raise StepError(
            f"Not published: no comparison with WASM, {reason}. Use --without-wasm to publish all the same."
        )
    if difference is not None and difference > limit:
        raise StepError(f"Not published: native and WASM differ by {difference:.2g}, {limit:.0g} is allowed.")


def publish(
    model: str,
    build: Path,
    published: Path,
    data: Path,
    *,
    without_wasm: bool,
    say: Callable[[str], None],
    golden_path: Path = GOLDEN,
) -> None:
    """Write the variants, the card, the golden vectors and, last, the manifest. Raises StepError on a refusal;
    then nothing that is published has changed."""
    settings = recipe.read(model)
    trained = training_report(build)
    contents = read_variants(build)
    refuse_mixed_fits(trained, built_fit(build), "the compressed variants")
    entry: dict[str, Any] = {
        "version": trained["version"],
        "labels": settings["labels"],
        "window_bytes": settings["window_bytes"],
        "tolerance": settings["tolerance"],
        "inputs": {"bytes": {"type": "uint8", "shape": ["n"], "about": "one window of packed UTF-8 text"}},
        "outputs": {
            "scores": {"type": "float32", "shape": [len(settings["labels"])], "about": "probabilities, by label"},
            "evidence": {"type": "float32", "shape": ["n", len(settings["labels"])], "about": "logits per byte"},
            "coverage": {"type": "float32", "shape": [], "about": "share of letters in known words"},
        },
        "operating_points": trained["operating_points"],
        "published": PUBLISHED_AS,
        "variants": {},
    }
    measured = {name: measure(name, content, entry, data, say) for name, content in contents.items()}
    refuse_accuracy_loss({name: found["dev"] for name, found in measured.items()}, settings["limits"]["auc_loss"])
    sizes = {name: brotli_bytes(content) for name, content in contents.items()}
    refuse_size(f"{PUBLISHED_AS['device']} (Brotli)", sizes[PUBLISHED_AS["device"]], settings["limits"]["brotli_bytes"])
    refuse_size("fp32", len(contents["fp32"]), FP32_LIMIT)
    reason = wasm.unavailable()
    gap = None if reason else wasm.difference(build / f"{PUBLISHED_AS['device']}.onnx", settings["window_bytes"])
    say(f"WASM: {'not compared, ' + reason if gap is None else f'largest difference {gap:.2g}'}")
    refuse_wasm_difference(gap, settings["limits"]["wasm_difference"], reason, without_wasm=without_wasm)

    for name, content in contents.items():
        sha256 = hashlib.sha256(content).hexdigest()
        entry["variants"][name] = {
            "file": f"{model}-{name}-{sha256[:8]}.onnx",
            "bytes": len(content),
            "brotli_bytes": sizes[name],
            "sha256": sha256,
            "browser": name == PUBLISHED_AS["device"],
            "wasm_difference": gap if name == PUBLISHED_AS["device"] else None,
            "metrics": measured[name],
        }
    write(model, entry, contents, published)
    say(f"Golden vectors: {golden.write(golden_path, published)} cases")
    (published / f"{model}.md").write_text(card.card(model, entry, trained, settings), encoding="utf-8")
    say(f"Published {model} {entry['version']} in {published}")


def read_variants(build: Path) -> dict[str, bytes]:
    """Variant → file content. Raises StepError when one was not built."""
    missing = [name for name in VARIANTS if not (build / f"{name}.onnx").is_file()]
    if missing:
        raise StepError(f"There is no {missing[0]}.onnx in {build}. Run: python -m models compress listing-text")
    return {name: (build / f"{name}.onnx").read_bytes() for name in VARIANTS}


def measure(
    name: str, content: bytes, entry: dict[str, Any], data: Path, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Figures of one variant on dev and, where it is there, on the challenge."""
    session = runtime.open_session(content)
    found = {"dev": evaluate_rows(read_text(data / DEV), session, entry)}
    if (data / CHALLENGE).is_file():
        found["challenge_dev"] = evaluate_rows(read_text(data / CHALLENGE), session, entry)
    said = ", ".join(f"{key} AUC {figures['unsafe_roc_auc']:.4f}" for key, figures in found.items())
    say(f"{name}: {said}")
    return found


def write(model: str, entry: dict[str, Any], contents: dict[str, bytes], published: Path) -> None:
    """Files first, then the manifest in one step, then files that nothing names any more are removed."""
    published.mkdir(parents=True, exist_ok=True)
    try:
        manifest = manifests.load(published)
    except manifests.ModelUnavailable:
        manifest = {"manifest": manifests.VERSION, "models": {}}
    for name, content in contents.items():
        replace(published / entry["variants"][name]["file"], content)
    manifest["models"][model] = entry
    replace(published / manifests.FILE, (json.dumps(manifest, indent=2) + "\n").encode())
    named = {about["file"] for each in manifest["models"].values() for about in each["variants"].values()}
    for path in published.glob(f"{model}-*.onnx"):
        if path.name not in named and path.name[len(model) + 1 :].split("-")[0] in VARIANTS:
            path.unlink()


def replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that nobody reads half a file."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    os.replace(beside, path)
