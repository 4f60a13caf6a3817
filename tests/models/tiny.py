"""A very small listing-text: random parameters behind the real graph."""

import numpy as np
import onnx

from models import contract
from models.recipes.listing_text.front import Shape
from models.recipes.listing_text.network import Parameters, whole
from models.runtime import open_session
from models.steps import shrink

SHAPE = Shape(bits=14, known_bits=12)
WIDTH = 10
STORED = {"fp32": lambda model: model, "fp16": lambda model: shrink.restored(model, shrink.as_float16),
          "int8": lambda model: shrink.restored(model, shrink.as_int8)}  # fmt: skip


def parameters(seed=3, columns=8, hidden=16):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return (rng.normal(size=shape) / 4).astype(np.float32)

    rows = np.sort(rng.choice(2**SHAPE.bits, 9000, replace=False)).astype(np.int64)
    dense = {"context": normal(hidden, columns, 5), "around": normal(hidden, hidden, 5) / 4}
    dense |= {"whole": normal(columns, hidden), "heads": normal(hidden, 2 * WIDTH)}
    biases = {"context": normal(hidden), "around": normal(hidden), "heads": normal(2 * WIDTH), "logits": normal(WIDTH)}
    known = rng.random(2**SHAPE.known_bits) < 0.5
    return Parameters(rows, normal(len(rows), columns), dense, biases, known, 4.0, 0.5)


def without_biases():
    """A session of the same network with every bias at zero."""
    found = parameters()
    found.biases.update({name: np.zeros_like(values) for name, values in found.biases.items()})
    return open_session(whole(SHAPE, found).SerializeToString())


def model(kind="fp32", seed=3) -> onnx.ModelProto:
    return STORED[kind](whole(SHAPE, parameters(seed)))


def content(kind="fp32", seed=3) -> bytes:
    return model(kind, seed).SerializeToString()


def run(session, text):
    data = contract.pack([("title", text)]).data
    return session.run(None, {"bytes": np.frombuffer(data, np.uint8)})


def session(kind="fp32"):
    return open_session(content(kind))
