"""Releases of the device's text model: fitted from decisions, tried in the shadow, published, rolled back.

A release is a patch (models/patch.py), other thresholds, or both. One is live at most. Every process reads which one
anew after a few seconds, browsers with the list of models; a verdict names it ("5+p12").
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from models import contract, manifest, patch, patch_check, patch_fit, runtime, text

from . import content, policies
from .models import Decision, Listing, Release, ReleaseChange, RemovedPhoto, User, Verdict, VerdictDecision, Where

log = logging.getLogger(__name__)
SECONDS = 2.0  # that a process goes on with what it read
EXAMPLES = 20
EXAMPLES_MOST = 60
ANCHORS = 400  # listings on sale whose answers a patch must leave alone
SELLERS = 3  # that a patch must learn from, so that one seller's style is no rule for everybody
SHARE_OF_ONE = 0.5  # of the examples at most, from one seller
REASON_CHARS, REASON_MOST = 10, 500
ALARMS = 0.01  # of the approved listings looked at in the shadow, newly warned; beyond that nobody publishes it
FEW_ALARMS = 1  # ... but so many are no pattern
WARNED = (VerdictDecision.WARN, VerdictDecision.BLOCK)
POINTS = ("unsure", "warn", "block")

_kept: dict[str, tuple[float, Any]] = {}


@dataclass(frozen=True)
class Current:
    """What counts now. release: None for the published file alone. problem: why the live one cannot be used."""

    release: patch.Release | None = None
    problem: str = ""


# --- What counts now --------------------------------------------------------------------------------------------------
def live() -> Current:
    """Kept for SECONDS by each process. Where the database does not answer, or the patch is damaged: none, and why."""
    return _cached("live", lambda: _current(Release.State.LIVE))


def in_shadow() -> tuple[int, patch.Release] | None:
    """Key and content of the release in its shadow."""
    found: tuple[int, patch.Release] | None = _cached("shadow", _shadow)
    return found


def forget() -> None:
    """What this process keeps; others come to know within SECONDS."""
    _kept.clear()


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
    if problem := problem_of(row) or _flip_of(of_row(row)):
        log.error("release p%s is live and cannot be used: %s", row.number, problem)
        return Current(problem=problem)
    return Current(of_row(row))


def _shadow() -> tuple[int, patch.Release] | None:
    row = Release.objects.filter(state=Release.State.SHADOW).first()
    return (row.pk, of_row(row)) if row and not problem_of(row) else None


def of_row(row: Release) -> patch.Release:
    return patch.Release(row.number, bytes(row.patch), row.points)


def problem_of(row: Release) -> str:
    """Why a stored release cannot be used now; "" when it can."""
    try:
        entry = manifest.model(manifest.load(), text.MODEL)
        if row.model_sha256 != device_sha256(entry):
            return f"It was made for another file of the model (version {row.model_version})."
        if row.patch:
            if hashlib.sha256(bytes(row.patch)).hexdigest() != row.patch_sha256:
                return "The stored patch is damaged: its SHA-256 differs."
            patch.read(bytes(row.patch), len(entry["labels"]))
    except (manifest.ModelUnavailable, patch.PatchError) as error:
        return str(error)
    return ""


def _flip_of(release: patch.Release) -> str:
    """Why a release that passed once may not count now: the golden texts may be others than they were then, and a row
    can be changed past this module. The answer is remembered, so it costs each process a moment once."""
    try:
        refuse_flips(release)
    except ValidationError as error:
        found: str = error.messages[0]
        return found
    except manifest.ModelUnavailable as error:
        return str(error)
    return ""


def device_sha256(entry: dict[str, Any]) -> str:
    found: str = entry["variants"][manifest.variant_name(entry, "device")]["sha256"]
    return found


def numbered(number: int) -> patch.Release | None:
    """A release that devices had once, whatever became of it; None for a number that never was live, or that works
    with another file of the model."""
    row = Release.objects.filter(number=number, live_at__isnull=False).first()
    return of_row(row) if row and not problem_of(row) else None


def for_browsers(entry: dict[str, Any]) -> dict[str, Any]:
    """What the list of models says besides of the device's text model, `entry` being its part of that list; nothing
    where no release is live or the live one cannot be used. The release has its own operating points: a device that
    cannot have the patch goes on with the file and the file's. Raises ModelUnavailable."""
    release = live().release
    if release is None:
        return {}
    found: dict[str, Any] = {"number": release.number}
    if release.content:
        sha256 = hashlib.sha256(release.content).hexdigest()
        found["patch"] = {
            "url": reverse("api:model_patch", args=[sha256]),
            "sha256": sha256,
            "bytes": len(release.content),
            "replaces": len(patch.nothing(len(entry["labels"]))),
            "patched_sha256": _patched_sha256(entry["sha256"], release.content, len(entry["labels"])),
        }
    return {"release": found | {"operating_points": entry["operating_points"] | release.points}}


