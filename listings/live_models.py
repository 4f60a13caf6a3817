"""Which models count now: the published ones, with the release that is live in the place of some of them (releases.py).

Every process asks anew after a few seconds, browsers with the list of models; a verdict on words names it ("5+p12").
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.urls import reverse

from models import manifest, patch, patch_check, runtime, sets, text

from . import policies
from .models import Release

log = logging.getLogger(__name__)
SECONDS = 2.0  # that a process goes on with what it read

_kept: dict[str, tuple[float, Any]] = {}
_alone: ContextVar[bool] = ContextVar("published_alone", default=False)


@dataclass(frozen=True)
class Current:
    """What counts now. release: None for the published models alone. problem: why the live one cannot be used."""

    release: sets.Release | None = None
    problem: str = ""


@contextmanager
def published_alone() -> Iterator[None]:
    """Within it the published files count, whatever is live, and no database is asked: for the simulation and the red
    team, whose figures are of these files."""
    before = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(before)


def live() -> Current:
    """Kept for SECONDS by each process. Where the database does not answer, or the release is damaged: none, and
    why."""
    if _alone.get():
        return Current()
    return _cached("live", lambda: _current(Release.State.LIVE))


def in_shadow() -> tuple[int, sets.Release] | None:
    """Key and content of the release in its shadow."""
    found: tuple[int, sets.Release] | None = _cached("shadow", _shadow)
    return found


def forget() -> None:
    """What this process keeps; others come to know within SECONDS."""
    _kept.clear()


def folder(model: str) -> Path:
    """Where the manifest and the file of a model that counts now are."""
    release = live().release
    return release.folder(model) if release else manifest.PUBLISHED


def entries() -> dict[str, Any]:
    """The manifest, with the entries that count now; without the thresholds of a release. Raises ModelUnavailable."""
    return sets.entries(live().release)


def entry(model: str) -> dict[str, Any]:
    """A model's entry that counts now. Raises ModelUnavailable."""
    return manifest.model(entries(), model)


def points(model: str) -> dict[str, Any]:
    """A model's operating points that count now. Raises ModelUnavailable."""
    return sets.points(model, live().release)


def _cached(name: str, read: Any) -> Any:
    known = _kept.get(name)
    now = time.monotonic()
    if known is None or now - known[0] > SECONDS:
        try:
            known = (now, read())
        except DatabaseError as error:
            log.warning("which release is %s could not be read: %s", name, error)
            if transaction.get_connection().in_atomic_block:
                raise
            return known[1] if known else (Current(problem="The database did not answer.") if name == "live" else None)
        _kept[name] = known
    return known[1]


def _current(state: str) -> Current:
    row = Release.objects.filter(state=state).first()
    if row is None:
        return Current()
    if problem := unusable(row):
        log.error("release p%s is live and cannot be used: %s", row.number, problem)
        return Current(problem=problem)
    return Current(of_row(row))


def _shadow() -> tuple[int, sets.Release] | None:
    row = Release.objects.filter(state=Release.State.SHADOW).first()
    return (row.pk, of_row(row)) if row and not problem_of(row) else None


def of_row(row: Release) -> sets.Release:
    return sets.Release(row.number, bytes(row.patch), row.points, row.files)


def read_live() -> sets.Release | None:
    """The release that counts, asked of the database now."""
    return _current(Release.State.LIVE).release


def number_of(release: sets.Release | None) -> int:
    return release.number if release else 0


# --- May it count? ----------------------------------------------------------------------------------------------------
def problem_of(row: Release) -> str:
    """Why a stored release cannot be used now; "" when it can."""
    release = of_row(row)
    try:
        for model in release.files:
            sets.refuse_unfit(model, release.folder(model))
        if not release.judges_words:
            return ""
        entry = manifest.model(sets.entries(release), text.MODEL)
        if row.model_sha256 != sets.sha256_of(entry):
            return f"It was made for another file of {text.MODEL} (version {row.model_version})."
        if row.patch:
            if hashlib.sha256(bytes(row.patch)).hexdigest() != row.patch_sha256:
                return "The stored patch is damaged: its SHA-256 differs."
            patch.read(bytes(row.patch), len(entry["labels"]))
    except (manifest.ModelUnavailable, patch.PatchError, KeyError) as error:
        return str(error)
    return ""


def unusable(row: Release) -> str:
    """As `problem_of`, and the golden texts asked again: they may be others than they were when it passed, and a row
    can be changed past this module. The answer is remembered, so it costs each process a moment once."""
    if problem := problem_of(row):
        return problem
    try:
        if of_row(row).judges_words:
            refuse_flips(of_row(row))
    except ValidationError as error:
        found: str = error.messages[0]
        return found
    except manifest.ModelUnavailable as error:
        return str(error)
    return ""


def refuse_flips(release: sets.Release) -> None:
    """Raises ValidationError when a golden text would be decided otherwise, with the first of them."""
    flips = patch_check.flips(release)
    if flips:
        more = f" And {len(flips) - 1} more." if len(flips) > 1 else ""
        raise ValidationError(f"Refused: {told(flips[0])}{more}")


