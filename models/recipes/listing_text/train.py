"""Training listing-text: draw, ask the teacher, read through the exported front, fit, prune, round, calibrate, set
thresholds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from models.contract import pack, windows
from models.recipes.listing_text import corpus, fit, pool, student
from models.recipes.listing_text.corpus import Example
from models.recipes.listing_text.front import Shape, front
from models.recipes.listing_text.mixture import Mixture
from models.recipes.listing_text.network import EVIDENT
from models.recipes.listing_text.pool import Pool
from models.runtime import open_session
from models.steps import metrics, training

Say = Callable[[str], None]


def shape_of(recipe: dict[str, Any]) -> Shape:
    return Shape(**recipe["shape"])


@dataclass
class Checked:
    """Texts that are scored as the check scores them: every window, the least safe one counts."""

    examples: list[Example]
    texts: student.Texts
    owner: NDArray[np.int64]

    @property
    def unsafe(self) -> NDArray[np.bool_]:
        return np.array([e.policy != "safe" for e in self.examples])

    def logits(self, network: student.Network, lookup: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 [examples, P]"""
        return training.least_safe(fit.logits_of(network, self.texts, lookup), self.owner)


def checked(session: onnxruntime.InferenceSession, examples: list[Example], window_bytes: int) -> Checked:
    parts, owner = [], []
    for index, example in enumerate(examples):
        packed = pack([("title", example.title), ("description", example.description)])
        for begin, end in windows(packed, window_bytes):
            parts.append(packed.data[begin:end])
            owner.append(index)
    return Checked(examples, student.read(session, parts), np.array(owner, np.int64))


def make_pool(
    data: Path,
    examples: list[Example],
    recipe: dict[str, Any],
    builds: Path | None,
    session: Any,
    say: Say,
    texts: int = 0,
) -> Pool:
    """What to learn from; the teacher is the trained listing-text-cloud below `builds`, where there is one."""
    labels, options = recipe["labels"], recipe["pool"] | ({"texts": texts} if texts else {})
    mixture = Mixture(examples, corpus.things(), corpus.frames(), recipe["mixture"], recipe["seed"])
    drawn, label = pool.draw(mixture, data, labels, options, recipe["seed"])
    features = pool.read(session, drawn, recipe["data"]["longest"], say)
    return Pool(features, label, training.teacher_says(builds, drawn, labels, say) if builds else None)


Found = tuple[student.Network, NDArray[np.int64]]


def fitted(
    learned: Pool, recipe: dict[str, Any], say: Say, watch: fit.Watch | None = None, *, only_rounded: bool = False
) -> dict[str, Found]:
    """Networks with the ids of their rows, by name: full; rounded, whose table is pruned and coarse, which browsers
    load; and, for the compression bench, kept before it was rounded, kept-N with fewer rows and sparse-N with weights
    set to zero, each trained on after its pruning."""
    options, size, seed, sizes = recipe["network"], 2 ** recipe["shape"]["bits"], recipe["seed"], recipe["sizes"]
    torch.manual_seed(seed)
    rows = fit.frequent(learned.texts, size, recipe["fit"]["least"])
    everything = student.Network(len(rows) + 1, options, len(recipe["labels"]))
    with torch.no_grad():
        everything.table[0] = 0
    say(f"Fitting {len(rows):,} rows on {len(learned.texts):,} texts")
    fit.fit(everything, rows, learned, recipe["fit"], size, seed, say, watch)
    order = np.argsort(-fit.worth(everything, rows, learned.texts, size), kind="stable")
    again = recipe["fit"] | recipe["refit"]
    shorter = again | {"epochs": again["epochs_others"]}

    def pruned(count: int, how: dict[str, Any]) -> Found:
        keep = np.sort(order[:count])
        network = fit.smaller(everything, keep, options)
        say(f"Fitting the {len(keep):,} rows that matter most")
        fit.fit(network, rows[keep], learned, how, size, seed + 1, say, watch)
        return network, rows[keep]

    kept, kept_rows = pruned(sizes["kept"], again)
    network = fit.coarse(kept, sizes["step"], options)
    say(f"Fitting with the table in steps of {sizes['step']} standard deviations")
    fit.fit(network, kept_rows, learned, again | recipe["round"], size, seed + 3, say, watch)
    found = {"rounded": (network, kept_rows)}
    if only_rounded:
        return found
    found["kept"] = kept, kept_rows
    found["full"] = pruned(sizes["full"], again)
    for count in sizes["others"]:
        found[f"kept-{count}"] = pruned(count, shorter)
    for share in sizes["sparse"]:
        thin = fit.smaller(kept, np.arange(len(kept_rows)), options)
        say(f"Fitting with {share:.0%} of the weights at zero")
        fit.fit(thin, kept_rows, learned, shorter, size, seed + 2, say, watch, fit.masks_of(thin, share))
        found[f"sparse-{share * 100:.0f}"] = (thin, kept_rows)
    return found


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, with_left_out: bool = False) -> None:
    """Write out/network.npz (float32), out/network-*.npz (pruned and trained on) and out/training.json (thresholds,
    figures, what went in), with_left_out also with what `measure_left_out` finds."""
    began = time.monotonic()
    examples = corpus.gather(data, recipe)
    session = open_session(front(shape_of(recipe)).SerializeToString())
    learned = make_pool(data, examples, recipe, out.parent, session, say)
    learn(learned, examples, data, out, recipe, session, say, began)
    if with_left_out:
        report = training.read_report(out)
        report["left_out"] = measure_left_out(data, recipe, say)
        training.write_report(out, report)


