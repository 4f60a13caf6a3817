"""The photos to judge: pictures of the demo catalogue, or of a folder that is named.

"sent" is what a merchant's device sends of a phone's photo: 1600 pixels, JPEG 85. The demo's pictures are smaller, so
they are enlarged, with the grain of a sensor, which gives the file the weight of a real one. "small" is 256 pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tests.settings import ROOT

DEMO = ROOT / "marketplace" / "demo" / "pictures"
SIDES = {"sent": 1600, "small": 256}
PHONE = {"phone": 4000}  # twelve megapixels, as a merchant chooses them
QUALITY = 85
GRAIN = 6.0  # standard deviation, of 255
SHAPE = (4, 3)


def chosen(folder: Path, count: int) -> list[Path]:
    """`count` pictures of the folder, spread over its names. Raises ValueError when there are none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    if not found:
        raise ValueError(f"There are no photos in {folder}.")
    return [found[at * len(found) // count] for at in range(min(count, len(found)))]


def make(folder: Path, count: int, target: Path, sides: dict[str, int] = SIDES) -> dict[str, list[Path]]:
    """Of each size its files, written under `target`; the same every time."""
    made: dict[str, list[Path]] = {name: [] for name in sides}
    target.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(chosen(folder, count)):
        with Image.open(source) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        for name, side in sides.items():
            path = target / f"{name}-{number:02}.jpg"
            sized(image, side, number).save(path, "JPEG", quality=QUALITY)
            made[name].append(path)
    return made


def sized(image: Image.Image, side: int, seed: int) -> Image.Image:
    """The longer side `side`, cut to four by three as phones do."""
    size = (side, side * SHAPE[1] // SHAPE[0])
    is_enlarged = side > max(image.size)
    fitted = ImageOps.fit(image, size, Image.Resampling.BICUBIC)
    if not is_enlarged:
        return fitted
    grain = np.random.default_rng(seed).normal(0, GRAIN, (size[1], size[0], 3))
    return Image.fromarray((np.asarray(fitted) + grain).clip(0, 255).astype(np.uint8))
