"""listing-text-cloud as an ONNX graph, written node by node: input_ids, attention_mask int64 [n, t] → scores [n, P].

The same arithmetic as `backbone.Classifier` in inference; LayerNormalization and the shapes of attention and GELU are
those that ONNX Runtime recognises and fuses. Weights stand as MatMul's second operand, [in, out], where its quantizers
look.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models import wordpieces
from models.recipes.listing_text import corpus
from models.recipes.listing_text.graph import PIECES, Graph, finished
from models.recipes.listing_text_cloud import train
from models.recipes.listing_text_cloud.backbone import HEADS, LAYERS, WIDTH
from models.recipes.listing_text_cloud.pairs import both_seen, pair_rows
from models.steps import shrink, training

FLOAT = TensorProto.FLOAT
Weights = dict[str, NDArray[np.float32]]


WEIGHTS = train.WEIGHTS
KINDS = ("MatMul",)  # what static quantization is tried on


def graph(build: Path, recipe: dict[str, Any], weights: str = WEIGHTS) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    model = train.load(build, recipe, weights)
    heat = np.array(training.read_report(build)["temperatures"], np.float32)
    return exported(named(model.state_dict(), heat))


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published; fp32 and fp16 are over 10 MB and are rebuilt, not committed."""
    full = graph(build, recipe)
    return {"fp32": full, "fp16": shrink.restored(full, shrink.as_float16), "int8": int8(full)}


def int8(full: onnx.ModelProto) -> onnx.ModelProto:
    """Products by ONNX Runtime with activations quantized on the fly, tables by column."""
    return shrink.int8_tables(shrink.dynamic(full, per_channel=True, kinds=KINDS))


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs."""
    return train.files()


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards."""
    paths = sorted(build.glob("model-*.pt"))
    return {path.stem.removeprefix("model-"): graph(build, recipe, path.name) for path in paths}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """Models that training itself made small: none."""
    return {}


def samples(recipe: dict[str, Any], data: Path, count: int = 200) -> list[dict[str, NDArray[Any]]]:
    """Inputs to calibrate ranges on: our own training listings, the same ones each time, whatever lies in `data`."""
    rows = sorted(corpus.own(), key=lambda e: corpus.share_of("c" + e.title))[:count]
    found = train.pieces_of(train.reader(), [(row.title, row.description) for row in rows])
    return [wordpieces.batch([row[: recipe["window_pieces"]]]) for row in found]


def named(state: dict[str, Any], heat: NDArray[np.float32]) -> Weights:
    """The trained state as arrays, the logits divided by each label's temperature float32 [P]."""
    found = arrays(state)
    found["head.weight"] = found["head.weight"] / heat[:, None]
    for name in ("head.bias", "wide.single.weight", "wide.pairs.weight", "wide.bias"):
        found[name] = found[name] / heat
    return found


def arrays(state: dict[str, Any]) -> Weights:
    return {name: value.detach().float().cpu().numpy() for name, value in state.items()}


def exported(weights: Weights) -> onnx.ModelProto:
    g = Graph()
    x, seen, column = encoded(g, weights)
    unseen = g.op("Mul", g.op("Sub", g.constant(1.0, np.float32), column), g.constant(1e4, np.float32))
    most = g.op("ReduceMax", g.op("Sub", x, unseen), g.constant([1]), keepdims=0)
    wide = wide_logits(g, weights, seen, column)
    logits = g.op("Add", linear(g, weights, g.join(mean(g, x, column), most, axis=1), "head"), wide)
    g.name(g.op("Softmax", logits, axis=-1), "scores")
    return finished(g, "listing-text-cloud", {"scores": (FLOAT, ["n", "P"])}, PIECES)


def linear(g: Graph, weights: Weights, x: str, name: str) -> str:
    matrix, bias = (weights[f"{name}.{part}"].astype(np.float32) for part in ("weight", "bias"))
    return g.op("Add", g.op("MatMul", x, g.stored(f"{name}.weight", matrix.T)), g.stored(f"{name}.bias", bias))


