"""Security headers on every answer, and a limit to what a request may bring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from listings import limits, photo_refusals
from marketplace.errors import answer, too_large

PHOTOS = "/api/photos"  # one photo a request
Handler = Callable[[HttpRequest], HttpResponse]

# 'wasm-unsafe-eval' compiles the runtime; it allows no JavaScript from text. blob: shows a photo before its upload.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self'",
    "img-src": "'self' blob: data:",
    "style-src": "'self'",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# The page that documents the API brings styles of its own.
DOCS_POLICY = POLICY | {"style-src": "'self' 'unsafe-inline'"}


def policy_text(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


HEADERS = {
    "Content-Security-Policy": policy_text(POLICY),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def security_headers(get_response: Handler) -> Handler:
    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path == "/api/docs":
            response.headers["Content-Security-Policy"] = policy_text(DOCS_POLICY)
        return response

    return handle


def no_body_for_head(get_response: Handler) -> Handler:
    """An answer to HEAD is that to GET without its body; Django leaves taking it away to the server, ours complains."""

    def handle(request: HttpRequest) -> HttpResponse:
        is_head = request.method == "HEAD"  # asked first: the API answers it as GET
        response = get_response(request)
        if is_head:
            if response.streaming:
                response.streaming_content = ()  # type: ignore[attr-defined]
            else:
                response.headers.setdefault("Content-Length", str(len(response.content)))
                response.content = b""
        return response

    return handle


def request_size_limit(get_response: Handler) -> Handler:
    """413 for a body above what its address takes, by its declared length (a body without one is never read)."""

    def handle(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return answer(request, 400, "bad_request", "The request's length makes no sense.")
        is_photo = request.path == PHOTOS
        if int(length) > (limits.PHOTO_REQUEST_BYTES if is_photo else limits.REQUEST_BYTES):
            swallow(request, int(length))
            return answer(request, 413, "too_large", photo_refusals.TOO_MANY_BYTES) if is_photo else too_large(request)
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        # Django's own limit on fields without files.
        return too_large(request) if isinstance(exception, RequestDataTooBig) else None

    handle.process_exception = process_exception  # type: ignore[attr-defined]
    return handle


class WholeBody:
    """A request's body that is never shorter than it said: a connection that drops raises OSError.

    Servers give what came until then, which would pass for the whole: half a form, a photo without its end.
    """

    def __init__(self, stream: Any, length: int) -> None:
        self.stream, self.left = stream, length

    def read(self, size: int = -1) -> bytes:
        return self._counted(self.stream.read(size), size)

    def readline(self, size: int = -1) -> bytes:
        return self._counted(self.stream.readline(size), size)

    def _counted(self, data: bytes, size: int) -> bytes:
        self.left -= len(data)
        if not data and size and self.left > 0:
            raise ConnectionError(f"the connection ended {self.left} bytes before the request did")
        return data


def whole_bodies(application: Callable[..., Any]) -> Callable[..., Any]:
    """A WSGI application whose requests either come whole or cannot be read."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return serve


def swallow(request: HttpRequest, length: int) -> None:
    """Read and drop what a browser is still sending: it shows our answer only when its upload was taken.

    Bounded: whoever sends more than twice the limit gets a closed connection.
    """
    left = min(length, 2 * limits.REQUEST_BYTES)
    try:
        while left > 0 and (chunk := request.read(min(left, 1 << 16))):
            left -= len(chunk)
    except OSError:
        pass  # the sender has gone
