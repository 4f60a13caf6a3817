"""Pages for everybody that show no listings."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from .. import policies


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    return render(request, "listings/rules.html", {
        "policies": policies.all(), "rules": policies.rules(), "version": policies.version(),
    })  # fmt: skip
