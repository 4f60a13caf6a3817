"""What must not change: the golden texts, held against a release before anybody gets it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from models import contract, manifest, patch, text
from models.sets import Release


@dataclass(frozen=True)
class Flip:
    """A golden text that would be decided otherwise: (decision, policy) before and after."""

    name: str
    before: tuple[str, str]
    after: tuple[str, str]


def golden(folder: Path = manifest.PUBLISHED) -> list[dict[str, Any]]:
    """{name, fields, decision, policy} each. Raises ModelUnavailable."""
    try:
        found: list[dict[str, Any]] = json.loads((folder / patch.GOLDEN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise manifest.ModelUnavailable("The golden texts are missing or damaged. Restore them from git.") from error
    return found


def golden_fields(answer: dict[str, Any]) -> contract.Fields:
    """Long texts are written down as what repeats."""
    return [
        (name, value if isinstance(value, str) else value["repeat"] * value["times"])
        for name, value in answer["fields"]
    ]


def flips(release: Release, folder: Path = manifest.PUBLISHED) -> list[Flip]:
    """Held against the answers that were published with the file that the release works with: another file has its own.
    Asked again of the same release and files, the answer is remembered. Raises ModelUnavailable, also when the patch is
    damaged."""
    folder = release.folder(text.MODEL, folder)
    entry = manifest.model(manifest.load(folder), text.MODEL)
    file = entry["variants"][manifest.variant_name(entry, "device")]["sha256"]
    return list(_flips(release.content, tuple(sorted(release.points.items())), folder, file, _digest(folder)))


def answered_otherwise(release: Release, folder: Path = manifest.PUBLISHED) -> list[Flip]:
    """Golden texts that another file decides otherwise than the published one was to: no fault by itself, for a model
    trained anew may know better, but somebody has to look. Raises ModelUnavailable."""
    return [flip for answer in golden(folder) if (flip := _flip(answer, release, folder))]


def _digest(folder: Path) -> str:
    """Of the golden texts: other ones are asked anew. Raises ModelUnavailable."""
    try:
        return hashlib.sha256((folder / patch.GOLDEN).read_bytes()).hexdigest()
    except OSError as error:
        raise manifest.ModelUnavailable("The golden texts are missing or damaged. Restore them from git.") from error


@lru_cache(maxsize=16)
def _flips(
    content: bytes, points: tuple[tuple[str, float], ...], folder: Path, file: str, texts: str
) -> tuple[Flip, ...]:
    """file, texts: the SHA-256 of the published file and of the golden texts."""
    release = Release(0, content, dict(points))
    return tuple(flip for answer in golden(folder) if (flip := _flip(answer, release, folder)))


def _flip(answer: dict[str, Any], release: Release, folder: Path) -> Flip | None:
    told = text.check_text(golden_fields(answer), folder=folder, release=release)
    before, after = (answer["decision"], answer["policy"]), (told["decision"], told["policy"])
    return Flip(answer["name"], before, after) if before != after else None
