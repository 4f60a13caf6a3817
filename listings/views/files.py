"""Photos, and the service worker, which must be served from the root to cover the whole site."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from .. import photos

# The only names that photos.py gives; anything else, a traversal above all, is not ours.
PHOTO_PATH = re.compile(r"[0-9a-z]{2}/[0-9a-z_-]{16,64}\.(jpg|webp)")
DAY = 86_400  # seconds
CONTENT_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """A photo of what is on sale, to everybody; any other to whom its listing concerns."""
    match = PHOTO_PATH.fullmatch(path)
    if match is None:
        raise Http404("There is no such photo.")
    is_public = photos.is_public(path)
    if not is_public and not photos.concerns(request.user, path):  # reads the session: not for what everybody may see
        raise Http404("There is no such photo.")
    response = _file(request, path, content_type=CONTENT_TYPES[match[1]])
    # A name never gets other bytes, but a photo may leave the market: a day later no cache has it.
    response["Cache-Control"] = f"{'public' if is_public else 'private'}, max-age={DAY}"
    return response


@condition(etag_func=lambda request, path, content_type: f'"{path}"')
def _file(request: HttpRequest, path: str, content_type: str) -> HttpResponseBase:
    try:
        photo = (Path(settings.MEDIA_ROOT) / path).open("rb")
    except OSError:
        raise Http404("There is no such photo.") from None
    response = FileResponse(photo, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    source = finders.find("sw.js")
    if source is None:
        raise Http404("There is no service worker.")
    return HttpResponse(Path(source).read_bytes(), content_type="text/javascript")