@lru_cache(maxsize=8)
def _patched_sha256(model_sha256: str, made: bytes, labels: int) -> str:
    """model_sha256: of the published file, so that another file gives another answer."""
    file = runtime.variant_bytes(text.MODEL, "device")
    return hashlib.sha256(patch.patched(file, made, labels)).hexdigest()


def scored_alike() -> tuple[str, ...]:
    """Versions, as verdicts name them, of which the scores are those of what counts now: releases of the same patch
    differ in thresholds alone. Raises ModelUnavailable."""
    entry = manifest.model(manifest.load(), text.MODEL)
    release, base = live().release, str(entry["version"])
    made = release.content if release else b""
    sha256 = hashlib.sha256(made).hexdigest() if made else ""
    rows = Release.objects.filter(model_sha256=device_sha256(entry), patch_sha256=sha256, live_at__isnull=False)
    found = [f"{base}+p{number}" for number in rows.order_by("number").values_list("number", flat=True)]
    return tuple(found if made else [base, *found])


def bytes_of(sha256: str) -> bytes | None:
    """A patch that devices have or had. None where there is none of that name, or it is damaged."""
    row = Release.objects.filter(patch_sha256=sha256, live_at__isnull=False).first() if sha256 else None
    made = bytes(row.patch) if row else b""
    return made if made and hashlib.sha256(made).hexdigest() == sha256 else None


def split_version(version: str) -> tuple[str, int | None]:
    """ "5+p12" → ("5", 12); ("5", None) without a release. A number that is none stays in the version."""
    base, plus, number = version.partition("+p")
    if plus and number.isascii() and number.isdigit() and len(number) < 9:
        return base, int(number)
    return version, None


def read_live() -> patch.Release | None:
    """The release that counts, asked of the database now."""
    return _current(Release.State.LIVE).release


def number_of(release: patch.Release | None) -> int:
    return release.number if release else 0


# --- From decisions to a draft ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Candidate:
    """A decision that the device's model would not have made, and the gate's verdict on it."""

    decision: Decision
    verdict: Verdict

    @property
    def label(self) -> str:
        return self.decision.policy if self.decision.action == Decision.Action.REJECT else "safe"


def wrong_decisions(policy: str = "", most: int = EXAMPLES, keys: Sequence[int] | None = None) -> list[Candidate]:
    """The latest decisions that the device's model got wrong, the text still being the one decided on: rejected though
    it said no more than “unsure”, or approved though it warned. Not those by which photos were removed: their words may
    be harmless. `policy`: of that one alone; `keys`: of those alone."""
    looks = Verdict.objects.filter(
        listing=OuterRef("listing"), revision=OuterRef("review_job__revision"),
        where=Where.GATE, model=text.MODEL, photo=None,
    ).order_by("-created_at", "-pk")  # fmt: skip
    rows = Decision.objects.standing().filter(review_job__revision=F("listing__revision"))
    rows = rows.filter(~Exists(RemovedPhoto.objects.filter(decision=OuterRef("pk"))))
    rows = rows.annotate(look=Subquery(looks.values("pk")[:1]), said=Subquery(looks.values("decision")[:1]))
    missed = Q(action=Decision.Action.REJECT, look__isnull=False) & ~Q(said__in=WARNED)
    alarm = Q(action=Decision.Action.APPROVE, said__in=WARNED)
    if policy:
        rows = rows.annotate(suspected=Subquery(looks.values("policy")[:1]))
        missed, alarm = missed & Q(policy=policy), alarm & Q(suspected=policy)
    rows = rows.filter(missed | alarm)
    if keys is not None:
        rows = rows.filter(pk__in=keys)
    rows = rows.select_related("listing__seller", "moderator", "review_job").defer("listing__search")
    chosen = list(rows.prefetch_related("listing__photos").order_by("-created_at", "-pk")[:most])
    verdicts = Verdict.objects.in_bulk([each.look for each in chosen])
    return [Candidate(each, verdicts[each.look]) for each in chosen]


