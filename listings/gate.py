"""The server's own first look at words and photos, on every submit and edit: a few milliseconds each.

Words meet two models: the very file that the merchant's browser runs, and a second one that no browser ever gets, of
other features and another training. Whoever takes the public file apart to get past it has not met the other. A photo
meets the browser's own file here; the second model for photos, on the whole and on crops, is the worker's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models import manifest, photo, sets, text

from . import live_models, photo_bank, photo_files
from .content import Fields
from .models import Photo, Verdict, VerdictDecision, Where

log = logging.getLogger(__name__)


def run_gate(fields: Fields) -> list[Verdict]:
    """Unsaved verdicts, the device's model first. A model that cannot be used now is left out: the worker asks
    again."""
    found = []
    for look in (device_look, second_look):
        try:
            found.append(look(fields))
        except manifest.ModelUnavailable as error:
            log.warning("the gate could not run: %s", error)
        except Exception:  # whatever is wrong with a model, the listing is kept and the worker asks again
            log.exception("the gate failed")
    return found


def run_photo_gate(photos: list[Photo]) -> list[Verdict]:
    """Unsaved verdicts, one a photo, and each photo's perceptual hash (not saved). What cannot be done now is left to
    the worker."""
    found = []
    for each in photos:
        try:
            if each.phash is None:
                each.phash = photo_bank.phash(photo_files.decoded(each, photo_bank.SIDE))
            found.append(photo_look(each))
        except manifest.ModelUnavailable as error:
            log.warning("the gate could not look at photo %s: %s", each.pk, error)
        except Exception:  # as above
            log.exception("the gate failed on photo %s", each.pk)
    return found


def photo_look(stored: Photo, folder: Path | None = None) -> Verdict:
    """What the merchant's browser would say of the stored photo. folder: of the model, if not the one that counts now.
    Raises ModelUnavailable, OSError."""
    folder = folder or live_models.folder(photo.MODEL)
    image = photo_files.decoded(stored, photo_longest(folder))
    said = photo.check_photo(image, digest=stored.sha256, variant="device", where=Where.GATE, folder=folder)
    return Verdict(**said, photo=stored)


def photo_longest(folder: Path | None = None) -> int:
    """Pixels; the device shrinks a photo to this before it looks, and so does the server. Raises ModelUnavailable."""
    folder = folder or live_models.folder(photo.MODEL)
    return int(manifest.model(manifest.load(folder), photo.MODEL)["longest_side"])


def device_look(fields: Fields) -> Verdict:
    """What the merchant's browser would say, with the release that is live. Where that cannot be used, the published
    file alone, and why. Raises ModelUnavailable."""
    current = live_models.live()
    problem = current.problem
    if current.release:
        try:
            return device_look_with(fields, current.release)
        except manifest.ModelUnavailable as error:
            problem = str(error)
    verdict = device_look_with(fields, None)
    if problem:
        log.error("the gate works without the live release: %s", problem)
        verdict.detail["release_problem"] = problem
    return verdict


def device_look_with(fields: Fields, release: sets.Release | None) -> Verdict:
    """Raises ModelUnavailable."""
    return _verdict(lambda: text.check_text(fields, variant="device", where=Where.GATE, release=release))


def second_look(fields: Fields) -> Verdict:
    """The model that is not for browsers. Raises ModelUnavailable."""
    place = live_models.folder(text.SECOND)
    return _verdict(lambda: text.check_text_in_cloud(fields, model=text.SECOND, where=Where.GATE, folder=place))


def heavy_look(fields: Fields) -> Verdict:
    """The worker's model. Raises ModelUnavailable."""
    place = live_models.folder(text.CLOUD)
    return _verdict(lambda: text.check_text_in_cloud(fields, where=Where.CLOUD, folder=place))


def _verdict(check: Callable[[], dict[str, Any]]) -> Verdict:
    found = check()
    coverage = found.pop("coverage")
    return Verdict(**found, detail={"coverage": coverage})


def unfamiliar(verdict: Verdict) -> bool:
    """Whether a model is unsure because it knows too few of the words (another language, another script): `decide`
    then names no policy."""
    return verdict.decision == VerdictDecision.UNSURE and not verdict.policy


def tolerance() -> float:
    """How far two runs of one file may differ (browsers and native code add up in another order)."""
    return _of_manifest(text.MODEL, "tolerance", 1e-4)


def photo_tolerance() -> float:
    """How far the device may be from us on one photo: it decodes and shrinks the file as sent, we the stored copy."""
    return _of_manifest(photo.MODEL, "claim_tolerance", 0.1)


def _of_manifest(model: str, key: str, default: float) -> float:
    try:
        return float(live_models.entry(model)[key])
    except (manifest.ModelUnavailable, KeyError):
        return default
