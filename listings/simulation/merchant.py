"""What the merchant does before a listing is sent: writes, hears warnings, obeys or does not; forges, or attacks."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from listings.content import Fields
from listings.models import Verdict, Where
from listings.outcome import GRAVE
from listings.redteam import attack
from listings.redteam.edits import Draft as Attacked
from models import photo as photo_model
from models import text

from .arms import Arm
from .looks import Looks
from .parameters import Parameters
from .stream import Kind, Offer

LOW = 0.001  # what a made-up claim says of every policy


class Forgery(StrEnum):
    """How a forging seller claims that the device found nothing: with scores of their own making, with the claim that
    belongs to another text, with what the public model really says of this one and a decision of their own; or by
    leaving the claim out."""

    MADE_UP, REPLAYED, COPIED, NONE = "made up", "replayed", "copied", "none"


CYCLE = (Forgery.MADE_UP, Forgery.REPLAYED, Forgery.COPIED)


@dataclass(frozen=True)
class Draft:
    fields: Fields
    photo: Path | None = None


@dataclass(frozen=True)
class Written:
    """A draft when its merchant is done with it. dropped: it is never sent."""

    draft: Draft
    dropped: bool = False
    warned: bool = False
    obeyed: bool = False
    edits: int = 0
    seconds: float = 0.0
    looks: int = 0  # of the cloud, while it was written
    bytes_up: int = 0
    server_ms: float = 0.0
    said: tuple[Verdict, ...] = ()  # of the last look


class Merchants:
    """attack: texts of attackers, worked out once, as every arm gets the same ones."""

    def __init__(self, looks: Looks, p: Parameters) -> None:
        self.looks, self.p = looks, p
        self._attacked: dict[int, Fields] = {}

    def begun(self, offer: Offer) -> Draft:
        fields = [("title", offer.case.title), ("description", offer.case.description)]
        if offer.kind == Kind.REDTEAM and offer.unsafe:
            fields = self._attack(offer)
        return Draft(fields, offer.photo)

    def write(self, offer: Offer, arm: Arm, obey: float) -> Written:
        """obey: the share of warnings that honest merchants obey."""
        p = self.p
        draft = self.begun(offer)
        seconds = size(draft.fields) / p.signs_per_second + offer.pauses * p.pause_seconds
        written = Written(draft, seconds=seconds)
        if arm.drafting is None:
            return written
        written = self._look(written, arm, pauses=offer.pauses)
        if not warns(written.said):
            return written
        written = replace(written, warned=True)
        if not offer.kind.means_well or offer.obeys >= obey:
            return written
        if offer.unsafe:
            return replace(written, obeyed=True, dropped=True)
        for _ in range(p.rewrites):
            written = replace(
                written,
                draft=rewritten(written.draft, written.said),
                obeyed=True,
                edits=written.edits + 1,
                seconds=written.seconds + p.rewrite_seconds,
            )
            written = self._look(written, arm, pauses=1)
            if not warns(written.said):
                break
        return written

    def _look(self, written: Written, arm: Arm, pauses: int) -> Written:
        """One after each pause. In the cloud arm each sends the draft as it stands, the photo once; the run time of a
        part is taken as that part of the whole's."""
        assert arm.drafting is not None
        words_model, photos_model = arm.drafting
        where = Where.DEVICE if arm.on_device else Where.CLOUD
        draft, p = written.draft, self.p
        words = self.looks.words(words_model, draft.fields, where)
        said = [words]
        if draft.photo:
            said.append(self.looks.photo(photos_model, draft.photo, where))
        if arm.on_device:
            return replace(written, said=tuple(said))
        parts = (pauses + 1) / 2  # 1/n + 2/n + ... + n/n
        sent = size(draft.fields) * parts + p.request_bytes * pauses
        milliseconds = (words.ms or 0.0) * parts
        looks = pauses
        if draft.photo and written.looks == 0:
            sent += self.looks.size(draft.photo) + p.request_bytes
            milliseconds += said[1].ms or 0.0
            looks += 1
        return replace(
            written,
            said=tuple(said),
            looks=written.looks + looks,
            bytes_up=written.bytes_up + round(sent),
            server_ms=written.server_ms + milliseconds,
        )

    def _attack(self, offer: Offer) -> Fields:
        if offer.number not in self._attacked:
            listing = Attacked(offer.case.title, offer.case.description or offer.case.title)
            found = attack.attack(
                listing,
                lambda fields: text.check_text(fields, variant="device"),
                self.p.redteam_budget,
                random.Random(f"attack {self.p.seed} {offer.number}"),
            )
            best = found.passed.fields() if found.passed else _last(found)
            self._attacked[offer.number] = best
        return self._attacked[offer.number]

    def claim(self, offer: Offer, draft: Draft, forgery: Forgery | None = None) -> tuple[str, str]:
        """The hidden fields of the form, about words and about photos. forgery: of forging sellers, in place of all
        ways by turns."""
        words = _claimed(self.looks.words(text.MODEL, draft.fields, Where.DEVICE))
        photos = []
        if draft.photo:
            seen = self.looks.photo(photo_model.MODEL, draft.photo, Where.DEVICE)
            photos = [_claimed(seen)]
        if offer.kind == Kind.FORGING:
            way = forgery or CYCLE[offer.number % len(CYCLE)]
            if way == Forgery.NONE:
                return "", ""
            words, photos = _forged(words, way), [_forged(each, way) for each in photos]
        return json.dumps(words), json.dumps(photos) if photos else ""


def size(fields: Fields) -> int:
    """Bytes."""
    return sum(len(value.encode()) for _, value in fields)


def warns(said: tuple[Verdict, ...]) -> bool:
    return any(verdict.decision in GRAVE for verdict in said)


def rewritten(draft: Draft, said: tuple[Verdict, ...]) -> Draft:
    """Without the words that are marked, and without a photo that is warned of. A field stays as it is where nothing
    would be left of it."""
    photo = draft.photo
    spans: list[dict[str, Any]] = []
    for verdict in said:
        if verdict.decision in GRAVE:
            if verdict.photo is not None:
                photo = None
            else:
                spans += verdict.evidence
    return Draft([(name, without(name, value, spans)) for name, value in draft.fields], photo)


def without(name: str, value: str, spans: list[dict[str, Any]]) -> str:
    """spans: evidence, in UTF-16 offsets."""
    units = value.encode("utf-16-le", "surrogatepass")
    for span in sorted((s for s in spans if s["field"] == name), key=lambda s: -s["start"]):
        units = units[: span["start"] * 2] + units[span["end"] * 2 :]
    left = " ".join(units.decode("utf-16-le", "ignore").split())
    return left or value


def _claimed(verdict: Verdict) -> dict[str, Any]:
    names = ("model", "version", "policies_version", "variant", "scores", "decision", "policy", "digest")
    # Its run time would be the device's, which nobody measured; a fixed one keeps the bytes of a seed the same.
    return {name: getattr(verdict, name) for name in names} | {"ms": 5.0, "provider": verdict.provider}


def _forged(claim: dict[str, Any], way: Forgery) -> dict[str, Any]:
    claim = claim | {"decision": "pass", "policy": ""}
    if way == Forgery.MADE_UP:
        claim["scores"] = {name: 1 - LOW if name == "safe" else LOW / 9 for name in claim["scores"]}
    if way == Forgery.REPLAYED:
        claim["digest"] = "0" * 64
    return claim


def _last(found: attack.Attack) -> Fields:
    step = found.trajectory[-1]
    return [("title", step.title), ("description", step.description)]
