"""Distil listing-photo from listing-photo-cloud."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.recipes.listing_photo import measure, pictures, pool
from models.recipes.listing_photo.network import Network
from models.recipes.listing_photo.pictures import Picture
from models.recipes.listing_photo.pool import Pool
from models.recipes.listing_photo.shape import SIDE, SPLIT_MOST
from models.recipes.listing_photo_cloud import train as cloud
from models.steps import recipe as recipes
from models.steps.errors import StepError
from models.steps.training import Say, rate_at

WEIGHTS = "network.pt"
TEACHER = "listing-photo-cloud"


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, with_left_out: bool = False) -> dict[str, Any]:
    """Writes out/network.pt and out/training.json, and returns the latter. Needs a trained listing-photo-cloud beside
    `out`. Raises StepError."""
    began = time.perf_counter()
    torch.manual_seed(recipe["seed"])
    out.mkdir(parents=True, exist_ok=True)
    learn, choose = photos(data, recipe)
    say(f"Asking {TEACHER} and its teacher about {recipe['pool']['views']:,} views of {len(learn):,} photos")
    views = pool.kept(out, learn, asked(out.parent), recipe, say)
    network = fit(views, learn, choose, recipe, {}, say)
    say(f"Pruning {recipe['prune']['share']:.0%} of the weights")
    stays = pruned(network, recipe["prune"]["share"])
    network = fit(views, learn, choose, recipe, recipe["prune"], say, network, stays)
    torch.save(network.state_dict(), out / WEIGHTS)
    score = measure.scorer(measure.BothWays(network), SIDE)
    report = measure.calibrated(score, data, choose, recipe)
    report["initial"] = "none: random, and the teacher's word"
    return measure.finished(report, recipe, data, out, WEIGHTS, learn, len(views), time.perf_counter() - began, say)


def asked(build: Path) -> pool.Asked:
    """The teacher and listing-photo-cloud, as trained in `build`. Raises StepError."""
    recipe = recipes.read(TEACHER)
    return cloud.load_teacher(build / TEACHER, recipe), cloud.load(build / TEACHER, recipe)


def photos(data: Path, recipe: dict[str, Any]) -> tuple[list[Picture], list[Picture]]:
    """(to learn from, the ambiguous ones among them; to choose by)."""
    learn, choose = pictures.held_out(pictures.read(data / cloud.TRAIN), recipe["data"]["held_out"])
    return learn + pictures.read(data / cloud.UNCLEAR), choose


def load(build: Path, recipe: dict[str, Any]) -> Network:
    """Raises StepError when nothing was trained there."""
    network = Network(len(recipe["labels"]))
    try:
        network.load_state_dict(torch.load(build / WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError) as error:
        raise StepError(f"There is no trained listing-photo in {build}: {error}") from error
    return network.eval()


def pruned(network: Network, share: float) -> dict[str, Tensor]:
    """What stays, float32 by name of a weight, when the `share` of smallest weights of each 3x3 convolution goes."""
    kept = {}
    for name, weight in network.named_parameters():
        if name.startswith("layers.") and name.endswith("conv.weight"):
            size = weight.detach().abs()
            kept[name] = (size >= torch.quantile(size.flatten(), share)).float()
    return kept


@torch.no_grad()
def keep(network: Network, kept: dict[str, Tensor]) -> None:
    """Sets to zero what does not stay."""
    for name, weight in network.named_parameters():
        if name in kept:
            weight.mul_(kept[name])


def fit(
    views: Pool,
    learn: list[Picture],
    choose: list[Picture],
    recipe: dict[str, Any],
    settings: dict[str, Any],
    say: Say,
    network: Network | None = None,
    kept: dict[str, Tensor] | None = None,
) -> Network:
    """The running average of the weights, in evaluation mode. network: to go on from; kept: of `pruned`, what stays."""
    settings, labels = recipe["fit"] | settings, recipe["labels"]
    network = copy.deepcopy(network) if network else Network(len(labels))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    width = network.head.in_channels
    depths = (pool.MIDDLE, pool.LAST)
    echoes = nn.ModuleDict({name: nn.Conv2d(width, pool.DEPTHS[name][1][0], 1) for name in depths})
    truth = cloud.targets(learn, labels, recipe | {"data": recipe["data"] | {"ambiguous": 0.4}})
    known = torch.tensor([picture.policy != pictures.AMBIGUOUS for picture in learn])
    keep(network, kept or {})
    average = copy.deepcopy(network)
    tuned = [*network.parameters(), *echoes.parameters()]
    optimiser = torch.optim.AdamW(tuned, settings["rate"], weight_decay=settings["decay"])
    batch = settings["batch"]
    steps = settings["epochs"] * (len(views) // batch)
    rng = np.random.default_rng(recipe["seed"] + 1)
    began, means, order = time.perf_counter(), defaultdict[str, float](float), np.empty(0, np.int64)
    for step in range(steps):
        if len(order) < batch:
            order = rng.permutation(len(views))
        chosen, order = order[:batch], order[batch:]
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = settings["rate"] * rate_at(step, steps, settings["warm_up"])
        mirrored = int(rng.random() < 0.5)
        x = measure.normalised(torch.from_numpy(views.pixels[chosen]))
        with torch.autocast("cpu", torch.bfloat16):
            raw = network.raw(x.flip(3) if mirrored else x)
            *_, middle, upper = network.upper(raw.clamp(0, SPLIT_MOST))
            logits = network.head(network.drop(upper)).float().mean((2, 3))
            echo = {pool.SPLIT: raw - SPLIT_MOST / 2, pool.MIDDLE: echoes[pool.MIDDLE](middle)}
            echo[pool.LAST] = echoes[pool.LAST](functional.avg_pool2d(upper, 2))
        row = torch.from_numpy(views.row[chosen])
        said = torch.from_numpy(views.said[chosen])
        named = functional.cross_entropy(logits, truth[row], reduction="none")
        losses = {name: apart(value, getattr(views, name)[chosen, mirrored]) for name, value in echo.items()}
        losses["word"] = functional.kl_div(logits.log_softmax(1), said, log_target=True, reduction="batchmean")
        losses["label"] = (named * known[row]).mean()
        loss = torch.stack([recipe["loss"][name] * value for name, value in losses.items()]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        keep(network, kept or {})
        averaged(average, network, min(settings["average"], (step + 1) / (step + 10)))
        for name, value in losses.items():
            means[name] += (value.item() - means[name]) * 0.01
        if (step + 1) % (steps // settings["epochs"]) == 0:
            figures = measure.told_apart(measure.scorer(average.eval(), SIDE)(choose), choose, labels)
            spent = time.perf_counter() - began
            parts = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
            say(f"  step {step + 1:,} of {steps:,}, {spent:,.0f} s: {parts}; {figures}")
    return average.eval()


def apart(guess: Tensor, wanted: np.ndarray[Any, Any]) -> Tensor:
    """Mean squared difference of features, in variances, from those of a Pool."""
    return functional.mse_loss(guess.float(), torch.from_numpy(wanted).float() / pool.STEPS)


@torch.no_grad()
def averaged(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Weights and the norms' statistics follow the network's."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)
