"""Trained weights → ONNX files to publish; and the bench: every way to shrink the same model, measured alike."""

from __future__ import annotations

import copy
import importlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from models import patch, runtime
from models.steps import chromium, evaluate, shrink, training
from models.steps.errors import StepError
from models.steps.rows import Row, RowScorer, reader

Say = Callable[[str], None]
Step = Callable[[onnx.ModelProto], onnx.ModelProto]
BENCH = "compression.json"
ONLY_NATIVE = "noise"  # what analog hardware would do is not for a browser
NOISE = (0.01, 0.02, 0.05, 0.10)


def exporting(model: str) -> Any:
    """The recipe's export module."""
    return importlib.import_module(f"models.recipes.{model.replace('-', '_')}.export")


def compress(model: str, folder: Path, recipe: dict[str, Any], say: Say) -> None:
    """Write folder/<variant>.onnx for every variant, and folder/built.json, which names the fit they come from.

    Raises StepError when training.json is about another fit: thresholds and figures would be of another model.
    """
    export = exporting(model)
    fit = training.fit_of(folder, export.WEIGHTS)
    refuse_mixed_fits(training.read_report(folder), fit, export.WEIGHTS)
    variants = export.variants(folder, recipe)
    for path in folder.glob("*.onnx"):
        path.unlink()
    for name, built in variants.items():
        content = serialised(built)
        (folder / f"{name}.onnx").write_bytes(content)
        say(f"{name}: {len(content):,} bytes")
    (folder / "built.json").write_text(json.dumps({"fit": fit, "variants": list(variants)}) + "\n", encoding="utf-8")


def serialised(model: onnx.ModelProto) -> bytes:
    """The model's file. What a patch replaces stands at its end, as a message of its own (models/patch.py)."""
    last = [tensor for tensor in model.graph.initializer if tensor.name in (patch.IDS, patch.ROWS, patch.SCALE)]
    if not last:
        return model.SerializeToString(deterministic=True)
    model = copy.deepcopy(model)
    rest = [tensor for tensor in model.graph.initializer if tensor not in last]
    del model.graph.initializer[:]
    model.graph.initializer.extend(rest)
    (labels,) = (tensor.dims[1] for tensor in last if tensor.name == patch.ROWS)
    return model.SerializeToString(deterministic=True) + patch.nothing(labels)


def refuse_mixed_fits(trained: dict[str, Any], fit: str | None, what: str) -> None:
    if fit is None or trained.get("fit") != fit:
        raise StepError(
            f"training.json and {what} come from two fits (another run wrote over one of them). "
            "Train again into a folder that no other run uses, then compress."
        )


