"""Photos, and the service worker, which must be served from the root to cover the whole site."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

# The only names that photos.py gives; anything else, a traversal above all, is not ours.
PHOTO_PATH = re.compile(r"[0-9a-z]{2}/[0-9a-z_-]{16,64}\.(jpg|webp)")
CONTENT_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def media(request: HttpRequest, path: str) -> FileResponse:
    match = PHOTO_PATH.fullmatch(path)
    if match is None:
        raise Http404("There is no such photo.")
    try:
        photo = (Path(settings.MEDIA_ROOT) / path).open("rb")
    except OSError:
        raise Http404("There is no such photo.") from None
    response = FileResponse(photo, content_type=CONTENT_TYPES[match[1]])
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
