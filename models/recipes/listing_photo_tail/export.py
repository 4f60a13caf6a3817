"""listing-photo-tail as an ONNX graph, written node by node: activation uint8 [32, 16, 16] → scores [labels], heat
[4, 4, labels]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from models import runtime
from models.recipes.listing_photo import export as device
from models.recipes.listing_photo import train as device_train
from models.recipes.listing_photo.export import judged
from models.recipes.listing_photo.shape import SPLIT_SCALE, SPLIT_SHAPE
from models.recipes.listing_photo_cloud.backbone import Block
from models.recipes.listing_photo_cloud.export import array, conv, inverted
from models.recipes.listing_photo_tail import train
from models.recipes.listing_photo_tail.network import Network
from models.recipes.listing_text.graph import Graph, finished
from models.steps import recipe as recipes
from models.steps import shrink, training

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
WEIGHTS = train.WEIGHTS
KINDS = ("Conv",)  # what static quantization is tried on


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    heat = np.array(training.read_report(build)["temperatures"], np.float32)
    return exported(train.load(build, recipe), heat)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published; INT8 as in listing-photo-cloud, but for the first layer."""
    full = graph(build, recipe)
    return {"fp32": full, "int8": shrink.restored(full, as_int8)}


def as_int8(name: str, array: NDArray[np.float32]) -> shrink.Stored:
    """The first layer is nearly diagonal: in steps of its diagonal all else in it would be nothing, which costs half a
    point of AUC. It has 1,024 weights."""
    return shrink.as_float16(name, array) if name == "scaled.weight" else shrink.as_int8(name, array)


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs: none, everything is in the graph."""
    return {}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: none."""
    return {}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """Models that training itself made small: none."""
    return {}


def samples(recipe: dict[str, Any], data: Path, count: int = 200) -> list[dict[str, NDArray[Any]]]:
    """Inputs to calibrate ranges on: what the device's model, as trained, sends of training photos."""
    settings = recipes.read(train.DEVICE)
    below = device.with_activation(device.exported(
        device_train.load(runtime.BUILD / train.DEVICE, settings).folded(), np.ones(len(settings["labels"]), np.float32)
    ))  # fmt: skip
    session = runtime.open_session(below.SerializeToString())
    photos = device.samples(settings, data, count)
    return [{"activation": session.run(["activation"], photo)[0]} for photo in photos]


def exported(network: Network, temperatures: NDArray[np.float32]) -> onnx.ModelProto:
    """The float32 model. temperatures float32 [labels]."""
    g = Graph()
    scale, zero = g.constant(SPLIT_SCALE, np.float32), g.constant(0, np.uint8)
    x = g.op("Unsqueeze", g.op("DequantizeLinear", "activation", scale, zero), g.constant([0]))
    x = conv(g, x, "scaled", network.scaled)
    x = g.op("Add", x, conv(g, conv(g, x, "widened", network.widened), "mended", network.mended))
    for number, block in enumerate(network.blocks):
        assert isinstance(block, Block)
        x = inverted(g, x, f"block{number}", block)
    x = conv(g, x, "last", network.last)
    assert network.head.bias is not None
    judged(g, x, array(network.head.weight), array(network.head.bias), temperatures)
    outputs = {"scores": (FLOAT, [len(temperatures)]), "heat": (FLOAT, [4, 4, len(temperatures)])}
    return finished(g, "listing-photo-tail", outputs, {"activation": (UINT8, list(SPLIT_SHAPE))})
