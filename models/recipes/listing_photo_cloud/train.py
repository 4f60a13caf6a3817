"""Fine-tune EfficientNet-Lite2 on the labelled photos, and MobileNetV2 on them and on what the former says of them."""

from __future__ import annotations

import copy
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.recipes.listing_photo import measure, pictures
from models.recipes.listing_photo.augment import augmented
from models.recipes.listing_photo.measure import normalised
from models.recipes.listing_photo.pictures import AMBIGUOUS, Picture, Pixels
from models.recipes.listing_photo_cloud import backbone
from models.recipes.listing_photo_cloud.backbone import Network
from models.steps import metrics
from models.steps.errors import StepError
from models.steps.training import Say, rate_at, unsafe_score, write_report

WEIGHTS, TEACHER_WEIGHTS = "network.pt", "teacher.pt"
TRAIN, UNCLEAR = Path("photos") / "train.csv", Path("photos") / "ambiguous.csv"


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, with_left_out: bool = False) -> dict[str, Any]:
    """Writes out/teacher.pt, out/network.pt and out/training.json, and returns the last. A teacher that is there is
    used again. Raises StepError."""
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    learn, choose = pictures.held_out(pictures.read(data / TRAIN), recipe["data"]["held_out"])
    learn += pictures.read(data / UNCLEAR)
    if not (out / TEACHER_WEIGHTS).is_file():
        say("Teacher: EfficientNet-Lite2")
        torch.manual_seed(recipe["seed"])
        network = backbone.teacher(len(recipe["labels"]))
        for number, stage in enumerate(recipe["teacher"]["stage"]):
            network = fit(network, learn, choose, recipe, stage, number, say)
            torch.save(network.state_dict(), out / TEACHER_WEIGHTS)
    teacher = load_teacher(out, recipe)
    torch.manual_seed(recipe["seed"])
    network = backbone.from_imagenet(data, len(recipe["labels"]))
    for number, stage in enumerate(recipe["stage"]):
        network = fit(network, learn, choose, recipe, stage, number, say, teacher)
        torch.save(network.state_dict(), out / WEIGHTS)
    report = reported(network, data, out, recipe, learn, choose, time.perf_counter() - began, say)
    if with_left_out:
        report["left_out"] = measure_left_out(data, recipe, say)
        write_report(out, report)
    return report


def reported(network: nn.Module, data: Path, out: Path, recipe: dict[str, Any], learn: list[Picture],
             choose: list[Picture], seconds: float, say: Say) -> dict[str, Any]:  # fmt: skip
    score = measure.scorer(measure.BothWays(network), recipe["side"])
    report = measure.calibrated(score, data, choose, recipe)
    known = recipe | {"temperatures": report["temperatures"]}
    report["operating_points"]["parts"] = measure.parts_points(score, data, choose, known)
    report["initial"] = f"{backbone.WEIGHTS.name}, Apache-2.0 (google-coral/test_data)"
    drawn = int(sum(stage["epochs"] for stage in recipe["stage"]) * len(learn))
    return measure.finished(report, recipe, data, out, WEIGHTS, learn, drawn, seconds, say)


def measure_left_out(data: Path, recipe: dict[str, Any], say: Say) -> list[dict[str, Any]]:
    """Shorter fits without one collection after the other, each measured on what was left out: [{name, what, rows,
    value}]. A collection that is not there is skipped, and said."""
    rows, found = pictures.read(data / TRAIN), []
    for name in recipe["left_out"]["collections"]:
        apart = [row for row in rows if row.origin == name]
        if len({row.policy for row in apart}) < 2:
            say(f"  {name} is not in this data, or all of one kind: not measured")
            continue
        rest = [row for row in rows if row.origin != name]
        learn, choose = pictures.held_out(rest, recipe["data"]["held_out"])
        torch.manual_seed(recipe["seed"])
        network = backbone.from_imagenet(data, len(recipe["labels"]))
        fitted = fit(network, learn, choose, recipe, recipe["left_out"], 0, say)
        raw = measure.scorer(fitted, recipe["side"])(apart)
        score = unsafe_score(raw)
        value = metrics.roc_auc(np.array([row.policy != "safe" for row in apart]), score)
        found.append({"name": name, "what": "unsafe against safe in it: ROC-AUC", "rows": len(apart), "value": value})
        say(f"  without {name}: {value:.4f}")
    return found


