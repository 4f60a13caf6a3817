"""listing-photo as an ONNX graph, written node by node: rgb uint8 [h, w, 3] → scores [labels], heat [8, 8, labels],
activation uint8 [32, 16, 16]. The photo is read as it is and, unless that clears it, mirrored too (`mirror_look.py`);
scores and heat are then the mean of both: a gun points either way. The activation is that of the photo as it is.

Resizing and the normalisation of pixels are in the graph; the latter lies in the weights of the patch stem, which has
no padding, so that its input is the bytes themselves and INT8 begins with the photo.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.recipes.listing_photo import pictures, train
from models.recipes.listing_photo.mirror_look import when_not_clear
from models.recipes.listing_photo.network import Folded
from models.recipes.listing_photo.shape import HEAT, PATCH, SIDE, SPLIT, SPLIT_MOST, SPLIT_SCALE
from models.recipes.listing_photo_cloud.train import TRAIN
from models.recipes.listing_text.graph import Graph, finished
from models.steps import shrink, training

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
Floats = NDArray[np.float32]
WEIGHTS = train.WEIGHTS
KINDS = ("Conv",)  # what static quantization is tried on
RGB = {"rgb": (UINT8, ["h", "w", 3])}


def graph(build: Path, recipe: dict[str, Any]) -> onnx.ModelProto:
    """The float32 model of a build folder, which always looks both ways: what ways to shrink are tried on. Raises
    StepError when nothing was trained there."""
    heat = np.array(training.read_report(build)["temperatures"], np.float32)
    return exported(train.load(build, recipe).folded(), heat)


def variants(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """What is measured and published. INT8 arithmetic throughout, but for the head, whose few products decide."""
    full = graph(build, recipe)
    taken = samples(recipe, Path(training.read_report(build)["data"]))
    return {
        "fp32": when_not_clear(with_activation(full)),
        "fp16": when_not_clear(with_activation(shrink.restored(full, shrink.as_float16))),
        "int8": when_not_clear(with_activation(quantized(full, taken))),
    }


def quantized(full: onnx.ModelProto, taken: list[dict[str, NDArray[Any]]]) -> onnx.ModelProto:
    """uint8 activations, int8 weights of seven bits by channel: in eight, processors without VNNI overflow, and the
    file is larger. The split's scale is the one that the tail knows."""
    sent = {"scale": np.array(SPLIT_SCALE, np.float32), "zero_point": np.array(0, np.uint8)}
    return shrink.static(
        full,
        taken,
        method="MinMax",
        per_channel=True,
        kinds=KINDS,
        leave=("head",),
        seven_bits=True,
        scales={"split": [sent]},
    )


def files() -> dict[str, bytes]:
    """Further files that the model needs where it runs: none, everything is in the graph."""
    return {}


def retrained(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By name, the models that were pruned and trained on afterwards: none but the published one."""
    return {}


def already_small(build: Path, recipe: dict[str, Any]) -> dict[str, onnx.ModelProto]:
    """By what they are, models that training itself made small: none."""
    return {}


def samples(recipe: dict[str, Any], data: Path, count: int = 300) -> list[dict[str, NDArray[Any]]]:
    """Inputs to calibrate ranges on: training photos, the same ones each time."""
    rows = sorted(pictures.read_rows(data / TRAIN), key=pictures.share_of)[:count]
    return [{"rgb": pictures.decoded(row.path)} for row in rows]


def read_pixels(g: Graph, side: int) -> str:
    """float32 [1, 3, side, side] in 0..255: antialiased, whatever the photo's shape (squeezed to a square)."""
    planes = g.op("Transpose", g.op("Cast", "rgb", to=FLOAT), perm=[2, 0, 1])
    batch = g.op("Unsqueeze", planes, g.constant([0]))
    return g.op("Resize", batch, "", "", g.constant([1, 3, side, side]), mode="linear", antialias=1)


def both_ways(g: Graph, x: str) -> str:
    """[1, c, h, w] and its mirror image, [2, c, h, w]."""
    return g.op("Concat", x, mirrored(g, x), axis=0)


def mirrored(g: Graph, x: str) -> str:
    """[n, c, h, w], left and right exchanged."""
    ends = (g.constant([each]) for each in (-1, -(2**31), 3, -1))
    return g.op("Slice", x, *ends)


def mean_of_both(g: Graph, x: str) -> str:
    """Features [2, c, h, w] of a photo and of its mirror image → [1, c, h, w], each place with its own in the mirror.
    A head that is linear may read their mean in place of each."""
    plain, other = (g.op("Slice", x, *(g.constant([at]) for at in (place, place + 1, 0))) for place in (0, 1))
    return g.op("Mul", g.op("Add", plain, mirrored(g, other)), g.constant(0.5, np.float32))


def convolved(g: Graph, x: str, name: str, weight: NDArray[np.float32], bias: NDArray[np.float32], **how: Any) -> str:
    kernel = list(weight.shape[2:])
    return g.op("Conv", x, g.stored(f"{name}.weight", weight.astype(np.float32)),
                g.stored(f"{name}.bias", bias.astype(np.float32)), kernel_shape=kernel, **how)  # fmt: skip


def judged(g: Graph, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32], t: NDArray[np.float32]) -> None:
    """The outputs scores and heat from the last features [1, c, h, w]. t float32 [labels]: temperatures."""
    heat = convolved(g, x, "head", weight / t[:, None, None, None], bias / t)
    g.name(g.op("Softmax", g.op("ReduceMean", heat, g.constant([0, 2, 3]), keepdims=0), axis=0), "scores")
    g.name(g.op("Transpose", g.op("Squeeze", heat, g.constant([0])), perm=[1, 2, 0]), "heat")


