"""What is on sale before its heavy checks: what is owed, where the gate was measured, settings; a listing's record."""

from __future__ import annotations

import re

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Min, Q, Sum
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from .. import categories, policies
from ..models import Cell, Debt, Listing, SettingChange
from ..moderation import claims
from ..trust import agreement, debts, intervals, record, settings
from .moderation import moderator_required
from .requests import SignedInRequest

CHANGES = 20
OWED = 20


@moderator_required
@require_http_methods(["GET", "HEAD", "POST"])
def trust(request: SignedInRequest) -> HttpResponse:
    errors: dict[str, str] = {}
    name = request.POST.get("name", "")
    if request.method == "POST":
        errors = _change(request, name)
        if not errors:
            return redirect("moderation-trust")
    now = settings.values()
    rows = [
        {
            "setting": setting,
            "shown": setting.shown(now[setting.name]),
            "typed": request.POST.get("value", "") if errors and name == setting.name else f"{now[setting.name]:.10g}",
            "reason": request.POST.get("reason", "") if errors and name == setting.name else "",
            "error": " ".join(errors.values()) if name == setting.name else "",
            "changed": now[setting.name] != setting.default,
        }
        for setting in settings.ALL.values()
    ]
    opened = Debt.objects.filter(state=Debt.State.OPEN)
    return render(
        request,
        "listings/trust.html",
        {
            "rows": rows,
            "is_on": bool(now["debts"]),
            "errors": errors,
            "changes": _changes(),
            "owed": opened.aggregate(
                number=Count("pk"),
                called=Count("pk", filter=Q(called_at__isnull=False)),
                oldest=Min("opened_at"),
                views=Sum("impressions"),
            ),
            "left": Debt.objects.filter(state=Debt.State.LEFT).aggregate(number=Count("pk"), oldest=Min("left_at")),
            "worst": opened.annotate(expected=debts.expected_harm())
            .select_related("listing__seller")
            .order_by("-expected")[:OWED],
            "cells": _cells(now),
            "agreement": agreement.rows(),
            "section": "moderation",
        },
        status=400 if errors else 200,
    )


def _change(request: SignedInRequest, name: str) -> dict[str, str]:
    """What is wrong with a change, by field; nothing when it was made."""
    typed = request.POST.get("value", "").strip()
    if re.fullmatch(r"[0-9]+,[0-9]{3}", typed):
        return {name: "Write it without a comma: it could be a thousand or a decimal."}
    try:
        value = float(typed.replace(",", "."))
    except ValueError:
        return {name: "Write a number, such as 10 or 0.5."}
    try:
        made = settings.change(name=name, value=value, actor=request.user, reason=request.POST.get("reason", ""))
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {name: error.messages}
        return {field: " ".join(said) for field, said in found.items()}
    if made:
        messages.success(
            request, f"{settings.ALL[name].label}: {made.before:.10g} → {made.value:.10g}. It counts from now on."
        )
    else:
        messages.info(request, f"{settings.ALL[name].label} is {value:.10g} already. Nothing was changed.")
    return {}


def _changes() -> list[SettingChange]:
    """The latest, each with the `label` of its setting."""
    found = list(SettingChange.objects.select_related("actor")[:CHANGES])
    for change in found:
        known = settings.ALL.get(change.name)
        change.label = known.label if known else change.name  # type: ignore[attr-defined]
    return found


def _cells(terms: dict[str, float]) -> list[dict[str, object]]:
    """By category: how many revisions were looked at, what was missed, and whether it is open."""
    found: dict[str, list[Cell]] = {}
    for cell in Cell.objects.all():
        found.setdefault(cell.category, []).append(cell)
    needed = intervals.needed(terms["cell_miss"]) if terms["cell_miss"] > 0 else None
    return [
        {
            "category": known.name if (known := categories.get(category)) else category,
            "seen": cells[0].seen,
            "needed": needed,
            "missed": [(policies.name(cell.policy), cell.missed) for cell in cells if cell.missed],
            "closed": [policies.name(cell.policy) for cell in cells if cell.upper > terms["cell_miss"]],
        }
        for category, cells in sorted(found.items())
    ]


@moderator_required
@require_safe
def listing_record(request: SignedInRequest, public_id: str) -> HttpResponse:
    listing = get_object_or_404(Listing.objects.select_related("seller"), public_id=public_id)
    claims.refuse_while_blind(listing, request.user)
    return render(
        request,
        "listings/record.html",
        {"listing": listing, "lines": record.of(listing), "section": "moderation"},
    )
