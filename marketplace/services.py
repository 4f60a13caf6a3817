"""Database and broker as the settings name them: started when they are ours, left alone when they were given."""

from __future__ import annotations

from django.conf import settings

from marketplace import embedded


def ensure() -> None:
    """Returns when the embedded services in use are ready. Raises embedded.ServiceFailed with what to do."""
    if not settings.DATABASE_URL:
        embedded.ensure(settings.VAR, "postgres")
    if settings.REDIS_IS_EMBEDDED:
        embedded.ensure(settings.VAR, "redis")
