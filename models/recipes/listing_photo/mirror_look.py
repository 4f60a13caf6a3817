"""The mirror image is read only where the photo as it is leaves a doubt.

A model that reads both at once does the same work for every photo; about half of the harmless photos on a market are
plainly so at the first look, and a look is nearly all of a check's time. So the network becomes the body of a loop with
one or two turns (an early exit in the sense of BranchyNet: Teerapittayanon et al. 2016, arXiv:1709.01686, along looks
in place of depth). A loop and not an `If`: its body holds the weights once, and ONNX Runtime fuses quantized nodes only
with weights of their own graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.recipes.listing_photo.shape import CLEAR, HEAT, SIDE, SPLIT_SHAPE, WAYS

FLOAT, UINT8, INT64, BOOL = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT64, TensorProto.BOOL


def when_not_clear(model: onnx.ModelProto, clear: float = CLEAR) -> onnx.ModelProto:
    """What `exported` and `with_activation` made, quantized or not, with a second look only where the first finds at
    least `clear` of unsafe; below 0 it always looks twice. The last label is `safe`."""
    found = onnx.ModelProto()
    found.CopyFrom(model)
    graph = found.graph
    nodes = list(graph.node)
    head = next(node for node in nodes if "head.weight" in node.input)
    sent = next(node for node in nodes if node.name == "activation").input[0]
    labels = next(each.type.tensor_type.shape.dim[0].dim_value for each in graph.output if each.name == "scores")
    before, network = needed(nodes, ["pixels"], ()), needed(nodes, ["features", sent, *head.input[1:]], ("both",))
    logits = head.output[0]
    left_out = {node.output[0] for node in needed(nodes, [logits, "activation"], ())}
    after = [node for node in nodes if node.output[0] not in left_out]

    stored = {each.name: each for each in graph.initializer}
    body = look(network, head, sent, labels)
    weights = [stored[name] for name in inputs(body) if name in stored]
    constants = {
        "turn.first": 0,
        "sent.axis": [0],
        "looks.safe": labels - 1,
        "looks.clear": np.float32(1 - clear),
        **MIRROR,
    }
    loop = helper.make_node(
        "Loop",
        ["looks.most", "looks.yes", "pixels", "looks.none"],
        ["looks.pixels", "looks.sum", "looks.sent", "looks.turns"],
        name="looks",
        body=helper.make_graph(body, "look", *interface(labels), [*weights, *tensors(constants)]),
    )
    last = [
        loop,
        helper.make_node("Size", ["looks.turns"], ["looks.size"], name="looks.size"),
        helper.make_node("Cast", ["looks.size"], ["looks.count"], name="looks.count", to=FLOAT),
        helper.make_node("Div", ["looks.sum", "looks.count"], [logits], name="looks.mean"),
        *after,
        helper.make_node("Gather", ["looks.sent", "looks.first"], ["activation"], name="activation"),
    ]
    outer = [stored[name] for name in inputs([*before, *after]) if name in stored]
    none = np.zeros((1, labels, *HEAT), np.float32)
    outer += tensors({"looks.most": WAYS, "looks.yes": np.bool_(True), "looks.none": none, "looks.first": 0})
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend([*before, *last])
    graph.initializer.extend(outer)
    onnx.checker.check_model(found, full_check=True)
    return found


# Slice that turns left and right round, along the last of four axes.
MIRROR = {"mirror.start": [-1], "mirror.end": [-(2**31)], "mirror.axis": [3], "mirror.step": [-1]}


def look(network: list[onnx.NodeProto], head: onnx.NodeProto, sent: str, labels: int) -> list[onnx.NodeProto]:
    """The nodes of one turn: `way` through the network, its map added to `sum` the right way round, and whether there
    is to be another turn."""
    through = []
    for node in network:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = ["way" if name == "both" else name for name in node.input]
        through.append(copy)
    made: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Conv", ["features", *head.input[1:]], "map", {"kernel_shape": [1, 1]}),
        ("Slice", ["map", *MIRROR], "map.mirrored", {}),
        ("Equal", ["turn", "turn.first"], "is.first", {}),
        ("Where", ["is.first", "map", "map.mirrored"], "map.upright", {}),
        ("Add", ["sum", "map.upright"], "sum.next", {}),
        ("Slice", ["way", *MIRROR], "way.next", {}),
        ("GlobalAveragePool", ["map"], "look.logits", {}),
        ("Softmax", ["look.logits"], "look.scores", {"axis": 1}),
        ("Gather", ["look.scores", "looks.safe"], "look.safe", {"axis": 1}),
        ("Squeeze", ["look.safe"], "look.safe.number", {}),
        ("Less", ["look.safe.number", "looks.clear"], "again", {}),
        ("Squeeze", [sent, "sent.axis"], "sent", {}),
        ("Identity", ["turn"], "turn.done", {}),
    ]
    return through + [helper.make_node(kind, names, [name], name=name, **how) for kind, names, name, how in made]


def interface(labels: int) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """What a turn is given and what it gives: the first three of these are for the next turn, the rest is kept."""
    image, heat = [1, 3, SIDE, SIDE], [1, labels, *HEAT]
    given = {"turn": (INT64, []), "go.on": (BOOL, []), "way": (FLOAT, image), "sum": (FLOAT, heat)}
    kept = {"sent": (UINT8, SPLIT_SHAPE), "turn.done": (INT64, [])}
    gives = {"again": (BOOL, []), "way.next": (FLOAT, image), "sum.next": (FLOAT, heat)} | kept
    told = [[helper.make_tensor_value_info(name, *each) for name, each in side.items()] for side in (given, gives)]
    return told[0], told[1]


def needed(nodes: list[onnx.NodeProto], wanted: list[str], known: tuple[str, ...]) -> list[onnx.NodeProto]:
    """The nodes, in order, that make the tensors `wanted`, as far back as those that are `known`."""
    missing, found = set(wanted) - set(known), []
    for node in reversed(nodes):
        if missing & set(node.output):
            missing |= set(node.input) - set(known)
            found.append(node)
    return found[::-1]


def inputs(nodes: Iterable[onnx.NodeProto]) -> list[str]:
    """The names that the nodes read, each once."""
    return list(dict.fromkeys(name for node in nodes for name in node.input))


def tensors(values: dict[str, Any]) -> list[onnx.TensorProto]:
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
