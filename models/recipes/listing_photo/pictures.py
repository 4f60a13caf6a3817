"""Labelled photos of the data root, decoded once and kept small."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.steps.data import PhotoRow
from models.steps.data import read_photos as read_rows

Pixels = NDArray[np.uint8]
SIDE = 224  # pixels, shorter side: what the data root holds
AMBIGUOUS = "ambiguous"


@dataclass(frozen=True)
class Picture:
    """A photo in memory: pixels uint8 [height, width, 3], RGB."""

    row: PhotoRow
    pixels: Pixels

    @property
    def policy(self) -> str:
        return self.row.policy

    @property
    def title(self) -> str:
        """What names it in a list of failures."""
        return self.row.path.name

    @property
    def origin(self) -> str:
        return self.row.source


def read(manifest: Path, side: int = SIDE) -> list[Picture]:
    """Every photo of a manifest, its shorter side at most `side` pixels. Raises StepError."""
    return [Picture(row, decoded(row.path, side)) for row in read_rows(manifest)]


def decoded(path: Path, side: int = SIDE) -> Pixels:
    with Image.open(path) as image:
        upright = image.convert("RGB")
    scale = side / min(upright.size)
    if scale < 1:
        size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
        upright = upright.resize(size, Image.Resampling.BILINEAR)
    return np.array(upright)


def share_of(row: PhotoRow) -> float:
    """A number from 0 to 1 that depends on the file's name alone: who is held out stays held out."""
    return int(hashlib.sha256(row.path.name.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def held_out(pictures: list[Picture], share: float) -> tuple[list[Picture], list[Picture]]:
    """(to learn from, to choose by): about `share` of them in the second list."""
    apart = [share_of(picture.row) < share for picture in pictures]
    learn = [picture for picture, out in zip(pictures, apart, strict=True) if not out]
    return learn, [picture for picture, out in zip(pictures, apart, strict=True) if out]
