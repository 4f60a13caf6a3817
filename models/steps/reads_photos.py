"""What the steps must know of models that read photos; `reads_text` is its sibling."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models import manifest, photo, runtime
from models.recipes.listing_photo import shape
from models.steps import classified
from models.steps.data import PhotoRow, read_photos
from models.steps.errors import StepError
from models.steps.rows import RowScorer

SETS = {"dev": Path("photos") / "dev.csv"}
GOLDEN = "listing_photo.json"
BY_SOURCE = True
KIND = classified
TIMED = "photos of 256 x 192 pixels, decoded"
# What a caller shrinks a photo to before it hands it in: enough for the graph's own resize to be the one that matters.
LONGEST = {photo.MODEL: 256, photo.CLOUD: 448}

rows = read_photos


def row_scorer(content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path) -> RowScorer:
    """A photo as the device and the gate see it: the whole. The tail is given what the published device model makes of
    it."""
    session = runtime.open_session(content)
    labels = entry["labels"]
    if "activation" in entry["inputs"]:
        device = manifest.model(manifest.load(published), photo.MODEL)
        below = runtime.session(photo.MODEL, "device", published)

        def feed(image: Image.Image) -> dict[str, NDArray[np.uint8]]:
            (sent,) = below.run(["activation"], {"rgb": photo.pixels(image, device["longest_side"])})
            return {"activation": sent}
    else:

        def feed(image: Image.Image) -> dict[str, NDArray[np.uint8]]:
            return {"rgb": photo.pixels(image, entry["longest_side"])}

    def scores(row: PhotoRow) -> dict[str, float]:
        try:
            with Image.open(row.path) as image:
                image.load()
                fed = feed(image)
        except (OSError, ValueError) as error:
            raise StepError(f"{row.path} cannot be opened as a photo: {error}") from error
        (found,) = session.run(["scores"], fed)
        return dict(zip(labels, map(float, found), strict=True))

    return scores


def interface(settings: dict[str, Any]) -> dict[str, Any]:
    """The part of the manifest's entry that says how the model is called."""
    found: dict[str, Any] = {}
    name, labels = settings["name"], len(settings["labels"])
    heat = shape.HEAT if name == photo.MODEL else tuple(settings["heat"])
    if name == photo.TAIL:
        about = "what left the device: the output of its lower layers"
        found["inputs"] = {"activation": {"type": "uint8", "shape": list(shape.SPLIT_SHAPE), "about": about}}
    else:
        side = shape.SIDE if name == photo.MODEL else settings["side"]
        found |= {"side": side, "longest_side": LONGEST[name]}
        about = "RGB, any size; resized and normalised in the graph"
        found["inputs"] = {"rgb": {"type": "uint8", "shape": ["h", "w", 3], "about": about}}
    found["outputs"] = {
        "scores": {"type": "float32", "shape": [labels], "about": "probabilities, by label"},
        "heat": {"type": "float32", "shape": [*heat, labels], "about": "logits by place; their mean is judged"},
    }
    if name == photo.MODEL:
        about = "for listing-photo-tail, should the server be asked"
        found["outputs"]["activation"] = {"type": "uint8", "shape": list(shape.SPLIT_SHAPE), "about": about}
        found |= {"splits": shape.splits(labels), "claim_tolerance": settings["claim_tolerance"]}
    return found


def golden_images() -> dict[str, NDArray[np.uint8]]:
    """Photos for golden vectors, uint8 [h, w, 3]: drawn by numbers, so that they belong to nobody."""
    rng = np.random.default_rng(17)
    sizes = {"square": (128, 128), "wide": (60, 160), "tall": (150, 50), "one pixel": (1, 1), "one row": (1, 200),
             "tiny": (7, 5), "larger": (180, 240)}  # fmt: skip
    found = {}
    for name, (height, width) in sizes.items():
        found[f"{name}, soft"] = soft(rng, height, width)
        if height * width < 10_000:
            found[f"{name}, noise"] = rng.integers(0, 256, (height, width, 3), np.uint8)
    found["black"] = np.zeros((64, 64, 3), np.uint8)
    found["white"] = np.full((64, 64, 3), 255, np.uint8)
    for number in range(8):
        found[f"shapes {number}"] = shapes(rng, soft(rng, 96, 128))
    for number in range(3):
        found[f"shirt {number}"], found[f"box {number}"] = shirt(rng, 120, 100), box(rng, 90, 130)
    return found


