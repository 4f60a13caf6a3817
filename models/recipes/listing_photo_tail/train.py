"""Train listing-photo-tail on what the published device network sends of a photo. The device's layers stay as they are:
they are in the browsers already."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from models.recipes.listing_photo import measure, pictures, pool
from models.recipes.listing_photo import train as device
from models.recipes.listing_photo.network import Network as Device
from models.recipes.listing_photo.network import as_sent
from models.recipes.listing_photo.pictures import Picture
from models.recipes.listing_photo.pool import Pool
from models.recipes.listing_photo.shape import SIDE
from models.recipes.listing_photo_cloud import train as cloud
from models.recipes.listing_photo_tail.network import Network, from_cloud
from models.steps import recipe as recipes
from models.steps.errors import StepError
from models.steps.training import Say, rate_at

WEIGHTS = "network.pt"
DEVICE = "listing-photo"


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, with_left_out: bool = False) -> dict[str, Any]:
    """Writes out/network.pt and out/training.json, and returns the latter. Needs listing-photo and listing-photo-cloud
    trained beside `out`. Raises StepError."""
    began = time.perf_counter()
    torch.manual_seed(recipe["seed"])
    out.mkdir(parents=True, exist_ok=True)
    drawing = recipes.read(DEVICE)
    below = device.load(out.parent / DEVICE, drawing)
    teacher, whole = device.asked(out.parent)
    learn, choose = device.photos(data, drawing)
    say(f"Asking {device.TEACHER} and its teacher about {drawing['pool']['views']:,} views of {len(learn):,} photos")
    views = pool.kept(out.parent / DEVICE, learn, (teacher, whole), drawing, say)
    network = from_cloud(whole, len(recipe["labels"]), views.mean, views.spread)
    network = fit(views, learn, choose, below, network, recipe, out, say)
    torch.save(network.state_dict(), out / WEIGHTS)
    report = measure.calibrated(measure.scorer(Both(below, network), SIDE), data, choose, recipe)
    report["initial"] = "the upper layers of listing-photo-cloud"
    seconds = time.perf_counter() - began
    return measure.finished(report, recipe, data, out, WEIGHTS, learn, len(views), seconds, say)


def load(build: Path, recipe: dict[str, Any]) -> Network:
    """Raises StepError when nothing was trained there."""
    network = Network(len(recipe["labels"]))
    try:
        network.load_state_dict(torch.load(build / WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError) as error:
        raise StepError(f"There is no trained listing-photo-tail in {build}: {error}") from error
    return network.eval()


class Both(nn.Module):
    """The device's lower layers, bytes on the way, and the tail: a photo's heat, as one network."""

    def __init__(self, below: Device, above: Network) -> None:
        super().__init__()
        self.below, self.above = below, above

    def forward(self, x: Tensor) -> Tensor:
        return self.above(as_sent(self.below.lower(x).float()))


def fit(
    views: Pool,
    learn: list[Picture],
    choose: list[Picture],
    below: Device,
    network: Network,
    recipe: dict[str, Any],
    out: Path,
    say: Say,
) -> Network:
    """The running average of the weights, in evaluation mode."""
    labels = recipe["labels"]
    truth = cloud.targets(learn, labels, recipe | {"data": {"ambiguous": 0.4}})
    known = torch.tensor([picture.policy != pictures.AMBIGUOUS for picture in learn])
    rng = np.random.default_rng(recipe["seed"])
    below.eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def sent(chosen: NDArray[np.int64], mirrored: int) -> Tensor:
        x = measure.normalised(torch.from_numpy(views.pixels[chosen]))
        with torch.autocast("cpu", torch.bfloat16):
            lower = below.lower(x.flip(3) if mirrored else x)
        return as_sent(lower.float())

    mean, spread = (torch.from_numpy(each)[:, None, None] for each in (views.mean, views.spread))

    def bridge_loss(chosen: NDArray[np.int64], mirrored: int) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            guess = network.bridged(sent(chosen, mirrored)).float()
        return device.apart((guess - mean) / spread, views.split[chosen, mirrored])

    def loss(chosen: NDArray[np.int64], mirrored: int) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            heat = network(sent(chosen, mirrored))
        logits = heat.float().mean((2, 3))
        said, row = torch.from_numpy(views.said[chosen]), torch.from_numpy(views.row[chosen])
        found = functional.kl_div(logits.log_softmax(1), said, log_target=True, reduction="batchmean")
        named = functional.cross_entropy(logits, truth[row], reduction="none")
        return found + recipe["fit"]["label"] * (named * known[row]).mean()

    average = copy.deepcopy(network)
    for name, what in (("bridge", bridge_loss), ("fit", loss)):
        settings = recipe[name]
        steps = max(1, int(settings["epochs"] * len(views) / settings["batch"]))
        mending = [*network.widened.parameters(), *network.mended.parameters()]
        tuned = mending if name == "bridge" else list(network.parameters())
        optimiser = torch.optim.AdamW(tuned, settings["rate"], weight_decay=recipe["fit"]["decay"])
        began, loss_mean, order = time.perf_counter(), 0.0, np.empty(0, np.int64)
        network.train()
        for step in range(steps):
            if len(order) < settings["batch"]:
                order = rng.permutation(len(views))
            chosen, order = order[: settings["batch"]], order[settings["batch"] :]
            for group in optimiser.param_groups:
                group["lr"] = settings["rate"] * rate_at(step, steps, recipe["fit"]["warm_up"])
            found = what(chosen, int(rng.random() < 0.5))
            network.zero_grad()
            found.backward()
            nn.utils.clip_grad_norm_(tuned, 2.0)
            optimiser.step()
            device.averaged(average, network, 0.0 if name == "bridge" else min(recipe["fit"]["average"], step / 100))
            loss_mean += (found.item() - loss_mean) * 0.02
            if (step + 1) % max(1, steps // 6) == 0:
                seen = "" if name == "bridge" else measure.told_apart(
                    measure.scorer(Both(below, average), SIDE)(choose), choose, labels
                )  # fmt: skip
                spent = time.perf_counter() - began
                say(f"  {name}, step {step + 1:,} of {steps:,}, {spent:,.0f} s: loss {loss_mean:.4f} {seen}")
                torch.save(average.state_dict(), out / WEIGHTS)
    return average.eval()
