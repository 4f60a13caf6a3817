"""Ways to make an ONNX model smaller. Each takes a model and returns another; none trains.

What is large in a file are its float32 initialisers; "weights" below are those of at least LARGE numbers. A way that
stores weights as something else puts the nodes that turn them back beside them; ONNX Runtime folds these once, when a
session starts, so bytes are saved on the line and on disk, not in memory or time. The ways that change the arithmetic
itself (dynamic and static quantization) are ONNX Runtime's own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.steps.errors import StepError

LARGE = 256
# Weights of which a reader takes rows, and which rows belong together in one column: scales go by column.
TABLES = ("table", "words", "places", "single", "pairs")

Weights = dict[str, NDArray[np.float32]]


def weights(model: onnx.ModelProto) -> Weights:
    """The large float32 initialisers by name."""
    return {
        each.name: numpy_helper.to_array(each)
        for each in model.graph.initializer
        if each.data_type == TensorProto.FLOAT and np.prod(each.dims) >= LARGE
    }


def with_weights(model: onnx.ModelProto, changed: Weights) -> onnx.ModelProto:
    """The model with some initialisers replaced by others of the same kind."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    for each in found.graph.initializer:
        if each.name in changed:
            each.CopyFrom(numpy_helper.from_array(changed[each.name].astype(np.float32), each.name))
    return found


def mapped(model: onnx.ModelProto, change: Callable[[str, NDArray[np.float32]], NDArray[Any]]) -> onnx.ModelProto:
    return with_weights(model, {name: change(name, array) for name, array in weights(model).items()})


Stored = tuple[list[onnx.TensorProto], list[onnx.NodeProto]]


