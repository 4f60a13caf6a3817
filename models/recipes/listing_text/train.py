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

from models.contract import windows
from models.recipes.listing_text import augment, corpus, fit
from models.recipes.listing_text.corpus import Example
from models.recipes.listing_text.network import Shape, front
from models.steps import metrics
from models.steps.compress import fit_of

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
    hosts = [e for e in examples if e.policy == "safe" and e.group in ("market", "own", "harmless")]
    for index, example in enumerate(examples):
        for view in range(options[example.group]):
            title, description = example.title, example.description
            if view or example.group == "lexicon":
                if rng.random() < options["title_only"]:
                    description = ""
                if example.group == "lexicon" and rng.random() < options["hosted"]:
                    title, description = augment.hosted(title, description, rng.choice(hosts), rng)
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
        [
            sizes[e.source, e.policy] ** (options["balance"] - 1)
            * options.get(e.group, 1.0)
            * (options["lexicon_safe"] if e.group == "lexicon" and e.policy == "safe" else 1.0)
            for e in examples
        ]
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


def operating_points(scores: NDArray[np.float64], examples: list[Example], recipe: dict[str, Any]) -> dict[str, Any]:
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


def train(
    data: Path, out: Path, recipe: dict[str, Any], say: Callable[[str], None], measure_left_out: bool = False
) -> None:
    """Write out/tables.npz (float32, every feature) and out/training.json (thresholds, figures, what went in).

    measure_left_out: fit again without each of LEFT_OUT in turn and say how the rest fares on it.
    """
    began = time.monotonic()
    rng = random.Random(recipe["seed"])
    labels, shape = recipe["labels"], shape_of(recipe)
    examples = corpus.gather(data, recipe)
    share = recipe["data"]["validation"]
    aside = np.array([is_validation(e, share) for e in examples])
    check = [e for e, out in zip(examples, aside, strict=True) if out]
    counts = Counter(e.group for e in examples)
    say("Learning from " + ", ".join(f"{n:,} {g}" for g, n in counts.items()) + f"; {len(check):,} for validation")

    session = front_session(shape)
    texts, owners = views(examples, recipe, rng)
    batch = fit.featurise(session, [fit.packed(*text).data[: recipe["data"]["longest"]] for text in texts], shape, say)
    targets = one_hot(examples, labels)[owners]
    weights = weights_of(examples, owners, recipe)
    seen = ~aside[owners]
    fitted = fit.fit(batch.only(seen), owners[seen], targets[seen], weights[seen], recipe["fit"], shape.bits, say)

    held, window_of = windows_of(check, session, shape, recipe, say)
    logits = worst_logits(fitted, held, window_of, labels.index("safe"))
    unsafe = np.array([e.policy != "safe" for e in check])
    heat = fit.temperature(logits, unsafe, labels.index("safe"))
    scores = softmax(logits / heat)
    points = operating_points(scores, check, recipe)
    say("Fitting again with the validation rows; temperature and thresholds stay")
    fitted = fit.fit(batch, owners, targets, weights, recipe["fit"], shape.bits, say)
    fitted.weights /= heat
    fitted.bias /= heat
    seconds = time.monotonic() - began

    # A run that is measured further can be used meanwhile: this is written now, and once more at the end.
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / "tables.npz", rows=fitted.rows, weights=fitted.weights, bias=fitted.bias, counts=fitted.counts,
             known=known_words(batch, owners, shape))  # fmt: skip
    report = {
        "fit": fit_of(out),
        "data": str(data.resolve()),
        "version": recipe["version"],
        "operating_points": points,
        "temperature": heat,
        "rows": dict(counts),
        "labels": dict(Counter(e.policy for e in examples)),
        "validation": validation_figures(scores, check, labels),
        "failures": failures(scores, check, labels),
        "left_out": [],
        "seconds": round(seconds, 1),
    }
    write_report(out, report)
    if measure_left_out:
        first = np.diff(owners, prepend=-1) != 0
        calm = np.array([e.group == "market" and e.policy == "safe" for e in examples]) & aside
        harmless = batch.only(first & calm[owners])
        report["left_out"] = left_out(examples, owners, batch, harmless, recipe, say)
        write_report(out, report)
    shown = ("temperature", "operating_points", "validation", "left_out", "seconds")
    say(json.dumps({key: report[key] for key in shown}, indent=2))


