"""Training listing-text: gather, view, read through the exported front graph, fit, calibrate, set thresholds."""

from __future__ import annotations

import json
import random
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.recipes.listing_text import augment, corpus, fit
from models.recipes.listing_text.corpus import Example
from models.recipes.listing_text.network import Shape, front
from models.steps import metrics

RECIPE = Path(__file__).resolve().parent / "recipe.toml"


def read_recipe(path: Path = RECIPE) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def shape_of(recipe: dict[str, Any]) -> Shape:
    return Shape(**recipe["shape"])


def front_session(shape: Shape) -> onnxruntime.InferenceSession:
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(front(shape).SerializeToString(), options, ["CPUExecutionProvider"])


def views(
    examples: list[Example], recipe: dict[str, Any], rng: random.Random
) -> tuple[list[tuple[str, str]], NDArray[np.int64]]:
    """Each example several times with other noise: the first view is the text as it is. Returns texts and owners."""
    texts, owners = [], []
    options = recipe["views"]
    for index, example in enumerate(examples):
        for view in range(options[example.group]):
            title, description = example.title, example.description
            if view or example.group == "lexicon":
                if rng.random() < options["title_only"]:
                    description = ""
                title, description = augment.restyled(title, rng), augment.restyled(description, rng)
                if rng.random() < options["obfuscate"]:
                    title = augment.obfuscated(title, rng)
            texts.append((title, description))
            owners.append(index)
    return texts, np.array(owners, np.int64)


def weights_of(examples: list[Example], owners: NDArray[np.int64], recipe: dict[str, Any]) -> NDArray[np.float32]:
    """Weight of each view: a source-and-label group weighs count ** balance in all, times the factor of its kind."""
    options = recipe["weights"]
    sizes = Counter((e.source, e.policy) for e in examples)
    views_of = np.bincount(owners, minlength=len(examples))
    each = np.array(
        [sizes[e.source, e.policy] ** (options["balance"] - 1) * options.get(e.group, 1.0) for e in examples]
    )
    return (each / np.maximum(views_of, 1))[owners].astype(np.float32)


def one_hot(examples: list[Example], labels: list[str]) -> NDArray[np.float32]:
    found = np.zeros((len(examples), len(labels)), np.float32)
    found[np.arange(len(examples)), [labels.index(e.policy) for e in examples]] = 1
    return found


def is_validation(example: Example, share: float) -> bool:
    return example.group in ("market", "own") and corpus.share_of("v" + example.title) < share


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def operating_points(
    scores: NDArray[np.float64], examples: list[Example], recipe: dict[str, Any]
) -> dict[str, Any]:
    """Thresholds from the recipe's targets, on validation rows."""
    labels, targets = recipe["labels"], recipe["targets"]
    unsafe_score = 1 - scores[:, labels.index("safe")]
    unsafe = np.array([e.policy != "safe" for e in examples])
    market = np.array([e.group == "market" for e in examples])
    own = ~market
    warn = metrics.threshold_at_fpr(unsafe[market], unsafe_score[market], targets["warn_fpr"])
    if (own & ~unsafe).sum() >= 20:
        warn = max(warn, metrics.threshold_at_fpr(unsafe[own], unsafe_score[own], targets["warn_own_fpr"]))
    unsure = metrics.threshold_at_fpr(unsafe[market], unsafe_score[market], targets["unsure_fpr"])
    block = 1.0
    for threshold in np.unique(unsafe_score[unsafe_score >= warn])[::-1]:
        at = unsafe_score >= threshold
        if unsafe[at].mean() < targets["block_precision"]:
            break
        block = float(threshold)
    rounded = {"unsure": min(unsure, warn), "warn": warn, "block": min(max(block, warn), 0.9999)}
    return {
        "score": "1 - safe",
        "policies": [label for label in labels if label != "safe"],
        **{name: round(value, 4) for name, value in rounded.items()},
        "per_policy": {},
        "coverage": targets["coverage"],
        "evidence_floor": targets["evidence_floor"],
    }


def train(data: Path, out: Path, recipe: dict[str, Any], say: Callable[[str], None]) -> None:
    """Write out/tables.npz (float32, every feature) and out/training.json (thresholds, figures, what went in)."""
    began = time.monotonic()
    rng = random.Random(recipe["seed"])
    labels, shape = recipe["labels"], shape_of(recipe)
    examples = corpus.gather(data, recipe)
    share = recipe["data"]["validation"]
    learn = [e for e in examples if not is_validation(e, share)]
    check = [e for e in examples if is_validation(e, share)]
    counts = Counter(e.group for e in learn)
    say("Learning from " + ", ".join(f"{n:,} {g}" for g, n in counts.items()) + f"; {len(check):,} for validation")

    session = front_session(shape)
    texts, owners = views(learn, recipe, rng)
    batch = fit.featurise(session, texts, shape, recipe["window_bytes"], say)
    targets = one_hot(learn, labels)[owners]
    fitted = fit.fit(batch, owners, targets, weights_of(learn, owners, recipe), recipe["fit"], shape.bits, say)

    held = fit.featurise(session, [(e.title, e.description) for e in check], shape, recipe["window_bytes"], say)
    logits = fitted.logits(held)
    unsafe = np.array([e.policy != "safe" for e in check])
    heat = fit.temperature(logits, unsafe, labels.index("safe"))
    fitted.weights /= heat
    fitted.bias /= heat
    scores = softmax(logits / heat)
    points = operating_points(scores, check, recipe)

    seen: Counter[int] = Counter()
    for index in np.flatnonzero(np.diff(owners, prepend=-1)):  # the first view of each row, as typed
        seen.update(set(batch.known[index].tolist()))
    known = np.zeros(2**shape.known_bits, np.bool_)
    known[[word for word, count in seen.items() if count >= 2]] = True

    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / "tables.npz", rows=fitted.rows, weights=fitted.weights, bias=fitted.bias, counts=fitted.counts,
             known=known)  # fmt: skip
    report = {
        "data": str(data.resolve()),
        "version": recipe["version"],
        "operating_points": points,
        "temperature": heat,
        "rows": dict(Counter(e.group for e in learn)),
        "sources": sorted({e.source for e in learn}),
        "labels": dict(Counter(e.policy for e in learn)),
        "validation": validation_figures(scores, check, labels),
        "seconds": round(time.monotonic() - began, 1),
    }
    (out / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    say(json.dumps({key: report[key] for key in ("temperature", "operating_points", "validation", "seconds")}, indent=2))


def validation_figures(scores: NDArray[np.float64], check: list[Example], labels: list[str]) -> dict[str, Any]:
    """AUC and ECE on the validation rows of the market and on those of our own."""
    unsafe_score = 1 - scores[:, labels.index("safe")]
    figures: dict[str, Any] = {}
    for group in ("market", "own"):
        at = np.array([e.group == group for e in check], bool)
        if at.any():
            unsafe = np.array([e.policy != "safe" for e in check])[at]
            figures[group] = {
                "rows": int(at.sum()),
                "unsafe_roc_auc": metrics.roc_auc(unsafe, unsafe_score[at]),
                "ece": metrics.expected_calibration_error(unsafe, unsafe_score[at]),
            }
    return figures