def restored(model: onnx.ModelProto, store: Callable[[str, NDArray[np.float32]], Stored]) -> onnx.ModelProto:
    """Each weight replaced by what `store` gives: initialisers, and the nodes that make the float32 weight of them."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    before: list[onnx.NodeProto] = []
    for name, array in weights(model).items():
        old = next(each for each in found.graph.initializer if each.name == name)
        found.graph.initializer.remove(old)
        initialisers, nodes = store(name, array)
        found.graph.initializer.extend(initialisers)
        before += nodes
    nodes = [*before, *found.graph.node]
    del found.graph.node[:]
    found.graph.node.extend(nodes)
    return found


def as_float16(name: str, array: NDArray[np.float32]) -> Stored:
    half = numpy_helper.from_array(array.astype(np.float16), f"{name}.half")
    return [half], [helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)]


def as_int8(name: str, array: NDArray[np.float32], levels: int = 127) -> Stored:
    """Symmetric, one scale for each column of a table or matrix, for each filter of a convolution. levels: the largest
    whole number; fewer of them are coarser and compress better."""
    axis = tuple(range(1, array.ndim)) if array.ndim > 2 else 0
    scale = np.maximum(np.abs(array).max(axis=axis, keepdims=True) / levels, 1e-12).astype(np.float32)
    return scaled(name, array, scale, levels)


def in_steps(steps: Weights) -> Callable[[str, NDArray[np.float32]], Stored]:
    """INT8 whose scales were there before: by name of a tensor those of its columns; for all others, `as_int8`. What it
    gives raises StepError where a weight has grown beyond what INT8 can count."""

    def store(name: str, array: NDArray[np.float32]) -> Stored:
        if name not in steps:
            return as_int8(name, array)
        if (largest := np.abs(array / steps[name]).max()) > 127.5:
            raise StepError(f"{name} holds {largest:.0f} of its steps, INT8 127. Train with larger steps.")
        return scaled(name, array, steps[name][None])

    return store


def scaled(name: str, array: NDArray[np.float32], scale: NDArray[np.float32], levels: int = 127) -> Stored:
    """Whole numbers of at most `levels` and the float32 scale, which goes with `array` by broadcasting."""
    whole = numpy_helper.from_array(np.clip(np.round(array / scale), -levels, levels).astype(np.int8), f"{name}.int8")
    scales = numpy_helper.from_array(scale, f"{name}.scale")
    cast = helper.make_node("Cast", [whole.name], [f"{name}.cast"], to=TensorProto.FLOAT)
    return [whole, scales], [cast, helper.make_node("Mul", [f"{name}.cast", scales.name], [name])]


def coarse_tables(levels: int) -> Callable[[str, NDArray[np.float32]], Stored]:
    """INT8 with fewer levels for tables, where rounding errors of many rows cancel; all levels for the dense
    weights."""
    return lambda name, array: as_int8(name, array, levels if name in TABLES else 127)


def as_codebook(size: int) -> Callable[[str, NDArray[np.float32]], Stored]:
    """Indices into `size` shared values (weight clustering: Han et al. 2016, arXiv:1510.00149), zero always among
    them."""

    def store(name: str, array: NDArray[np.float32]) -> Stored:
        book = codebook(array, size)
        index = numpy_helper.from_array(nearest(array, book).astype(np.uint8), f"{name}.index")
        values = numpy_helper.from_array(book, f"{name}.book")
        cast = helper.make_node("Cast", [index.name], [f"{name}.at"], to=TensorProto.INT32)
        return [index, values], [cast, helper.make_node("Gather", [values.name, f"{name}.at"], [name])]

    return store


def codebook(array: NDArray[np.float32], size: int, rounds: int = 25) -> NDArray[np.float32]:
    """float32 [size], sorted: k-means over the weights in one dimension, from evenly spread quantiles. Exact zeros have
    a value of their own, so that what was pruned stays pruned."""
    flat = np.sort(array.ravel()[array.ravel() != 0].astype(np.float64))
    centres = np.unique(np.quantile(flat, (np.arange(size - 1) + 0.5) / (size - 1))) if len(flat) else np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(flat)])
    for _ in range(rounds):
        edges = np.concatenate([[0], np.searchsorted(flat, (centres[1:] + centres[:-1]) / 2), [len(flat)]])
        counts = np.diff(edges)
        centres = np.where(counts > 0, np.diff(sums[edges]) / np.maximum(counts, 1), centres)
    return np.unique(np.concatenate([[0.0], centres])).astype(np.float32)


def nearest(array: NDArray[np.float32], book: NDArray[np.float32]) -> NDArray[np.int64]:
    """Index of the nearest value of a sorted codebook."""
    found: NDArray[np.int64] = np.searchsorted((book[1:] + book[:-1]) / 2, array)
    return found


def sparse(share: float) -> Callable[[str, NDArray[np.float32]], NDArray[np.float32]]:
    """The `share` of smallest weights of each tensor set to zero."""

    def change(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
        limit = np.quantile(np.abs(array), share)
        return np.where(np.abs(array) < limit, 0, array).astype(np.float32)

    return change


def noisy(share: float, seed: int) -> Callable[[str, NDArray[np.float32]], NDArray[np.float32]]:
    """Gaussian noise of `share` of each tensor's largest weight, as on analog hardware, where a device's error does not
    shrink with the value it holds (Joshi et al. 2020, doi:10.1038/s41467-020-16108-9)."""
    rng = np.random.default_rng(seed)

    def change(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
        # An empty row of a table is no device: what is exactly zero stays so.
        error = rng.normal(size=array.shape) * share * np.abs(array).max() * (array != 0)
        return (array + error).astype(np.float32)

    return change


PRODUCTS = ("MatMul", "Conv", "Gemm")


def products(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The nodes that multiply by weights; whole-number products (the text's hashes) are none of them."""
    known = weights(model)
    return [node for node in model.graph.node if node.op_type in PRODUCTS and any(name in known for name in node.input)]


