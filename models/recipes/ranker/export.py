"""ranker as an ONNX graph: features float32 [n, features] → scores float32 [n]. The members side by side in one layer,
their mean in the next; the normalisation is part of the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_text.graph import Described, Graph, finished
from models.recipes.ranker import train

FLOAT = TensorProto.FLOAT
WEIGHTS = train.WEIGHTS
KINDS = ("MatMul",)


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    return exported(train.load(build))


def exported(members: list[dict[str, NDArray[np.float32]]]) -> onnx.ModelProto:
    g = Graph()
    count = len(members)
    first, bias, last, straight = [], [], [], 0.0
    for each in members:
        weights = each["first.weight"] * each["scale"]  # float32 [hidden, features]
        first.append(weights.T)
        bias.append(each["first.bias"] - weights @ each["mean"])
        last.append((each["last.weight"][0] / count).astype(np.float32))
        straight = straight + (each["straight.weight"][0] * each["scale"] + each["by_hand"]) / count

    def value(name: str, arrays: list[NDArray[Any]], axis: int) -> str:
        return g.stored(name, np.concatenate(arrays, axis=axis).astype(np.float32))

    hidden = g.op("Add", g.op("MatMul", "features", value("first", first, 1)), value("bias", bias, 0))
    risen = g.op("Mul", hidden, g.op("Sigmoid", hidden))
    learned = g.op("MatMul", risen, value("last", last, 0))
    direct = g.op("MatMul", "features", g.stored("straight", np.asarray(straight, np.float32)))
    g.name(g.op("Add", learned, direct), "scores")
    features = members[0]["mean"].shape[0]
    inputs: Described = {"features": (FLOAT, ["n", features])}
    return finished(g, "ranker", {"scores": (FLOAT, ["n"])}, inputs)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """A few kilobytes that never leave the server: nothing to make smaller."""
    return {"fp32": graph(build, recipe)}


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs: none."""
    return {}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: none."""
    return {}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """Models that training itself made small: none."""
    return {}