def fit(*, moderator: User, decisions: Sequence[int], reason: str) -> Release:
    """A draft from the chosen decisions. Raises ValidationError with the sentence why not, PermissionDenied,
    ModelUnavailable."""
    _may(moderator)
    said = _reason(reason)
    chosen = wrong_decisions(most=EXAMPLES_MOST, keys=decisions)
    _refuse_poison(chosen, moderator)
    examples = [patch_fit.Example(content.fields_of(each.decision.listing), each.label) for each in chosen]
    try:
        fitted = patch_fit.fit(examples, anchors([each.decision.listing_id for each in chosen]))
    except patch.PatchError as error:
        raise ValidationError(str(error)) from error
    figures = {
        "examples": len(examples), "right_before": fitted.before, "right_after": fitted.caught,
        "features": len(fitted.patch.ids), "bytes": len(fitted.content),
        "largest_move": round(fitted.moved, 4), "seconds": round(fitted.seconds, 2),
        "labels": sorted({example.label for example in examples}),
    }  # fmt: skip
    row = _draft(moderator, said, fitted.content, {}, figures)
    row.examples.set([each.decision for each in chosen])
    return row


def draft_points(*, moderator: User, points: dict[str, float], reason: str) -> Release:
    """A draft of other thresholds, on top of the live patch. Raises ValidationError, PermissionDenied."""
    _may(moderator)
    said = _reason(reason)
    now = manifest.model(manifest.load(), text.MODEL)["operating_points"]
    current = live().release
    merged = {name: float((current.points if current else {}).get(name, now[name])) for name in POINTS} | points
    if not 0 < merged["unsure"] <= merged["warn"] <= merged["block"] <= 1:
        raise ValidationError("The thresholds must rise: unsure, warn, block, each between 0 and 1.")
    return _draft(moderator, said, current.content if current else b"", merged, {})


def anchors(without: Sequence[int] = ()) -> list[contract.Fields]:
    """Texts whose answers stay: the golden ones, and listings on sale."""
    found = [patch_check.golden_fields(answer) for answer in patch_check.golden()]
    rows = Listing.objects.published().exclude(pk__in=without).prefetch_related("photos").defer("search")
    return [*found, *(content.fields_of(listing) for listing in rows.order_by("-published_at", "-pk")[:ANCHORS])]


def _refuse_poison(chosen: Sequence[Candidate], moderator: User) -> None:
    """A rule for everybody rests on several sellers, and on nobody's own listings."""
    if len(chosen) < patch_fit.LEAST_EXAMPLES:
        raise ValidationError(
            f"Choose at least {patch_fit.LEAST_EXAMPLES} decisions that the device’s model got wrong; "
            "those whose text was changed since do not count."
        )
    sellers = Counter(each.decision.listing.seller_id for each in chosen)
    if moderator.pk in sellers:
        raise ValidationError("Nobody fits a patch on decisions about their own listings.")
    most = sellers.most_common(1)[0][1]
    if len(sellers) < SELLERS or most > SHARE_OF_ONE * len(chosen):
        raise ValidationError(
            f"Choose decisions about at least {SELLERS} sellers, not more than half of them about one: "
            "one seller’s way of writing must not become a rule for everybody."
        )


