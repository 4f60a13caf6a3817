"""listing-text-gate as an ONNX graph, written node by node: input_ids, attention_mask int64 [n, t] → scores [n, P].

The same arithmetic as `network.Network` in inference, and the signature of listing-text-cloud, so that the same scorer
runs both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_text.graph import PIECES, Graph, finished
from models.recipes.listing_text_cloud import export as cloud
from models.recipes.listing_text_cloud.pairs import both_seen, pair_rows
from models.recipes.listing_text_gate import train
from models.recipes.listing_text_gate.network import FAR_BELOW
from models.steps import shrink, training

FLOAT = TensorProto.FLOAT
WEIGHTS = train.WEIGHTS
Weights = dict[str, NDArray[np.float32]]


KINDS = ("MatMul",)  # what static quantization is tried on
# Inputs to calibrate ranges on are those of the other model that reads word pieces.
samples, files = cloud.samples, cloud.files


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    heat = np.array(training.read_report(build)["temperatures"], np.float32)
    return exported(named(train.load(build, recipe).state_dict()), heat)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published; fp32 is over 10 MB and is rebuilt, not committed."""
    full = graph(build, recipe)
    return {"fp32": full, "int8": shrink.restored(full, shrink.as_int8)}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: none."""
    return {}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """Models that training itself made small: none."""
    return {}


def named(state: dict[str, Any]) -> Weights:
    """The trained state as arrays."""
    return {name: value.detach().float().cpu().numpy() for name, value in state.items()}


def exported(weights: Weights, heat: NDArray[np.float32]) -> onnx.ModelProto:
    """heat float32 [P]: each label's temperature."""
    g = Graph()

    def value(name: str, array: NDArray[Any]) -> str:
        return g.stored(name, array.astype(np.float32))

    def constant(number: float) -> str:
        return g.constant(number, np.float32)

    def rows(name: str, ids: str) -> str:
        return g.take(value(name, weights[f"{name}.weight"]), ids)

    def matrix(name: str) -> str:
        return value(f"{name}.weight", weights[f"{name}.weight"].T)

    def column(x: str) -> str:
        return g.op("Unsqueeze", x, g.constant([2]))

    # Each piece's vector and, on the same place, that of the pair it makes with the next.
    seen = g.op("Cast", "attention_mask", to=FLOAT)
    both = column(g.op("Pad", both_seen(g, seen), g.constant([0, 0, 0, 1])))
    pair = pair_rows(g, "input_ids", len(weights["pairs.weight"]))
    pairs = g.op("Pad", rows("pairs", pair), g.constant([0, 0, 0, 0, 1, 0]))
    x = g.op("Add", g.op("Mul", rows("words", "input_ids"), column(seen)), g.op("Mul", pairs, both))
    count = g.op("Add", column(seen), both)

    length = g.op("Squeeze", g.op("Shape", "input_ids", start=1, end=2))
    place = g.op("Range", g.constant(0), length, g.constant(1))
    apart = g.op("Abs", g.sub(g.op("Unsqueeze", place, g.constant([1])), place))
    close = g.op("Cast", g.less(apart, int(weights["reach"]) + 1), to=FLOAT)
    near = g.op("Div", g.op("MatMul", close, x), g.op("Max", g.op("MatMul", close, count), constant(1.0)))
    whole = g.op("Div", *(g.op("ReduceSum", each, g.constant([1]), keepdims=1) for each in (x, count)))
    read = g.op("Add", g.op("MatMul", near, matrix("near")), value("near.bias", weights["near.bias"]))
    h = g.op("Relu", g.op("Add", read, g.op("MatMul", whole, matrix("whole"))))

    unseen = column(g.op("Mul", g.op("Sub", constant(1.0), seen), constant(FAR_BELOW)))
    heed = g.op("Softmax", g.op("Add", g.op("MatMul", h, matrix("heed")), unseen), axis=1)
    heeded = g.op("Flatten", g.op("MatMul", g.op("Transpose", heed, perm=[0, 2, 1]), h), axis=1)
    most = g.op("ReduceMax", g.op("Add", h, unseen), g.constant([1]), keepdims=0)
    head = value("head.weight", (weights["head.weight"] / heat[:, None]).T)
    logits = g.op(
        "Add", g.op("MatMul", g.join(heeded, most, axis=1), head), value("head.bias", weights["head.bias"] / heat)
    )
    g.name(g.op("Softmax", logits, axis=-1), "scores")

    return finished(g, "listing-text-gate", {"scores": (FLOAT, ["n", "P"])}, PIECES)
