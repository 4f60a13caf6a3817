from typing import Any

from django.conf import settings
from django.http import HttpRequest

from . import categories


def site(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page needs."""
    return {"categories": categories.all(), "demo": settings.DEMO}
