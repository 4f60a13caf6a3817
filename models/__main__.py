"""python -m models list | train | compress | evaluate | publish | patchable | report | export-decisions"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from models import manifest, runtime
from models.manifest import ModelUnavailable
from models.steps.errors import StepError

MODELS = (
    "listing-text", "listing-text-cloud", "listing-text-gate",
    "listing-photo", "listing-photo-cloud", "listing-photo-tail",
    "item-tower", "query-tower", "user-tower", "ranker",
)  # fmt: skip
BUILD = runtime.BUILD
SITE = Path(__file__).resolve().parent.parent / "manage.py"


def say(text: str) -> None:
    """Progress goes to standard error: standard output belongs to results."""
    print(text, file=sys.stderr, flush=True)


def known(model: str) -> str:
    if model not in MODELS:
        raise StepError(f"There is no model {model}; there is {', '.join(MODELS)}.")
    return model


def recipe_of(model: str) -> Any:
    """The recipe's training module; the only place that turns a model's name into code."""
    return importlib.import_module(f"models.recipes.{known(model).replace('-', '_')}.train")


def command_list(options: argparse.Namespace) -> None:
    found = manifest.load(options.published)
    for name, entry in found["models"].items():
        for variant, about in entry["variants"].items():
            sizes = f"{about['bytes']:>10} {about['brotli_bytes']:>10}"
            print(f"{name:<20} {variant:<12} {sizes} {about['sha256'][:8]}")


def command_train(options: argparse.Namespace) -> None:
    from models.steps import recipe

    try:
        module = recipe_of(options.model)
    except ModuleNotFoundError as error:
        raise StepError(f"Training needs {error.name}. Run: make setup-train") from error
    further = {}
    if options.go_on:
        if options.model != "listing-text-cloud":
            raise StepError("--go-on is for listing-text-cloud; the other models are quick to train anew.")
        further["go_on"] = True
    out = options.build / options.model
    module.train(options.data, out, recipe.read(options.model), say, options.left_out, **further)


def command_compress(options: argparse.Namespace) -> None:
    from models.steps import compress, recipe, training

    build, settings = options.build / known(options.model), recipe.read(options.model)
    compress.compress(options.model, build, settings, say)
    if options.bench:
        data = options.data or Path(training.read_report(build)["data"])
        compress.bench(options.model, build, settings, data, options.rows, say, options.published)


def command_evaluate(options: argparse.Namespace) -> None:
    from models import scoring
    from models.steps import evaluate, rows

    entry = manifest.model(manifest.load(options.published), known(options.model))
    variant = manifest.variant_name(entry, options.variant)
    content = runtime.variant_bytes(options.model, variant, options.published, options.build)
    if options.patch:
        content = with_patch(content, options.patch, len(entry["labels"]))
    files, reads = scoring.files_of(entry, options.published), rows.reader(options.model)
    if hasattr(reads, "evaluated"):
        about = {key: entry["variants"][variant][key] for key in ("bytes", "brotli_bytes")}
        figures = reads.evaluated(options.data, content, entry, files, options.published)
        print(
            json.dumps(
                {"model": options.model, "variant": variant} | about | figures, indent=None if options.json else 2
            )
        )
        return
    score = reads.row_scorer(content, entry, files, options.published)
    found = evaluate.evaluate_file(options.data, score, entry, options.model, variant, options.by)
    if options.leave_one_source_out:
        found["left_out"] = left_out(options)
    print(json.dumps(found, indent=None if options.json else 2))


def with_patch(content: bytes, path: Path, labels: int) -> bytes:
    from models import patch

    try:
        made = path.read_bytes()
        patch.read(made, labels)
        return patch.patched(content, made, labels)
    except (OSError, patch.PatchError) as error:
        raise StepError(f"{path} is no patch of this file: {error}") from error


def left_out(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Fits without one source after the other, from the data root that PATH lies in."""
    from models.steps import recipe

    try:
        module = recipe_of(options.model)
    except ModuleNotFoundError as error:
        raise StepError(f"Leaving sources out means training, which needs {error.name}: make setup-train") from error
    if not hasattr(module, "measure_left_out"):
        raise StepError(f"{options.model} learns from listing-photo-cloud: leave a source out there.")
    root = options.root or options.data.resolve().parent.parent
    found: list[dict[str, Any]] = module.measure_left_out(root, recipe.read(options.model), say)
    return found


