from typing import Any

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "recommendations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from listings.signals import status_changed

        from . import quick

        connection_created.connect(quick.look_far, dispatch_uid="recommendations")
        status_changed.connect(status_changes, dispatch_uid="recommendations")


def status_changes(sender: Any, *, listing_id: int, source: str, target: str, **more: Any) -> None:
    """A listing that comes to the market, or leaves it, needs its vector, or needs it no longer."""
    from listings.lifecycle import Status

    from . import tasks

    if Status.PUBLISHED in (source, target):
        tasks.vector_is_due(listing_id)
