"""A photo as another merchant might have taken it. What is done depends on chance alone, never on the label: a wedge of
rotation, a white background or a squeezed side must say nothing about what is for sale."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.recipes.listing_photo.pictures import Pixels

BORDER = 4  # pixels of the frame that tell a plain background
NEAR = 30  # of 255: how far from the frame's colour a plain background may stray
PLAIN = 0.85  # share of the frame that is near its colour
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def augmented(
    rng: np.random.Generator, pixels: Pixels, side: int, chance: dict[str, float], scenes: list[Pixels]
) -> Pixels:
    """uint8 [side, side, 3] of a photo uint8 [h, w, 3]. chance: of each step, by name; scenes: photos that may lend
    their background."""
    image = Image.fromarray(pixels)
    if rng.random() < chance["background"]:
        image = on_another_background(rng, image, scenes)
    if rng.random() < chance["turn"]:
        image = turned(rng, image, 180.0 if rng.random() < chance["turn_far"] else 20.0)
    if rng.random() < chance["shrink"]:
        image = on_a_canvas(rng, image, scenes)
    image = cropped(rng, image, side)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < chance["blur"]:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.6)) * side / 160))
    found = np.asarray(image, np.float32)
    if rng.random() < chance["colour"]:
        found = recoloured(rng, found)
    if rng.random() < chance["noise"]:
        found = found + rng.normal(0, rng.uniform(2, 12), found.shape).astype(np.float32)
    whole: Pixels = np.clip(found, 0, 255).astype(np.uint8)
    if rng.random() < chance["jpeg"]:
        whole = as_jpeg(whole, int(rng.integers(20, 90)))
    if rng.random() < chance["cut_out"]:
        whole = cut_out(rng, whole)
    return whole


def cropped(rng: np.random.Generator, image: Image.Image, side: int) -> Image.Image:
    """A part of at least half the area, squeezed to a square; antialiased, as the graph does it."""
    area = rng.uniform(0.5, 1.0) if rng.random() < 0.7 else 1.0
    squeeze = math.exp(rng.uniform(-0.25, 0.25))
    width = min(image.width, image.width * math.sqrt(area) * squeeze)
    height = min(image.height, image.height * math.sqrt(area) / squeeze)
    left, top = rng.uniform(0, image.width - width), rng.uniform(0, image.height - height)
    box = (left, top, left + width, top + height)
    return image.resize((side, side), Image.Resampling.BILINEAR, box=box)


def turned(rng: np.random.Generator, image: Image.Image, most: float) -> Image.Image:
    """Rotated by up to `most` degrees, the wedges black, white or of any colour; sometimes they are cut off."""
    angle = float(rng.uniform(-most, most))
    expand = bool(rng.random() < 0.7)
    return image.rotate(angle, Image.Resampling.BILINEAR, expand=expand, fillcolor=any_fill(rng))


def any_fill(rng: np.random.Generator) -> tuple[int, int, int]:
    kind = rng.random()
    if kind < 0.35:
        return (0, 0, 0)
    if kind < 0.7:
        return (255, 255, 255)
    red, green, blue = (int(each) for each in rng.integers(0, 256, 3))
    return (red, green, blue)


def scene(rng: np.random.Generator, size: tuple[int, int], scenes: list[Pixels]) -> Image.Image:
    """Something to stand a thing in front of: part of another photo, often out of focus, or a colour that fades."""
    if scenes and rng.random() < 0.6:
        other = Image.fromarray(scenes[int(rng.integers(len(scenes)))])
        side = min(other.size) * float(rng.uniform(0.5, 1.0))
        left, top = rng.uniform(0, other.width - side), rng.uniform(0, other.height - side)
        found = other.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
        return found.filter(ImageFilter.GaussianBlur(float(rng.uniform(1, 8)))) if rng.random() < 0.6 else found
    one, two = (np.array(any_fill(rng), np.float32) for _ in range(2))
    if rng.random() < 0.5:
        two = one
    fade = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None]
    found_pixels = np.broadcast_to(one + (two - one) * fade, (size[1], size[0], 3))
    return Image.fromarray(found_pixels.astype(np.uint8))


def on_a_canvas(rng: np.random.Generator, image: Image.Image, scenes: list[Pixels]) -> Image.Image:
    """The photo as a part of a larger one: a thing held far away, a screenshot, a collage."""
    scale = float(rng.uniform(0.45, 0.9))
    width, height = max(8, int(image.width * scale)), max(8, int(image.height * scale))
    canvas = scene(rng, image.size, scenes)
    at = (int(rng.integers(0, image.width - width + 1)), int(rng.integers(0, image.height - height + 1)))
    canvas.paste(image.resize((width, height), Image.Resampling.BILINEAR), at)
    return canvas


def on_another_background(rng: np.random.Generator, image: Image.Image, scenes: list[Pixels]) -> Image.Image:
    """The thing in front of something else, where the photo has a plain background; else the photo as it is."""
    mask = thing_mask(np.asarray(image))
    if mask is None:
        return image
    soft = Image.fromarray(mask).filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.GaussianBlur(0.8))
    return Image.composite(image, scene(rng, image.size, scenes), soft)


def thing_mask(pixels: Pixels) -> Pixels | None:
    """uint8 [h, w], 255 where the thing is; None where the frame has many colours, or hardly anything stands out."""
    frame = np.concatenate([
        pixels[:BORDER].reshape(-1, 3), pixels[-BORDER:].reshape(-1, 3),
        pixels[:, :BORDER].reshape(-1, 3), pixels[:, -BORDER:].reshape(-1, 3),
    ]).astype(np.int16)  # fmt: skip
    colour = np.median(frame, axis=0)
    if (np.abs(frame - colour).max(axis=1) <= NEAR).mean() < PLAIN:
        return None
    apart = np.abs(pixels.astype(np.int16) - colour.astype(np.int16)).max(axis=2) > NEAR
    if not 0.03 < apart.mean() < 0.8:
        return None
    return apart.astype(np.uint8) * 255


def recoloured(rng: np.random.Generator, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Light, contrast, saturation, tint and gamma; now and then without colour."""
    grey = (pixels @ LUMA)[..., None]
    found = grey if rng.random() < 0.12 else grey + (pixels - grey) * float(rng.uniform(0.4, 1.6))
    found = (found - found.mean()) * float(rng.uniform(0.6, 1.5)) + found.mean()
    found = found * rng.uniform(0.88, 1.12, 3).astype(np.float32) * float(rng.uniform(0.65, 1.35))
    if rng.random() < 0.3:
        found = 255 * (np.clip(found, 0, 255) / 255) ** float(rng.uniform(0.6, 1.6))
    return np.broadcast_to(found, pixels.shape).astype(np.float32)


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def cut_out(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """A rectangle of one colour or of noise somewhere (DeVries and Taylor 2017, arXiv:1708.04552)."""
    found, side = pixels.copy(), pixels.shape[0]
    height, width = (int(side * rng.uniform(0.1, 0.4)) for _ in range(2))
    top, left = int(rng.integers(0, side - height + 1)), int(rng.integers(0, side - width + 1))
    patch: Any = rng.integers(0, 256, (height, width, 3)) if rng.random() < 0.3 else any_fill(rng)
    found[top : top + height, left : left + width] = patch
    return found
