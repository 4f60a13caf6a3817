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
from models.recipes.listing_text.patchable import patchable
from models.steps import shrink
from models.steps.errors import StepError
from models.steps.training import WEIGHTS

KEPT, ROUNDED = "network-kept.npz", "network-rounded.npz"
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
    most and trained on, int8-pruned with the table rounded, which is what browsers load and what
    a patch can be added to."""
    full = graph(build, recipe)
    return {
        "fp32": full,
        "fp16": shrink.restored(full, shrink.as_float16),
        "int8": shrink.restored(full, shrink.as_int8),
        "int8-pruned": patchable(rounded(build, recipe), Shape(**recipe["shape"])),
        "clustered": shrink.restored(graph(build, recipe, KEPT), shrink.as_codebook(16)),
    }


def rounded(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The network that was trained with a coarse table, as INT8."""
    model = graph(build, recipe, ROUNDED)
    with np.load(build / ROUNDED) as stored:
        return shrink.restored(model, shrink.in_steps({"table": stored["steps"]}))


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs: none, everything is in the graph."""
    return {}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: those kept first."""
    paths = sorted(path for path in build.glob("network-*.npz") if path.name != ROUNDED)
    return {path.stem.removeprefix("network-"): graph(build, recipe, path.name) for path in paths}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By what they are, models that training itself made small."""
    return {"pruned to the published rows, trained with a rounded table": rounded(build, recipe)}


def samples(recipe: dict[str, Any], data: Path, count: int = 300) -> list[dict[str, NDArray[Any]]]:
    """Inputs to calibrate ranges on: our own training listings, the same ones each time, whatever lies in `data`."""
    rows = sorted(corpus.own(), key=lambda e: corpus.share_of("c" + e.title))[:count]
    found = []
    for row in rows:
        packed = pack([("title", row.title), ("description", row.description)])
        begin, end = windows(packed, recipe["window_bytes"])[0]
        found.append({"bytes": np.frombuffer(packed.data[begin:end], np.uint8)})
    return found
