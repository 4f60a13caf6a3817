"""What photos cost the server, in this process and on one thread: the gate, the worker, the second opinion."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from models import manifest, photo
from tests.bench import measure

ROUNDS = 3  # of every photo
WARM_UP = 2


def verdicts(files: list[Path], published: Path) -> list[dict[str, Any]]:
    """Of the device's model, natively, for comparison with the browser's."""
    return [photo.check_photo(opened(path), digest="", folder=published) for path in files]


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def checks(files: list[Path], activations: list[bytes], published: Path) -> dict[str, Any]:
    """Milliseconds of each check of one photo (decoded already, as intake leaves it); {"missing": why} of one that
    cannot be run."""
    images = [opened(path) for path in files]
    cloud = manifest.load(published)["models"].get(photo.CLOUD)

    def whole(image: Image.Image) -> None:
        assert cloud is not None
        session = photo.runtime.session(photo.CLOUD, "cloud", published)
        photo.look(session, photo.pixels(image, cloud["longest_side"]))

    return {
        "decoding": timed(lambda path: opened(path), files),
        "gate": timed(lambda image: photo.check_photo(image, digest="", folder=published), images),
        "cloud_with_parts": timed(lambda image: photo.check_photo_in_cloud(image, digest="", folder=published), images),
        "cloud_whole": timed(whole, images) if cloud else {"missing": f"{photo.CLOUD} is not published."},
        "second_opinion": timed(lambda sent: photo.check_activation(sent, folder=published), activations),
    }


def timed(check: Callable[[Any], Any], given: list[Any]) -> dict[str, Any]:
    taken = []
    try:
        for one in given[:WARM_UP]:
            check(one)
        for one in given * ROUNDS:
            began = time.perf_counter()
            check(one)
            taken.append((time.perf_counter() - began) * 1000)
    except manifest.ModelUnavailable as error:
        return {"missing": str(error)}
    return measure.spread(taken) if taken else {"missing": "There was nothing to check."}
