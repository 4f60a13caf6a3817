"""The public photo network in numpy, with its gradient: what an attacker works out from the file that browsers get.

A line of convolutions is few enough lines to write down, so that attacking needs nothing that training needs. Whether
a photo passes is never decided here: each attempt is judged by the published file itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models import manifest, photo, runtime
from models.patch import varint_at

Floats = NDArray[np.float32]
FULL = "fp32"  # the browser's INT8 file holds the same weights, rounded
SAFE = "safe"
BYTES = 255
# Where in a file of the ONNX format the weights are: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
GRAPH, NODE, ATTRIBUTE, BODY, INITIALIZER = 7, 1, 5, 6, 5
DIMS, DATA_TYPE, FLOAT_DATA, NAME, RAW_DATA = 1, 2, 4, 8, 9
FLOAT = 1


@dataclass(frozen=True)
class Layer:
    """weight [out, into, k, k], bias [out]. most: what it is kept below, None for the head, which keeps everything."""

    weight: Floats
    bias: Floats
    stride: int
    padding: int
    most: float | None


@dataclass(frozen=True)
class Network:
    """Reads float32 [3, side, side], 0 to 255."""

    side: int
    layers: list[Layer]
    safe: int  # place of the label
    clear: float  # a first look that is safe with at least this probability is the only one

    def logits(self, x: Floats) -> Floats:
        """float32 [labels]: the mean of the last layer's map, of the photo and, unless that clears it, of its mirror
        image too."""
        one = _through(self.layers, x)[0].mean((1, 2))
        if one[self.safe] - np.logaddexp.reduce(one) >= np.log(self.clear):
            return one
        return (one + _through(self.layers, _mirrored(x))[0].mean((1, 2))) / 2

    def unsafe(self, x: Floats) -> tuple[float, Floats]:
        """The log-odds of unsafe in both looks and their gradient [3, side, side]: whoever lowers both comes past the
        first alone, too."""
        (one, passed), (other, passed_mirrored) = (_through(self.layers, way) for way in (x, _mirrored(x)))
        odds, by_logit = log_odds((one.mean((1, 2)) + other.mean((1, 2))) / 2, self.safe)
        by_place = np.broadcast_to((by_logit / (2 * one[0].size))[:, None, None], one.shape)
        return odds, _back(passed, by_place) + _mirrored(_back(passed_mirrored, by_place))


def log_odds(logits: Floats, safe: int) -> tuple[float, Floats]:
    """log(unsafe / safe) and its gradient: unlike a probability's, it does not vanish where the model is certain."""
    unsafe = np.delete(logits, safe)
    top = unsafe.max()
    weights = np.exp(unsafe - top)
    odds = float(top + np.log(weights.sum()) - logits[safe])
    return odds, np.insert(weights / weights.sum(), safe, -1).astype(np.float32)


Passed = list[tuple[Layer, tuple[int, ...], NDArray[np.bool_]]]  # layer, shape of its input, where it was open


def _through(layers: list[Layer], x: Floats) -> tuple[Floats, Passed]:
    passed: Passed = []
    for layer in layers:
        shape = x.shape
        x, open_ = _forward(layer, x)
        passed.append((layer, shape, open_))
    return x, passed


def _back(passed: Passed, gradient: Floats) -> Floats:
    for layer, shape, open_ in reversed(passed):
        gradient = _backward(layer, shape, gradient * open_)
    return gradient


def _mirrored(x: Floats) -> Floats:
    return np.ascontiguousarray(x[:, :, ::-1])