def built(folder: Path) -> dict[str, Any]:
    """What `compress` wrote down: the fit and the names of the variants; {} when nobody did."""
    try:
        found = json.loads((folder / "built.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# --- The bench --------------------------------------------------------------------------------------------------------
def candidates(
    full: onnx.ModelProto,
    retrained: dict[str, onnx.ModelProto],
    small: dict[str, onnx.ModelProto],
    samples: list[dict[str, Any]],
    kinds: tuple[str, ...],
) -> Iterator[tuple[str, Callable[[], onnx.ModelProto]]]:
    """(name, how to make it) of every way, one after the other: a large model is held only while it is measured.
    retrained: float32 models by name; small: INT8 models by what they are, on which nothing more is tried."""
    int8 = shrink.int8_tables
    yield "fp32", lambda: full
    yield "fp16 weights", partial(shrink.restored, full, shrink.as_float16)
    yield "int8 weights", partial(shrink.restored, full, shrink.as_int8)
    for per_channel in (False, True):
        where = "per channel" if per_channel else "per tensor"
        yield f"int8 dynamic, {where}", partial(after, int8, partial(shrink.dynamic, full, per_channel=per_channel))
        for method in shrink.METHODS:
            made = partial(shrink.static, full, samples, method=method, kinds=kinds, per_channel=per_channel)
            yield f"int8 static {method}, {where}", partial(after, int8, made)
    for share in (0.5, 0.7, 0.9):
        yield f"{share:.0%} of weights zero, not retrained", partial(shrink.mapped, full, shrink.sparse(share))
    for name, model in retrained.items():
        said = pruned_name(name)
        yield said, partial(same, model)
        yield f"{said}, int8 weights", partial(shrink.restored, model, shrink.as_int8)
        yield f"{said}, tables of 31 values", partial(shrink.restored, model, shrink.coarse_tables(15))
        yield f"{said}, clustered, 16 values", partial(shrink.restored, model, shrink.as_codebook(16))
    for said, model in small.items():
        yield said, partial(same, model)
    for size in (16, 256):
        yield f"clustered, {size} values", partial(shrink.restored, full, shrink.as_codebook(size))
    for share in NOISE:
        yield f"{ONLY_NATIVE} {share:.0%} in weights", partial(shrink.mapped, full, shrink.noisy(share, 1))
        yield f"{ONLY_NATIVE} {share:.0%} in activations", partial(shrink.with_noisy_activations, full, share)


def after(second: Step, first: Callable[[], onnx.ModelProto]) -> onnx.ModelProto:
    return second(first())


def same(model: onnx.ModelProto) -> onnx.ModelProto:
    return model


def pruned_name(name: str) -> str:
    """What a retrained model's name says, in words."""
    what, _, size = name.partition("-")
    if what == "sparse":
        return f"{size} % of weights zero, retrained"
    return f"pruned to {int(size):,} rows, retrained" if size else "pruned to the published rows, retrained"


def bench(model: str, folder: Path, recipe: dict[str, Any], data: Path, rows: int, say: Say, published: Path) -> None:
    """Measure every candidate on a fixed sample of dev, on the challenge where it is there, and for time natively
    and in Chromium; write folder/compression.json.

    rows: how many of dev's, see `sample`. A candidate that ONNX Runtime or the quantizer refuses stays in the table,
    with the reason.
    """
    export, reads = exporting(model), reader(model)
    full = export.graph(folder, recipe)
    entry = training.read_report(folder) | reads.interface(recipe) | {"labels": recipe["labels"]}
    files = export.files()
    paths = {name: data / path for name, path in reads.SETS.items()}
    sets = {name: reads.rows(path) for name, path in paths.items() if name == "dev" or path.is_file()}
    sets["dev"] = sample(sets["dev"], rows)
    samples, small = export.samples(recipe, data), export.already_small(folder, recipe)
    timed = reads.timed(entry, files, published)

    def scored(content: bytes) -> RowScorer:
        score: RowScorer = reads.row_scorer(content, entry, files, published)
        return score

    found: list[dict[str, Any]] = []
    with chromium.timer() as browser:
        for name, make in candidates(full, export.retrained(folder, recipe), small, samples, export.KINDS):
            try:
                found.append(measured(name, make(), entry, scored, sets, timed, browser))
            except Exception as error:  # whatever the quantizer raises: its refusal is a result too
                found.append({"name": name, "failed": f"{type(error).__name__}: {str(error)[:200]}"})
            say(line(found[-1]))
    result = {
        "model": model,
        "fit": training.fit_of(folder, export.WEIGHTS),
        "rows": {key: len(value) for key, value in sets.items()},
        "browser": browser.version,
        "timed": reads.TIMED,
        "calibration": ranges_of(full, samples),
        "candidates": found,
    }
    (folder / BENCH).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def sample(rows: list[Row], count: int) -> list[Row]:
    """`count` rows, the same ones each time: up to 150 of each unsafe policy, the rest safe; all of them for 0."""
    if not count or count >= len(rows):
        return rows
    rng = np.random.default_rng(5)
    order = [rows[index] for index in rng.permutation(len(rows))]
    unsafe: list[Row] = []
    for policy in sorted({row.policy for row in rows} - {"safe"}):
        unsafe += [row for row in order if row.policy == policy][:150]
    unsafe = unsafe[: count // 2]
    return unsafe + [row for row in order if row.policy == "safe"][: count - len(unsafe)]


def measured(
    name: str,
    model: onnx.ModelProto,
    entry: dict[str, Any],
    scored: Callable[[bytes], RowScorer],
    sets: dict[str, list[Row]],
    timed: list[dict[str, Any]],
    browser: Any,
) -> dict[str, Any]:
    content = model.SerializeToString()
    session, score = runtime.open_session(content), scored(content)
    found: dict[str, Any] = {
        "name": name,
        "bytes": len(content),
        "brotli_bytes": evaluate.brotli_bytes(content),
    }
    for key, rows in sets.items():
        each = evaluate.figures(rows, evaluate.scores_of(rows, score, entry), entry)
        kept = ("unsafe_roc_auc", "unsafe_recall_at_fpr_1pct", "macro_f1", "ece")
        found[key] = {figure: each[figure] for figure in kept}
    found["native_ms"] = native_p50(session, timed)
    found["chromium_ms"] = None if name.startswith(ONLY_NATIVE) else browser.p50(content, timed)
    return found


def native_p50(session: Any, timed: list[dict[str, Any]], rounds: int = 40) -> float:
    spent = []
    for number in range(rounds + 5):
        began = time.perf_counter()
        session.run(["scores"], timed[number % len(timed)])
        spent.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(spent[5:]), 3)


def ranges_of(full: onnx.ModelProto, samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each product of the network: the histogram of its outputs over the samples, the whole range, and the one that
    keeps 99.99 % of them (what calibration by percentile would keep)."""
    outputs = shrink.ranges(full.SerializeToString(), samples[:100], runtime.open_session)
    found = []
    for number, (name, values) in enumerate(outputs.items()):
        low, high = float(values.min()), float(values.max())
        counts, _ = np.histogram(values, bins=40, range=(low, high))
        kept = np.quantile(values, [0.00005, 0.99995])
        found.append({"layer": number, "tensor": name, "range": [low, high], "kept": [float(kept[0]), float(kept[1])],
                      "histogram": counts.tolist()})  # fmt: skip
    return found


def line(found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"  {found['name']}: {found['failed']}"
    chromium_ms = "-" if found["chromium_ms"] is None else f"{found['chromium_ms']:.2f}"
    challenge = found.get("challenge_dev", {}).get("unsafe_roc_auc")
    return (
        f"  {found['name']}: {found['bytes']:,} / {found['brotli_bytes']:,} bytes, AUC "
        f"{found['dev']['unsafe_roc_auc']:.4f}, challenge {challenge if challenge is None else round(challenge, 4)}, "
        f"{found['native_ms']:.2f} ms native, {chromium_ms} ms Chromium"
    )
