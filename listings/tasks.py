"""What the queue runs. A task fetches, delegates, and may safely run twice."""

import logging
from datetime import datetime, timedelta

from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from .models import Photo, ValidationJob

log = logging.getLogger(__name__)
SWEEP_BATCH = 200
# After this the sweeper sends an owed job once more; a second delivery costs one query.
RESEND_AFTER = timedelta(seconds=60)
ABANDONED_PHOTOS_AFTER = timedelta(days=30)
# Renditions are in no hurry: pages show the master until then.
RENDITIONS_FIRST_DUE = timedelta(minutes=2)
RESEND_RENDITIONS_AFTER = timedelta(minutes=10)


@shared_task
def validate_listing(job_id: int) -> None:
    from . import validation  # loads the model runtime, which the web server's start should not wait for

    validation.validate(job_id)


@shared_task
def make_renditions(photo_id: int) -> None:
    from . import renditions

    renditions.make(photo_id)


def enqueue(job_id: int) -> bool:
    return _send(validate_listing, job_id)


def enqueue_renditions(photo_id: int) -> bool:
    return _send(make_renditions, photo_id)


def _send(task: Task, number: int) -> bool:
    """Tell the queue. A broker that is away is no error: what is owed is in the database, and the sweeper comes by."""
    try:
        task.apply_async([number], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("%s %s not queued, the sweeper will send it: %s", task.name, number, error)
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
    _send_renditions(now)
    photos.remove_abandoned(older_than=ABANDONED_PHOTOS_AFTER)
    if sent:
        log.info("sent %d overdue validations again", sent)
    return sent


def _send_renditions(now: datetime) -> None:
    owed = Photo.objects.filter(renditions_due_at__lte=now).order_by("renditions_due_at")
    for pk, due_at in owed.values_list("pk", "renditions_due_at")[:SWEEP_BATCH]:
        held = Photo.objects.filter(pk=pk, renditions_due_at=due_at)
        if held.update(renditions_due_at=now + RESEND_RENDITIONS_AFTER) and not enqueue_renditions(pk):
            Photo.objects.filter(pk=pk, renditions_due_at=now + RESEND_RENDITIONS_AFTER).update(renditions_due_at=now)
            break