def _forward(layer: Layer, x: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Its output, and where it follows its input."""
    out, _, kernel, _ = layer.weight.shape
    padded = np.pad(x, ((0, 0), (layer.padding, layer.padding), (layer.padding, layer.padding)))
    views = sliding_window_view(padded, (kernel, kernel), (1, 2))[:, :: layer.stride, :: layer.stride]
    rows, columns = views.shape[1:3]
    patches = views.transpose(1, 2, 0, 3, 4).reshape(rows * columns, -1)
    found = (patches @ layer.weight.reshape(out, -1).T + layer.bias).T.reshape(out, rows, columns)
    if layer.most is None:
        return found, np.ones_like(found, bool)
    return np.clip(found, 0, layer.most), (found > 0) & (found < layer.most)


def _backward(layer: Layer, shape: tuple[int, ...], gradient: Floats) -> Floats:
    """The gradient by the layer's input, of this shape, from the one by its output."""
    out, into, kernel, _ = layer.weight.shape
    rows, columns = gradient.shape[1:]
    patches = gradient.reshape(out, -1).T @ layer.weight.reshape(out, -1)
    patches = patches.reshape(rows, columns, into, kernel, kernel).transpose(2, 3, 4, 0, 1)
    stride, padding = layer.stride, layer.padding
    found = np.zeros((into, shape[1] + 2 * padding, shape[2] + 2 * padding), np.float32)
    for y in range(kernel):
        for x in range(kernel):
            found[:, y : y + rows * stride : stride, x : x + columns * stride : stride] += patches[:, y, x]
    return found[:, padding : padding + shape[1], padding : padding + shape[2]]


# --- From the photo's pixels to the network's and back ---------------------------------------------------------------


def shrinking(size: int, side: int) -> Floats:
    """float32 [side, size]: antialiased linear resizing along one axis, as the graph does it."""
    scale = size / side
    reach = max(scale, 1.0)
    centres = (np.arange(side) + 0.5) * scale - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(size)[None] - centres[:, None]) / reach)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def unsafe_of(network: Network, pixels: NDArray[Any]) -> tuple[float, Floats]:
    """The log-odds of unsafe of a photo [h, w, 3], 0 to 255, and their gradient by each of its values."""
    height, width = pixels.shape[:2]
    rows, columns = shrinking(height, network.side), shrinking(width, network.side)
    planes = pixels.astype(np.float32).transpose(2, 0, 1)
    odds, gradient = network.unsafe(np.matmul(np.matmul(rows, planes), columns.T))
    return odds, np.matmul(np.matmul(rows.T, gradient), columns).transpose(1, 2, 0)


# --- From the published file -----------------------------------------------------------------------------------------


def public(folder: Path = manifest.PUBLISHED) -> Network:
    """The network of the published `listing-photo`. Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), photo.MODEL)
    weights = initializers(runtime.variant_bytes(photo.MODEL, FULL, folder))
    layers, side = [], int(entry["side"])
    for split in entry["splits"]:
        name, after = split["name"], split["shape"][-1]
        if name == "photo":
            continue
        weight = weights[f"{name}.weight"]
        most = float(weights["split.scale"]) * BYTES if split["sent"] else np.inf
        padding = 0 if name == "stem" else weight.shape[-1] // 2
        layers.append(Layer(weight, weights[f"{name}.bias"], side // after, padding, most))
        side = after
    layers.append(Layer(weights["head.weight"], weights["head.bias"], 1, 0, None))
    return Network(int(entry["side"]), layers, entry["labels"].index(SAFE), float(weights["looks.clear"]))


def initializers(content: bytes) -> dict[str, Floats]:
    """The float32 tensors stored in an ONNX file, by name, those of the bodies of its loops too."""
    found = dict(tensor for field, graph in _fields(content) if field == GRAPH for tensor in _tensors(graph))
    return {name: array for name, array in found.items() if array is not None}


def _tensors(graph: bytes) -> Iterator[tuple[str, Floats | None]]:
    for field, part in _fields(graph):
        if field == INITIALIZER:
            yield _tensor(part)
        elif field == NODE:
            attributes = (attribute for field, attribute in _fields(part) if field == ATTRIBUTE)
            for body in (body for each in attributes for field, body in _fields(each) if field == BODY):
                yield from _tensors(body)


def _tensor(content: bytes) -> tuple[str, Floats | None]:
    dims: list[int] = []
    kind, name, data = 0, "", b""
    for field, value in _fields(content):
        if field == DIMS:
            dims += _numbers(value) if isinstance(value, bytes) else [value]
        elif field == DATA_TYPE:
            kind = value
        elif field == NAME:
            name = value.decode()
        elif field in (RAW_DATA, FLOAT_DATA):
            data += value
    return name, np.frombuffer(data, "<f4").reshape(dims) if kind == FLOAT else None


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: number, and a whole number or bytes."""
    at = 0
    while at < len(content):
        key, at = varint_at(content, at)
        match key & 7:
            case 0:
                value, at = varint_at(content, at)
                yield key >> 3, value
            case 2:
                length, at = varint_at(content, at)
                yield key >> 3, content[at : at + length]
                at += length
            case kind:
                size = struct.calcsize({1: "q", 5: "i"}[kind])
                yield key >> 3, content[at : at + size]
                at += size


def _numbers(content: bytes) -> list[int]:
    found, at = [], 0
    while at < len(content):
        value, at = varint_at(content, at)
        found.append(value)
    return found
