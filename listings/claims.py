"""What the merchant's device says it found. Telemetry and evidence: read leniently, kept, never trusted."""

from __future__ import annotations

import logging
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models import contract, manifest, photo, text

from . import gate, limits, live_models, policies
from .content import Fields
from .models import Photo, Verdict, Where

log = logging.getLogger(__name__)
CLAIM_CHARS = 64 * 1024
PHOTO_CLAIMS_CHARS = 256 * 1024  # of all photos together
HEAT_SIDE = 32  # rows or columns

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=40, pattern=r"^[\w.:+-]*$")]


class Span(BaseModel):
    field: Word
    start: int = Field(ge=0, le=1_000_000)
    end: int = Field(ge=0, le=1_000_000)
    weight: float = Field(allow_inf_nan=False)


class Heat(BaseModel):
    """Where in a photo, as models/photo.py and photo_check.js write it."""

    photo: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")]
    rows: int = Field(ge=1, le=HEAT_SIDE)
    columns: int = Field(ge=1, le=HEAT_SIDE)
    heat: list[Annotated[int, Field(ge=0, le=100)]] = Field(max_length=HEAT_SIDE * HEAT_SIDE)
    box: list[Share] = Field(default=[0, 0, 1, 1], min_length=4, max_length=4)


class Said(BaseModel):
    """The verdict of design section 5, as a browser sends it, without its evidence. Further keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: Word
    version: Word = ""
    policies_version: Annotated[str, Field(max_length=20, pattern=r"^[\w.:+-]*$")] = ""
    variant: Annotated[str, Field(max_length=20, pattern=r"^[\w.:+-]*$")] = ""
    scores: dict[Word, Share] = Field(default_factory=dict, max_length=40)
    decision: Literal["pass", "unsure", "warn", "block"]
    policy: Annotated[str, Field(max_length=30, pattern=r"^[\w.:+-]*$")] = ""
    ms: float | None = Field(default=None, ge=0, le=1e7, allow_inf_nan=False)
    provider: Annotated[str, Field(max_length=30, pattern=r"^[\w.:+-]*$")] = ""
    digest: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")] = ""


class Claim(Said):
    evidence: list[Span] = Field(default_factory=list, max_length=limits.EVIDENCE_SPANS)


class PhotoClaim(Said):
    evidence: list[Heat] = Field(default_factory=list, max_length=1)


ANYTHING = TypeAdapter(list[Any])


def parse_claim(raw: str, fields: Fields) -> Verdict | None:
    """An unsaved Verdict for `raw`, the hidden field of the form; None when the device said nothing.

    Whatever is wrong with it stands in `detail["disbelieved"]`, a sentence for moderators. Never raises.
    """
    if not raw:
        return None
    if len(raw) > CLAIM_CHARS:
        return _unreadable("The device's claim was too large to be one.")
    try:
        claim = Claim.model_validate_json(raw)
    except ValidationError as error:
        log.info("claim not readable: %s", error.errors(include_input=False, include_url=False)[:3])
        return _unreadable("The device's claim could not be read.")
    doubts = _doubts(claim, text.MODEL, "text")
    if claim.digest != contract.digest(contract.pack(fields)):
        doubts.append("It is about another text than the one submitted.")
    return Verdict(
        where=Where.DEVICE,
        detail={"disbelieved": " ".join(doubts)} if doubts else {},
        **claim.model_dump(),
    )


def photo_claims(raw: str, photos: list[Photo], seen: list[Verdict]) -> list[Verdict]:
    """Unsaved verdicts for `raw`, the hidden field with the device's claims about photos; at most one a photo, and one
    for whatever is about no photo of this listing.

    What the gate's own verdicts (`seen`) say otherwise is noted in the claims, and in `seen` where a claim is missing.
    Never raises.
    """
    found, strange = _readable(raw)
    by_digest: dict[str, PhotoClaim] = {}
    for part in found:
        by_digest.setdefault(part.digest, part)
    told = []
    for each in photos:
        own = next((verdict for verdict in seen if verdict.photo == each), None)
        claim = by_digest.get(each.sha256)
        if claim is None:
            if own:
                own.detail["unclaimed"] = True
            continue
        doubts = _doubts(claim, photo.MODEL, "photo")
        said = Verdict(
            photo=each,
            where=Where.DEVICE,
            detail={"disbelieved": " ".join(doubts)} if doubts else {},
            **claim.model_dump(),
        )
        compare(said, _same_photo_run(said, each, own), gate.photo_tolerance())
        told.append(said)
    if set(by_digest) - {each.sha256 for each in photos}:
        strange.append("The device's claims speak of a photo that is not in this listing.")
    if strange:
        told.append(_unreadable(" ".join(strange), photo.MODEL))
    return told


def _same_photo_run(claim: Verdict, stored: Photo, own: Verdict | None) -> Verdict | None:
    """As `same_run`, of a photo."""
    if own is None or claim.detail.get("disbelieved") or claim.version == own.version:
        return own
    claim.detail["other_release"] = own.version
    try:
        release = live_models.with_file(photo.MODEL, claim.version)
        return gate.photo_look(stored, release.folder(photo.MODEL)) if release else None
    except Exception:  # whatever is wrong with a file of before, the listing is kept
        log.exception("a claim of %s on a photo could not be held against its own file", claim.version)
        return None


def _readable(raw: str) -> tuple[list[PhotoClaim], list[str]]:
    """The claims that can be read, and sentences on what cannot."""
    if not raw:
        return [], []
    if len(raw) > PHOTO_CLAIMS_CHARS:
        return [], ["The device's claims about photos were too large to be any."]
    try:
        parts = ANYTHING.validate_json(raw)
    except ValidationError:
        return [], ["The device's claims about photos could not be read."]
    found, unread = [], len(parts) > limits.PHOTOS * 2
    for part in parts[: limits.PHOTOS * 2]:
        try:
            found.append(PhotoClaim.model_validate(part))
        except ValidationError as error:
            log.info("photo claim not readable: %s", error.errors(include_input=False, include_url=False)[:3])
            unread = True
    return found, ["Some of the device's claims about photos could not be read."] if unread else []


def _unreadable(why: str, model: str = "unknown") -> Verdict:
    return Verdict(where=Where.DEVICE, model=model, decision="unsure", detail={"disbelieved": why})


def _doubts(claim: Said, model: str, kind: str) -> list[str]:
    doubts = []
    version = live_models.split_version(claim.version)[0] if model == text.MODEL else claim.version
    try:
        entry: dict[str, Any] = live_models.entries()["models"].get(claim.model, {})
    except manifest.ModelUnavailable:
        entry = {}
    if claim.model != model:
        doubts.append(f"It names a model that is not the {kind} model.")
    elif entry and version not in _versions(model, entry) and not live_models.was_live(model, version):
        doubts.append("It comes from another version of the model.")
    elif entry and set(claim.scores) != set(entry["labels"]):
        doubts.append("Its scores are not those of the model.")
    if entry and claim.policies_version != entry["policies_version"]:
        doubts.append("It was made under other rules of the market.")
    if claim.policy and policies.get(claim.policy) is None:
        doubts.append("It names a policy that this market does not have.")
    return doubts


def _versions(model: str, entry: dict[str, Any]) -> tuple[str, str]:
    """Of the model that counts now and of the published one, which devices have where that cannot be used."""
    return str(entry["version"]), str(manifest.model(manifest.load(), model)["version"])


def same_run(claim: Verdict, fields: Fields, found: list[Verdict]) -> Verdict | None:
    """The gate's verdict to hold a claim about words against: of the release that the device worked with.

    A page may have been open since before the live one. Then it is held against its own, and its detail says which; of
    a release that devices never had it is not believed. None where the gate has nothing to hold it against.
    """
    same = next((verdict for verdict in found if verdict.model == claim.model), None)
    if same is None or claim.detail.get("disbelieved") or claim.version == same.version:
        return same
    version, number = live_models.split_version(claim.version)
    try:
        release = live_models.with_file(text.MODEL, version) if number is None else live_models.numbered(number)
        if release is None and not live_models.was_live(text.MODEL, version, number):
            claim.detail["disbelieved"] = "It names an update of the model that devices never had."
            return None
        claim.detail["other_release"] = same.version
        if release is None:  # its file is gone: our fault, and no device's
            return None
        return gate.device_look_with(fields, release)
    except Exception:  # as above
        log.exception("a claim of %s could not be held against its own release", claim.version)
        return None


def compare(claim: Verdict, gate: Verdict | None, tolerance: float) -> None:
    """Note in the claim how far its scores are from the gate's on the same text, when that is beyond `tolerance`."""
    if gate is None or claim.detail.get("disbelieved"):
        return
    gap = max((abs(claim.scores.get(name, 0.0) - score) for name, score in gate.scores.items()), default=0.0)
    if gap > tolerance and not math.isnan(gap):
        claim.detail["differs_from_gate"] = round(gap, 6)
    if claim.decision != gate.decision:
        claim.detail["gate_decided"] = gate.decision
