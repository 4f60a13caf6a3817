"""Answers to requests that went wrong: JSON under /api, a page elsewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import TemplateDoesNotExist, get_template
from django.utils.html import escape

from listings import limits

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body><main><h1>{title}</h1><p>{message}</p><p><a href="/">Back to the market</a></p></main></body></html>
"""
TITLES = {
    400: "That request could not be read",
    403: "That is not yours to open",
    404: "Nothing here",
    413: "That is too large",
    429: "Too many at once",
    500: "Something broke on our side",
}


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def api_error(status: int, code: str, message: str, fields: dict[str, Any] | None = None) -> JsonResponse:
    """The one shape of an error in JSON."""
    return JsonResponse({"error": {"code": code, "message": message, "fields": fields or {}}}, status=status)


def answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    """JSON under /api; else the template `<status>.html` or `error.html` where the pages have one, else a bare page."""
    if is_api(request):
        return api_error(status, code, message)
    context = {"title": TITLES.get(status, "Error"), "message": message, "status": status, "request": request}
    for name in (f"{status}.html", "error.html"):
        try:
            template = get_template(name)
        except TemplateDoesNotExist:
            continue
        # A 500 must not depend on the database, which the full request context would ask for the user.
        return HttpResponse(template.render(context, None if status == 500 else request), status=status)
    return HttpResponse(PAGE.format(title=escape(context["title"]), message=escape(message)), status=status)


def too_large(request: HttpRequest) -> HttpResponse:
    megabytes = limits.REQUEST_BYTES // 1024 // 1024
    return answer(
        request,
        413,
        "too_large",
        f"A listing with its photos may have {megabytes} MB in all. Nothing was stored; your draft is still in the"
        " form. Go back and use fewer or smaller photos, or a shorter text.",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 400, "bad_request", "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 403, "forbidden", str(exception) or "Your account may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(
        request, 403, "csrf", "This form is from an earlier session. Go back, reload the page and send it again."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404, "not_found", "There is nothing at this address. It may have been taken down.")


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, 500, "server_error", "Something broke on our side. What you sent may not have been stored.")