def learn(
    learned: Pool,
    examples: list[Example],
    data: Path,
    out: Path,
    recipe: dict[str, Any],
    session: onnxruntime.InferenceSession,
    say: Say,
    began: float,
) -> None:
    """Fit, calibrate what browsers will load, write everything down."""
    size = 2 ** recipe["shape"]["bits"]
    sets = {"dev": training.dev_rows(data), "own": corpus.validation(), "ordinary": corpus.ordinary()}
    read = {name: checked(session, rows, recipe["window_bytes"]) for name, rows in sets.items()}

    def watch(network: student.Network, lookup: NDArray[np.int32]) -> str:
        score = training.unsafe_score(read["own"].logits(network, lookup))
        return f"own validation AUC {metrics.roc_auc(read['own'].unsafe, score):.4f}"

    found = fitted(learned, recipe, say, watch)
    network, rows = found["rounded"]
    lookup = fit.row_of(rows, size)
    report = training.calibrated(
        {name: (sets[name], each.logits(network, lookup)) for name, each in read.items()}, recipe
    )
    points = report["operating_points"]
    for name in ("unsure", "warn", "block"):  # nothing is held against a listing where the graph gives no evidence
        points[name] = max(points[name], EVIDENT)
    heat = np.array(report["temperatures"], np.float32)
    known = known_words(learned.texts, recipe["shape"]["known_bits"])
    out.mkdir(parents=True, exist_ok=True)
    for path in out.glob("network*.npz"):
        path.unlink()
    for name, (other, other_rows) in found.items():
        path = out / (training.WEIGHTS if name == "full" else f"network-{name}.npz")
        save(path, other, other_rows, known, heat)
    report["teacher"] = learned.teacher is not None
    spent = time.monotonic() - began
    training.finished(report, recipe, data, out, training.WEIGHTS, examples, len(learned.texts), spent, say)


def measure_left_out(data: Path, recipe: dict[str, Any], say: Say) -> list[dict[str, Any]]:
    """Fit again, on fewer texts, without each source of `training.LEFT_OUT`, and say how it fares there."""
    session = open_session(front(shape_of(recipe)).SerializeToString())
    calm = [row for row in training.dev_rows(data) if row.policy == "safe"]
    examples = corpus.gather(data, recipe)
    return training.left_out(examples, calm, lambda kept: scorer_without(kept, data, recipe, session, say), say)


def scorer_without(
    examples: list[Example], data: Path, recipe: dict[str, Any], session: Any, say: Say
) -> Callable[[list[Example]], NDArray[np.float64]]:
    """Fit on these examples alone, without a teacher (it has read the others), and return what scores others."""
    learned = make_pool(data, examples, recipe, None, session, say, recipe["pool"]["texts_left_out"])
    shorter = recipe | {"fit": recipe["fit"] | {"epochs": recipe["fit"]["epochs_left_out"]}}
    network, rows = fitted(learned, shorter, say, only_rounded=True)["rounded"]
    lookup = fit.row_of(rows, 2 ** recipe["shape"]["bits"])

    def score(others: list[Example]) -> NDArray[np.float64]:
        return training.unsafe_score(checked(session, others, recipe["window_bytes"]).logits(network, lookup))

    return score


def known_words(texts: student.Texts, bits: int, least: int = 4) -> NDArray[np.bool_]:
    """bool [2 ** bits]: words met in at least `least` of the texts."""
    counts = np.zeros(2**bits, np.int64)
    for words in texts.known:
        counts[np.unique(words)] += 1
    return counts >= least


def save(
    path: Path, network: student.Network, rows: NDArray[np.int64], known: NDArray[np.bool_], heat: NDArray[np.float32]
) -> None:
    found = student.parameters(network, rows, known, heat)
    arrays: dict[str, Any] = {
        "rows": rows,
        "table": found.table,
        "known": known,
        "norm": np.array([found.norm_words, found.norm_power]),
    }
    if network.steps is not None:
        arrays["steps"] = network.steps.numpy()
    arrays |= {f"dense.{name}": values for name, values in found.dense.items()}
    arrays |= {f"bias.{name}": values for name, values in found.biases.items()}
    np.savez(path, **arrays)
