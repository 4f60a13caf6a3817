"""What every training of a photo model does alike: score photos, calibrate, report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from models import photo
from models.recipes.listing_photo import pictures
from models.recipes.listing_photo.pictures import Picture
from models.steps import calibrate, metrics, training
from models.steps.training import Say

DEV = Path("photos") / "dev.csv"
Score = Callable[[list[Picture]], NDArray[np.float32]]  # logits [photos, labels]


def normalised(whole: Tensor) -> Tensor:
    """uint8 [n, 3, h, w] → float32 in -1..1, channels last in memory, as the kernels like it."""
    return (whole.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def whole_photos(rows: list[Picture], side: int, batch: int = 32) -> Iterator[Tensor]:
    """Photos as they are scored: the whole, squeezed to a square. uint8 [n, 3, side, side] at a time."""
    for begin in range(0, len(rows), batch):
        made = [
            np.asarray(Image.fromarray(row.pixels).resize((side, side), Image.Resampling.BILINEAR))
            for row in rows[begin : begin + batch]
        ]
        yield torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2)


def scorer(network: nn.Module, side: int) -> Score:
    """Logits of a network that gives heat [n, labels, rows, columns]: the heat's mean."""

    @torch.no_grad()
    def score(rows: list[Picture]) -> NDArray[np.float32]:
        network.eval()
        found = []
        for whole in whole_photos(rows, side):
            with torch.autocast("cpu", torch.bfloat16):
                heat = network(normalised(whole))
            found.append(heat.float().mean((2, 3)).numpy())
        return np.concatenate(found)

    return score


class BothWays(nn.Module):
    """A photo as it is and mirrored, and the mean of both: what the published graphs compute;
    listing-photo where one look leaves a doubt."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        heat, mirrored = self.network(torch.cat([x, x.flip(3)])).chunk(2)
        return (heat + mirrored.flip(3)) / 2


def told_apart(raw: NDArray[np.float32], rows: list[Picture], labels: list[str]) -> str:
    """AUC of unsafe against safe, and of weapons against the rest with its recall, in one line."""
    p = training.softmax(raw)
    weapons = np.array([row.policy == "weapons" for row in rows])
    score = p[:, labels.index("weapons")]
    figures = {
        "unsafe": metrics.roc_auc(np.array([row.policy != "safe" for row in rows]), 1 - p[:, labels.index("safe")]),
        "weapons": metrics.roc_auc(weapons, score),
        "at 1 %": metrics.recall_at_fpr(weapons, score, 0.01),
        "at 5 %": metrics.recall_at_fpr(weapons, score, 0.05),
    }
    return ", ".join(f"{name} {value:.4f}" for name, value in figures.items() if value is not None)


def calibrated(score: Score, data: Path, choose: list[Picture], recipe: dict[str, Any]) -> dict[str, Any]:
    """Temperatures by dev; thresholds by dev and by the photos held out of training; what was measured on these."""
    sets = {"dev": pictures.read(data / DEV), "own": choose}
    sets["ordinary"] = [row for row in choose if row.policy == "safe"]
    scored = {name: (rows, score(rows)) for name, rows in sets.items()}
    return training.calibrated(scored, recipe)


def parts_points(score: Score, data: Path, choose: list[Picture], recipe: dict[str, Any]) -> dict[str, float]:
    """Thresholds for the parts of a photo that the worker reads beside the whole: by the worst part of each harmless
    photo, of dev and of those held out, so that the parts together add no more alarms than the recipe's [parts] says. A
    part is never a ground to be unsure. {} where all photos are too small to have parts."""
    labels, targets = recipe["labels"], recipe["parts"]
    worst = []
    for rows in (pictures.read(data / DEV), choose):
        safe = [row for row in rows if row.policy == "safe"]
        owner, cuts = [], []
        for index, row in enumerate(safe):
            image = Image.fromarray(row.pixels)
            for box in list(photo.boxes(image.size))[1:]:
                owner.append(index)
                cuts.append(Picture(row.row, np.asarray(photo.cut(image, box))))
        if not cuts:
            continue
        unsafe = 1 - training.softmax(score(cuts) / np.array(recipe["temperatures"]))[:, labels.index("safe")]
        found = np.zeros(len(safe))
        np.maximum.at(found, owner, unsafe)
        worst.append(found)
    if not worst:
        return {}
    none = [np.zeros(len(each), bool) for each in worst]

    def limit(share: float) -> float:
        return calibrate.rounded_up(
            max(metrics.threshold_at_fpr(*each, share) for each in zip(none, worst, strict=True))
        )

    warn = limit(targets["warn_fpr"])
    return {"unsure": 1.0, "warn": warn, "block": max(warn, limit(targets["block_fpr"]))}


def finished(
    report: dict[str, Any],
    recipe: dict[str, Any],
    data: Path,
    out: Path,
    weights: str,
    learn: list[Picture],
    views: int,
    seconds: float,
    say: Say,
) -> dict[str, Any]:
    """`calibrated`'s report with what went in, written to out/training.json."""
    report |= {
        "version": recipe["version"],
        "data": str(data.resolve()),
        "fit": training.fit_of(out, weights),
        "rows": dict(Counter(f"photos of {row.policy}" for row in learn)) | {"views": views},
        "seconds": round(seconds, 1),
    }
    training.write_report(out, report)
    shown = ("temperatures", "operating_points", "validation", "seconds")
    say(json.dumps({key: report[key] for key in shown}, indent=2))
    return report
