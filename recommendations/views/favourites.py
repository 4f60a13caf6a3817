"""One's favourites. The server knows none of them: the page is the same for everybody, and the device fills it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def favourites(request: HttpRequest) -> HttpResponse:
    return render(request, "recommendations/favourites.html", {"section": "favourites"})