def write_report(out: Path, report: dict[str, Any]) -> None:
    (out / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def windows_of(
    examples: list[Example],
    session: onnxruntime.InferenceSession,
    shape: Shape,
    recipe: dict[str, Any],
    say: Callable[[str], None],
) -> tuple[fit.Batch, NDArray[np.int64]]:
    """Features of every window of every example, as the check reads them, and the example each belongs to."""
    texts, owner = [], []
    for index, example in enumerate(examples):
        packed = fit.packed(example.title, example.description)
        for begin, end in windows(packed, recipe["window_bytes"]):
            texts.append(packed.data[begin:end])
            owner.append(index)
    return fit.featurise(session, texts, shape, say), np.array(owner, np.int64)


def worst_logits(fitted: fit.Fitted, batch: fit.Batch, owner: NDArray[np.int64], safe: int) -> NDArray[np.float32]:
    """The logits of each example's least safe window."""
    logits = fitted.logits(batch)
    order = np.lexsort((softmax(logits)[:, safe], owner))
    return logits[order[np.unique(owner[order], return_index=True)[1]]]


def known_words(batch: fit.Batch, owners: NDArray[np.int64], shape: Shape) -> NDArray[np.bool_]:
    """Words that at least two rows hold, in the first view of each: as typed."""
    seen: Counter[int] = Counter()
    for index in np.flatnonzero(np.diff(owners, prepend=-1)):
        seen.update(set(batch.known[index].tolist()))
    known = np.zeros(2**shape.known_bits, np.bool_)
    known[[word for word, count in seen.items() if count >= 2]] = True
    return known


# What is left out in turn: name, whose rows, and the figure that says how the model fares without having met them.
LEFT_OUT = (
    ("armslist2017", "ordinary firearm ads, recall at 1 % FPR"),
    ("kushy2017", "names of cannabis products, recall at 1 % FPR"),
    ("watchlist", "genuine watches, warned at 1 % FPR elsewhere"),
    ("flipkart", "general goods, warned at 1 % FPR elsewhere"),
    ("own", "our own listings, ROC-AUC"),
)


def left_out(
    examples: list[Example],
    owners: NDArray[np.int64],
    batch: fit.Batch,
    harmless: fit.Batch,
    recipe: dict[str, Any],
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Fit without each of LEFT_OUT (and without validation rows) and measure on it. The 1 % threshold comes from
    `harmless`, the safe validation rows of the market."""
    labels = recipe["labels"]
    safe = labels.index("safe")
    first = np.diff(owners, prepend=-1) != 0
    targets, weights = one_hot(examples, labels)[owners], weights_of(examples, owners, recipe)
    aside = np.array([is_validation(e, recipe["data"]["validation"]) for e in examples])[owners]
    found = []
    for name, what in LEFT_OUT:
        out = np.array([name in (e.source, e.group) for e in examples])[owners]
        stay = ~out & ~aside
        if not out.any() or not stay.any():
            continue
        fitted = fit.fit(
            batch.only(stay), owners[stay], targets[stay], weights[stay], recipe["fit"], recipe["shape"]["bits"], say
        )
        calm = 1 - softmax(fitted.logits(harmless))[:, safe]
        threshold = metrics.threshold_at_fpr(np.zeros(len(calm), bool), calm, 0.01)
        score = 1 - softmax(fitted.logits(batch.only(out & first)))[:, safe]
        unsafe = targets[out & first][:, safe] == 0
        value = metrics.roc_auc(unsafe, score) if name == "own" else float((score >= threshold).mean())
        found.append({"name": name, "rows": len(score), "what": what, "value": value})
        say(f"  without {name}: {what} {value:.3f}" if value is not None else f"  without {name}: nothing to measure")
    return found


def failures(scores: NDArray[np.float64], check: list[Example], labels: list[str]) -> list[dict[str, Any]]:
    """Our own validation listings that the model gets most wrong: the five safest-looking unsafe ones and reverse."""
    unsafe_score = 1 - scores[:, labels.index("safe")]
    own = [index for index, e in enumerate(check) if e.group == "own"]
    missed = sorted((i for i in own if check[i].policy != "safe"), key=lambda i: unsafe_score[i])[:5]
    alarms = sorted((i for i in own if check[i].policy == "safe"), key=lambda i: -unsafe_score[i])[:5]
    return [
        {"title": check[i].title, "policy": check[i].policy, "score": round(float(unsafe_score[i]), 3)}
        for i in (*missed, *alarms)
    ]


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
