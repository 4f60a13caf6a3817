"""What the merchant's device says it found. Telemetry and evidence: read leniently, kept, never trusted."""

from __future__ import annotations

import logging
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models import contract, manifest, text

from . import limits, policies
from .content import Fields
from .models import Verdict, Where

log = logging.getLogger(__name__)
CLAIM_CHARS = 64 * 1024

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=40, pattern=r"^[\w.:+-]*$")]


class Span(BaseModel):
    field: Word
    start: int = Field(ge=0, le=1_000_000)
    end: int = Field(ge=0, le=1_000_000)
    weight: float = Field(allow_inf_nan=False)


class Claim(BaseModel):
    """The verdict of design section 5, as a browser sends it. Further keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: Word
    version: Word = ""
    policies_version: Annotated[str, Field(max_length=20, pattern=r"^[\w.:+-]*$")] = ""
    variant: Annotated[str, Field(max_length=20, pattern=r"^[\w.:+-]*$")] = ""
    scores: dict[Word, Share] = Field(default_factory=dict, max_length=40)
    decision: Literal["pass", "unsure", "warn", "block"]
    policy: Annotated[str, Field(max_length=30, pattern=r"^[\w.:+-]*$")] = ""
    evidence: list[Span] = Field(default_factory=list, max_length=limits.EVIDENCE_SPANS)
    ms: float | None = Field(default=None, ge=0, le=1e7, allow_inf_nan=False)
    provider: Annotated[str, Field(max_length=30, pattern=r"^[\w.:+-]*$")] = ""
    digest: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")] = ""


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
    doubts = _doubts(claim, fields)
    return Verdict(
        where=Where.DEVICE,
        detail={"disbelieved": " ".join(doubts)} if doubts else {},
        **claim.model_dump(),
    )


def _unreadable(why: str) -> Verdict:
    return Verdict(where=Where.DEVICE, model="unknown", decision="unsure", detail={"disbelieved": why})


def _doubts(claim: Claim, fields: Fields) -> list[str]:
    doubts = []
    try:
        entry: dict[str, Any] = manifest.load()["models"].get(claim.model, {})
    except manifest.ModelUnavailable:
        entry = {}
    if claim.model != text.MODEL:
        doubts.append("It names a model that is not the text model.")
    elif entry and claim.version != entry["version"]:
        doubts.append("It comes from another version of the model.")
    elif entry and set(claim.scores) != set(entry["labels"]):
        doubts.append("Its scores are not those of the model.")
    if entry and claim.policies_version != entry["policies_version"]:
        doubts.append("It was made under other rules of the market.")
    if claim.policy and policies.get(claim.policy) is None:
        doubts.append("It names a policy that this market does not have.")
    if claim.digest != contract.digest(contract.pack(fields)):
        doubts.append("It is about another text than the one submitted.")
    return doubts


def compare(claim: Verdict, gate: Verdict | None, tolerance: float) -> None:
    """Note in the claim how far its scores are from the gate's on the same text, when that is beyond `tolerance`."""
    if gate is None or claim.detail.get("disbelieved"):
        return
    gap = max((abs(claim.scores.get(name, 0.0) - score) for name, score in gate.scores.items()), default=0.0)
    if gap > tolerance and not math.isnan(gap):
        claim.detail["differs_from_gate"] = round(gap, 6)
    if claim.decision != gate.decision:
        claim.detail["gate_decided"] = gate.decision
