"""The trained network as ONNX: the variants that are published, and those that the bench compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from models.contract import pack, windows
from models.recipes.listing_text import corpus
from models.recipes.listing_text.front import Shape
from models.recipes.listing_text.network import Parameters, whole
from models.steps import shrink
from models.steps.errors import StepError
from models.steps.training import WEIGHTS

PRUNED = "network-kept.npz"
KINDS = ("MatMul", "Conv")  # what static quantization is tried on


def graph(build: Path, recipe: dict[str, Any], weights: str = WEIGHTS) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    path = build / weights
    if not path.is_file():
        raise StepError(f"There is no {weights} in {build}. Run: python -m models train listing-text --data DIR")
    with np.load(path) as stored:
        kept = {name: stored[name] for name in stored.files}
    parts: dict[str, dict[str, NDArray[Any]]] = {"dense": {}, "bias": {}}
    for name, values in kept.items():
        kind, _, rest = name.partition(".")
        if kind in parts:
            parts[kind][rest] = values
    norm_words, norm_power = map(float, kept["norm"])
    parameters = Parameters(
        kept["rows"], kept["table"], parts["dense"], parts["bias"], kept["known"], norm_words, norm_power
    )
    return whole(Shape(**recipe["shape"]), parameters)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published: fp32, fp16 and int8 with all rows, the other two pruned to those that matter
    most and trained on, which is what browsers load."""
    full, sizes = graph(build, recipe), recipe["sizes"]
    pruned = graph(build, recipe, PRUNED)
    return {
        "fp32": full,
        "fp16": shrink.restored(full, shrink.as_float16),
        "int8": shrink.restored(full, shrink.as_int8),
        "int8-pruned": shrink.restored(pruned, shrink.coarse_tables(sizes["levels"])),
        "clustered": shrink.restored(pruned, shrink.as_codebook(16)),
    }


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs: none, everything is in the graph."""
    return {}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: those kept first."""
    paths = sorted(build.glob("network-*.npz"))
    return {path.stem.removeprefix("network-"): graph(build, recipe, path.name) for path in paths}


def samples(recipe: dict[str, Any], count: int = 300) -> list[dict[str, NDArray[Any]]]:
    """Inputs to calibrate ranges on: our own training listings, the same ones each time."""
    rows = sorted(corpus.own(), key=lambda e: corpus.share_of("c" + e.title))[:count]
    found = []
    for row in rows:
        packed = pack([("title", row.title), ("description", row.description)])
        begin, end = windows(packed, recipe["window_bytes"])[0]
        found.append({"bytes": np.frombuffer(packed.data[begin:end], np.uint8)})
    return found
