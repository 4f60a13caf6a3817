"""Distil listing-photo from listing-photo-cloud."""

from __future__ import annotations

import copy
import time
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
from models.recipes.listing_photo.shape import SIDE, SPLIT_SHAPE
from models.recipes.listing_photo_cloud import train as cloud
from models.recipes.listing_photo_cloud.backbone import FEATURES
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
    torch.save(network.state_dict(), out / WEIGHTS)
    for share in recipe["prune"]["shares"]:
        say(f"Pruning {share:.0%} of the weights")
        thin = fit(views, learn, choose, recipe, recipe["prune"], say, network, pruned(network, share))
        torch.save(thin.state_dict(), out / f"network-sparse-{share * 100:.0f}.pt")
    score = measure.scorer(network, SIDE)
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


def load(build: Path, recipe: dict[str, Any], weights: str = WEIGHTS) -> Network:
    """Raises StepError when nothing was trained there."""
    network = Network(len(recipe["labels"]))
    try:
        network.load_state_dict(torch.load(build / weights, map_location="cpu", weights_only=True))
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
    hint = nn.Conv2d(SPLIT_SHAPE[0], SPLIT_SHAPE[0], 1)  # the student may keep the teacher's features in its own order
    deep = nn.Linear(network.head.in_channels, FEATURES)
    spread = torch.from_numpy(views.seen[:4000].astype(np.float32).std(0) + 1e-3)
    truth = cloud.targets(learn, labels, recipe | {"data": recipe["data"] | {"ambiguous": 0.4}})
    known = torch.tensor([picture.policy != pictures.AMBIGUOUS for picture in learn])
    keep(network, kept or {})
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(
        [*network.parameters(), *hint.parameters(), *deep.parameters()],
        settings["rate"],
        weight_decay=settings["decay"],
    )
    batch = settings["batch"]
    steps = settings["epochs"] * (len(views) // batch)
    rng = np.random.default_rng(recipe["seed"] + 1)
    began, loss_mean, order = time.perf_counter(), 0.0, np.empty(0, np.int64)
    for step in range(steps):
        if len(order) < batch:
            order = rng.permutation(len(views))
        chosen, order = order[:batch], order[batch:]
        network.train()
        for group in optimiser.param_groups:
            group["lr"] = settings["rate"] * rate_at(step, steps, settings["warm_up"])
        flip = bool(rng.random() < 0.5)
        x = touched(rng, views.pixels[chosen], flip)
        wanted = torch.from_numpy(views.hint[chosen].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            lower = network.lower(x)
            upper = network.upper(lower)
            heat = network.head(network.drop(upper))
            guess, echo = hint(lower), deep(upper.mean((2, 3)))
        logits = heat.float().mean((2, 3))
        said = torch.from_numpy(views.said[chosen])
        row = torch.from_numpy(views.row[chosen])
        loss = functional.kl_div(logits.log_softmax(1), said.log_softmax(1), log_target=True, reduction="batchmean")
        named = functional.cross_entropy(logits, truth[row], reduction="none")
        loss = loss + settings["label"] * (named * known[row]).mean()
        loss = loss + settings["hint"] * functional.mse_loss(guess.float(), (wanted.flip(3) if flip else wanted) / 32)
        seen = torch.from_numpy(views.seen[chosen].astype(np.float32))
        loss = loss + settings["deep"] * functional.mse_loss(echo.float() / spread, seen / spread)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        keep(network, kept or {})
        averaged(average, network, min(settings["average"], (step + 1) / (step + 10)))
        loss_mean += (loss.item() - loss_mean) * 0.01
        if (step + 1) % (steps // settings["epochs"]) == 0:
            figures = measure.told_apart(measure.scorer(average.eval(), SIDE)(choose), choose, labels)
            spent = time.perf_counter() - began
            say(f"  step {step + 1:,} of {steps:,}, {spent:,.0f} s: loss {loss_mean:.3f}, {figures}")
    return average.eval()


def touched(rng: np.random.Generator, pixels: np.ndarray[Any, Any], flip: bool) -> Tensor:
    """uint8 [n, 3, 128, 128] → float32 in -1..1, each a little brighter or darker, with more or less contrast; all
    mirrored or none."""
    x = measure.normalised(torch.from_numpy(pixels))
    n = len(pixels)
    contrast = torch.from_numpy(rng.uniform(0.8, 1.2, (n, 1, 1, 1)).astype(np.float32))
    light = torch.from_numpy(rng.uniform(-0.12, 0.12, (n, 3, 1, 1)).astype(np.float32))
    x = (x * contrast + light).clamp(-1, 1)
    return x.flip(3) if flip else x


@torch.no_grad()
def averaged(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Weights and the norms' statistics follow the network's."""
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)
