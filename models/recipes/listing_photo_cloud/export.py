"""listing-photo-cloud as an ONNX graph, written node by node: rgb uint8 [h, w, 3] → scores [labels], heat
[6, 6, labels]. The photo is read as it is and mirrored, and the mean of both is given out: a gun points either way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto

from models.recipes.listing_photo import pictures
from models.recipes.listing_photo.export import RGB, both_ways, convolved, judged, mean_of_both, read_pixels
from models.recipes.listing_photo_cloud import train
from models.recipes.listing_photo_cloud.backbone import Block, Conv, Network
from models.recipes.listing_text.graph import Graph, finished
from models.steps import shrink, training

FLOAT = TensorProto.FLOAT
WEIGHTS = train.WEIGHTS
KINDS = ("Conv",)  # what static quantization is tried on


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder. Raises StepError when nothing was trained there."""
    heat = np.array(training.read_report(build)["temperatures"], np.float32)
    return exported(train.load(build, recipe), recipe["side"], heat)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published. INT8 weights that become float32 again when a session starts. INT8 arithmetic
    (static, per channel) takes 0.7 of the time natively, 1.3 in WASM, and .9879 in place of .9902 of AUC on 150 photos
    of dev: the last word is worth 3 ms."""
    full = graph(build, recipe)
    return {"fp32": full, "int8": shrink.restored(full, shrink.as_int8)}


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
    """Inputs to calibrate ranges on: training photos, the same ones each time."""
    rows = sorted(pictures.read_rows(data / train.TRAIN), key=pictures.share_of)[:count]
    return [{"rgb": pictures.decoded(row.path)} for row in rows]


def exported(network: Network, side: int, temperatures: NDArray[np.float32]) -> onnx.ModelProto:
    """The float32 model. temperatures float32 [labels]."""
    g = Graph()
    both = both_ways(g, read_pixels(g, side))
    x = conv(g, g.op("Sub", g.op("Div", both, half(g)), one(g)), "stem", network.stem)
    for number, block in enumerate(network.blocks):
        assert isinstance(block, Block)
        x = inverted(g, x, f"block{number}", block)
    x = mean_of_both(g, conv(g, x, "last", network.last))
    assert network.head.bias is not None
    judged(g, x, array(network.head.weight), array(network.head.bias), temperatures)
    labels, places = len(temperatures), side // 32
    outputs = {"scores": (FLOAT, [labels]), "heat": (FLOAT, [places, places, labels])}
    return finished(g, "listing-photo-cloud", outputs, RGB)


def half(g: Graph) -> str:
    return g.constant(127.5, np.float32)


def one(g: Graph) -> str:
    return g.constant(1.0, np.float32)


def inverted(g: Graph, x: str, name: str, block: Block) -> str:
    y = conv(g, x, f"{name}.expand", block.expand) if block.expand else x
    y = conv(g, conv(g, y, f"{name}.depthwise", block.depthwise), f"{name}.project", block.project)
    return g.op("Add", x, y) if block.residual else y


def conv(g: Graph, x: str, name: str, part: Conv) -> str:
    """A convolution as `backbone.Conv` does it."""
    size, pad = part.conv.kernel_size[0], part.conv.kernel_size[0] // 2
    pads = [0, 0, 1, 1] if part.stride == 2 else [pad] * 4
    assert part.conv.bias is not None and size
    how = {"strides": [part.stride] * 2, "pads": pads, "group": part.conv.groups}
    y = convolved(g, x, name, array(part.conv.weight), array(part.conv.bias), **how)
    return y if part.linear else g.op("Clip", y, g.constant(0.0, np.float32), g.constant(6.0, np.float32))


def array(tensor: torch.Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return found
