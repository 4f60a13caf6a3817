"""Check the compressed variants against the recipe's limits, then put them where browser and server find them."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models import manifest as manifests
from models import patch, sets
from models.steps import compress, recipe, training, wasm
from models.steps.errors import StepError
from models.steps.evaluate import brotli_bytes
from models.steps.rows import reader

ROOT = Path(__file__).resolve().parents[2]
EARLIER_KEPT = 2  # of each model
PAIRS = dict.fromkeys((sets.PHOTO, sets.PHOTO_TAIL), (sets.PHOTO, sets.PHOTO_TAIL))  # one goes on where the other ends
PHOTO_BELOW = {sets.PHOTO_TAIL: sets.PHOTO}
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
    aside: str | None = None,
) -> None:
    """Write the variants, further files, the card, the golden vectors of the browser's model and, last, the manifest.
    What is replaced stays as a set under models/earlier/, for the site to go back to.

    aside: not in the place of the published model but as a set under models/candidates/, to be tried in the shadow: ""
    for one of its own, or the name of one to add to. Raises StepError on a refusal; then nothing that is published has
    changed.
    """
    settings = recipe.read(model)
    trained = training.read_report(build)
    place = published
    if aside is not None:
        refuse_aside(model, aside, published.parent)
        if aside and PHOTO_BELOW.get(model) in manifests.load(published.parent / aside)["models"]:
            place = published.parent / aside  # its own lower layers are what it goes on from
    compress.refuse_mixed_fits(trained, compress.built(build).get("fit"), "the compressed variants")
    contents = read_variants(build)
    files = compress.exporting(model).files()
    reads = reader(model)
    kind = reads.KIND
    entry = kind.described(settings, trained, reads.interface(settings)) | {"files": {}, "variants": {}}
    measured = {}
    for name, content in contents.items():
        measured[name] = kind.measured(reads, data, content, entry, files, place)
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

    if aside is not None:
        contents = {chosen: contents[chosen]}  # a set holds what the site runs
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
    if aside is not None:
        place = candidate(aside, model, entry, published)
        write(model, entry, contents, files, place)
        if BROWSER in entry["published"]:
            reads.write_golden(place / reads.golden_file(entry), place)
        replace(place / f"{model}.md", text.encode())
        say(f"Put aside as {place.relative_to(published.parent)}, for moderators to try once it is deployed.")
        return
    keep_earlier(model, entry, published, say)
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


def refuse_aside(model: str, aside: str, root: Path) -> None:
    """aside: "" or the name of a set. Raises StepError."""
    if model not in sets.JUDGES:
        raise StepError(f"{model} judges no listing: it cannot be tried in a shadow. Publish it with the code.")
    if not aside:
        return
    if not sets.NAME.fullmatch(aside) or sets.is_earlier(aside):
        raise StepError(f"{aside} is no name of a candidate. One is like {sets.CANDIDATES}/{model}-7-0123abcd")
    if not (root / aside / manifests.FILE).is_file():
        raise StepError(f"There is no {aside} to add {model} to.")


def candidate(aside: str, model: str, entry: dict[str, Any], published: Path) -> Path:
    """The folder of the set. Raises StepError for a version that another file has: verdicts could not tell them
    apart."""
    root = published.parent
    name = aside or set_name(sets.CANDIDATES, model, entry)
    others = [published, *(path.parent for path in root.glob(f"*/*/{manifests.FILE}"))]
    for folder in others:
        try:
            other = manifests.load(folder)["models"].get(model)
        except manifests.ModelUnavailable:
            continue
        if other and other["version"] == entry["version"] and sets.digest(other) != sets.digest(entry):
            raise StepError(
                f"Not put aside: another one in {folder.name} is {model} {entry['version']}. Raise the version in the "
                "recipe, and train again."
            )
    return root / name


def set_name(kind: str, model: str, entry: dict[str, Any]) -> str:
    return f"{kind}/{model}-{entry['version']}-{sets.digest(entry)[:8]}"


def keep_earlier(model: str, entry: dict[str, Any], published: Path, say: Callable[[str], None]) -> None:
    """Keep the files that the site runs of what `entry` is about to replace, as a set; with the golden texts, and a
    photo model with the tail that goes on from it. Older sets of the model go."""
    try:
        before = manifests.load(published)["models"]
    except manifests.ModelUnavailable:
        return
    if model not in sets.JUDGES or model not in before or sets.digest(before[model]) == sets.digest(entry):
        return
    old = before[model]
    if old["version"] == entry["version"]:  # verdicts could not tell them apart
        say(f"What it replaces has the version {entry['version']} too and is not kept to go back to.")
        return
    earlier = published.parent / sets.EARLIER
    for path in earlier.glob(f"*/{manifests.FILE}"):
        kept = manifests.load(path.parent)["models"].get(model)
        if kept and sets.digest(kept) == sets.digest(old):
            say(f"What it replaces is kept already, in {path.parent.name}")  # a tail with its photo model, say
            return
    name = set_name(sets.EARLIER, model, old)
    place = published.parent / name
    place.mkdir(parents=True, exist_ok=True)
    models = {}
    for each in PAIRS.get(model, (model,)):
        if each not in before:
            continue
        variant = sets.chosen_variant(before[each])
        models[each] = before[each] | {"variants": {variant: before[each]["variants"][variant]}}
        for file in manifests.files_of(models[each]) | {f"{each}.md"}:
            if (published / file).is_file():
                replace(place / file, (published / file).read_bytes())
    if model == sets.TEXT and (published / patch.GOLDEN).is_file():
        replace(place / patch.GOLDEN, (published / patch.GOLDEN).read_bytes())
    replace(place / manifests.FILE, _as_json({"manifest": manifests.VERSION, "models": models}))
    say(f"What it replaces is kept as {name}")
    others = [path for path in earlier.iterdir() if sets.NAME.fullmatch(f"{sets.EARLIER}/{path.name}")]
    of_model = [path for path in others if path.name.rsplit("-", 2)[0] == model and path != place]
    for path in sorted(of_model, key=lambda path: sets.order(path.name), reverse=True)[EARLIER_KEPT - 1 :]:
        shutil.rmtree(path)
        say(f"{path.name} is older and goes. A site on which it is live will work with what is published.")


def _as_json(found: dict[str, Any]) -> bytes:
    return (json.dumps(found, indent=2) + "\n").encode()


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
    replace(published / manifests.FILE, _as_json(manifest))
    named = {name for each in manifest["models"].values() for name in manifests.files_of(each)}
    for name in replaced - named:
        (published / name).unlink(missing_ok=True)


def replace(path: Path, content: bytes) -> None:
    """Write beside and rename, so that nobody reads half a file."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    os.replace(beside, path)
