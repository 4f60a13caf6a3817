"""What the student learns from: many views of every photo, and what larger networks say of each.

listing-photo-cloud and its teacher see the same view as the student, only sharper (function matching: Beyer et al.
2022, arXiv:2106.05237), so their word holds for this view, however it was turned and cut. The lower layers of the
former say what is worth keeping of a photo at the place where the network may be split: the tail goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from PIL import Image

from models.recipes.listing_photo.augment import augmented
from models.recipes.listing_photo.measure import normalised
from models.recipes.listing_photo.pictures import Picture, Pixels
from models.recipes.listing_photo.shape import SIDE, SPLIT_SHAPE
from models.recipes.listing_photo_cloud import train as cloud
from models.recipes.listing_photo_cloud.backbone import FEATURES
from models.recipes.listing_photo_cloud.backbone import Network as Large
from models.steps.training import Say

SAID_EVERY = 10_000
HINT_BLOCK = 5  # of listing-photo-cloud: its output lies as deep as the split, an eighth of the side, 32 channels


Asked = tuple[Large, Large]  # the teacher and listing-photo-cloud, in evaluation mode


@dataclass
class Pool:
    """n views. pixels uint8 [n, 3, 128, 128]; said float32 [n, labels], both networks' word; hint int8
    [n, *SPLIT_SHAPE], listing-photo-cloud's lower features in steps of `step` (float32 [32, 1, 1]); seen float16
    [n, 1280], the mean of the teacher's last features, which say more of a view than four logits; row int64 [n], which
    photo."""

    pixels: NDArray[np.uint8]
    said: NDArray[np.float32]
    hint: NDArray[np.int8]
    step: NDArray[np.float32]
    seen: NDArray[np.float16]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)


class Views(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """(view for the teacher, view for the student, index of the photo); item n is the same whoever draws it."""

    def __init__(self, rows: list[Picture], order: NDArray[np.int64], recipe: dict[str, Any]) -> None:
        self.rows, self.order, self.recipe = rows, order, recipe
        self.scenes: list[Pixels] = [row.pixels for row in rows if row.policy == "safe"]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        rng = np.random.default_rng([self.recipe["seed"], index])
        row = int(self.order[index])
        side, wild = self.recipe["pool"]["teacher_side"], rng.uniform(*self.recipe["pool"]["wild"])
        chance = {name: value * wild for name, value in self.recipe["chance"].items()}
        sharp = augmented(rng, self.rows[row].pixels, side, chance, self.scenes)
        small = np.array(Image.fromarray(sharp).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
        return torch.from_numpy(sharp.copy()).permute(2, 0, 1), torch.from_numpy(small).permute(2, 0, 1), row


FILE = "pool.npz"


def kept(folder: Path, rows: list[Picture], asked: Asked, recipe: dict[str, Any], say: Say) -> Pool:
    """The views that the device's training left in `folder`, if they are of this recipe and these networks; else they
    are drawn, and left there: the tail learns from the same ones."""
    mark = json.dumps([recipe["pool"], recipe["chance"], recipe["seed"], recipe["data"], len(rows)])
    for network in asked:
        weights = b"".join(value.contiguous().numpy().tobytes() for value in network.state_dict().values())
        mark += hashlib.sha256(weights).hexdigest()
    try:
        with np.load(folder / FILE) as stored:
            if str(stored["mark"]) == mark:
                return Pool(*(stored[field.name] for field in fields(Pool)))
    except (OSError, ValueError, KeyError):
        pass
    found = draw(rows, asked, recipe, say)
    np.savez(folder / FILE, mark=mark, **{field.name: getattr(found, field.name) for field in fields(Pool)})
    return found


def draw(rows: list[Picture], asked: Asked, recipe: dict[str, Any], say: Say) -> Pool:
    """`pool.views` views, with what the larger networks say of each."""
    count, labels = recipe["pool"]["views"], len(recipe["labels"])
    rng = np.random.default_rng(recipe["seed"])
    order = rng.choice(len(rows), count, p=cloud.draw_weights(rows, recipe))
    found = Pool(
        np.empty((count, 3, SIDE, SIDE), np.uint8),
        np.empty((count, labels), np.float32),
        np.empty((count, *SPLIT_SHAPE), np.int8),
        np.ones((SPLIT_SHAPE[0], 1, 1), np.float32),
        np.empty((count, FEATURES), np.float16),
        order.astype(np.int64),
    )
    loader = torch.utils.data.DataLoader(Views(rows, order, recipe), 32, num_workers=1, prefetch_factor=6)
    at, began = 0, time.perf_counter()
    for sharp, small, _ in loader:
        logits, lower, seen = said_of(sharp, *asked)
        if at == 0:
            found.step[:, 0, 0] = np.abs(lower).max(axis=(0, 2, 3)) / 127
        end = at + len(small)
        found.pixels[at:end], found.said[at:end], found.seen[at:end] = small.numpy(), logits, seen
        found.hint[at:end] = np.clip(np.round(lower / found.step), -127, 127)
        if at // SAID_EVERY != end // SAID_EVERY:
            say(f"  {end:,} of {count:,} views, {time.perf_counter() - began:,.0f} s")
        at = end
    return found


@torch.no_grad()
def said_of(sharp: torch.Tensor, teacher: Large, cloud_network: Large) -> tuple[NDArray[np.float32], ...]:
    """The mean of both networks' log-probabilities [n, labels], listing-photo-cloud's lower features [n, *SPLIT_SHAPE]
    and the mean of the teacher's last features [n, 1280], of views uint8 [n, 3, h, w]."""
    x = normalised(sharp)
    with torch.autocast("cpu", torch.bfloat16):
        at = cloud_network.stem(x)
        for number, block in enumerate(cloud_network.blocks):
            at = block(at)
            if number == HINT_BLOCK:
                lower = functional.adaptive_avg_pool2d(at.float(), SPLIT_SHAPE[1:])
        last = teacher.features(x)
        heats = teacher.head(last), cloud_network.head(cloud_network.last(at))
    one, other = (heat.float().mean((2, 3)).log_softmax(1) for heat in heats)
    return ((one + other) / 2).numpy(), lower.numpy(), last.float().mean((2, 3)).numpy()
