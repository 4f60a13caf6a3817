"""A made-up photo network, made-up photos and doors for them."""

import numpy as np
from PIL import Image

from listings.models import Verdict
from listings.redteam import photo_curve, photo_edits
from listings.redteam.photo_network import Layer, Network
from tests.models.photos import drawn

SIDE = 32


def network(seed=1, clear=1.1):
    """Four layers of random weights: a stem without padding, strides of 2 and 1, a layer with a ceiling, a head. It
    looks twice, unless a first look is at least as safe as `clear`."""
    rng = np.random.default_rng(seed)

    def layer(into, out, kernel, stride, padding, most, scale=1.0):
        weight = rng.normal(0, scale / np.sqrt(into * kernel * kernel), (out, into, kernel, kernel))
        return Layer(weight.astype(np.float32), rng.normal(0, 0.1, out).astype(np.float32), stride, padding, most)

    layers = [
        layer(3, 8, 4, 4, 0, np.inf, 1 / 60),
        layer(8, 12, 3, 2, 1, 0.9),
        layer(12, 12, 3, 1, 1, np.inf, 2.0),
        layer(12, 4, 1, 1, 0, None, 3.0),
    ]
    return Network(SIDE, layers, 3, clear)


def scene(number=1):
    words = "Seven pistols and a hundred rounds for the collector"
    return photo_edits.Scene(drawn("weapons", number, (240, 180)), drawn("safe", number, (260, 200)), words)


def case(number=1):
    made = scene(number)
    weapon = photo_curve.Source(f"weapon{number}", "weapons", photo_edits.png(made.photo))
    return photo_curve.Case(
        weapon, photo_curve.Source(f"cup{number}", "safe", photo_edits.png(made.harmless)), made.words
    )


def says(decision, model="listing-photo", where="gate"):
    return lambda image, title="": Verdict(
        where=where, model=model, decision=decision, policy="" if decision == "pass" else "weapons"
    )


def stages(**changed):
    """Open doors, but for those that are named."""
    doors = {
        "device": lambda file: "pass",
        "kept": photo_edits.opened,
        "gate": says("pass"),
        "cloud": says("pass", "listing-photo-cloud", "cloud"),
        "reader": says("pass", "photo-text", "cloud"),
        "knows": lambda removed, image: False,
        "views": lambda title, verdict: 100,
    }
    return photo_curve.Stages(**doors | changed)


def grey(level, size=(64, 48)):
    return Image.new("RGB", size, (level,) * 3)
