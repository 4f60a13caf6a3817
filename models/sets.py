"""Sets of model files beside the published ones, and what counts in the place of those: a release.

A set is a folder of the shape of `models/published/`, with the models it is about and no others. `publish --aside`
writes one under `models/candidates/`, to be tried in the shadow; `publish` keeps what it replaces under
`models/earlier/`, to go back to. Sets travel with the code, as the published files do; which counts the site says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
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

    def files(self) -> dict[str, dict[str, str]]:
        """What a release writes down of it, by model."""
        return {
            model: {"set": self.name, "version": entry["version"], "sha256": sha256_of(entry), "digest": digest(entry)}
            for model, entry in self.models.items()
        }


@dataclass(frozen=True)
class Release:
    """What counts from a moment on. content: a patch of listing-text as it is sent, or b"" for none. points: its
    operating points in the place of the manifest's; {} for none. files: by model, as `ModelSet.files` gives them;
    models that are not named are the published ones."""

    number: int
    content: bytes = b""
    points: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def judges_words(self) -> bool:
        """Whether what listing-text says may be another thing than the published file alone says."""
        return bool(self.content or self.points or TEXT in self.files)

    def version(self, of_model: str) -> str:
        """As verdicts of listing-text name it."""
        return f"{of_model}+p{self.number}" if self.judges_words else of_model

    def folder(self, model: str, published: Path = manifest.PUBLISHED) -> Path:
        """Where the model's manifest and file are. Raises ModelUnavailable when the set is gone, or another one."""
        chosen = self.files.get(model)
        if chosen is None or _holds(published, model, chosen["digest"]):  # published for good since
            return published
        place = folder_of(chosen["set"])
        if not _holds(place, model, chosen["digest"]):
            raise ModelUnavailable(f"{chosen['set']} does not hold {model} {chosen['version']}. Restore it from git.")
        return place


def folder_of(name: str) -> Path:
    """Raises ModelUnavailable for a name that is none."""
    if not NAME.fullmatch(name):
        raise ModelUnavailable(f"No set of models is called {name}.")
    return ROOT / name


def is_earlier(name: str) -> bool:
    """Whether it was published once, and may be gone back to without a shadow."""
    return name.startswith(f"{EARLIER}/")


def named(name: str) -> ModelSet:
    """Raises ModelUnavailable when a file of it is missing or damaged, or when it holds what no release may change."""
    place = folder_of(name)
    models = manifest.load(place)["models"]
    if not models:
        raise ModelUnavailable(f"{name} holds no model.")
    if strange := sorted(set(models) - set(JUDGES)):
        raise ModelUnavailable(f"{name} holds {strange[0]}, which judges no listing and is published with the code.")
    if (PHOTO in models) != (PHOTO_TAIL in models):
        raise ModelUnavailable(f"{name} must hold {PHOTO} and {PHOTO_TAIL}: one goes on where the other ends.")
    for model in models:
        refuse_unfit(model, place)
    return ModelSet(name, models)


def problem_of(name: str) -> str:
    """Why a set cannot be used here; "" when it can."""
    try:
        named(name)
    except (ModelUnavailable, KeyError) as error:
        return str(error)
    return ""


def names() -> list[str]:
    """Of every set there is, the newest version of a model first."""
    found = [
        f"{kind}/{path.name}"
        for kind in (CANDIDATES, EARLIER)
        if (ROOT / kind).is_dir()
        for path in (ROOT / kind).iterdir()
    ]
    return sorted((name for name in found if NAME.fullmatch(name)), key=order, reverse=True)


def refuse_unfit(model: str, place: Path) -> None:
    """Raises ModelUnavailable unless the model in `place` knows the policies of the published one, is told from it by
    its version, and has all its files."""
    entry, published = (manifest.model(manifest.load(folder), model) for folder in (place, manifest.PUBLISHED))
    what = f"{model} {entry['version']} in {place.name}"
    for key in ("labels", "policies_version"):
        if entry.get(key) != published.get(key):
            raise ModelUnavailable(f"{what} knows other policies than the published one. Train it for those of today.")
    if entry["version"] == published["version"] and digest(entry) != digest(published):
        raise ModelUnavailable(f"{what} has the version of the published file and is another. Give it a new version.")
    for about in (entry["variants"][chosen_variant(entry)], *entry.get("files", {}).values()):
        _refuse_damaged(place / about["file"], about["sha256"])


def sha256_of(entry: Mapping[str, Any]) -> str:
    """Of the file that the site runs: the device's, else the cloud's. Raises ModelUnavailable."""
    return str(entry["variants"][chosen_variant(entry)]["sha256"])


def chosen_variant(entry: Mapping[str, Any]) -> str:
    alias = "device" if "device" in entry["published"] else "cloud"
    return manifest.variant_name(dict(entry), alias)


def digest(entry: Mapping[str, Any]) -> str:
    """Hex SHA-256 of all that makes an entry's answers: its file, labels, thresholds, inputs; not its figures."""
    answers = {key: value for key, value in entry.items() if key not in ("variants", "published", "splits")}
    return hashlib.sha256(json.dumps(answers | {"sha256": sha256_of(entry)}, sort_keys=True).encode()).hexdigest()


def entries(release: Release | None, published: Path = manifest.PUBLISHED) -> dict[str, Any]:
    """The manifest with what a release puts in the place of its entries; not its thresholds, see `points`. Raises
    ModelUnavailable."""
    found = manifest.load(published)
    if release is None or not release.files:
        return found
    ours = {name: manifest.model(manifest.load(release.folder(name, published)), name) for name in release.files}
    return found | {"models": found["models"] | ours}


def points(model: str, release: Release | None) -> dict[str, Any]:
    """A model's operating points. Raises ModelUnavailable."""
    found: dict[str, Any] = manifest.model(entries(release), model)["operating_points"]
    return found | dict(release.points) if release and model == TEXT else found


def digests(release: Release | None) -> dict[str, str]:
    """Of each model that judges listings, its entry's. Raises ModelUnavailable."""
    found = entries(release)
    return {model: digest(manifest.model(found, model)) for model in JUDGES}


def state(release: Release | None) -> str:
    """Hex SHA-256 of everything that judges listings with a release: two that are equal say the same of every listing.
    Raises ModelUnavailable."""
    parts = [*digests(release).values()]
    release = release or Release(0)
    parts += [hashlib.sha256(release.content).hexdigest(), json.dumps(dict(release.points), sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def order(name: str) -> tuple[str, list[int], str]:
    """To sort by: the model, then its version as numbers. name: with or without its kind."""
    model, version, mark = name.rpartition("/")[2].rsplit("-", 2)
    return model, [int(part) for part in version.split(".")], mark


def _holds(folder: Path, model: str, wanted: str) -> bool:
    try:
        return digest(manifest.model(manifest.load(folder), model)) == wanted
    except (ModelUnavailable, KeyError):
        return False


def _refuse_damaged(path: Path, sha256: str) -> None:
    """A file that was whole is read again only when it was written to since. Raises ModelUnavailable."""
    try:
        about = path.stat()
    except OSError as error:
        raise ModelUnavailable(f"The model file {path.name} is missing or unreadable. Restore it from git.") from error
    _checked(path, sha256, (about.st_ino, about.st_mtime_ns, about.st_size))


@lru_cache(maxsize=128)  # a failure is not kept
def _checked(path: Path, sha256: str, about: tuple[int, int, int]) -> None:
    runtime.checked_bytes(path, sha256)
