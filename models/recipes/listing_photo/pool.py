"""What the student learns from: many views of every photo, and what larger networks say of each.

listing-photo-cloud and its teacher see the same view as the student, only sharper (function matching: Beyer et al.
2022, arXiv:2106.05237), so their word holds for this view, however it was turned and cut. But four numbers are little
to learn from 6,000 photos. So listing-photo-cloud also looks at what the student sees, and what its layers make of it
at three depths is what the student's have to make of it (FitNets: Romero et al. 2015, arXiv:1412.6550): it learned its
lower layers from a million photos of ImageNet. The first of the three is the place where the network may be split: the
tail goes on from there with listing-photo-cloud's own upper layers.
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
from numpy.typing import NDArray
from PIL import Image

from models.recipes.listing_photo.augment import augmented
from models.recipes.listing_photo.measure import normalised
from models.recipes.listing_photo.pictures import Picture, Pixels
from models.recipes.listing_photo.shape import SIDE
from models.recipes.listing_photo_cloud import train as cloud
from models.recipes.listing_photo_cloud.backbone import Network as Large
from models.steps.training import Say

SAID_EVERY = 10_000
SPLIT, MIDDLE, LAST = "split", "middle", "last"
# (block of listing-photo-cloud, what it gives of SIDE pixels), from the photo upwards. The first lies as deep as the
# split, an eighth of the side, and is as large.
DEPTHS = {SPLIT: (5, (32, 16, 16)), MIDDLE: (12, (96, 8, 8)), LAST: (16, (320, 4, 4))}
STEPS = 32  # of the features' bytes to a standard deviation
MEASURED = 1024  # views that their mean and deviation are taken of


Asked = tuple[Large, Large]  # the teacher and listing-photo-cloud, in evaluation mode


@dataclass
class Pool:
    """n views. pixels uint8 [n, 3, 128, 128]; said float32 [n, labels], both networks' word; row int64 [n], which
    photo; split, middle and last int8 [n, 2, c, h, w]: the features of DEPTHS, of the view and of its mirror image, as
    deviations from each channel's mean in 32nds of its standard deviation; mean and spread float32 [32], those of
    `split`."""

    pixels: NDArray[np.uint8]
    said: NDArray[np.float32]
    row: NDArray[np.int64]
    split: NDArray[np.int8]
    middle: NDArray[np.int8]
    last: NDArray[np.int8]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

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
    drawn = [recipe["pool"], recipe["chance"], recipe["seed"], recipe["data"], len(rows)]
    mark = json.dumps([drawn, DEPTHS, STEPS, MEASURED])
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
    count = recipe["pool"]["views"]
    rng = np.random.default_rng(recipe["seed"])
    order = rng.choice(len(rows), count, p=cloud.draw_weights(rows, recipe)).astype(np.int64)
    pixels = np.empty((count, 3, SIDE, SIDE), np.uint8)
    words = np.empty((count, len(recipe["labels"])), np.float32)
    loader = torch.utils.data.DataLoader(Views(rows, order, recipe), 32, num_workers=1, prefetch_factor=6)
    at, began = 0, time.perf_counter()
    for sharp, small, _ in loader:
        end = at + len(small)
        pixels[at:end], words[at:end] = small.numpy(), said_of(sharp, *asked)
        if at // SAID_EVERY != end // SAID_EVERY:
            say(f"  {end:,} of {count:,} views, {time.perf_counter() - began:,.0f} s")
        at = end
    measured = moments(pixels[:MEASURED], asked[1])
    both = [featured(pixels, asked[1], measured, mirrored, say) for mirrored in (False, True)]
    deep = {name: np.stack([one[name] for one in both], axis=1) for name in DEPTHS}
    return Pool(pixels, words, order, **deep, mean=measured[SPLIT][0], spread=measured[SPLIT][1])


@torch.no_grad()
def said_of(sharp: torch.Tensor, teacher: Large, cloud_network: Large) -> NDArray[np.float32]:
    """The mean of both networks' log-probabilities [n, labels] of views uint8 [n, 3, h, w]."""
    x = normalised(sharp)
    one, other = cloud.word(teacher, x), cloud.word(cloud_network, x)
    return ((one + other) / 2).numpy()


@torch.no_grad()
def features(network: Large, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What `network` makes of x float32 [n, 3, SIDE, SIDE] at DEPTHS: float32 [n, c, h, w] by name."""
    names = {block: name for name, (block, _) in DEPTHS.items()}
    found = {}
    with torch.autocast("cpu", torch.bfloat16):
        x = network.stem(x)
        for number, block in enumerate(network.blocks):
            x = block(x)
            if number in names:
                found[names[number]] = x.float()
    return found


def moments(pixels: Pixels, network: Large) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Mean and standard deviation of each channel [c] by name, over views uint8 [n, 3, SIDE, SIDE]."""
    parts = [features(network, normalised(torch.from_numpy(pixels[at : at + 64]))) for at in range(0, len(pixels), 64)]
    found = {}
    for name in DEPTHS:
        whole = torch.cat([part[name] for part in parts])
        found[name] = (whole.mean((0, 2, 3)).numpy(), whole.std((0, 2, 3)).numpy() + np.float32(1e-3))
    return found


def featured(
    pixels: Pixels,
    network: Large,
    measured: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]],
    mirrored: bool,
    say: Say,
) -> dict[str, NDArray[np.int8]]:
    """Features as a Pool holds them, int8 [n, c, h, w] by name, of views or of their mirror images."""
    found = {name: np.empty((len(pixels), *shape), np.int8) for name, (_, shape) in DEPTHS.items()}
    began = time.perf_counter()
    for at in range(0, len(pixels), 64):
        x = normalised(torch.from_numpy(pixels[at : at + 64]))
        for name, value in features(network, x.flip(3) if mirrored else x).items():
            mean, spread = (torch.from_numpy(each)[:, None, None] for each in measured[name])
            found[name][at : at + 64] = ((value - mean) / spread * STEPS).round().clamp(-127, 127).numpy()
        if at // SAID_EVERY != (at + 64) // SAID_EVERY:
            say(f"  features of {at + 64:,} of {len(pixels):,} views, {time.perf_counter() - began:,.0f} s")
    return found
