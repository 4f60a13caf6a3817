"""What a device keeps, learned and sent; all that this page shows of a person is filled in by the device itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .. import history_quality

NAMES = ("Not at all", "Some: twice as much noise as vector", "A lot: four times as much noise as vector")


@require_safe
def what_left(request: HttpRequest) -> HttpResponse:
    costs = history_quality.costs_of_noise()
    blurs = [
        {
            "amount": f"{amount:g}",
            "name": name,
            "costs": {what: percent(share) for what, share in costs.get(amount, {}).items()},
        }
        for amount, name in zip(history_quality.NOISES, NAMES, strict=True)
    ]
    return render(request, "recommendations/what_left.html", {"blurs": blurs})


def percent(share: float) -> str:
    """As people read it; "" for nothing."""
    return "" if share <= 0 else "less than 1 %" if share < 0.01 else f"{share:.0%}".replace("%", "\N{NO-BREAK SPACE}%")
