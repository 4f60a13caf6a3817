"""Training listing-text-gate: word pieces of drawn texts, hard labels, AdamW; our own validation listings choose."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models import wordpieces
from models.recipes.listing_text import corpus
from models.recipes.listing_text.corpus import Example
from models.recipes.listing_text.mixture import Mixture
from models.recipes.listing_text_cloud import train as cloud
from models.recipes.listing_text_gate.network import Network, initial_words
from models.steps import metrics, training
from models.steps.errors import StepError
from models.wordpieces import Reader

WEIGHTS = "model.pt"
KINDS = ("plain", "euphemism", "obfuscated")
AT_ONCE = 10_000  # texts that are read together
Say = Callable[[str], None]

# Texts become word pieces as the worker reads them: the device's folding and MiniLM's tokenizer.
files, reader, pieces_of = cloud.files, cloud.reader, cloud.pieces_of


@dataclass
class Pool:
    """Texts to learn from. pieces: int32 of each, without the special ones; label: int64 [texts]."""

    pieces: list[NDArray[np.int32]]
    label: NDArray[np.int64]


def drawn(examples: list[Example], recipe: dict[str, Any], read: Reader, texts: int, say: Say) -> Pool:
    mixture = Mixture(examples, corpus.things(), corpus.frames(), recipe["mixture"], recipe["seed"])
    say(f"Reading {texts:,} texts")
    pieces: list[NDArray[np.int32]] = []
    label: list[int] = []
    while len(pieces) < texts:
        draws = [mixture.draw() for _ in range(min(AT_ONCE, texts - len(pieces)))]
        rows = pieces_of(read, [(d.title, d.description) for d in draws])
        pieces += [np.array(row[: recipe["pool"]["pieces"]], np.int32) for row in rows]
        label += [recipe["labels"].index(d.policy) for d in draws]
    return Pool(pieces, np.array(label, np.int64))


@dataclass
class Checked:
    """Examples that are scored as the gate scores them: every window, the least safe one counts."""

    examples: list[Example]
    windows: list[list[int]]
    owner: NDArray[np.int64]

    @property
    def unsafe(self) -> NDArray[np.bool_]:
        return np.array([e.policy != "safe" for e in self.examples])

    def logits(self, network: Network) -> NDArray[np.float32]:
        """float32 [examples, P]"""
        return training.least_safe(logits_of(network, self.windows), self.owner)


def checked(examples: list[Example], read: Reader, length: int) -> Checked:
    return Checked(examples, *cloud.windows_of(read, examples, length))


def tensors(rows: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    made = wordpieces.batch(rows)
    return torch.from_numpy(made["input_ids"]), torch.from_numpy(made["attention_mask"])


@torch.no_grad()
def logits_of(network: Network, rows: list[list[int]], size: int = 256) -> NDArray[np.float32]:
    """Logits float32 [rows, P] of runs of word pieces."""
    network.eval()
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    found = np.zeros((len(rows), network.head.out_features), np.float32)
    for at in range(0, len(order), size):
        chunk = order[at : at + size]
        found[chunk] = network(*tensors([rows[index] for index in chunk])).numpy()
    return found


def batches(pool: Pool, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Indices, without end, of texts of like length: padding is wasted work."""
    lengths = np.array([len(row) for row in pool.pieces])
    while True:
        mixed = rng.permutation(len(lengths))
        for part in np.array_split(mixed, -(-len(mixed) // (size * 40))):
            ordered = part[np.argsort(lengths[part], kind="stable")]
            starts = np.arange(0, len(ordered), size)
            for start in rng.permutation(starts):
                yield ordered[start : start + size]


def fit_network(
    pool: Pool, recipe: dict[str, Any], say: Say, look: Callable[[Network], tuple[float, str]] | None = None
) -> Network:
    """look: a figure to keep the best network by, and what to say of it; without it the last network is kept."""
    fit, options, labels = recipe["fit"], recipe["network"], recipe["labels"]
    torch.manual_seed(recipe["seed"])
    network = Network(initial_words(options["width"], options["size"]), options, len(labels))
    tables = [network.words.weight, network.pairs.weight]
    rest = [p for p in network.parameters() if all(p is not table for table in tables)]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "scale": 1.0}, {"params": tables[:1], "scale": fit["rate_words"], "weight_decay": 0.0},
         {"params": tables[1:], "scale": 1.0, "weight_decay": 0.0}],
        lr=fit["rate"], weight_decay=fit["decay"], fused=True,
    )  # fmt: skip
    steps = max(1, round(fit["epochs"] * len(pool.pieces) / fit["batch"]))
    every = max(1, round(len(pool.pieces) / fit["batch"] / fit["looks"]))
    stream = batches(pool, fit["batch"], np.random.default_rng(recipe["seed"]))
    losses: list[float] = []
    best, kept = -math.inf, None
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = fit["rate"] * group["scale"] * training.rate_at(step, steps, fit["warm_up"])
        chosen = next(stream)
        network.train()
        logits = network(*tensors([pool.pieces[index] for index in chosen]))
        target = torch.from_numpy(pool.label[chosen])
        loss = torch.nn.functional.cross_entropy(logits, target, label_smoothing=fit["smoothing"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if look and ((step + 1) % every == 0 or step == steps - 1):
            figure, said = look(network)
            say(f"  step {step + 1} of {steps}: loss {np.mean(losses[-every:]):.4f}, {said}")
            if figure > best:
                best, kept = figure, {name: value.clone() for name, value in network.state_dict().items()}
    if kept:
        network.load_state_dict(kept)
    return network.eval()


def figures(own: Checked, score: NDArray[np.float64]) -> dict[str, Any]:
    """What our own validation listings say: over all of them, and by kind of the unsafe ones."""
    unsafe = own.unsafe
    kinds = np.array([e.kind for e in own.examples])
    found = {
        "unsafe_roc_auc": metrics.roc_auc(unsafe, score),
        "recall_at_fpr_1pct": metrics.recall_at_fpr(unsafe, score, 0.01),
        "recall_at_fpr_5pct": metrics.recall_at_fpr(unsafe, score, 0.05),
    }
    for kind in KINDS:
        rows = ~unsafe | (kinds == kind)
        found[kind] = metrics.roc_auc(unsafe[rows], score[rows])
    return found


def apart(examples: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    """(to learn from, held out): a share of the market's rows by a hash of their text, so that it never moves."""
    learned: list[Example] = []
    held: list[Example] = []
    for each in examples:
        chosen = each.group == "market" and corpus.share_of(f"gate {each.title} {each.description}") < share
        (held if chosen else learned).append(each)
    return learned, held


def load(build: Path, recipe: dict[str, Any]) -> Network:
    """The trained network. Raises StepError when there is none, or one of another shape."""
    if not (build / WEIGHTS).is_file():
        raise StepError(f"There is no {WEIGHTS} in {build}. Run: python -m models train listing-text-gate --data DIR")
    state = torch.load(build / WEIGHTS, weights_only=True)
    network = Network(torch.zeros_like(state["words.weight"]), recipe["network"], len(recipe["labels"]))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise StepError(f"{build / WEIGHTS} and the recipe differ in shape. Train again. {error}") from error
    return network.eval()


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, with_left_out: bool = False) -> None:
    """Write out/model.pt and out/training.json, with_left_out also with what `measure_left_out` finds."""
    began = time.monotonic()
    examples = corpus.gather(data, recipe)
    learned, held = apart(examples, recipe["data"]["held_out"])
    read, length = reader(), recipe["window_pieces"]
    own, market = checked(corpus.validation(), read, length), checked(held, read, length)

    def look(network: Network) -> tuple[float, str]:
        found = figures(own, training.unsafe_score(own.logits(network)))
        return found["unsafe_roc_auc"], ", ".join(f"{name} {value:.4f}" for name, value in found.items())

    pool = drawn(learned, recipe, read, recipe["pool"]["texts"], say)
    network = fit_network(pool, recipe, say, look)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out / WEIGHTS)
    # Calibrated on held-out rows of the market where the other text models use dev: nothing of this one has seen dev.
    ordinary = checked(corpus.ordinary(), read, length)
    scored = {"dev": (held, market.logits(network)), "own": (own.examples, own.logits(network))}
    scored["ordinary"] = (ordinary.examples, ordinary.logits(network))
    report = training.calibrated(scored, recipe)
    heat = np.array(report["temperatures"])
    score = {name: training.unsafe_score(logits / heat) for name, (_, logits) in scored.items()}
    report["validation"]["own"] |= figures(own, score["own"])
    report["validation"]["market, held out"] = training.told_apart(market.unsafe, score["dev"])
    report["seed"] = recipe["seed"]
    spent = time.monotonic() - began
    training.finished(report, recipe, data, out, WEIGHTS, learned, len(pool.pieces), spent, say)
    if with_left_out:
        report["left_out"] = measure_left_out(data, recipe, say)
        training.write_report(out, report)


def measure_left_out(data: Path, recipe: dict[str, Any], say: Say) -> list[dict[str, Any]]:
    """Fit again, on fewer texts, without each source of `training.LEFT_OUT`, and say how it fares there."""
    learned, held = apart(corpus.gather(data, recipe), recipe["data"]["held_out"])
    calm = [e for e in held if e.policy == "safe"]
    read = reader()
    return training.left_out(learned, calm, lambda kept: scorer_without(kept, recipe, read, say), say)


def scorer_without(
    examples: list[Example], recipe: dict[str, Any], read: Reader, say: Say
) -> Callable[[list[Example]], NDArray[np.float64]]:
    """Fit on these examples alone, without a look at any other, and return what scores others."""
    pool = drawn(examples, recipe, read, recipe["pool"]["texts_left_out"], say)
    network = fit_network(pool, recipe, say)
    return lambda rows: training.unsafe_score(checked(rows, read, recipe["window_pieces"]).logits(network))