def command_publish(options: argparse.Namespace) -> None:
    from models.steps import publish, training

    build = options.build / known(options.model)
    data = options.data or Path(training.read_report(build)["data"])
    publish.publish(
        options.model, build, options.published, data, without_wasm=options.without_wasm, say=say, aside=options.aside
    )


def command_patchable(options: argparse.Namespace) -> None:
    from models.steps import patchable

    patchable.make_patchable(options.published, say)


def command_report(options: argparse.Namespace) -> None:
    from models.steps import report

    report.report(options.published, options.out)
    say(f"Written to {options.out}")


def command_export_decisions(options: argparse.Namespace) -> None:
    """The site knows its decisions, and this floor knows no Django: `manage.py export_decisions` does the work."""
    if not SITE.is_file():
        raise StepError(f"There is no {SITE.name} beside models/: decisions are exported where the site is.")
    command = [sys.executable, str(SITE), "export_decisions", "--out", str(options.out.resolve())]
    for name in ("since", "until"):
        if given := getattr(options, name):
            command += [f"--{name}", given]
    done = subprocess.run(command, cwd=SITE.parent, check=False)
    if done.returncode:
        raise StepError("No decisions were exported.")


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    main.add_argument("--published", type=Path, default=manifest.PUBLISHED, help=argparse.SUPPRESS)
    main.add_argument("--build", type=Path, default=BUILD, help=argparse.SUPPRESS)
    commands = main.add_subparsers(required=True)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text)
        added.set_defaults(run=run)
        return added

    command("list", command_list, "published models: name, variant, bytes, brotli bytes, sha256 prefix")
    train = command("train", command_train, "fit a model (needs PyTorch: make setup-train)")
    compress = command(
        "compress", command_compress, "export every variant; with --bench measure every way to shrink it"
    )
    evaluate = command("evaluate", command_evaluate, "measure a published variant on labelled texts or photos")
    publish = command("publish", command_publish, "check the compressed variants and publish them")
    for added in (train, compress, evaluate, publish):
        added.add_argument("model")
    train.add_argument(
        "--data", type=Path, required=True, help="the data root, the folder that holds text/ and photos/"
    )
    compress.add_argument("--data", type=Path, help="the data root, to measure on (default: where train read)")
    compress.add_argument("--bench", action="store_true", help="compare all ways to shrink it (many minutes)")
    compress.add_argument("--rows", type=int, default=0, help="rows of dev to measure on (default: all)")
    train.add_argument(
        "--left-out", action="store_true", help="also measure with whole sources left out (five more fits)"
    )
    train.add_argument(
        "--go-on", action="store_true", help="from the published weights (listing-text-cloud, on a slow machine)"
    )
    evaluate.add_argument("--variant", required=True, help="a variant that `list` shows, or device, cloud")
    evaluate.add_argument(
        "--data", type=Path, required=True, help="CSV(.gz) with id, title, description, policy; of photos: path, policy"
    )
    evaluate.add_argument("--by", choices=["source"], default="", help="also figures for each source")
    evaluate.add_argument(
        "--leave-one-source-out", action="store_true", help="also fit without each of some sources and measure on it"
    )
    evaluate.add_argument("--root", type=Path, help="the data root for that (default: the folder above PATH's)")
    evaluate.add_argument("--patch", type=Path, help="a patch of listing-text, as /api/models/patches/… gives it")
    evaluate.add_argument("--json", action="store_true", help="one line of JSON")
    publish.add_argument(
        "--data", type=Path, help="the data root, to measure every variant (default: where train read)"
    )
    publish.add_argument("--without-wasm", action="store_true", help="publish without the comparison against WASM")
    publish.add_argument(
        "--aside",
        nargs="?",
        const="",
        metavar="SET",
        help="as a set under models/candidates/, for moderators to try in the shadow, not in the place of the "
        "published model (SET: the name of one to add this model to)",
    )
    command("patchable", command_patchable, "make the published listing-text one that takes patches, from itself")
    report = command("report", command_report, "tables and plots of the published figures")
    report.add_argument("--out", type=Path, required=True)
    export = command(
        "export-decisions", command_export_decisions, "moderators' decisions of this site, as rows to train on"
    )
    export.add_argument("--out", type=Path, required=True, help="FILE.csv(.gz); DIR/decisions/ is where train looks")
    export.add_argument("--since", default="", help="the first day, 2026-11-01 (default: of the first decision)")
    export.add_argument("--until", default="", help="the last day, itself included")
    return main


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (StepError, ModelUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        way = "make setup-train" if error.name in ("torch", "safetensors") else "make setup"
        print(f"This step needs {error.name}. Run: {way}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