def mean(g: Graph, x: str, column: str) -> str:
    """Over the pieces that are there, [n, 384]."""
    total = g.op("ReduceSum", g.op("Mul", x, column), g.constant([1]), keepdims=0)
    return g.op("Div", total, g.op("ReduceSum", column, g.constant([1]), keepdims=0))


def encoded(g: Graph, weights: Weights) -> tuple[str, str, str]:
    """MiniLM of input_ids and attention_mask: each piece's vector [n, t, 384], what is there as float [n, t] and as
    [n, t, 1]."""

    def value(name: str, array: NDArray[Any]) -> str:
        return g.stored(name, array.astype(np.float32))

    def norm(x: str, name: str) -> str:
        scale, bias = (value(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return g.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def constant(number: float) -> str:
        return g.constant(number, np.float32)

    length = g.op("Shape", "input_ids", start=1, end=2)
    kinds = weights["places.weight"] + weights["kinds.weight"][0]
    places = g.op("Slice", value("places", kinds), g.constant([0]), length, g.constant([0]))
    x = norm(g.op("Add", g.take(value("words", weights["words.weight"]), "input_ids"), places), "norm")
    seen = g.op("Cast", "attention_mask", to=FLOAT)
    hidden = g.op("Mul", g.op("Sub", constant(1.0), seen), constant(-1e4))
    mask = g.op("Unsqueeze", hidden, g.constant([1, 2]))
    split = g.constant([0, 0, HEADS, WIDTH // HEADS])
    whole = g.constant([0, 0, WIDTH])
    for layer in range(LAYERS):
        name = f"layers.{layer}"

        def heads(part: str, perm: list[int], x: str = x, name: str = name) -> str:
            return g.op("Transpose", g.op("Reshape", linear(g, weights, x, f"{name}.{part}"), split), perm=perm)

        query, key, content = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]), heads("value", [0, 2, 1, 3])
        scores = g.op("Div", g.op("MatMul", query, key), constant(math.sqrt(WIDTH // HEADS)))
        weight = g.op("Softmax", g.op("Add", scores, mask), axis=-1)
        mixed = g.op("Transpose", g.op("MatMul", weight, content), perm=[0, 2, 1, 3])
        x = norm(g.op("Add", linear(g, weights, g.op("Reshape", mixed, whole), f"{name}.output"), x), f"{name}.norm")
        up = linear(g, weights, x, f"{name}.up")
        erf = g.op("Erf", g.op("Div", up, constant(math.sqrt(2))))
        gelu = g.op("Mul", g.op("Mul", up, g.op("Add", erf, constant(1.0))), constant(0.5))
        x = norm(g.op("Add", linear(g, weights, gelu, f"{name}.down"), x), f"{name}.norm_out")

    return x, seen, g.op("Unsqueeze", seen, g.constant([2]))


def wide_logits(g: Graph, weights: Weights, seen: str, column: str) -> str:
    """`backbone.Wide` in inference. column: seen as [n, t, 1]."""

    def rows(name: str, ids: str) -> str:
        return g.take(g.stored(name, weights[f"wide.{name}.weight"].astype(np.float32)), ids)

    def total(x: str, there: str) -> str:
        return g.op("ReduceSum", g.op("Mul", x, there), g.constant([1]), keepdims=0)

    both = g.op("Unsqueeze", both_seen(g, seen), g.constant([2]))
    pair = pair_rows(g, "input_ids", len(weights["wide.pairs.weight"]))
    told = g.op("Add", total(rows("single", "input_ids"), column), total(rows("pairs", pair), both))
    spread = g.op("Div", told, g.op("Sqrt", g.op("ReduceSum", seen, g.constant([1]), keepdims=1)))
    return g.op("Add", spread, g.stored("wide.bias", weights["wide.bias"].astype(np.float32)))
