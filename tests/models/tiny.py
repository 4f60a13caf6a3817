"""A very small listing-text: random tables behind the real graph."""

import numpy as np

from models import contract
from models.recipes.listing_text.network import Shape, Tables, whole
from models.runtime import open_session

SHAPE = Shape(bits=14, known_bits=12, norm_words=4.0, norm_power=0.5)
WIDTH = 10


def tables(kind=np.float32, seed=3):
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(2**SHAPE.bits, 9000, replace=False)).astype(np.int64)
    weights = rng.normal(size=(len(rows), WIDTH)) / 16
    scale = None
    if kind == np.int8:
        scale = np.full(WIDTH, 0.02, np.float32) / 16
        weights = np.clip(weights * 640, -127, 127).round()
    bias = rng.normal(size=WIDTH).astype(np.float32)
    return Tables(rows, weights.astype(kind), scale, bias, rng.random(2**SHAPE.known_bits) < 0.5)


def content(kind=np.float32):
    return whole(SHAPE, tables(kind)).SerializeToString()


def run(session, text):
    data = contract.pack([("title", text)]).data
    return session.run(None, {"bytes": np.frombuffer(data, np.uint8)})


def session(kind=np.float32):
    return open_session(content(kind))
