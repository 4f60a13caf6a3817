"""Releases of the models that judge listings: drafted, tried in the shadow, published, rolled back.

A release is a patch of the device's text model (models/patch.py) fitted from decisions, other thresholds for it, files
of a set (models/sets.py) in the place of published ones, or all of these. It says everything that counts besides the
published files, and one is live at most (live_models.py), so that going back to one is one step.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, Subquery
from django.utils import timezone

from models import contract, manifest, patch, patch_check, patch_fit, sets, text

from . import content, device_check, live_models
from .models import Decision, Listing, Release, ReleaseChange, RemovedPhoto, User, Verdict, VerdictDecision, Where

EXAMPLES = 20
EXAMPLES_MOST = 60
ANCHORS = 400  # listings on sale whose answers a patch must leave alone
SELLERS = 3  # that a patch must learn from, so that one seller's style is no rule for everybody
SHARE_OF_ONE = 0.5  # of the examples at most, from one seller
REASON_CHARS, REASON_MOST = 10, 500
ALARMS = 0.01  # of the approved listings looked at in the shadow, newly warned; beyond that nobody publishes it
FEW_ALARMS = 1  # ... but so many are no pattern
LOST = 0.1  # of the rejected listings that are warned now, let through; beyond that nobody publishes it either
FEW_LOST = 1
WARNED = (VerdictDecision.WARN, VerdictDecision.BLOCK)
POINTS = ("unsure", "warn", "block")
MEASURES = ("unsafe_recall_at_fpr_1pct", "macro_f1", "warn_rate", "ece")  # of a model, on dev


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
    """A draft from the chosen decisions; the thresholds that count stay. Raises ValidationError with the sentence why
    not, PermissionDenied, ModelUnavailable."""
    _may(moderator)
    said = _reason(reason)
    chosen = wrong_decisions(most=EXAMPLES_MOST, keys=decisions)
    _refuse_poison(chosen, moderator)
    examples = [patch_fit.Example(content.fields_of(each.decision.listing), each.label) for each in chosen]
    now = live_models.read_live()
    base = (now or sets.Release(0)).folder(text.MODEL)
    try:
        fitted = patch_fit.fit(
            examples, anchors([each.decision.listing_id for each in chosen], base), patch_fit.Reader(base)
        )
    except patch.PatchError as error:
        raise ValidationError(str(error)) from error
    figures = {
        "examples": len(examples), "right_before": fitted.before, "right_after": fitted.caught,
        "features": len(fitted.patch.ids), "bytes": len(fitted.content),
        "largest_move": round(fitted.moved, 4), "seconds": round(fitted.seconds, 2),
        "labels": sorted({example.label for example in examples}),
    }  # fmt: skip
    row = _draft(moderator, said, now, fitted.content, dict(now.points) if now else {}, figures)
    row.examples.set([each.decision for each in chosen])
    return row


def draft_points(*, moderator: User, points: dict[str, float], reason: str) -> Release:
    """A draft of other thresholds, on top of the live patch. Raises ValidationError, PermissionDenied."""
    _may(moderator)
    said = _reason(reason)
    now = live_models.read_live()
    current = sets.points(text.MODEL, now)
    merged = {name: float(current[name]) for name in POINTS} | points
    if not 0 < merged["unsure"] <= merged["warn"] <= merged["block"] <= 1:
        raise ValidationError("The thresholds must rise: unsure, warn, block, each between 0 and 1.")
    if all(merged[name] == current[name] for name in POINTS):
        raise ValidationError("These are the thresholds that count now. Change one of them first.")
    return _draft(moderator, said, now, now.content if now else b"", merged, {})


def draft_set(*, moderator: User, name: str, reason: str) -> Release:
    """A draft that puts the files of a set in the place of those that count now. What is live of other models stays; a
    patch and thresholds of listing-text go with the file that they were made for. Raises ValidationError,
    PermissionDenied, ModelUnavailable."""
    from . import shadow

    _may(moderator)
    said = _reason(reason)
    try:
        found = sets.named(name)
    except (manifest.ModelUnavailable, KeyError) as error:
        raise ValidationError(str(error)) from error
    now = live_models.read_live()
    files, digests = dict(now.files) if now else {}, sets.digests(now)
    if all(digests[model] == about["digest"] for model, about in found.files().items()):
        raise ValidationError(f"{name} counts already. Nothing changed.")
    keeps = now if now and text.MODEL not in found.models else sets.Release(0)
    tried = sets.Release(0, keeps.content, keeps.points, files | found.files())
    shadow.try_out(tried, found.models)
    return _draft(moderator, said, now, keeps.content, dict(keeps.points), _compared(found, tried, now), tried.files)


def _compared(found: sets.ModelSet, tried: sets.Release, now: sets.Release | None) -> dict[str, Any]:
    """set; models: what each was measured to do on dev, beside what counts now. golden_texts, answered_otherwise: of
    those of the published file, for a person to read."""
    figures: dict[str, Any] = {"set": found.name, "models": {}}
    for model, entry in found.models.items():
        figures["models"][model] = [measured(manifest.model(sets.entries(now), model)), measured(entry)]
    if text.MODEL in found.models:
        otherwise = patch_check.answered_otherwise(tried)
        figures["golden_texts"] = len(patch_check.golden())
        figures["answered_otherwise"] = [[flip.name, *flip.before, *flip.after] for flip in otherwise]
    return figures


def measured(entry: Mapping[str, Any]) -> dict[str, Any]:
    """version, bytes of the file that the site runs, and MEASURES of it on dev."""
    about = entry["variants"][sets.chosen_variant(entry)]
    dev = about.get("metrics", {}).get("dev", {})
    return {"version": entry["version"], "bytes": about["bytes"]} | {key: dev.get(key) for key in MEASURES}


def anchors(without: Sequence[int] = (), folder: Path = manifest.PUBLISHED) -> list[contract.Fields]:
    """Texts whose answers stay: the golden ones beside the file in `folder`, and listings on sale."""
    found = [patch_check.golden_fields(answer) for answer in patch_check.golden(folder)]
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


def _draft(
    moderator: User,
    reason: str,
    now: sets.Release | None,
    made: bytes,
    points: dict[str, float],
    figures: dict[str, Any],
    files: Mapping[str, Any] | None = None,
) -> Release:
    """now: what was live when the rest was made of it. files: as of models/sets.py; None for those of `now`."""
    if files is None:
        files = now.files if now else {}
    release = sets.Release(0, made, points, files)
    live_models.refuse_flips(release)
    folder = release.folder(text.MODEL)
    entry = manifest.model(manifest.load(folder), text.MODEL)
    with transaction.atomic():
        list(Release.objects.select_for_update(no_key=True).order_by("pk").only("pk"))
        if live_models.number_of(live_models.read_live()) != live_models.number_of(now):
            raise ValidationError("Somebody published another release this moment. Look at it, then try once more.")
        number = (Release.objects.aggregate(last=Max("number"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                row = Release.objects.create(
                    number=number,
                    model_version=entry["version"],
                    model_sha256=sets.sha256_of(entry),
                    manifest_sha256=hashlib.sha256((folder / manifest.FILE).read_bytes()).hexdigest(),
                    files={model: dict(about) for model, about in files.items()},
                    base=_base(now),
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


# --- Steps ------------------------------------------------------------------------------------------------------------
def start_shadow(*, release: Release, moderator: User, reason: str) -> Release | None:
    """Let the site score with both. One that was in the shadow is a draft again, and is returned. Raises
    ValidationError, PermissionDenied."""
    from . import shadow  # which needs the gate, and the gate this module

    _may(moderator)
    said = _reason(reason)
    with transaction.atomic():
        rows = _locked()
        _refuse_unusable(rows[release.pk])
        _refuse_outdated(rows[release.pk])
        before = next((row for row in rows.values() if row.state == Release.State.SHADOW), None)
        if before:
            _move(before, Release.State.DRAFT, moderator, f"p{release.number} took its place in the shadow.")
        _move(rows[release.pk], Release.State.SHADOW, moderator, said, source=Release.State.DRAFT)
        shadow.owe(release.pk)
    live_models.forget()
    return before


def publish(*, release: Release, moderator: User, reason: str) -> None:
    """From the shadow to every device. Raises ValidationError, PermissionDenied, ModelUnavailable."""
    from . import shadow

    _may(moderator)
    said = _reason(reason)
    live_models.refuse_flips(live_models.of_row(release))
    with transaction.atomic():
        rows = _locked()
        row = rows[release.pk]
        _still(row, Release.State.SHADOW)
        _refuse_unusable(row)
        _refuse_outdated(row)
        if not shadow.is_compared(row):
            why = row.compare_problem or "Wait a moment."
            raise ValidationError(f"Its shadow has not gone over the stored listings yet. {why}")
        if refusal := shadow.alarming(row):
            raise ValidationError(refusal)
        _refuse_own(row, moderator)
        for other in rows.values():
            if other.state == Release.State.LIVE:
                _move(other, Release.State.RETIRED, moderator, f"p{row.number} took its place.")
                Release.objects.filter(pk=row.pk).update(replaced=other.number)
        _move(row, Release.State.LIVE, moderator, said, source=Release.State.SHADOW)
    live_models.forget()


def roll_back(*, moderator: User, reason: str, to: Release | None, seen: int | None = None) -> None:
    """Back to a release that was live before, or to the published files alone (None). `seen`: the number that the
    moderator saw live, 0 for none: what somebody else published meanwhile is not rolled back by mistake. What is in
    its shadow is compared anew, with what counts now. Raises ValidationError, PermissionDenied."""
    _may(moderator)
    said = _reason(reason)
    with transaction.atomic():
        rows = _locked()
        now = next((row for row in rows.values() if row.state == Release.State.LIVE), None)
        if now is None and to is None:
            raise ValidationError("No release is live: the published models work by themselves already.")
        _refuse_unseen(now, seen)
        if now and to and now.pk == to.pk:
            raise ValidationError(f"p{now.number} is live already. Nothing changed.")
        if now:
            back = f"to p{to.number}" if to else "to the published models"
            _move(now, Release.State.RETIRED, moderator, f"Rolled back {back}: {said}"[:REASON_MOST])
        if to:
            row = rows[to.pk]
            if row.live_at is None:
                raise ValidationError("It was never live: publish it from its shadow.")
            _refuse_unusable(row)
            _move(row, Release.State.LIVE, moderator, said, source=Release.State.RETIRED)
            Release.objects.filter(pk=row.pk).update(replaced=0)
        _compare_shadow_anew(rows)
    live_models.forget()


def restore(*, moderator: User, name: str, reason: str, seen: int | None = None) -> Release:
    """Back to files that were published earlier, at once: they counted before, so no shadow is asked for. `seen` as of
    `roll_back`. Raises ValidationError, PermissionDenied, ModelUnavailable."""
    _may(moderator)
    said = _reason(reason)
    if not sets.is_earlier(name):
        raise ValidationError("Only what was published earlier can be gone back to. Try this in its shadow first.")
    with transaction.atomic():
        made = draft_set(moderator=moderator, name=name, reason=said)
        rows = _locked()
        row = rows[made.pk]
        now = next((row for row in rows.values() if row.state == Release.State.LIVE), None)
        _refuse_unseen(now, seen)
        _refuse_unusable(row)
        if now:
            _move(now, Release.State.RETIRED, moderator, f"Rolled back to {name}: {said}"[:REASON_MOST])
        _move(row, Release.State.LIVE, moderator, said, source=Release.State.DRAFT)
        _compare_shadow_anew(rows)
    live_models.forget()
    return row


def _refuse_unseen(now: Release | None, seen: int | None) -> None:
    if seen is not None and seen != (now.number if now else 0):
        is_live = f"p{now.number} is live" if now else "No release is live"
        raise ValidationError(f"{is_live} by now: somebody else was faster. Nothing changed.")


def _compare_shadow_anew(rows: Mapping[int, Release]) -> None:
    """With what counts from now on."""
    from . import shadow

    for row in rows.values():
        if row.state == Release.State.SHADOW:
            shadow.owe(row.pk)


def discard(*, release: Release, moderator: User, reason: str) -> None:
    """A draft or a shadow that nobody wants. Raises ValidationError, PermissionDenied."""
    _may(moderator)
    said = _reason(reason)
    with transaction.atomic():
        row = _locked()[release.pk]
        if row.state not in (Release.State.DRAFT, Release.State.SHADOW):
            raise ValidationError("Only a draft or a shadow can be discarded.")
        _move(row, Release.State.RETIRED, moderator, said)
    live_models.forget()


def before_live() -> Release | None:
    """The release that counted before the live one was published, if one did and it still works. What somebody rolled
    back from is none: a rollback and a restore leave no trace here, and lead to the published models."""
    current = Release.objects.filter(state=Release.State.LIVE).first()
    found = Release.objects.filter(number=current.replaced).first() if current else None
    return found if found and not live_models.problem_of(found) else None


def _locked() -> dict[int, Release]:
    """Every release, locked until the transaction ends: of two moderators the second sees what the first did. Submits
    meanwhile write looks that name one: a stronger lock would hold them up."""
    return {row.pk: row for row in Release.objects.select_for_update(no_key=True).order_by("pk").defer("patch")}


def _move(row: Release, target: str, actor: User, reason: str, source: str | None = None) -> None:
    if source is not None:
        _still(row, source)
    now = timezone.now()
    changes: dict[str, Any] = {"state": target}
    if target == Release.State.SHADOW:
        changes |= {"shadow_at": now, "compared_at": None}
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
    if problem := live_models.unusable(row) or device_check.not_laid_out(live_models.of_row(row)):
        raise ValidationError(f"p{row.number} cannot be used: {problem}")


def why_outdated(row: Release) -> str:
    """A draft says everything that counts besides the published files. What somebody else changed since it was made
    would be undone by it without anybody having meant to: a sentence that says what; "" when there is nothing. Raises
    ModelUnavailable."""
    now = _base(live_models.read_live())
    then, is_set, is_fit = row.base or {"digests": {}}, "set" in row.figures, "examples" in row.figures
    meant = set(row.figures.get("models", []))
    others = {model for model in sets.JUDGES if then["digests"].get(model) != now["digests"][model]} - meant
    is_other_patch = not is_fit and then.get("patch_sha256") != now["patch_sha256"]
    begins_bare = is_set and text.MODEL in meant  # with neither patch nor thresholds
    if not begins_bare and (is_other_patch or then.get("points") != now["points"]):
        others.add(text.MODEL)
    if not others:
        return ""
    return (
        f"{row} was drafted beside other models than count now: it would also change {', '.join(sorted(others))}. "
        "Draft it anew."
    )


def _base(now: sets.Release | None) -> dict[str, Any]:
    """What counts with a release, to tell later whether it still does. Raises ModelUnavailable."""
    content = now.content if now else b""
    return {
        "digests": sets.digests(now),
        "patch_sha256": hashlib.sha256(content).hexdigest(),
        "points": dict(now.points) if now else {},
    }


def _refuse_outdated(row: Release) -> None:
    if problem := why_outdated(row):
        raise ValidationError(problem)


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