def for_bytes(weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """The stem for pixels 0..255 in place of -1..1; exact, for it pads nothing."""
    return weight / 127.5, bias - weight.sum((1, 2, 3))


def exported(parts: Folded, temperatures: NDArray[np.float32]) -> onnx.ModelProto:
    """The float32 model, looking both ways. `pixels`, `both` and `features` are the tensors between which the network
    lies, `split` the one that may leave the device; `with_activation` makes bytes of it."""
    g = Graph()
    (stem, stem_bias, _), *layers, (head, head_bias, _) = parts
    weight, bias = for_bytes(stem, stem_bias)
    pixels = g.called("pixels", read_pixels(g, SIDE))
    x = g.called("both", both_ways(g, pixels))
    x = g.op("Relu", convolved(g, x, "stem", weight, bias, strides=[PATCH, PATCH]))
    for number, (weight, bias, stride) in enumerate(layers):
        x = convolved(g, x, f"layer{number}", weight, bias, strides=[stride, stride], pads=[1, 1, 1, 1])
        if number == SPLIT:
            x = g.called("split", g.op("Clip", x, g.constant(0, np.float32), g.constant(SPLIT_MOST, np.float32)))
        else:
            x = g.op("Relu", x)
    judged(g, mean_of_both(g, g.called("features", x)), head, head_bias, temperatures)
    labels = len(temperatures)
    return finished(g, "listing-photo", {"scores": (FLOAT, [labels]), "heat": (FLOAT, [*HEAT, labels])}, RGB)


def with_activation(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the output `activation`: `split` as bytes. What is quantized anyway is given out as it is; else
    the bytes are made, and the upper layers go on from what they say, as the tail does."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    graph = found.graph
    graph.output.append(helper.make_tensor_value_info("activation", UINT8, ["c", "rows", "columns"]))
    made = next((node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == "split"), None)
    if made is None:
        scale, zero = "split.scale", "split.zero"
        graph.initializer.append(numpy_helper.from_array(np.array(SPLIT_SCALE, np.float32), scale))
        graph.initializer.append(numpy_helper.from_array(np.array(0, np.uint8), zero))
        for node in graph.node:
            node.input[:] = ["split.again" if name == "split" else name for name in node.input]
        at = next(index for index, node in enumerate(graph.node) if "split" in node.output) + 1
        made = helper.make_node("QuantizeLinear", ["split", scale, zero], ["split.bytes"], name="split.bytes")
        again = helper.make_node("DequantizeLinear", ["split.bytes", scale, zero], ["split.again"], name="split.again")
        graph.node.insert(at, made)
        graph.node.insert(at + 1, again)
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.int64), "split.plain"))
    graph.node.append(helper.make_node("Gather", [made.output[0], "split.plain"], ["activation"], name="activation"))
    onnx.checker.check_model(found, full_check=True)
    return found
