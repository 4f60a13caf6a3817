"""Check the compressed variants against the recipe's limits, then put them where browser and server find them."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models import manifest as manifests
from models.steps import compress, recipe, training, wasm
from models.steps.errors import StepError
from models.steps.evaluate import brotli_bytes
from models.steps.rows import reader

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
COMMITTED_LIMIT = 10_000_000  # what is larger and not published is rebuilt, not committed
BROWSER = "device"


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
    golden_folder: Path = GOLDEN,
) -> None:
    """Write the variants, further files, the card, the golden vectors of the browser's model and, last, the manifest.

    Raises StepError on a refusal; then nothing that is published has changed.
    """
    settings = recipe.read(model)
    trained = training.read_report(build)
    compress.refuse_mixed_fits(trained, compress.built(build).get("fit"), "the compressed variants")
    contents = read_variants(build)
    files = compress.exporting(model).files()
    reads = reader(model)
    kind = reads.KIND
    entry = kind.described(settings, trained, reads.interface(settings)) | {"files": {}, "variants": {}}
    measured = {}
    for name, content in contents.items():
        measured[name] = kind.measured(reads, data, content, entry, files, published)
        say(f"{name}: {kind.said(measured[name])}")
    limits = settings["limits"]
    kind.refuse_loss(measured, limits)
    sizes = {name: brotli_bytes(content) for name, content in contents.items()}
    chosen = next(iter(entry["published"].values()))
    if "brotli_bytes" in limits:
        refuse_size(f"{chosen} (Brotli)", sizes[chosen], limits["brotli_bytes"])
    if "bytes" in limits:
        refuse_size(chosen, len(contents[chosen]), limits["bytes"])
    gap = None
    if BROWSER in entry["published"]:
        reason = wasm.unavailable()
        gap = (
            None
            if reason
            else wasm.difference(build / f"{chosen}.onnx", reads.golden_feeds(entry), reads.outputs(entry))
        )
        say(f"WASM: {'not compared, ' + reason if gap is None else f'largest difference {gap:.2g}'}")
        refuse_wasm_difference(gap, limits["wasm_difference"], reason, without_wasm=without_wasm)

    for name, content in contents.items():
        entry["variants"][name] = about_file(f"{model}-{name}", "onnx", content) | {
            "brotli_bytes": sizes[name],
            "browser": name == entry["published"].get(BROWSER),
            "committed": name == chosen or len(content) <= COMMITTED_LIMIT,
            "wasm_difference": gap if name == chosen else None,
            "metrics": measured[name],
        }
    for name, content in files.items():
        suffix = "json" if name == "tokenizer" else "onnx"
        entry["files"][name] = about_file(f"wordpieces-{name}", suffix, content)  # one file for all who read with it
    bench_file = published / f"{model}-{compress.BENCH}"
    bench = bench_of(trained["fit"], [build / compress.BENCH, bench_file])
    text = kind.card(model, entry, trained, bench)
    write(model, entry, contents, files, published)
    if bench:
        replace(bench_file, (json.dumps(bench, indent=2) + "\n").encode())
    elif bench_file.is_file():
        say(f"{bench_file.name} is of another fit: removed. Measure: python -m models compress {model} --bench")
        bench_file.unlink()
    if BROWSER in entry["published"]:
        say(f"Golden vectors: {reads.write_golden(golden_folder / reads.golden_file(entry), published)} cases")
    replace(published / f"{model}.md", text.encode())
    say(f"Published {model} {entry['version']} in {published}")


def bench_of(fit: str, paths: list[Path]) -> dict[str, Any]:
    """The first of the compression benches that measured this fit; {} when none did. Raises StepError."""
    for path in paths:
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise StepError(f"{path} cannot be read ({error}). Remove it, or measure again.") from error
        if found.get("fit") == fit:
            return found
    return {}


def about_file(stem: str, suffix: str, content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {"file": f"{stem}-{sha256[:8]}.{suffix}", "bytes": len(content), "sha256": sha256}


def read_variants(build: Path) -> dict[str, bytes]:
    """Variant → file content. Raises StepError when one was not built."""
    found = {}
    for name in compress.built(build)["variants"]:
        if not (build / f"{name}.onnx").is_file():
            raise StepError(f"There is no {name}.onnx in {build}. Run: python -m models compress {build.name}")
        found[name] = (build / f"{name}.onnx").read_bytes()
    return found


def write(
    model: str, entry: dict[str, Any], contents: dict[str, bytes], files: dict[str, bytes], published: Path
) -> None:
    """Files first, then the manifest in one step, then files that nothing names any more are removed."""
    published.mkdir(parents=True, exist_ok=True)
    try:
        manifest = copy.deepcopy(manifests.load(published))
    except manifests.ModelUnavailable:
        manifest = {"manifest": manifests.VERSION, "models": {}}
    for name, content in contents.items():
        if entry["variants"][name]["committed"]:
            replace(published / entry["variants"][name]["file"], content)
    for name, content in files.items():
        replace(published / entry["files"][name]["file"], content)
    replaced = manifests.files_of(manifest["models"].get(model, {}))
    manifest["models"][model] = entry
    replace(published / manifests.FILE, (json.dumps(manifest, indent=2) + "\n").encode())
    named = {name for each in manifest["models"].values() for name in manifests.files_of(each)}
    for name in replaced - named:
        (published / name).unlink(missing_ok=True)


def replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that nobody reads half a file."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    os.replace(beside, path)
