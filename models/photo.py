"""Photo checks as the server runs them: an image in, a verdict out.

`listing-photo` is the device's own model, read at the gate too; `listing-photo-tail` goes on from what the device's
lower layers made of a photo, which is a few kilobytes; `listing-photo-cloud` is the worker's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from models import contract, manifest, runtime, sets

MODEL, TAIL, CLOUD = sets.PHOTO, sets.PHOTO_TAIL, sets.PHOTO_CLOUD
PROVIDER = "cpu"
WHOLE = (0.0, 0.0, 1.0, 1.0)
# Parts that are read beside the whole, for what is small in a large photo: the middle and the four corners, each with
# sides of this share of the photo's.
CROP = 0.6

Box = tuple[float, float, float, float]  # left, top, width, height, in shares of the photo
Found = tuple[NDArray[np.float32], NDArray[np.float32]]  # scores [labels], heat [rows, columns, labels]


def pixels(image: Image.Image, longest: int) -> NDArray[np.uint8]:
    """uint8 [h, w, 3], RGB, the longer side at most `longest`; never enlarged."""
    scale = longest / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.array(image.convert("RGB"))


def look(session: onnxruntime.InferenceSession, rgb: NDArray[np.uint8]) -> Found:
    """What a model that reads pixels says. rgb: uint8 [h, w, 3]."""
    scores, heat = session.run(["scores", "heat"], {"rgb": rgb})
    return scores, heat


def check_photo(
    image: Image.Image,
    *,
    digest: str,
    variant: str = "device",
    where: str = "gate",
    folder: Path = manifest.PUBLISHED,
) -> dict[str, Any]:
    """Verdict of design section 5 by the device's model on the whole photo. digest: hex SHA-256 of the uploaded file.
    Raises ModelUnavailable."""
    began = time.perf_counter()
    entry = manifest.model(manifest.load(folder), MODEL)
    name = manifest.variant_name(entry, variant)
    session = runtime.session(MODEL, name, folder)
    found = look(session, pixels(image, entry["longest_side"]))
    return verdict(MODEL, entry, name, where, [(WHOLE, found)], digest, began)


def check_photo_in_cloud(
    image: Image.Image, *, digest: str, where: str = "cloud", folder: Path = manifest.PUBLISHED
) -> dict[str, Any]:
    """The worker's model on the whole photo and on its parts; the gravest of them counts. Raises ModelUnavailable."""
    began = time.perf_counter()
    entry = manifest.model(manifest.load(folder), CLOUD)
    name = manifest.variant_name(entry, "cloud")
    session = runtime.session(CLOUD, name, folder)
    looks = [(box, look(session, pixels(cut(image, box), entry["longest_side"]))) for box in boxes(image.size)]
    return verdict(CLOUD, entry, name, where, looks, digest, began)


def check_activation(
    activation: bytes, *, digest: str = "", where: str = "cloud", folder: Path = manifest.PUBLISHED
) -> dict[str, Any]:
    """The second opinion on a photo that stayed on its device: the tail reads what the device's lower layers made of
    it. Raises ValueError when the length is another one, ModelUnavailable."""
    began = time.perf_counter()
    entry = manifest.model(manifest.load(folder), TAIL)
    name = manifest.variant_name(entry, "cloud")
    shape = entry["inputs"]["activation"]["shape"]
    if len(activation) != int(np.prod(shape)):
        raise ValueError(f"An activation has {int(np.prod(shape)):,} bytes, this one {len(activation):,}.")
    session = runtime.session(TAIL, name, folder)
    sent = np.frombuffer(activation, np.uint8).reshape(shape)
    scores, heat = session.run(["scores", "heat"], {"activation": sent})
    return verdict(TAIL, entry, name, where, [(WHOLE, (scores, heat))], digest, began)


def check_split(
    image: Image.Image, *, folder: Path = manifest.PUBLISHED, tail: Path = manifest.PUBLISHED
) -> dict[str, Any]:
    """The tail's verdict on a photo that is here: the device's lower layers, then the tail. folder, tail: of the two
    models. Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(folder), MODEL)
    session = runtime.session(MODEL, "device", folder)
    (sent,) = session.run(["activation"], {"rgb": pixels(image, entry["longest_side"])})
    return check_activation(sent.tobytes(), folder=tail)


def boxes(size: tuple[int, int]) -> Iterator[Box]:
    """The whole, then the parts; of a photo so small that its parts hold no more than it does, the whole alone."""
    yield WHOLE
    if min(size) >= 200:
        rest = 1 - CROP
        for left, top in ((rest / 2, rest / 2), (0.0, 0.0), (rest, 0.0), (0.0, rest), (rest, rest)):
            yield (left, top, CROP, CROP)


def cut(image: Image.Image, box: Box) -> Image.Image:
    if box == WHOLE:
        return image
    left, top, width, height = box
    w, h = image.size
    return image.crop((round(left * w), round(top * h), round((left + width) * w), round((top + height) * h)))


def verdict(
    model: str,
    entry: dict[str, Any],
    variant: str,
    where: str,
    looks: list[tuple[Box, Found]],
    digest: str,
    began: float,
) -> dict[str, Any]:
    """The gravest look counts, the first of equals. A part has higher thresholds than the whole: six looks have six
    chances to be wrong, and what is left of a thing at an edge looks like many others."""
    labels, points = entry["labels"], entry["operating_points"]
    results = []
    for box, (scores, heat) in looks:
        named = dict(zip(labels, map(float, scores), strict=True))
        ours = points if box == WHOLE else points | points.get("parts", {})
        results.append((contract.combine([(named, 1.0)], ours), box, heat))
    found, box, heat = max(results, key=lambda result: contract.gravity(result[0]))
    policy = found["policy"]
    return {
        "model": model,
        "version": entry["version"],
        "policies_version": entry["policies_version"],
        "variant": variant,
        "where": where,
        "scores": {name: round(score, 6) for name, score in found["scores"].items()},
        "decision": found["decision"],
        "policy": policy,
        "evidence": [heat_map(heat, labels, policy, digest, box)] if policy else [],
        "ms": round((time.perf_counter() - began) * 1000, 3),
        "provider": PROVIDER,
        "digest": digest,
    }


def heat_map(heat: NDArray[np.float32], labels: list[str], policy: str, digest: str, box: Box) -> dict[str, Any]:
    """How strongly each place speaks for the policy and against safe, in percent of the place that does most, 0 where
    it speaks against: {"photo", "rows", "columns", "heat": whole numbers row by row, "box": the part of the photo it
    covers}. Probabilities would not do: of what is clearly there, nearly every place is sure."""
    apart = np.maximum(heat[..., labels.index(policy)].astype(np.float64) - heat[..., labels.index("safe")], 0)
    percent = np.round(100 * apart / max(apart.max(), 1e-6)).astype(int)
    rows, columns = percent.shape
    return {"photo": digest, "rows": rows, "columns": columns, "heat": percent.ravel().tolist(), "box": list(box)}
