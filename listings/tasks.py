"""What the queue runs. A task fetches, delegates, and may safely run twice."""

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from .models import ValidationJob

log = logging.getLogger(__name__)
SWEEP_BATCH = 200
# After this the sweeper sends an owed job once more; a second delivery costs one query.
RESEND_AFTER = timedelta(seconds=60)
ABANDONED_PHOTOS_AFTER = timedelta(days=30)


@shared_task
def validate_listing(job_id: int) -> None:
    from . import validation  # loads the model runtime, which the web server's start should not wait for

    validation.validate(job_id)


def enqueue(job_id: int) -> bool:
    """Tell the queue. A broker that is away is no error: the job is in the database, and the sweeper comes by."""
    try:
        validate_listing.apply_async([job_id], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("validation %s not queued, the sweeper will send it: %s", job_id, error)
        return False
    return True


@shared_task
def sweep() -> int:
    """Send again what is overdue: the broker was wiped, a worker was killed, or a fault made the job wait.

    Returns how many jobs were sent. Two sweepers at once do not send one job twice (compare-and-set on due_at).
    """
    from . import photos

    now = timezone.now()
    overdue = ValidationJob.objects.filter(state=ValidationJob.State.OWED, due_at__lte=now).order_by("due_at")
    sent = 0
    for pk, due_at in overdue.values_list("pk", "due_at")[:SWEEP_BATCH]:
        held = ValidationJob.objects.filter(pk=pk, due_at=due_at, state=ValidationJob.State.OWED)
        if held.update(due_at=now + RESEND_AFTER) != 1:
            continue
        if not enqueue(pk):
            held = ValidationJob.objects.filter(pk=pk, due_at=now + RESEND_AFTER)
            held.update(due_at=now)  # the broker is still away: next time
            break
        sent += 1
    photos.remove_abandoned(older_than=ABANDONED_PHOTOS_AFTER)
    if sent:
        log.info("sent %d overdue validations again", sent)
    return sent
