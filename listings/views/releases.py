"""Which models judge listings: the published files, and releases in the place of some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from models import manifest, sets, text

from .. import live_models, policies, releases, shadow
from ..models import Release, ReleaseChange
from .moderation import moderator_required
from .requests import SignedInRequest

ROWS = 20
CHANGES = 30
WHEN_KNOWN = "Devices know within minutes, the server within seconds."
WHERE = {
    sets.TEXT: "devices and gate",
    sets.TEXT_GATE: "gate",
    sets.TEXT_CLOUD: "workers",
    sets.PHOTO: "devices and gate",
    sets.PHOTO_TAIL: "second opinions",
    sets.PHOTO_CLOUD: "workers",
}


@moderator_required
@require_http_methods(["GET", "HEAD", "POST"])
def models_page(request: SignedInRequest) -> HttpResponse:
    errors: list[str] = []
    if request.method == "POST":
        try:
            messages.success(request, _act(request))
            return redirect("moderation-models")
        except ValidationError as error:
            errors = error.messages
        except manifest.ModelUnavailable as error:
            errors = [str(error)]
    policy = request.GET.get("policy", "")
    wrong = releases.wrong_decisions(policy if policies.get(policy) else "")
    chosen = set(request.POST.getlist("decision")) if errors else {str(each.decision.pk) for each in wrong}
    rows = [_row(row) for row in Release.objects.select_related("created_by").defer("patch")[:ROWS]]
    current, back_to = live_models.live(), releases.before_live()
    live = Release.objects.filter(state=Release.State.LIVE).defer("patch").first()
    return render(
        request,
        "listings/models.html",
        {
            "errors": errors,
            "action": request.POST.get("action", ""),
            "reason": request.POST.get("reason", "") if errors else "",
            "tried": request.POST.get("set", "") if errors else "",
            "judges": _judges(current),
            "sets": [_set(name, current) for name in sets.names()],
            "live": live,
            "live_title": title_of(live) if live else "",
            "problem": current.problem,
            "back_to": back_to,
            "back_label": f"Roll back to {back_to}, {title_of(back_to)}" if back_to else "",
            "rows": rows,
            "wrong": [(each, str(each.decision.pk) in chosen) for each in wrong],
            "policies": policies.all(),
            "policy": policy,
            "points": _typed_again(request) if errors else _points(),
            "changes": ReleaseChange.objects.select_related("release", "actor").defer("release__patch")[:CHANGES],
            "section": "moderation",
        },
        status=400 if errors else 200,
    )


def _act(request: SignedInRequest) -> str:
    """Do what the form says; returns what to tell. Raises ValidationError, PermissionDenied, ModelUnavailable."""
    said: dict[str, Any] = {"moderator": request.user, "reason": request.POST.get("reason", "")}
    action = request.POST.get("action", "")
    if action == "fit":
        keys = [int(key) for key in request.POST.getlist("decision") if key.isascii() and key.isdigit()]
        made = releases.fit(decisions=[key for key in keys if key < 2**31][: releases.EXAMPLES_MOST], **said)
        return f"{made} is fitted, and no golden text changes. Next: its shadow."
    if action == "points":
        made = releases.draft_points(points=_typed_points(request), **said)
        return f"{made} is a draft of other thresholds, and no golden text changes. Next: its shadow."
    if action == "set":
        made = releases.draft_set(name=request.POST.get("set", ""), **said)
        return f"{made} is a draft with other model files. Next: its shadow."
    if action == "restore":
        made = releases.restore(name=request.POST.get("set", ""), seen=_seen(request), **said)
        return f"{made} is live: what was published earlier counts again. {WHEN_KNOWN}"
    if action == "back":
        to = _release(request) if request.POST.get("release") else None
        releases.roll_back(to=to, seen=_seen(request), **said)
        return f"Rolled back to {to or 'the published models'}. {WHEN_KNOWN}"
    steps: dict[str, Callable[..., Release | None]]
    steps = {"shadow": releases.start_shadow, "publish": releases.publish, "discard": releases.discard}
    if action not in steps:
        raise ValidationError("Choose what to do.")
    release = _release(request)
    displaced = steps[action](release=release, **said)
    back = f" {displaced} was there before and is a draft again." if displaced else ""
    return {
        "shadow": f"{release} is in its shadow: listings are decided without it, and what it would have said is noted."
        + back,
        "publish": f"{release} is live. {WHEN_KNOWN}",
        "discard": f"{release} is discarded.",
    }[action]


def _release(request: SignedInRequest) -> Release:
    number = request.POST.get("release", "")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise ValidationError("Choose a release.")
    return get_object_or_404(Release, number=int(number))


def _seen(request: SignedInRequest) -> int | None:
    """The number that the page said was live, 0 for none; None of a form that says nothing."""
    number = request.POST.get("live", "")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None


def _typed_points(request: SignedInRequest) -> dict[str, float]:
    found = {}
    for name in releases.POINTS:
        try:
            found[name] = float(request.POST.get(name, "").strip().replace(",", "."))
        except ValueError:
            raise ValidationError("Write the thresholds as numbers, such as 0.8.") from None
    return found


def _points() -> list[tuple[str, float]]:
    try:
        now = live_models.points(text.MODEL)
    except manifest.ModelUnavailable:
        return []
    return [(name, now[name]) for name in releases.POINTS]


def _judges(current: live_models.Current) -> list[dict[str, Any]]:
    """Every model that judges listings: what counts of it; its `problem` when that cannot be read."""
    found = []
    for model in sets.JUDGES:
        about: dict[str, Any] = {"model": model, "where": WHERE[model]}
        try:
            entry = live_models.entry(model)
            about |= {"version": entry["version"], "sha256": sets.sha256_of(entry)}
        except manifest.ModelUnavailable as error:
            about["problem"] = str(error)
        release = current.release
        if release and model == text.MODEL and "version" in about:
            about["version"] = release.version(about["version"])
        if release and model in release.files:
            about["set"] = release.files[model]["set"]
        found.append(about)
    return found


def _set(name: str, current: live_models.Current) -> dict[str, Any]:
    """A set of files that lies beside the published ones, its models each beside what counts now."""
    model, version, _ = name.partition("/")[2].rsplit("-", 2)
    about: dict[str, Any] = {
        "name": name,
        "title": f"{model} {version}",
        "is_earlier": sets.is_earlier(name),
        "problem": sets.problem_of(name),
    }
    if about["problem"]:
        return about
    models = sets.named(name).models
    try:
        digests = sets.digests(current.release)
        about["counts"] = all(digests[model] == sets.digest(entry) for model, entry in models.items())
        about["models"] = [
            (model, releases.measured(live_models.entry(model)), releases.measured(entry))
            for model, entry in models.items()
        ]
    except manifest.ModelUnavailable as error:
        about["problem"] = str(error)
    return about


def _typed_again(request: SignedInRequest) -> list[tuple[str, Any]]:
    """The thresholds as they were typed, for whoever has to correct one."""
    return [(name, request.POST.get(name, now)) for name, now in _points()]


def title_of(row: Release) -> str:
    """What a release is, in a few words: what it changed when it was made."""
    if models := row.figures.get("models"):
        return ", ".join(f"{model} {after['version']}" for model, (_, after) in models.items())
    if examples := row.figures.get("examples"):
        return f"a patch of {examples} decisions"
    return "other thresholds"


def _row(row: Release) -> dict[str, Any]:
    """A release with what its shadow saw."""
    seen = shadow.figures(row) if row.shadow_at else None
    is_tried = row.state in (Release.State.DRAFT, Release.State.SHADOW)
    problem = live_models.problem_of(row)
    return {
        "release": row,
        "title": title_of(row),
        "state": "Discarded" if row.state == Release.State.RETIRED and not row.live_at else row.get_state_display(),
        "problem": problem or (releases.why_outdated(row) if is_tried else ""),
        "seen": seen,
        "labels": [
            policies.name(label) if label != "safe" else "nothing forbidden" for label in row.figures.get("labels", [])
        ],
        "models": [(model, *pair) for model, pair in row.figures.get("models", {}).items()],
        "is_going": row.state == Release.State.SHADOW and not shadow.is_compared(row),
        "refusal": shadow.alarming(row) if row.state == Release.State.SHADOW else "",
        "otherwise": [
            {"name": name, "before": _said(*answer[:2]), "after": _said(*answer[2:])}
            for name, *answer in row.figures.get("answered_otherwise", [])
        ],
        "examples": shadow.examples(row) if row.state == Release.State.SHADOW else {},
        "may_return": row.live_at is not None and row.state == Release.State.RETIRED and not problem,
    }


def _said(decision: str, policy: str) -> str:
    return f"{decision} ({policies.name(policy)})" if policy else decision
