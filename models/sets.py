"""Sets of model files beside the published ones, and what counts in the place of those: a release.

A set is a folder of the shape of `models/published/`, with the models it is about and no others. `publish --aside`
writes one under `models/candidates/`, to be tried in the shadow; `publish` keeps what it replaces under
`models/earlier/`, to go back to. Sets travel with the code, as the published files do; which counts the site says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models import manifest, runtime
from models.manifest import ModelUnavailable

ROOT = manifest.PUBLISHED.parent
CANDIDATES, EARLIER = "candidates", "earlier"
NAME = re.compile(rf"({CANDIDATES}|{EARLIER})/[a-z]+(-[a-z]+)*-[0-9]+(\.[0-9]+)*-[0-9a-f]{{8}}")
# Models that judge listings. The towers and the ranker are none: their vectors are stored, in one space for all.
TEXT, TEXT_GATE, TEXT_CLOUD = "listing-text", "listing-text-gate", "listing-text-cloud"
PHOTO, PHOTO_TAIL, PHOTO_CLOUD = "listing-photo", "listing-photo-tail", "listing-photo-cloud"
JUDGES = (TEXT, TEXT_GATE, TEXT_CLOUD, PHOTO, PHOTO_TAIL, PHOTO_CLOUD)


@dataclass(frozen=True)
class ModelSet:
    """name: "candidates/listing-text-6-0123abcd". models: its manifest's entries."""

    name: str
    models: Mapping[str, Any]

    @property
    def is_earlier(self) -> bool:
        return self.name.startswith(EARLIER)

    def files(self) -> dict[str, dict[str, str]]:
        """What a release writes down of it, by model."""
        return {
            model: {"set": self.name, "version": entry["version"], "sha256": sha256_of(entry)}
            for model, entry in self.models.items()
        }


@dataclass(frozen=True)
class Release:
    """What counts from a moment on. content: a patch of listing-text as it is sent, or b"" for none. points: its
    operating points in the place of the manifest's; {} for none. files: by model, the set whose file it is, its version
    and SHA-256; models that are not named are the published ones."""

    number: int
    content: bytes = b""
    points: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def version(self, of_model: str) -> str:
        """As verdicts of listing-text name it."""
        return f"{of_model}+p{self.number}"

    def folder(self, model: str, published: Path = manifest.PUBLISHED) -> Path:
        """Where the model's manifest and file are. Raises ModelUnavailable when the set is gone, or another one."""
        chosen = self.files.get(model)
        if chosen is None or _holds(published, model, chosen["sha256"]):  # published for good since
            return published
        place = folder_of(chosen["set"])
        if not _holds(place, model, chosen["sha256"]):
            raise ModelUnavailable(f"{chosen['set']} does not hold {model} {chosen['version']}. Restore it from git.")
        return place


def folder_of(name: str) -> Path:
    """Raises ModelUnavailable for a name that is none."""
    if not NAME.fullmatch(name):
        raise ModelUnavailable(f"No set of models is called {name}.")
    return ROOT / name


def named(name: str) -> ModelSet:
    """Raises ModelUnavailable when it is missing, damaged, or holds what no release may change."""
    models = manifest.load(folder_of(name))["models"]
    if strange := sorted(set(models) - set(JUDGES)):
        raise ModelUnavailable(f"{name} holds {strange[0]}, which judges no listing and is published with the code.")
    if (PHOTO in models) != (PHOTO_TAIL in models):
        raise ModelUnavailable(f"{name} must hold {PHOTO} and {PHOTO_TAIL}: one goes on where the other ends.")
    if not models:
        raise ModelUnavailable(f"{name} holds no model.")
    return ModelSet(name, models)


def names() -> list[str]:
    """Of every set there is, the newest version of a model first."""
    found = [
        f"{kind}/{path.name}"
        for kind in (CANDIDATES, EARLIER)
        if (ROOT / kind).is_dir()
        for path in (ROOT / kind).iterdir()
    ]
    return sorted((name for name in found if NAME.fullmatch(name)), key=order, reverse=True)


def sha256_of(entry: Mapping[str, Any]) -> str:
    """Of the file that the site runs: the device's, else the cloud's. Raises ModelUnavailable."""
    return str(entry["variants"][chosen_variant(entry)]["sha256"])


def chosen_variant(entry: Mapping[str, Any]) -> str:
    alias = "device" if "device" in entry["published"] else "cloud"
    return manifest.variant_name(dict(entry), alias)


def overlaid(found: dict[str, Any], release: Release | None, published: Path = manifest.PUBLISHED) -> dict[str, Any]:
    """The manifest `found` with what a release puts in the place of its entries. Raises ModelUnavailable."""
    if release is None or not release.files:
        return found
    entries = {name: manifest.model(manifest.load(release.folder(name, published)), name) for name in release.files}
    return found | {"models": found["models"] | entries}


def problem_of(name: str) -> str:
    """Why a set cannot be used here; "" when every file of it is there, whole, and opens."""
    try:
        found = named(name)
        place = folder_of(name)
        for model, entry in found.models.items():
            if entry.get("labels") != _published_labels(model):
                return f"{model} {entry['version']} knows other policies than the published one."
            runtime.variant_bytes(model, chosen_variant(entry), place)  # as it lies there now
            runtime.session(model, chosen_variant(entry), place)
    except (ModelUnavailable, KeyError) as error:
        return str(error)
    return ""


def _published_labels(model: str) -> Any:
    return manifest.model(manifest.load(), model).get("labels")


def _holds(folder: Path, model: str, sha256: str) -> bool:
    try:
        return sha256_of(manifest.model(manifest.load(folder), model)) == sha256
    except (ModelUnavailable, KeyError):
        return False


def order(name: str) -> tuple[str, list[int], str]:
    """To sort by: the model, then its version as numbers. name: with or without its kind."""
    model, version, digest = name.rpartition("/")[2].rsplit("-", 2)
    return model, [int(part) for part in version.split(".")], digest
