"""Where a patch (models/patch.py) comes into listing-text: a few nodes before the softmax.

Each feature of the patch that stands in the text adds its row to the logits once, however often it stands there; its
occurrences share the row equally, so that the evidence says which words did it. Without a patch nothing is found, and
zero is added: the scores are the same to the last bit.
"""

from __future__ import annotations

import copy

import onnx
from onnx import TensorProto

from models import patch
from models.recipes.listing_text.front import GRAMS, Features, Shape, front_parts
from models.recipes.listing_text.graph import Graph

FLOAT = TensorProto.FLOAT


def patchable(model: onnx.ModelProto, shape: Shape) -> onnx.ModelProto:
    """The same model, exported or published, with room for a patch; what a patch replaces is stored last. Raises
    ValueError where the graph is not that of `network.whole`."""
    model = copy.deepcopy(model)
    graph = model.graph
    parts = front_of(graph, shape)
    softmax = one(graph, "Softmax")
    told = next(each.g for each in one(graph, "If").attribute if each.name == "then_branch")
    labels = next(init.dims[1] for init in graph.initializer if init.name.startswith("heads")) // 2
    g = Graph("patch.")
    by_word = moved(g, parts, labels)
    logits = g.op("Add", softmax.input[0], g.op("ReduceSum", by_word, g.constant([0]), keepdims=0))
    place = list(graph.node).index(softmax)
    softmax.input[0] = g.called(patch.LOGITS, logits)
    explain(told, by_word, g)
    rest = list(graph.node)[place:]
    del graph.node[place:]
    graph.node.extend([*g.nodes, *rest])
    graph.initializer.extend(g.constants.values())
    graph.initializer.extend(onnx.load_model_from_string(patch.nothing(labels)).graph.initializer)
    onnx.checker.check_model(model)
    return model


def front_of(graph: onnx.GraphProto, shape: Shape) -> Features:
    """The front's tensors in a graph that begins with it; their names come from the front itself."""
    g = Graph()
    parts = front_parts(g, shape)
    written = {node.output[0]: (node.op_type, list(node.input)) for node in graph.node}
    if any(written.get(node.output[0]) != (node.op_type, list(node.input)) for node in g.nodes):
        raise ValueError("the graph does not begin with the front of listing-text as it is now")
    return parts


def one(graph: onnx.GraphProto, kind: str) -> onnx.NodeProto:
    found = [node for node in graph.node if node.op_type == kind]
    if len(found) != 1:
        raise ValueError(f"{len(found)} nodes {kind} where one was expected")
    return found[0]


def moved(g: Graph, parts: Features, labels: int) -> str:
    """float32 [w, P]: how far the patch moves the logits, on the words that do it."""
    numbers = g.counted(parts.word)
    each_gram = g.op("Reshape", parts.grams, g.constant([-1]))
    ids = g.join(each_gram, parts.word, parts.joined, g.shifted(parts.joined, -1, -1))
    ids = g.called(patch.FEATURES, ids)
    owners = g.join(*[parts.word_of] * len(GRAMS), numbers, numbers, numbers)
    # No two ids of a patch share a slot: what stands in the slot of an id is that id or another, never one of several.
    known = g.integer(patch.IDS)
    blank = g.op("ConstantOfShape", g.constant([patch.SLOTS]), value=filled(TensorProto.INT64))
    slots = g.op("ScatterElements", blank, g.mod(known, patch.SLOTS), g.counted(known))
    place = g.take(slots, g.mod(ids, patch.SLOTS))
    hit = g.equal(g.take(known, place), ids)
    place, owner = g.kept(place, hit), g.kept(owners, hit)
    axis = g.constant([1])
    where = g.op("Unsqueeze", place, axis)
    none = g.op("ConstantOfShape", g.op("Shape", known), value=filled(FLOAT))
    once = g.op("Cast", g.add(g.mul(place, 0), 1), to=FLOAT)
    times = g.op("ScatterND", none, where, once, reduction="add")
    rows = g.op("Mul", g.op("Cast", patch.ROWS, to=FLOAT), patch.SCALE)
    share = g.op("Div", g.take(rows, place), g.op("Unsqueeze", g.take(times, place), axis))
    still = g.op("ConstantOfShape", g.join(g.op("Shape", parts.word), g.constant([labels])), value=filled(FLOAT))
    return g.op("ScatterND", still, g.op("Unsqueeze", owner, axis), share, reduction="add")


def filled(kind: int) -> onnx.TensorProto:
    return onnx.helper.make_tensor("zero", kind, [1], [0])


def explain(told: onnx.GraphProto, by_word: str, g: Graph) -> None:
    """Add what the patch did to the words' evidence, in the branch that tells it: `network.evidence_of_words` ends in
    a product with the likeliest policy's column, and `towards` is its only difference."""
    towards = one(told, "Sub").output[0]
    made = {node.output[0]: node for node in told.node}
    last = made[one(told, "Div").input[0]]
    if last.op_type != "Mul":
        raise ValueError("the evidence is not told as it was")
    inner = Graph("patch.")
    inner.constants, inner.count = g.constants, g.count
    own = inner.op("ReduceSum", inner.op("Mul", by_word, towards), inner.constant([1]), keepdims=1)
    both = inner.op("Add", last.input[0], own)
    place = list(told.node).index(last)
    last.input[0] = both
    rest = list(told.node)[place:]
    del told.node[place:]
    told.node.extend([*inner.nodes, *rest])
