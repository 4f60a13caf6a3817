"""What the queue runs for search."""

from celery import shared_task


@shared_task
def refresh_vocabulary() -> None:
    from . import vocabulary

    vocabulary.refresh()
