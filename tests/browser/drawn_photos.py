"""Photos for tests, drawn here and judged by the published model: whatever model that is, one can be had for each
decision. Nothing of them is kept, so a model that is trained again needs no new fixtures."""

from __future__ import annotations

import functools
import io
import random
from typing import Any

from PIL import Image, ImageDraw

from models import manifest, photo

SIZE = (240, 180)  # small enough to reach the model as it is, so that nothing depends on how a browser makes it smaller
SHAPES = 6_000  # tried at most; a few hundred do
Aim = tuple[float, float]


@functools.cache
def judged(decision: str) -> bytes:
    """A PNG on which the device's model decides `decision`, with some room on both sides of it."""
    draw = random.Random(11)
    best = Image.new("RGB", SIZE, (172, 168, 160))
    away = distance(best, decision)
    for _ in range(SHAPES):
        if away == 0:
            data = io.BytesIO()
            best.save(data, "PNG")
            return data.getvalue()
        trial = with_a_shape(best, draw)
        if (now := distance(trial, decision)) <= away:
            best, away = trial, now
    raise AssertionError(f"no drawing was found on which the model decides {decision!r}; still {away:.3f} away")


def distance(image: Image.Image, decision: str) -> float:
    """How far the score is from the middle part of the decision's range; 0 inside it."""
    verdict = photo.check_photo(image, digest="")
    points = manifest.model(manifest.load(), photo.MODEL)["operating_points"]
    top = max(points["policies"], key=lambda name: verdict["scores"][name])
    unsure, warn, block = (
        {**points, **points["per_policy"].get(top, {})}[name] for name in ("unsure", "warn", "block")
    )
    low, high = {"pass": (0.0, unsure), "unsure": (unsure, warn), "warn": (warn, block), "block": (block, 1.0)}[
        decision
    ]
    room = 0.3 * (high - low)
    low, high = (low if decision == "pass" else low + room), (high if decision == "block" else high - room)
    unsafe = 1 - verdict["scores"]["safe"]
    return max(0.0, low - unsafe, unsafe - high)


def with_a_shape(image: Image.Image, draw: random.Random) -> Image.Image:
    changed = image.copy()
    pen = ImageDraw.Draw(changed)
    colour = (draw.randrange(256), draw.randrange(256), draw.randrange(256))
    x, y = draw.randrange(SIZE[0]), draw.randrange(SIZE[1])
    box = (x, y, x + draw.randrange(4, 140), y + draw.randrange(4, 110))
    kind = draw.randrange(3)
    if kind == 0:
        pen.ellipse(box, colour)
    elif kind == 1:
        pen.rectangle(box, colour)
    else:
        pen.line((x, y, draw.randrange(SIZE[0]), draw.randrange(SIZE[1])), colour, draw.randrange(2, 24))
    return changed


def judged_photo(decision: str, name: str = "drawn.png") -> dict[str, Any]:
    """The same as Playwright takes a file."""
    return {"name": name, "mimeType": "image/png", "buffer": judged(decision)}
