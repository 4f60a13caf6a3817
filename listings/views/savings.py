"""What trusting the gate saved and what it let through, for moderators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from .. import device_check
from ..forms import SavingsForm
from ..models import Debt
from ..trust import costs, savings
from .moderation import moderator_required

# In the order of the columns of a day; the colours are tokens (static/css/tokens.css).
FATES = (
    (savings.BEFORE, "Before publication", "--fate-before"),
    (savings.PAID, "After publication", "--fate-paid"),
    (savings.SPENT, "Made, then withdrawn", "--fate-spent"),
    (savings.WAITING, "Being checked, not on sale", "--fate-waiting"),
    (savings.OWED, "Still owed", "--fate-owed"),
    (savings.AVOIDED, "Avoided", "--fate-avoided"),
    (savings.SPARED, "A person decided instead", "--fate-spared"),
    (savings.GONE, "Gone before any check", "--fate-gone"),
)
CHECKS = {
    "words": "Larger model on the words",
    "photo-model": "Larger model on a photo",
    "photo-text": "Text in a photo",
    "contact-details": "Contact details",
    "duplicates": "The same words",
    "photo-bank": "Removed photos",
    "look-alikes": "Other sellers’ photos",
}


@moderator_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    form = SavingsForm(request.GET)
    days, terms = form.chosen()
    counted = savings.count(days)
    needed = savings.audits_needed(counted.audits.all.missed, terms["target"] / 100)
    download = device_check.download_sizes()
    loaded = sum(size for _, size in download) * counted.device.sellers
    return render(
        request,
        "listings/savings.html",
        {
            "section": "moderation",
            "form": form,
            "fields": [(form[each.name], each) for each in costs.ALL.values()],
            "days": days,
            "periods": [(each, _address(request, each)) for each in form.PERIODS],
            "counted": counted,
            "nothing": not (counted.revisions.sent or counted.ran or counted.audits.all.decided or counted.views.debts),
            "fates": [(label, counted.revisions.fates[fate]) for fate, label, _ in FATES],
            "causes": [(_cause(cause), number) for cause, number in counted.revisions.causes.most_common()],
            "avoided": counted.revisions.fates[savings.AVOIDED],
            "owed": counted.revisions.fates[savings.OWED],
            "before": counted.revisions.fates[savings.BEFORE] + counted.revisions.fates[savings.WAITING],
            "checks": [(CHECKS.get(check.name, check.name), check) for check in counted.checks],
            "needed": needed,
            "enough": counted.audits.all.decided >= needed,
            "target": terms["target"] / 100,
            "tiers": [(tier.name.capitalize(), found) for tier, found in counted.audits.by_tier.items()],
            "avoided_ms": [(CHECKS.get(name, name), ms) for name, ms in counted.avoided_ms.items()],
            "unmeasured": any(ms is None for ms in counted.avoided_ms.values()),
            "download": download,
            "download_bytes": sum(size for _, size in download),
            "loaded_bytes": loaded,
            "bill": _bill(counted, loaded, terms),
            "by_day": [
                (day, [found[fate] for fate, *_ in FATES]) for day, found in _filled(counted.revisions.by_day, days)
            ],
            "fate_names": [label for _, label, _ in FATES],
            "audits_by_day": list(_gathered(counted)),
            "plots": _plots(counted, days, terms["target"] / 100),
        },
        status=400 if form.errors else 200,
    )


def _address(request: HttpRequest, days: int) -> str:
    """The same assumptions over another period."""
    query = request.GET.copy()
    query["days"] = str(days)
    return f"?{query.urlencode()}"


def _cause(cause: str) -> str:
    return Debt.Cause(cause).label if cause else "No cause recorded"


def _bill(counted: savings.Savings, loaded: int, terms: dict[str, float]) -> list[tuple[str, float | None, float]]:
    """(what, watt hours, €); what was spent is above 0, what was avoided below. The last is the balance."""
    spent, avoided = counted.seconds, counted.seconds_avoided
    return [
        ("Models that ran", costs.energy(spent, terms), costs.of_seconds(spent, terms)),
        ("Checks avoided", -costs.energy(avoided, terms), -costs.of_seconds(avoided, terms)),
        ("Downloads to devices", None, costs.of_bytes(loaded, terms)),
        (
            "Downloads and avoided checks together",
            -costs.energy(avoided, terms),
            costs.of_bytes(loaded, terms) - costs.of_seconds(avoided, terms),
        ),
    ]


def _filled(by_day: dict[date, Any], days: int) -> Iterator[tuple[date, Any]]:
    """Every day of the period, those with nothing too."""
    today = timezone.localdate()
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        yield day, by_day.get(day, dict.fromkeys((fate for fate, *_ in FATES), 0))


def _gathered(counted: savings.Savings) -> Iterator[tuple[date, savings.Misses]]:
    """Audits from the first day of the period to each day on which any was decided."""
    missed = decided = 0
    for day, found in sorted(counted.audits.by_day.items()):
        missed, decided = missed + found.missed, decided + found.decided
        yield day, savings.Misses(missed, decided)


def _plots(counted: savings.Savings, days: int, target: float) -> dict[str, Any]:
    """What static/js/pages/savings.js draws: days as ISO dates, shares from 0 to 1."""
    filled = list(_filled(counted.revisions.by_day, days))
    gathered = list(_gathered(counted))
    return {
        "heavy": {
            "days": [day.isoformat() for day, _ in filled],
            "series": [
                {"label": label, "colour": colour, "values": [found[fate] for _, found in filled]}
                for fate, label, colour in FATES
            ],
        },
        "misses": {
            "days": [day.isoformat() for day, _ in gathered],
            "decided": [found.decided for _, found in gathered],
            "rate": [found.rate for _, found in gathered],
            "low": [found.interval[0] for _, found in gathered],
            "high": [found.interval[1] for _, found in gathered],
            "target": target,
        },
    }
