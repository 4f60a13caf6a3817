"""user-tower as an ONNX graph: vectors float32 [t, 128], kinds int64 [t], ages float32 [t] (days), oldest first →
interests float32 [k, 128], unit rows. The same arithmetic as `network.Network`, of one history without padding."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_text.graph import Described, Graph, finished
from models.recipes.user_tower import train
from models.steps import shrink
from models.towers import DIMENSIONS

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
WEIGHTS = train.WEIGHTS
KINDS = ("MatMul",)  # what static quantization is tried on


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    return exported(train.load(build), recipe["network"]["half_life"])


def exported(weights: dict[str, NDArray[np.float32]], half_life: float) -> onnx.ModelProto:
    g = Graph()

    def value(name: str, array: NDArray[Any]) -> str:
        return g.stored(name, array.astype(np.float32))

    def row(x: str) -> str:
        return g.op("Unsqueeze", x, g.constant([0]))

    count, events = weights["places"].shape
    length = g.op("Shape", "vectors", start=0, end=1)
    logits = g.op("MatMul", value("content", weights["content"]), g.op("Transpose", "vectors", perm=[1, 0]))
    last = g.op("Gather", "vectors", g.constant(-1), axis=0)
    like = row(g.op("MatMul", "vectors", last))
    logits = g.op("Add", logits, g.op("Mul", value("like_last", weights["like_last"][:, None]), like))
    of_kind = g.op("Gather", value("of_kinds", weights["kinds"] + weights["fixed"]), "kinds", axis=1)
    # From the last backwards, [events - t : events] of the reversed places.
    backwards = value("from_last", weights["places"][:, ::-1])
    begin = g.op("Sub", g.constant([events]), length)
    by_place = g.op("Slice", backwards, begin, g.constant([events]), g.constant([1]))
    older = row(g.op("Mul", "ages", g.constant(math.log(2) / half_life, np.float32)))
    total = g.op("Sub", g.op("Add", g.op("Add", logits, of_kind), by_place), older)
    mixed = g.op("MatMul", g.op("Softmax", total, axis=-1), "vectors")
    size = g.op("ReduceL2", mixed, g.constant([1]), keepdims=1)
    g.name(g.op("Div", mixed, g.op("Max", size, g.constant(1e-6, np.float32))), "interests")
    inputs: Described = {"vectors": (FLOAT, ["t", DIMENSIONS]), "kinds": (INT64, ["t"]), "ages": (FLOAT, ["t"])}
    return finished(g, "user-tower", {"interests": (FLOAT, [count, DIMENSIONS])}, inputs)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published; browsers load int8."""
    full = graph(build, recipe)
    return {
        "fp32": full,
        "fp16": shrink.restored(full, shrink.as_float16),
        "int8": shrink.restored(full, shrink.as_int8),
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
