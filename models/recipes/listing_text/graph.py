"""Writing an ONNX graph node by node, with short calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18


class Graph:
    """Adds nodes and constants by short calls; a tensor is its name."""

    def __init__(self, prefix: str = "") -> None:
        """prefix: of every name, for nodes that are added to another graph."""
        self.prefix = prefix
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = {}
        self.count = 0

    def constant(self, value: Any, kind: Any = np.int64) -> str:
        """A stored tensor; equal ones are stored once."""
        array = np.asarray(value, kind)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, f"{self.prefix}c{len(self.constants)}")
        return self.constants[key].name

    def stored(self, name: str, array: Any) -> str:
        """A parameter under its own name, as quantizers and readers of the file look for it."""
        self.constants[(name, array.shape, b"")] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self.count += 1
        output = f"{self.prefix}t{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def called(self, name: str, tensor: str) -> str:
        """The tensor that the last node made, under a name of its own, by which it is found in the file."""
        (node,) = (node for node in self.nodes[-1:] if list(node.output) == [tensor])
        node.output[0] = node.name = name
        return name

    def when(self, test: str, then: Callable[[Graph], str], otherwise: Callable[[Graph], str]) -> str:
        """What `then` makes, computed only if the bool `test` holds; else what `otherwise` makes. Both get a graph to
        write to, from which all tensors made so far can be read."""

        def branch(make: Callable[[Graph], str]) -> onnx.GraphProto:
            inner = Graph(self.prefix)
            inner.constants, inner.count = self.constants, self.count
            output = make(inner)
            self.count = inner.count
            return helper.make_graph(inner.nodes, f"t{self.count}.branch", [], [onnx.ValueInfoProto(name=output)])

        return self.op("If", test, then_branch=branch(then), else_branch=branch(otherwise))

    def name(self, tensor: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [tensor], [name]))

    # Whole-number arithmetic; a plain int becomes a constant.
    def tensor(self, value: str | int) -> str:
        return value if isinstance(value, str) else self.constant(value)

    def add(self, a: str | int, b: str | int) -> str:
        return self.op("Add", self.tensor(a), self.tensor(b))

    def sub(self, a: str | int, b: str | int) -> str:
        return self.op("Sub", self.tensor(a), self.tensor(b))

    def mul(self, a: str | int, b: str | int) -> str:
        return self.op("Mul", self.tensor(a), self.tensor(b))

    def mod(self, a: str, b: int) -> str:
        return self.op("Mod", a, self.tensor(b))

    def less(self, a: str | int, b: str | int) -> str:
        return self.op("Less", self.tensor(a), self.tensor(b))

    def equal(self, a: str | int, b: str | int) -> str:
        return self.op("Equal", self.tensor(a), self.tensor(b))

    def both(self, *parts: str) -> str:
        result = parts[0]
        for part in parts[1:]:
            result = self.op("And", result, part)
        return result

    def either(self, *parts: str) -> str:
        result = parts[0]
        for part in parts[1:]:
            result = self.op("Or", result, part)
        return result

    def no(self, part: str) -> str:
        return self.op("Not", part)

    def where(self, test: str, a: str | int, b: str | int) -> str:
        return self.op("Where", test, self.tensor(a), self.tensor(b))

    def between(self, a: str, low: int, high: int) -> str:
        """low <= a <= high"""
        return self.both(self.less(low - 1, a), self.less(a, high + 1))

    def integer(self, a: str) -> str:
        return self.op("Cast", a, to=TensorProto.INT64)

    def join(self, *parts: str, axis: int = 0) -> str:
        return self.op("Concat", *parts, axis=axis)

    def slice(self, a: str, start: int, end: int) -> str:
        return self.op("Slice", a, self.constant([start]), self.constant([end]))

    def take(self, a: str, index: str, axis: int = 0) -> str:
        return self.op("Gather", a, index, axis=axis)

    def split(self, a: str, count: int, axis: int) -> list[str]:
        """Equal parts along an axis."""
        self.count += 1
        names = [f"{self.prefix}t{self.count}.{part}" for part in range(count)]
        self.nodes.append(helper.make_node("Split", [a], names, axis=axis, num_outputs=count))
        return names

    def parts(self, a: str, sizes: list[int], axis: int) -> list[str]:
        """Parts of these sizes along an axis."""
        self.count += 1
        names = [f"t{self.count}.{part}" for part in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [a, self.constant(sizes)], names, axis=axis))
        return names

    def counted(self, a: str) -> str:
        """0, 1, 2, … for each element of a vector."""
        return self.op("Range", self.constant(0), self.op("Squeeze", self.op("Shape", a)), self.constant(1))

    def kept(self, a: str, test: str) -> str:
        """The elements at which a bool vector is true."""
        return self.op("Compress", a, test, axis=0)

    def sums(self, a: str) -> str:
        return self.op("CumSum", a, self.constant(0))

    def shifted(self, a: str, by: int, fill: int | bool) -> str:
        """result[i] = a[i + by], `fill` beyond the ends."""
        if by == 0:
            return a
        pad = self.constant([fill] * abs(by), np.bool_ if isinstance(fill, bool) else np.int64)
        if by > 0:
            return self.op("Slice", self.join(a, pad), self.constant([by]), self.constant([2**31 - 1]))
        return self.slice(self.join(pad, a), 0, by)


Described = dict[str, tuple[Any, list[Any]]]  # name → element type and dimensions: sizes, or names of what may vary
BYTES: Described = {"bytes": (TensorProto.UINT8, ["n"])}
PIECES: Described = {name: (TensorProto.INT64, ["n", "t"]) for name in ("input_ids", "attention_mask")}


def finished(g: Graph, name: str, outputs: Described, inputs: Described = BYTES) -> onnx.ModelProto:
    """The graph as a checked model."""
    taken, given = (
        [helper.make_tensor_value_info(key, kind, dims) for key, (kind, dims) in each.items()]
        for each in (inputs, outputs)
    )
    graph = helper.make_graph(g.nodes, name, taken, given, list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="marketplace")
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model
