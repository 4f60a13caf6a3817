"""Training listing-text-cloud: MiniLM-L6 fine-tuned on the mixture of market, own listings and things in frames."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import wordpieces
from models.contract import pack
from models.recipes.listing_text import corpus, front
from models.recipes.listing_text.corpus import Example
from models.recipes.listing_text.mixture import Draw, Mixture
from models.recipes.listing_text_cloud import backbone, resume, wide
from models.steps import metrics, training
from models.steps.errors import StepError
from models.wordpieces import Reader

WEIGHTS = "model.pt"


def reader() -> Reader:
    """Texts → word pieces, as the worker reads them: the device's folding and the backbone's tokenizer."""
    return wordpieces.reader(files())


def files() -> dict[str, bytes]:
    """The further files that the model needs where it runs."""
    return {
        "fold": front.fold().SerializeToString(deterministic=True),
        "tokenizer": (backbone.folder() / "tokenizer.json").read_bytes(),
    }


def pieces_of(reader: Reader, texts: list[tuple[str, str]]) -> list[list[int]]:
    return reader.pieces([pack([("title", title), ("description", text)]).data for title, text in texts])


def batches(
    mixture: Mixture, reader: Reader, labels: list[str], fit: dict[str, Any], rng: random.Random
) -> Iterator[tuple[dict[str, NDArray[np.int64]], NDArray[np.int64]]]:
    """Batches of texts of like length: padding is wasted work."""
    while True:
        draws: list[Draw] = [mixture.draw() for _ in range(fit["batch"] * 16)]
        ids = [row[: fit["pieces"]] for row in pieces_of(reader, [(d.title, d.description) for d in draws])]
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        chunks = [order[at : at + fit["batch"]] for at in range(0, len(order), fit["batch"])]
        rng.shuffle(chunks)
        for chunk in chunks:
            yield (
                wordpieces.batch([ids[index] for index in chunk]),
                np.array([labels.index(draws[index].policy) for index in chunk]),
            )


def half_precision(device: torch.device) -> bool:
    """Whether bfloat16 is quicker: a processor without instructions for it is 20 times slower with it."""
    return device.type == "cuda" or "bf16" in cpu_flags()


def cpu_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def fit_model(
    mixture: Mixture,
    recipe: dict[str, Any],
    say: Callable[[str], None],
    watch: Callable[[Any], str] | None = None,
    start: backbone.Classifier | None = None,
    masks: dict[str, Tensor] | None = None,
) -> backbone.Classifier:
    """Fine-tune the sentence model, or go on from `start`, its vectors and first `frozen` layers as they are. In
    bfloat16 where that is quick. masks: what is 0 there stays pruned."""
    fit, labels = recipe["fit"], recipe["labels"]
    torch.manual_seed(recipe["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = half_precision(device)
    model = (start or backbone.pretrained(len(labels), recipe["network"])).to(device)
    embeddings = list(model.words.parameters()) + list(model.places.parameters()) + list(model.kinds.parameters())
    held = {id(p) for p in [*embeddings, *model.wide.parameters()]}
    for part in [*embeddings, *model.norm.parameters(), *model.layers[: fit["frozen"]].parameters()]:
        part.requires_grad_(fit["frozen"] == 0)
    rest = [p for p in model.parameters() if id(p) not in held]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "scale": 1.0}, {"params": embeddings, "scale": fit["rate_embeddings"], "weight_decay": 0.0}],
        lr=fit["rate"], weight_decay=fit["decay"],
    )  # fmt: skip
    stream = batches(mixture, reader(), labels, fit, random.Random(recipe["seed"]))
    began, seen, losses = time.monotonic(), 0, []
    for step in range(fit["steps"]):
        for group in optimiser.param_groups:
            group["lr"] = fit["rate"] * group["scale"] * training.rate_at(step, fit["steps"], fit["warm_up"])
        inputs, target = next(stream)
        model.train()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            logits = model(*(torch.from_numpy(inputs[name]).to(device) for name in ("input_ids", "attention_mask")))
        loss = torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(target).to(device), label_smoothing=fit["smoothing"]
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        for name, mask in (masks or {}).items():
            model.get_parameter(name).data.mul_(mask)
        losses.append(loss.item())
        seen += len(target)
        if step % 100 == 99:
            rate = seen / (time.monotonic() - began)
            said = f"  step {step + 1}: loss {np.mean(losses[-100:]):.4f}, {rate:.0f} texts a second"
            looks = step % 500 == 499 or step == fit["steps"] - 1
            say(said + (f", {watch(model)}" if watch and looks else ""))
    return model.cpu().eval()


def add_wide(
    model: backbone.Classifier,
    examples: list[Example],
    mixture: Mixture,
    read: Reader,
    recipe: dict[str, Any],
    say: Callable[[str], None],
) -> None:
    """Fit the wide part on the labelled listings and our own, as they are and our own once more as one thing of a lot,
    and let it speak beside the network."""
    options, labels = recipe["wide"], recipe["labels"]
    chosen = [e for e in examples if e.group in options["counts"]]
    if not chosen:
        say("Neither labelled listings nor our own: the wide part stays silent")
        return
    texts = [(e.title, e.description) for e in chosen]
    lots = [e for e in chosen if e.group in options["in_lots"]]
    texts += [mixture.in_a_lot(e.title, e.description) for e in lots]
    chosen += lots
    rows = [row[: recipe["window_pieces"]] for row in pieces_of(read, texts)]
    label = np.array([labels.index(e.policy) for e in chosen])
    counts = np.array([options["counts"][e.group] for e in chosen], np.float32)
    slope = wide.fit(model.wide, rows, label, counts, options["ridge"], options["share"])
    say(f"Wide part: fitted to {len(rows):,} listings, largest slope left {slope:.1e}")


@torch.no_grad()
def logits_of(
    model: backbone.Classifier, rows: list[list[int]], size: int = 64, say: Callable[[str], None] | None = None
) -> NDArray[np.float32]:
    """Logits float32 [rows, P] of runs of word pieces, none longer than a window."""
    model.eval()
    device = next(model.parameters()).device
    half = half_precision(device)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    found = np.zeros((len(rows), model.head.out_features), np.float32)
    for at in range(0, len(order), size):
        chunk = order[at : at + size]
        inputs = wordpieces.batch([rows[index] for index in chunk])
        tensors: list[Tensor] = [torch.from_numpy(inputs[n]).to(device) for n in ("input_ids", "attention_mask")]
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            found[chunk] = model(*tensors).cpu().numpy()
        if say and at // size % 1000 == 999:
            say(f"  {at + size:,} of {len(order):,} texts")
    return found


def checked_logits(
    model: backbone.Classifier, read: Reader, examples: list[Example], length: int
) -> NDArray[np.float32]:
    """float32 [examples, P]: of the least safe window, as the worker scores."""
    windows, owner = windows_of(read, examples, length)
    return training.least_safe(logits_of(model, windows), owner)


def windows_of(read: Reader, examples: list[Example], length: int) -> tuple[list[list[int]], NDArray[np.int64]]:
    """The windows of all texts, and of each the number of its text."""
    windows, owner = [], []
    for index, row in enumerate(pieces_of(read, [(e.title, e.description) for e in examples])):
        for window in wordpieces.windows(row, length):
            windows.append(window)
            owner.append(index)
    return windows, np.array(owner, np.int64)


def probabilities(
    build: Path, texts: list[tuple[str, str]], recipe: dict[str, Any], say: Callable[[str], None]
) -> NDArray[np.float32]:
    """What the trained model says of texts, float32 [texts, P], calibrated: what a student learns from."""
    model = load(build, recipe)
    heat = np.array(training.read_report(build)["temperatures"])
    rows = [row[: recipe["window_pieces"]] for row in pieces_of(reader(), texts)]
    return training.softmax(logits_of(model, rows, say=say) / heat).astype(np.float32)


def load(build: Path, recipe: dict[str, Any], weights: str = WEIGHTS) -> backbone.Classifier:
    """The trained model. Raises StepError when there is none."""
    if not (build / weights).is_file():
        raise StepError(f"There is no {weights} in {build}. Run: python -m models train listing-text-cloud --data DIR")
    model = backbone.Classifier(len(recipe["labels"]), recipe["network"])
    model.load_state_dict(torch.load(build / weights, weights_only=True))
    return model.eval()


def train(
    data: Path,
    out: Path,
    recipe: dict[str, Any],
    say: Callable[[str], None],
    with_left_out: bool = False,
    go_on: bool = False,
) -> None:
    """Write out/model.pt, out/model-*.pt (pruned and trained on) and out/training.json, with_left_out also with what
    `measure_left_out` finds. go_on: from the published weights, with the recipe's [go_on] in place of its [fit]."""
    began, start, initial, whole = time.monotonic(), None, "the sentence model's", recipe
    if go_on:
        recipe = recipe | {"fit": recipe["fit"] | recipe["go_on"]}
        start, sha256 = resume.published(len(recipe["labels"]), recipe["network"])
        start.wide.silence()  # it is fitted anew, beside what the network has become
        initial = f"those of the published {resume.VARIANT} {sha256[:8]}"
    examples = corpus.gather(data, recipe)
    own, ordinary, read = corpus.validation(), corpus.ordinary(), reader()
    unsafe = np.array([e.policy != "safe" for e in own])

    def watch(model: backbone.Classifier) -> str:
        score = training.unsafe_score(checked_logits(model, read, own + ordinary, recipe["window_pieces"]))
        hidden, calm = score[: len(own)][unsafe], score[len(own) :]
        against = metrics.roc_auc(np.arange(len(hidden) + len(calm)) < len(hidden), np.concatenate([hidden, calm]))
        return f"own validation AUC {metrics.roc_auc(unsafe, score[: len(own)]):.4f}, against ordinary {against:.4f}"

    model = fit_model(mixture_of(examples, recipe), recipe, say, watch, start)
    add_wide(model, examples, mixture_of(examples, recipe), read, recipe, say)
    say(f"  with the wide part: {watch(model)}")
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / WEIGHTS)
    save_pruned(model, mixture_of(examples, recipe), out, recipe, say)
    finish(model, data, out, recipe | {"initial": initial}, examples, say, began)
    if with_left_out:
        report = training.read_report(out)
        report["left_out"] = measure_left_out(data, whole, say)
        training.write_report(out, report)


