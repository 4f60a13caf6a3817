"""What the models say and how long they take: each runs once on each text or photo, however many arms ask."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from listings import checks, contact_details, gate
from listings.content import Fields
from listings.models import Photo, Verdict, VerdictDecision, Where
from models import manifest, text
from models import photo as photo_model

Said = dict[str, Any]  # columns of a Verdict
PHOTO_KEY = 1  # listings of the simulation have one photo at most


class Looks:
    """Raises ModelUnavailable. The first run of a model loads it and is not measured: see `warm`."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, tuple[tuple[str, str], ...]], Said] = {}
        self._photos: dict[tuple[str, Path], Said] = {}
        self._stored: dict[Path, tuple[str, int]] = {}

    def warm(self) -> None:
        fields = [("title", "Oak table"), ("description", "Seats six.")]
        for run in WORDS.values():
            run(fields)

    def words(self, model: str, fields: Fields, where: Where) -> Verdict:
        key = model, tuple(fields)
        if key not in self._words:
            self._words[key] = _timed(lambda: WORDS[model](fields))
        return _verdict(self._words[key], where)

    def photo(self, model: str, path: Path, where: Where) -> Verdict:
        key = model, path
        if key not in self._photos:
            with Image.open(path, formats=["JPEG"]) as image:
                decoded = image.convert("RGB")
            if not any(known == model for known, _ in self._photos):
                PHOTOS[model](decoded, digest="")  # loads it
            digest = self.stored(path).sha256
            self._photos[key] = _timed(lambda: PHOTOS[model](decoded, digest=digest))
        found = _verdict(self._photos[key], where)
        found.photo = self.stored(path)
        return found

    def stored(self, path: Path) -> Photo:
        """An unsaved row, with a key so that verdicts can name it."""
        if path not in self._stored:
            content = path.read_bytes()
            self._stored[path] = hashlib.sha256(content).hexdigest(), len(content)
        return Photo(pk=PHOTO_KEY, sha256=self._stored[path][0], position=0)

    def size(self, path: Path) -> int:
        """Bytes of the file."""
        self.stored(path)
        return self._stored[path][1]

    def runs(self) -> dict[str, dict[str, float]]:
        """Of each model: how many distinct inputs, and mean milliseconds of processor time."""
        said = [*self._words.values(), *self._photos.values()]
        found: dict[str, list[float]] = {}
        for each in said:
            found.setdefault(each["model"], []).append(each["ms"])
        return {model: {"inputs": len(ms), "mean_ms": round(sum(ms) / len(ms), 3)} for model, ms in found.items()}


def _timed(run: Callable[[], Said]) -> Said:
    """With processor time in place of wall time: whatever else the machine does is no cost of the check."""
    began = time.process_time()
    said = run()
    return said | {"ms": round((time.process_time() - began) * 1000, 3)}


def _contacts(fields: Fields) -> Said:
    found = contact_details.find(fields)
    decision = VerdictDecision.WARN if found else VerdictDecision.PASS
    return {"model": checks.CONTACT_DETAILS, "decision": decision, "evidence": found}


WORDS: dict[str, Callable[[Fields], Said]] = {
    text.MODEL: lambda fields: text.check_text(fields, variant="device"),
    text.SECOND: lambda fields: text.check_text_in_cloud(fields, model=text.SECOND),
    text.CLOUD: lambda fields: text.check_text_in_cloud(fields),
    checks.CONTACT_DETAILS: _contacts,
}
PHOTOS: dict[str, Callable[..., Said]] = {
    photo_model.MODEL: lambda image, digest: photo_model.check_photo(_at_gate(image), digest=digest),
    photo_model.CLOUD: lambda image, digest: photo_model.check_photo_in_cloud(image, digest=digest),
}


def _at_gate(image: Image.Image) -> Image.Image:
    return Image.fromarray(photo_model.pixels(image, _longest()))


@cache
def _longest() -> int:
    return gate.photo_longest(manifest.PUBLISHED)


def _verdict(said: Said, where: Where) -> Verdict:
    columns = {name: value for name, value in said.items() if name not in ("coverage", "where")}
    return Verdict(**columns, where=where, detail={"coverage": said["coverage"]} if "coverage" in said else {})
