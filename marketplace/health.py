"""Two questions a monitor asks: does the process answer, and could it serve a merchant now."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def broker() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
    finally:
        client.close()


def published_models() -> None:
    from listings import live_models
    from models import runtime

    for name, entry in live_models.entries()["models"].items():
        for variant in set(entry["published"].values()):
            runtime.session(name, variant, live_models.folder(name))  # checks the hash; loaded once per process


CHECKS: dict[str, Callable[[], None]] = {"database": database, "broker": broker, "models": published_models}


def failure(check: Callable[[], None]) -> str | None:
    """The kind of what went wrong: details belong in the log, not on a public page."""
    try:
        check()
    except Exception as error:
        log.warning("readyz: %s failed: %s", check.__name__, error)
        return type(error).__name__
    return None


def release() -> str:
    """No reason to take a process out of service: without its release it works with the published models. But somebody
    has to know."""
    from listings import live_models

    try:
        return "unusable: the published models judge" if live_models.live().problem else "ok"
    except Exception as error:  # without the database it is not known which one is live
        log.warning("readyz: release failed: %s", error)
        return "unknown"


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all parts answer, else 503; `parts` says which do."""
    failed = {name: reason for name, check in CHECKS.items() if (reason := failure(check))}
    parts = {name: failed.get(name, "ok") for name in CHECKS}
    parts["release"] = "unknown" if "database" in failed else release()
    return JsonResponse({"ok": not failed, "parts": parts}, status=503 if failed else 200)
