"""What the queue runs for search and recommendations."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from models.manifest import ModelUnavailable

log = logging.getLogger(__name__)


@shared_task
def refresh_vocabulary() -> None:
    from . import vocabulary

    vocabulary.refresh()


@shared_task
def refresh_vector(listing_id: int) -> None:
    from . import vectors

    try:
        vectors.refresh([listing_id])
    except ModelUnavailable as error:
        log.warning("the vector of listing %s waits for the sweep: %s", listing_id, error)


@shared_task
def sweep_vectors() -> None:
    from . import vectors

    vectors.sweep()


@shared_task
def refresh_standing() -> None:
    """Also reads the queries that are remembered since the last time."""
    from . import remembered, standing

    standing.refresh()
    remembered.sweep()


def vector_is_due(listing_id: int) -> None:
    """Tell the queue that a listing came to the market, changed or left. A broker that is away is no error: the sweep
    sees the difference."""
    try:
        refresh_vector.apply_async([listing_id], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("refresh_vector %s not queued, the sweep will see it: %s", listing_id, error)