def shirt(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """On white: as harmless as can be, which one look clears."""
    corners = [(0.3, 0.1), (0.7, 0.1), (0.95, 0.3), (0.82, 0.42), (0.72, 0.34), (0.72, 0.92)]
    corners += [(1 - x, y) for x, y in reversed(corners[2:])]
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).polygon([(x * width, y * height) for x, y in corners], colour(rng))
    return np.asarray(image)


def box(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """With a label, on white: harmless, but not always at the first look."""
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((width * 0.2, height * 0.15, width * 0.8, height * 0.85), 12, colour(rng))
    pen.rectangle((width * 0.25, height * 0.3, width * 0.75, height * 0.5), colour(rng))
    return np.asarray(image)


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def soft(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Smooth colours, as an empty wall or a table has them."""
    small = Image.fromarray(rng.integers(0, 256, (4, 5, 3), np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def shapes(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A few bars and discs over them."""
    found = pixels.copy()
    y, x = np.mgrid[: found.shape[0], : found.shape[1]]
    for _ in range(5):
        cy, cx, long, wide = rng.integers(10, 90), rng.integers(10, 120), rng.integers(8, 60), rng.integers(2, 16)
        angle = rng.uniform(0, np.pi)
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        across = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
        inside = (along / long) ** 2 + (across / wide) ** 2 < 1 if rng.random() < 0.4 else (
            (np.abs(along) < long) & (np.abs(across) < wide)
        )  # fmt: skip
        found[inside] = rng.integers(0, 256, 3)
    return found


def outputs(entry: dict[str, Any]) -> list[str]:
    """Those that native and WASM must agree on."""
    return ["scores", "heat"]


def golden_file(entry: dict[str, Any]) -> str:
    return GOLDEN


def golden_feeds(entry: dict[str, Any]) -> list[dict[str, NDArray[np.uint8]]]:
    """The golden photos, for the comparison with WASM."""
    return [{"rgb": pixels} for pixels in golden_images().values()]


def timed(entry: dict[str, Any], files: dict[str, bytes], published: Path) -> list[dict[str, Any]]:
    """Inputs for timing, see TIMED."""
    rng = np.random.default_rng(3)
    feeds: list[dict[str, Any]] = [{"rgb": shapes(rng, soft(rng, 192, 256))} for _ in range(4)]
    if "activation" not in entry["inputs"]:
        return feeds
    below = runtime.session(photo.MODEL, "device", published)
    return [{"activation": below.run(["activation"], each)[0]} for each in feeds]


def write_golden(path: Path, published: Path) -> int:
    """What the device variant answers on golden photos. Tests read them, only `publish` writes them. Returns how many
    there are."""
    entry = manifest.model(manifest.load(published), photo.MODEL)
    session = runtime.session(photo.MODEL, "device", published)
    found = []
    for name, pixels in golden_images().items():
        scores, heat, activation = session.run(["scores", "heat", "activation"], {"rgb": pixels})
        looks = [(photo.WHOLE, (scores, heat))]
        verdict = photo.verdict(photo.MODEL, entry, "device", "device", looks, "", 0.0)
        expected = {key: verdict[key] for key in ("scores", "decision", "policy", "evidence")}
        expected["activation_sum"] = int(activation.sum())
        rgb = base64.b64encode(zlib.compress(pixels.tobytes(), 9)).decode()
        found.append({"name": name, "shape": list(pixels.shape), "rgb_zlib": rgb, "expected": expected})
    golden = {"model": photo.MODEL, "version": entry["version"], "tolerance": entry["tolerance"]}
    lines = ",\n".join("    " + json.dumps(case) for case in found)
    path.write_text(f'{json.dumps(golden, indent=2)[:-2]},\n  "cases": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    return len(found)
