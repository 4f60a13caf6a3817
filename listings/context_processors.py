from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import categories
from .models import User
from .moderation import notices


def site(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page needs. `unread` is asked of the database only where it is shown."""
    unread = SimpleLazyObject(lambda: notices.unread(request.user) if isinstance(request.user, User) else 0)
    return {"categories": categories.all(), "demo": settings.DEMO, "unread": unread}