def measure_left_out(data: Path, recipe: dict[str, Any], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Fit again, on fewer texts, without each source of `training.LEFT_OUT`, and say how it fares there."""
    calm = [row for row in training.dev_rows(data) if row.policy == "safe"]
    read = reader()
    return training.left_out(
        corpus.gather(data, recipe), calm, lambda kept: scorer_without(kept, recipe, read, say), say
    )


def save_pruned(
    model: backbone.Classifier, mixture: Mixture, out: Path, recipe: dict[str, Any], say: Callable[[str], None]
) -> None:
    """For the compression bench, out/model-sparse-*.pt: shares of each product's smallest weights set to zero,
    trained on afterwards (Zhu and Gupta 2017, arXiv:1710.01878)."""
    options = recipe["pruned"]
    brief = {name: options[name] for name in ("steps", "rate", "frozen")}
    shorter = recipe | {"fit": recipe["fit"] | brief}
    for share in options["sparse"]:
        other = copy.deepcopy(model)
        masks = {}
        for name, parameter in other.named_parameters():
            if parameter.dim() == 2 and name.startswith("layers."):
                size = parameter.detach().abs()
                masks[name] = (size >= size.flatten().kthvalue(max(1, int(share * size.numel()))).values).float()
        say(f"Fitting with {share:.0%} of the layers' weights at zero")
        fit_model(mixture, shorter, say, start=other, masks=masks)
        torch.save(other.state_dict(), out / f"model-sparse-{share * 100:.0f}.pt")


def finish(
    model: backbone.Classifier,
    data: Path,
    out: Path,
    recipe: dict[str, Any],
    examples: list[Example],
    say: Callable[[str], None],
    began: float,
) -> None:
    """Calibrate the trained model and write out/training.json."""
    read, length = reader(), recipe["window_pieces"]
    sets = {"dev": training.dev_rows(data), "own": corpus.validation(), "ordinary": corpus.ordinary()}
    report = training.calibrated(
        {name: (rows, checked_logits(model, read, rows, length)) for name, rows in sets.items()}, recipe
    )
    texts = recipe["fit"]["steps"] * recipe["fit"]["batch"]
    training.finished(report, recipe, data, out, WEIGHTS, examples, texts, time.monotonic() - began, say)


def mixture_of(examples: list[Example], recipe: dict[str, Any]) -> Mixture:
    return Mixture(examples, corpus.things(), corpus.frames(), recipe["mixture"], recipe["seed"])


def scorer_without(
    examples: list[Example], recipe: dict[str, Any], read: Reader, say: Callable[[str], None]
) -> Callable[[list[Example]], NDArray[np.float64]]:
    shorter = recipe | {"fit": recipe["fit"] | {"steps": recipe["fit"]["steps_left_out"]}}
    model = fit_model(mixture_of(examples, shorter), shorter, say)
    add_wide(model, examples, mixture_of(examples, recipe), read, recipe, say)
    return lambda rows: training.unsafe_score(checked_logits(model, read, rows, recipe["window_pieces"]))
