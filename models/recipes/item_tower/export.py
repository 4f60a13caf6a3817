"""item-tower as an ONNX graph: a listing's title as bytes, and its word pieces → a unit vector of 128 numbers.

The title goes the way of a query (`query_tower.network.summed`), the whole text through MiniLM as listing-text-cloud's
does. The same arithmetic as `network.Towers.items`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.item_tower import sentences, train
from models.recipes.listing_text.front import Shape
from models.recipes.listing_text.graph import BYTES, PIECES, Graph, finished
from models.recipes.listing_text.network import row_lookup
from models.recipes.listing_text_cloud import export as cloud
from models.recipes.query_tower.network import stored, summed, unit
from models.towers import DIMENSIONS

FLOAT = TensorProto.FLOAT
WEIGHTS = train.WEIGHTS
KINDS = ("MatMul",)  # what static quantization is tried on
Weights = dict[str, NDArray[np.float32]]


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    towers, kept = train.load(build, recipe)
    state = cloud.arrays(towers.state_dict())
    return exported(Shape(**recipe["shape"]), kept, state, cloud.arrays(sentences.encoder().state_dict()))


def exported(shape: Shape, kept: NDArray[np.int64], towers: Weights, sentence: Weights) -> onnx.ModelProto:
    """bytes uint8 [n], input_ids and attention_mask int64 [1, t] → vector float32 [128]."""
    g = Graph()
    x, _, column = cloud.encoded(g, sentence)
    inner = cloud.linear(g, towers, unit(g, cloud.mean(g, x, column)), "inner")
    erf = g.op("Erf", g.op("Div", inner, g.constant(np.sqrt(2), np.float32)))
    half = g.op("Mul", inner, g.constant(0.5, np.float32))
    active = g.op("Mul", half, g.op("Add", erf, g.constant(1.0, np.float32)))
    deep = unit(g, cloud.linear(g, towers, active, "outer"))
    table, row_of = stored(g, towers["table.weight"][1:]), row_lookup(g, kept, shape.bits)
    words = unit(g, summed(g, shape, row_of, table))
    both = g.op("Add", g.op("Mul", words, g.constant(float(towers["mix"]), np.float32)), deep)
    g.name(g.op("Squeeze", unit(g, both), g.constant([0])), "vector")
    return finished(g, "item-tower", {"vector": (FLOAT, [DIMENSIONS])}, BYTES | PIECES)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published; fp32 is over 10 MB and is rebuilt, not committed."""
    full = graph(build, recipe)
    return {"fp32": full, "int8": cloud.int8(full)}


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs."""
    return cloud.files()


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: none."""
    return {}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """Models that training itself made small: none."""
    return {}
