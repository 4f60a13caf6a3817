"""Moments of real sessions with all their candidates, as `manage.py ranker_examples` wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.steps.errors import StepError

FOLDER = "ranker"
SETS = ("bestbuy_xbox", "amazon_office", "amazon_industrial")
# What a site that has counted nothing would read as zeros.
COUNTED = ("steps_", "back_", "wide", "lift_", "memory_", "known", "counted", "popularity")


@dataclass(frozen=True)
class Moments:
    """values: float32 [candidates of all moments, features]; starts: of each moment's candidates, and the end; targets:
    place of what was opened among them, -1 where it is none of them."""

    names: list[str]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]
    targets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)


def read(data: Path, name: str, split: str) -> Moments:
    """split: train or dev. Raises StepError."""
    path = data / FOLDER / f"{name}.{split}.npz"
    if not path.is_file():
        raise StepError(f"There is no {path}. Make it: manage.py ranker_examples --data …/{name} --out {data}")
    with np.load(path) as stored:
        starts = np.concatenate([[0], np.cumsum(stored["sizes"])]).astype(np.int64)
        names = [str(each) for each in stored["names"]]
        return Moments(names, stored["values"].astype(np.float32), starts, stored["targets"].astype(np.int64))


def figures(found: Moments, scores: NDArray[np.float32]) -> dict[str, float | int]:
    """scores: float32 [candidates of all moments]. A moment whose answer is no candidate counts as a miss."""
    hits, gains, reciprocal = [], [], []
    for start, end, target in zip(found.starts[:-1], found.starts[1:], found.targets, strict=True):
        of = scores[start:end]
        place = (of > of[target]).sum() + ((of == of[target]).sum() - 1) / 2 if target >= 0 else np.inf
        hits.append(place < 10)
        gains.append(1 / np.log2(place + 2) if place < 10 else 0.0)
        reciprocal.append(1 / (place + 1))
    return {
        "cases": len(found),
        "hr_at_10": float(np.mean(hits)),
        "ndcg_at_10": float(np.mean(gains)),
        "mrr": float(np.mean(reciprocal)),
    }
