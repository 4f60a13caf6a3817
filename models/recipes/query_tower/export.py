"""The trained query tower as ONNX: the variants that are published, and those that the bench compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from models.recipes.item_tower import data
from models.recipes.listing_text.front import Shape
from models.recipes.query_tower.network import Parameters, exported
from models.steps import shrink
from models.steps.errors import StepError
from models.towers import packed_query

WEIGHTS = "network.npz"
KINDS = ("MatMul",)  # what static quantization is tried on


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    path = build / WEIGHTS
    if not path.is_file():
        raise StepError(f"There is no {WEIGHTS} in {build}. Run: python -m models train query-tower --data DIR")
    with np.load(path) as stored:
        return exported(Shape(**recipe["shape"]), Parameters(stored["rows"], stored["table"], stored["up"]))


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published; browsers load int8."""
    full = graph(build, recipe)
    with np.load(build / WEIGHTS) as stored:
        steps = {"table": stored["steps"]}
    return {
        "fp32": full,
        "fp16": shrink.restored(full, shrink.as_float16),
        "int8": shrink.restored(full, shrink.in_steps(steps)),
        "clustered": shrink.restored(full, shrink.as_codebook(16)),
    }


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs: none, everything is in the graph."""
    return {}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: none."""
    return {}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """Models that training itself made small: none."""
    return {}


def samples(recipe: dict[str, Any], data_root: Path, count: int = 300) -> list[dict[str, NDArray[Any]]]:
    """Inputs to calibrate ranges on: queries of the training split."""
    queries = [query for each in data.catalogues(data_root) for query in each.queries][:count]
    return [{"bytes": packed_query(query, recipe["window_bytes"])} for query in queries]