def load(build: Path, recipe: dict[str, Any]) -> Network:
    """Raises StepError when nothing was trained there."""
    network = Network(len(recipe["labels"]))
    try:
        network.load_state_dict(torch.load(build / WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError) as error:
        raise StepError(f"There is no trained listing-photo-cloud in {build}: {error}") from error
    return network.eval()


def load_teacher(build: Path, recipe: dict[str, Any]) -> Network:
    """Raises StepError when none was trained there."""
    network = Network(len(recipe["labels"]), backbone.TEACHER_BLOCKS)
    try:
        network.load_state_dict(torch.load(build / TEACHER_WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError) as error:
        raise StepError(f"There is no trained teacher of listing-photo-cloud in {build}: {error}") from error
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval()


def targets(rows: list[Picture], labels: list[str], recipe: dict[str, Any]) -> Tensor:
    """float32 [rows, labels]: what a photo should score. Ambiguous things lie between weapons and safe."""
    found = np.zeros((len(rows), len(labels)), np.float32)
    for index, row in enumerate(rows):
        if row.policy == AMBIGUOUS:
            doubt = recipe["data"]["ambiguous"]
            found[index, labels.index("weapons")], found[index, labels.index("safe")] = doubt, 1 - doubt
        else:
            found[index, labels.index(row.policy)] = 1
    smooth = recipe["fit"]["smoothing"]
    return torch.from_numpy(found * (1 - smooth) + smooth / len(labels))


def draw_weights(rows: list[Picture], recipe: dict[str, Any]) -> NDArray[np.float64]:
    """Chance of each row to be drawn: groups of one policy and one collection, tempered by size."""
    size = Counter((row.policy, row.origin) for row in rows)
    found = np.array([size[row.policy, row.origin] ** (recipe["data"]["balance"] - 1) for row in rows])
    found[[row.policy == AMBIGUOUS for row in rows]] *= recipe["data"]["ambiguous_weight"]
    total: NDArray[np.float64] = found / found.sum()
    return total


class Drawn(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Augmented photos; item n is the same whoever draws it: (uint8 [3, side, side], index of the row)."""

    def __init__(self, rows: list[Picture], order: NDArray[np.int64], side: int, chance: dict[str, float], seed: int):
        self.rows, self.order, self.side, self.seed, self.chance = rows, order, side, seed, chance
        self.scenes: list[Pixels] = [row.pixels for row in rows if row.policy == "safe"]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        rng = np.random.default_rng([self.seed, index])
        row = int(self.order[index])
        made = augmented(rng, self.rows[row].pixels, self.side, self.chance, self.scenes)
        return torch.from_numpy(made.copy()).permute(2, 0, 1), row


def fit(network: Network, learn: list[Picture], choose: list[Picture], recipe: dict[str, Any], stage: dict[str, Any],
        number: int, say: Say, teacher: Network | None = None) -> Network:  # fmt: skip
    """Train `network` through one stage of the recipe; the running average of the weights is what is kept. number: its
    own draw of views; teacher: whose word on the same views counts beside the label's, together with that of the
    network as it was: the two err on different photos."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    peer = copy.deepcopy(network).eval() if teacher else None
    backbone.freeze(network, stage["frozen"])
    tuned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    average, labels = copy.deepcopy(network).eval(), recipe["labels"]
    wanted, weights = targets(learn, labels, recipe), draw_weights(learn, recipe)
    steps = int(stage["epochs"] * len(learn) / stage["batch"])
    rng = np.random.default_rng([recipe["seed"], number])
    order = rng.choice(len(learn), steps * stage["batch"], p=weights)
    chance = {name: value * stage["wild"] for name, value in recipe["chance"].items()}
    drawn = Drawn(learn, order, stage["side"], chance, recipe["seed"] * 100 + number)
    loader = torch.utils.data.DataLoader(drawn, stage["batch"], num_workers=1, prefetch_factor=8)
    optimiser = torch.optim.AdamW(tuned, stage["rate"], weight_decay=recipe["fit"]["decay"])
    began, loss_mean = time.perf_counter(), 0.0
    for step, (whole, which) in enumerate(loader):
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = stage["rate"] * rate_at(step, steps, recipe["fit"]["warm_up"])
        x = normalised(whole)
        with torch.autocast("cpu", torch.bfloat16):
            heat = network(x)
        logits = heat.float().mean((2, 3))
        loss = nn.functional.cross_entropy(logits, wanted[which])
        if teacher and peer:
            said = (word(teacher, x) + word(peer, x)) / 2
            apart = nn.functional.kl_div(logits.log_softmax(1), said, log_target=True, reduction="batchmean")
            loss = loss * stage["label"] + apart * (1 - stage["label"])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(tuned, 2.0)
        optimiser.step()
        decay = min(recipe["fit"]["average"], (step + 1) / (step + 10))
        with torch.no_grad():
            for kept, new in zip(average.parameters(), network.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)
        loss_mean += (loss.item() - loss_mean) * 0.02
        if (step + 1) % max(1, len(learn) // stage["batch"]) == 0 or step + 1 == steps:
            seen = measure.told_apart(measure.scorer(average, stage["side"])(choose), choose, labels)
            spent = time.perf_counter() - began
            say(f"  {stage['side']} px, step {step + 1:,} of {steps:,}, {spent:,.0f} s: loss {loss_mean:.3f}, {seen}")
    return average


@torch.no_grad()
def word(network: Network, x: Tensor) -> Tensor:
    """Logarithms of the probabilities that a network in evaluation mode gives, float32 [n, labels]."""
    with torch.autocast("cpu", torch.bfloat16):
        heat = network(x)
    return heat.float().mean((2, 3)).log_softmax(1)
