"""How good the checks and the moderators are, for moderators. It only shows; nothing here changes a threshold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from models.manifest import ModelUnavailable

from .. import policies
from ..forms import QualityForm
from ..models import Where
from ..moderation import drift, pace, pairs, quality, thresholds
from ..moderation.thresholds import ANY, MODELS, Histogram, Outcome
from .moderation import moderator_required

BAND_COLOURS = ("--band-1", "--band-2", "--band-3", "--band-4", "--band-5")


@moderator_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    form = QualityForm(request.GET)
    days, model, policy, threshold = form.chosen()
    since = timezone.now() - timedelta(days=days)
    drifts, worked = drift.drift(), pace.pace(since)
    simulated = _simulated(model, policy, threshold, since)
    by_day = list(_filled(worked.by_day, days))
    return render(
        request,
        "listings/quality.html",
        {
            "section": "moderation",
            "form": form,
            "days": days,
            "periods": [(each, _address(request, each)) for each in form.PERIODS],
            "precision": quality.precision(since),
            "recall": quality.recall(since),
            "golden": quality.golden(since),
            "twice": quality.decided_twice(since),
            "compared": pairs.compare(since),
            "drifts": drifts,
            "worst_drift": max((each.psi for each in drifts if each.enough and each.psi is not None), default=None),
            "bands": _bands(),
            "some": drift.SOME,
            "much": drift.MUCH,
            "pace": worked,
            "by_day": by_day,
            "plots": {
                "drift": [_drift_plot(each) for each in drifts],
                "pace": {"days": [day.isoformat() for day, _ in by_day], "decided": [number for _, number in by_day]},
            },
        }
        | simulated,
        status=400 if form.errors else 200,
    )


def _address(request: HttpRequest, days: int) -> str:
    """The same simulation over another period."""
    query = request.GET.copy()
    query["days"] = str(days)
    return f"?{query.urlencode()}"


# --- The simulator ---------------------------------------------------------------------------------------------------
def _simulated(model: str, policy: str, threshold: float | None, since: datetime) -> dict[str, Any]:
    chosen = {"model": model, "policy": policy}
    try:
        found = thresholds.histogram(model, since)
    except ModelUnavailable as error:
        return {"unavailable": str(error), "chosen": chosen}
    published = found.published(policy)
    at = published["unsure"] if threshold is None else threshold
    rows = found.of(policy)
    return {
        "chosen": chosen | {"threshold": at},
        "model_label": MODELS[model][2],
        "histogram": found,
        "published": published,
        "has_rows": bool(rows),
        "rows_of": sum(sum(row[1:]) for row in rows),
        "violations": sum(row[thresholds.VIOLATION] for row in rows),
        "unknown": sum(row[thresholds.UNKNOWN] for row in rows),
        "simulated": _outcomes(found, policy, at, published),
        "calls": MODELS[model][0] == Where.GATE,
        "simulator": _embedded(found, model, policy) if found.rows else None,
    }


def _outcomes(
    found: Histogram, policy: str, threshold: float, published: dict[str, float]
) -> list[tuple[str, float, Outcome]]:
    """What is asked for, then what is published."""
    rows = found.of(policy)
    return [
        ("Simulated", threshold, thresholds.at(rows, threshold, found.days)),
        ("Published", published["unsure"], thresholds.at(rows, published["unsure"], found.days)),
    ]


def _embedded(found: Histogram, model: str, policy: str) -> dict[str, Any]:
    """What static/js/pages/quality.js reckons with: every policy, so that none needs another request."""
    return {
        "model": model,
        "days": found.days,
        "rows": found.rows,
        "published": {each: found.published(each) for each in (ANY, *(p.id for p in policies.all()))},
        "policy": policy,
    }


# --- Plots -----------------------------------------------------------------------------------------------------------
def _bands() -> list[str]:
    cuts = [f"{each:g}" for each in drift.BANDS]
    return [f"below {cuts[0]}", *(f"{low} to {high}" for low, high in pairwise(cuts)), f"from {cuts[-1]}"]


def _drift_plot(each: drift.Drift) -> dict[str, Any]:
    """Weeks from the oldest to the newest by their first day; shares of each band of the score."""
    today = timezone.localdate()
    weeks = list(enumerate(each.weeks))[::-1]
    return {
        "label": f"{each.model} {each.version}",
        "weeks": [(today - timedelta(days=7 * (back + 1))).isoformat() for back, _ in weeks],
        "series": [
            {
                "label": label,
                "colour": colour,
                "values": [week[at] / sum(week) if sum(week) else None for _, week in weeks],
            }
            for at, (label, colour) in enumerate(zip(_bands(), BAND_COLOURS, strict=True))
        ],
    }


def _filled(by_day: dict[date, int], days: int) -> Iterator[tuple[date, int]]:
    """Every day of the period, those with nothing too."""
    today = timezone.localdate()
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        yield day, by_day.get(day, 0)