def _draft(moderator: User, reason: str, made: bytes, points: dict[str, float], figures: dict[str, Any]) -> Release:
    found = manifest.load()
    entry = manifest.model(found, text.MODEL)
    refuse_flips(patch.Release(0, made, points))
    with transaction.atomic():
        list(Release.objects.select_for_update().order_by("pk").only("pk"))
        number = (Release.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                row = Release.objects.create(
                    number=number,
                    model_version=entry["version"],
                    model_sha256=device_sha256(entry),
                    manifest_sha256=hashlib.sha256((manifest.PUBLISHED / manifest.FILE).read_bytes()).hexdigest(),
                    patch=made,
                    patch_sha256=hashlib.sha256(made).hexdigest() if made else "",
                    points=points,
                    figures=figures,
                    created_by=moderator,
                    reason=reason,
                )
        except IntegrityError as error:  # the very first two at once: there was no row to lock yet
            raise ValidationError("Somebody else made a release this moment. Try once more.") from error
        _note(row, "", Release.State.DRAFT, moderator, reason)
    return row


def refuse_flips(release: patch.Release) -> None:
    """Raises ValidationError when a golden text would be decided otherwise, with the first of them."""
    flips = patch_check.flips(release)
    if flips:
        flip = flips[0]
        before, after = (_told(*each) for each in (flip.before, flip.after))
        more = f" And {len(flips) - 1} more." if len(flips) > 1 else ""
        raise ValidationError(f"Refused: the golden text “{flip.name}” would turn from {before} into {after}.{more}")


def _told(decision: str, policy: str) -> str:
    return f"“{decision}” ({policies.name(policy)})" if policy else f"“{decision}”"


# --- Steps ------------------------------------------------------------------------------------------------------------
def start_shadow(*, release: Release, moderator: User, reason: str) -> None:
    """Let the gate score with both. One that was in the shadow goes. Raises ValidationError, PermissionDenied."""
    from . import shadow  # which needs the gate, and the gate this module

    _may(moderator)
    said = _reason(reason)
    with transaction.atomic():
        rows = _locked()
        _refuse_unusable(rows[release.pk])
        for row in rows.values():
            if row.state == Release.State.SHADOW:
                _move(row, Release.State.RETIRED, moderator, f"p{release.number} took its place in the shadow.")
        _move(rows[release.pk], Release.State.SHADOW, moderator, said, source=Release.State.DRAFT)
        transaction.on_commit(lambda: shadow.enqueue(release.pk))
    forget()


def publish(*, release: Release, moderator: User, reason: str) -> None:
    """From the shadow to every device. Raises ValidationError, PermissionDenied, ModelUnavailable."""
    from . import shadow

    _may(moderator)
    said = _reason(reason)
    refuse_flips(of_row(release))
    with transaction.atomic():
        rows = _locked()
        row = rows[release.pk]
        _still(row, Release.State.SHADOW)
        _refuse_unusable(row)
        if row.compared_at is None or row.compared_with != number_of(read_live()):
            raise ValidationError("Its shadow has not gone over the stored listings yet. Wait a moment.")
        if refusal := shadow.alarming(row):
            raise ValidationError(refusal)
        _refuse_own(row, moderator)
        for other in rows.values():
            if other.state == Release.State.LIVE:
                _move(other, Release.State.RETIRED, moderator, f"p{row.number} took its place.")
        _move(row, Release.State.LIVE, moderator, said, source=Release.State.SHADOW)
    forget()


def roll_back(*, moderator: User, reason: str, to: Release | None, seen: int | None = None) -> None:
    """Back to a release that was live before, or to the published file alone (None). `seen`: the number that the
    moderator saw live, 0 for none: what somebody else published meanwhile is not rolled back by mistake. What is in
    its shadow is compared anew, with what counts now. Raises ValidationError, PermissionDenied."""
    from . import shadow

    _may(moderator)
    said = _reason(reason)
    with transaction.atomic():
        rows = _locked()
        now = next((row for row in rows.values() if row.state == Release.State.LIVE), None)
        if now is None and to is None:
            raise ValidationError("No release is live: the published model works by itself already.")
        if seen is not None and seen != (now.number if now else 0):
            is_live = f"p{now.number} is live" if now else "No release is live"
            raise ValidationError(f"{is_live} by now: somebody else was faster. Nothing changed.")
        if now and to and now.pk == to.pk:
            raise ValidationError(f"p{now.number} is live already. Nothing changed.")
        if now:
            back = f"to p{to.number}" if to else "to the published model"
            _move(now, Release.State.RETIRED, moderator, f"Rolled back {back}: {said}"[:REASON_MOST])
        if to:
            row = rows[to.pk]
            if row.live_at is None:
                raise ValidationError("It was never live: publish it from its shadow.")
            _refuse_unusable(row)
            _move(row, Release.State.LIVE, moderator, said, source=Release.State.RETIRED)
        for row in rows.values():
            if row.state == Release.State.SHADOW:
                transaction.on_commit(partial(shadow.enqueue, row.pk))
    forget()


def discard(*, release: Release, moderator: User, reason: str) -> None:
    """A draft or a shadow that nobody wants. Raises ValidationError, PermissionDenied."""
    _may(moderator)
    said = _reason(reason)
    with transaction.atomic():
        row = _locked()[release.pk]
        if row.state not in (Release.State.DRAFT, Release.State.SHADOW):
            raise ValidationError("Only a draft or a shadow can be discarded.")
        _move(row, Release.State.RETIRED, moderator, said)
    forget()


def before_live() -> Release | None:
    """What a rollback leads to: of the releases that were live, the one retired last that still works."""
    rows = Release.objects.filter(state=Release.State.RETIRED, live_at__isnull=False).order_by("-retired_at", "-number")
    current = Release.objects.filter(state=Release.State.LIVE).first()
    older = rows.filter(number__lt=current.number) if current else rows
    return next((row for row in older[:20] if not problem_of(row)), None)


def _locked() -> dict[int, Release]:
    """Every release, locked until the transaction ends: of two moderators the second sees what the first did."""
    return {row.pk: row for row in Release.objects.select_for_update().order_by("pk").defer("patch")}


def _move(row: Release, target: str, actor: User, reason: str, source: str | None = None) -> None:
    if source is not None:
        _still(row, source)
    now = timezone.now()
    changes: dict[str, Any] = {"state": target}
    if target == Release.State.SHADOW:
        changes["shadow_at"] = now
    if target == Release.State.LIVE:
        changes |= {"live_at": row.live_at or now, "retired_at": None}
    if target == Release.State.RETIRED:
        changes["retired_at"] = now
    if Release.objects.filter(pk=row.pk, state=row.state).update(**changes) != 1:  # not under the lock; to be safe
        raise ValidationError("Somebody else was faster. Nothing changed.")
    _note(row, row.state, target, actor, reason)
    row.state = target


def _still(row: Release, state: str) -> None:
    if row.state != state:
        raise ValidationError(
            f"p{row.number} is “{row.get_state_display()}” by now: somebody else was faster. Nothing changed."
        )


def _note(row: Release, source: str, target: str, actor: User, reason: str) -> None:
    ReleaseChange.objects.create(release=row, source=source, target=target, actor=actor, reason=reason)


def _refuse_unusable(row: Release) -> None:
    if problem := problem_of(row) or _flip_of(of_row(row)):
        raise ValidationError(f"p{row.number} cannot be used: {problem}")


def _refuse_own(row: Release, moderator: User) -> None:
    """Where there is another moderator, nobody publishes what rests on their own decisions alone."""
    if row.examples.filter(listing__seller=moderator).exists():
        raise ValidationError("Nobody publishes a patch that was fitted on their own listings.")
    others = User.objects.filter(role=User.Role.MODERATOR, is_active=True).exclude(pk=moderator.pk)
    rests_on_own = row.examples.exists() and not row.examples.exclude(moderator=moderator).exists()
    if rests_on_own and others.exists():
        raise ValidationError("All of its decisions are yours: another moderator has to publish it.")


def _may(moderator: User) -> None:
    if not moderator.is_moderator or not moderator.is_active:
        raise PermissionDenied("Only moderators change what the models do.")


def _reason(reason: str) -> str:
    said = reason.strip()
    if not REASON_CHARS <= len(said) <= REASON_MOST:
        raise ValidationError({"reason": f"Write why, in {REASON_CHARS} to {REASON_MOST} characters."})
    return said