def told(flip: patch_check.Flip) -> str:
    before, after = (_said(*each) for each in (flip.before, flip.after))
    return f"the golden text “{flip.name}” would turn from {before} into {after}."


def _said(decision: str, policy: str) -> str:
    return f"“{decision}” ({policies.name(policy)})" if policy else f"“{decision}”"


# --- What devices know ------------------------------------------------------------------------------------------------
def for_browsers() -> dict[str, Any]:
    """The models that a browser may load, as `manifest.browser_subset` gives them; that of words with the release that
    is live, if one is. The release has its own operating points: a device that cannot have the patch goes on with the
    file and the file's. Raises ModelUnavailable."""
    release = live().release
    subset = manifest.browser_subset(sets.entries(release))
    entry = subset["models"].get(text.MODEL)
    if release is None or entry is None or not release.judges_words:
        return subset
    found: dict[str, Any] = {"number": release.number}
    if release.content:
        sha256 = hashlib.sha256(release.content).hexdigest()
        found["patch"] = {
            "url": reverse("api:model_patch", args=[sha256]),
            "sha256": sha256,
            "bytes": len(release.content),
            "replaces": len(patch.nothing(len(entry["labels"]))),
            "patched_sha256": _patched_sha256(
                entry["sha256"], release.content, len(entry["labels"]), release.folder(text.MODEL)
            ),
        }
    entry["release"] = found | {"operating_points": entry["operating_points"] | release.points}
    return subset


@lru_cache(maxsize=8)
def _patched_sha256(model_sha256: str, made: bytes, labels: int, folder: Path) -> str:
    """model_sha256: of the file in `folder`, so that another file gives another answer."""
    file = runtime.variant_bytes(text.MODEL, "device", folder)
    return hashlib.sha256(patch.patched(file, made, labels)).hexdigest()


def bytes_of(sha256: str) -> bytes | None:
    """A patch that devices have or had. None where there is none of that name, or it is damaged."""
    row = Release.objects.filter(patch_sha256=sha256, live_at__isnull=False).first() if sha256 else None
    made = bytes(row.patch) if row else b""
    return made if made and hashlib.sha256(made).hexdigest() == sha256 else None


# --- What a verdict's version means -----------------------------------------------------------------------------------
def split_version(version: str) -> tuple[str, int | None]:
    """ "5+p12" → ("5", 12); ("5", None) without a release. A number that is none stays in the version."""
    base, plus, number = version.partition("+p")
    if plus and number.isascii() and number.isdigit() and len(number) < 9:
        return base, int(number)
    return version, None


def numbered(number: int) -> sets.Release | None:
    """A release that devices had once, whatever became of it; None for a number that never was live, or that works
    with a file that is gone."""
    row = Release.objects.filter(number=number, live_at__isnull=False).first()
    return of_row(row) if row and not problem_of(row) else None


def with_file(model: str, version: str) -> sets.Release | None:
    """The files that devices had when they had this version of a model, without any patch; of the published version a
    release that changes nothing. None for a version that they never had, or that is gone."""
    if str(manifest.model(manifest.load(), model)["version"]) == version:
        return sets.Release(0)
    for name in _earlier(model, version):
        if not sets.problem_of(name):
            return sets.Release(0, files={model: sets.named(name).files()[model]})
    rows = Release.objects.filter(live_at__isnull=False, **{f"files__{model}__version": version}).order_by("-number")
    for row in rows[:5]:
        found = sets.Release(0, files={model: row.files[model]})
        try:
            sets.refuse_unfit(model, found.folder(model))
        except manifest.ModelUnavailable:
            continue
        return found
    return None


def _earlier(model: str, version: str) -> list[str]:
    """Names of sets that were published with this version of the model, before the one that is published now."""
    return [name for name in sets.names() if sets.is_earlier(name) and sets.order(name)[0] == model
            and name.rsplit("-", 2)[1] == version]  # fmt: skip


def was_live(model: str, version: str, number: int | None = None) -> bool:
    """Whether devices had this version of a model once, or release, as far as the site knows; its file may be gone."""
    rows = Release.objects.filter(live_at__isnull=False)
    if number is not None:
        return rows.filter(number=number).exists()
    if _earlier(model, version):
        return True
    return rows.filter(**{f"files__{model}__version": version}).exists()


def scored_alike() -> tuple[str, ...]:
    """Versions, as verdicts on words name them, of which the scores are those of what counts now: releases of the same
    file and patch differ in thresholds alone. Raises ModelUnavailable."""
    made = release.content if (release := live().release) else b""
    patch_sha256 = hashlib.sha256(made).hexdigest() if made else ""
    now = entry(text.MODEL)
    rows = Release.objects.filter(
        model_sha256=sets.sha256_of(now), patch_sha256=patch_sha256, live_at__isnull=False
    ).order_by("number")
    found = [f"{version}+p{number}" for version, number in rows.values_list("model_version", "number")]
    return tuple(found if made else [str(now["version"]), *found])