def with_noisy_activations(model: onnx.ModelProto, share: float) -> onnx.ModelProto:
    """Noise of `share` of the largest value of each product's output, drawn anew on every run."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    nodes: list[onnx.NodeProto] = []
    found.graph.initializer.append(numpy_helper.from_array(np.array(share, np.float32), "noise.share"))
    names = {node.name for node in products(model)}
    for number, node in enumerate(found.graph.node):
        nodes.append(node)
        if node.name not in names:
            continue
        name, clean, base = node.output[0], f"{node.output[0]}.clean", f"noise{number}"
        node.output[0] = clean
        nodes += [
            helper.make_node("RandomNormalLike", [clean], [f"{base}.z"], dtype=TensorProto.FLOAT, seed=float(number)),
            helper.make_node("Abs", [clean], [f"{base}.abs"]),
            helper.make_node("ReduceMax", [f"{base}.abs"], [f"{base}.max"], keepdims=0),
            helper.make_node("Mul", [f"{base}.max", "noise.share"], [f"{base}.size"]),
            helper.make_node("Mul", [f"{base}.z", f"{base}.size"], [f"{base}.noise"]),
            helper.make_node("Add", [clean, f"{base}.noise"], [name]),
        ]
    del found.graph.node[:]
    found.graph.node.extend(nodes)
    return found


# --- ONNX Runtime's own quantization -------------------------------------------------------------------------------
def dynamic(model: onnx.ModelProto, *, per_channel: bool, kinds: Iterable[str] = ("MatMul",)) -> onnx.ModelProto:
    """INT8 weights; activations quantized on the fly, by the range that each run finds."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "in.onnx", Path(name) / "out.onnx"
        onnx.save(model, source)
        quantize_dynamic(
            source, target, op_types_to_quantize=list(kinds), per_channel=per_channel, weight_type=QuantType.QInt8
        )
        return onnx.load(target)


METHODS = ("MinMax", "Entropy", "Percentile")


def static(
    model: onnx.ModelProto,
    samples: list[dict[str, NDArray[Any]]],
    *,
    method: str,
    per_channel: bool,
    kinds: Iterable[str] = ("MatMul", "Conv"),
    leave: Iterable[str] = (),
    seven_bits: bool = False,
    scales: dict[str, Any] | None = None,
) -> onnx.ModelProto:
    """QDQ with uint8 activations and int8 weights, the ranges of activations taken from `samples` by `method`.

    leave: names of weights, up to a point, whose products stay as they are; seven_bits: of the weights; scales: ONNX
    Runtime's TensorQuantOverrides, for tensors whose scale is given."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Samples(CalibrationDataReader):  # type: ignore[misc]
        """One sample at a time: texts differ in length, and the collectors stack what they get at once."""

        def __init__(self) -> None:
            self.rest = iter(samples)

        def __len__(self) -> int:
            return len(samples)

        def set_range(self, start_index: int, end_index: int) -> None:
            self.rest = iter(samples[start_index:end_index])

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            return next(self.rest, None)

    left = set(leave)
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "in.onnx", Path(name) / "out.onnx"
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            Samples(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(kinds),
            nodes_to_quantize=[node.name for node in products(model) if node.input[1].split(".")[0] not in left],
            per_channel=per_channel,
            reduce_range=seven_bits,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=getattr(CalibrationMethod, method),
            extra_options={
                "WeightSymmetric": True,
                "ActivationSymmetric": False,
                "CalibStridedMinMax": 1,
                "TensorQuantOverrides": scales or {},
            },
        )
        return onnx.load(target)


def int8_tables(model: onnx.ModelProto) -> onnx.ModelProto:
    """INT8 for what the quantizers above leave alone: every table and matrix that is still float32. Vectors (biases,
    norms, scales) weigh little and stay."""
    return restored(model, lambda name, array: as_int8(name, array) if array.ndim > 1 else as_is(name, array))


def as_is(name: str, array: NDArray[np.float32]) -> Stored:
    return [numpy_helper.from_array(array, name)], []


def ranges(
    content: bytes, samples: list[dict[str, NDArray[Any]]], open_session: Callable[[bytes], Any]
) -> dict[str, NDArray[np.float32]]:
    """The outputs of every product of a model over the samples, flat float32, by the name of the tensor."""
    model = onnx.load_from_string(content)
    names = [node.output[0] for node in products(model)]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = open_session(model.SerializeToString())
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    for sample in samples:
        for name, value in zip(names, session.run(names, sample), strict=True):
            found[name].append(value.ravel())
    return {name: np.concatenate(parts) for name, parts in found.items()}
