"""What the queue runs. A task fetches, delegates, and may safely run twice."""

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from . import checks
from .lifecycle import Status
from .models import Debt, OwedCheck, Photo

log = logging.getLogger(__name__)
SWEEP_BATCH = 200
ABANDONED_PHOTOS_AFTER = timedelta(days=30)
# In the queue what a merchant waits for goes before what a published listing still owes.
WAITED_FOR, BEHIND_OTHERS, CAN_WAIT = 0, 3, 9
# So many photos of one seller are read before everybody else's turn comes: reading is slow, and one process does it.
READ_IN_A_ROW = 16
RESEND_WHAT_CAN_WAIT = timedelta(minutes=10)  # the queue may be long; sending it twice would make it longer
# Renditions are in no hurry: pages show the master until then.
RENDITIONS_FIRST_DUE = timedelta(minutes=2)
RESEND_RENDITIONS_AFTER = timedelta(minutes=10)


@shared_task
def run_check(check_id: int) -> None:
    from . import validation  # loads the model runtime, which the web server's start should not wait for

    validation.run(check_id)


@shared_task
def make_renditions(photo_id: int) -> None:
    from . import renditions

    renditions.make(photo_id)


@shared_task
def compare_stored(release_id: int) -> None:
    """What the release in its shadow would have decided of the stored listings; a part of them, then the next."""
    from . import shadow

    if not shadow.compare_stored(release_id):
        enqueue_shadow(release_id)


def enqueue_shadow(release_id: int) -> bool:
    return _send(compare_stored, release_id, priority=BEHIND_OTHERS)


@shared_task
def look_in_shadow(listing_id: int) -> None:
    """What it would have decided of a listing that was just sent. Not made up for when it is lost: it is a sample."""
    from . import shadow

    shadow.look_now(listing_id)


def enqueue_look(listing_id: int) -> bool:
    return _send(look_in_shadow, listing_id, priority=CAN_WAIT)


def enqueue(check_id: int, name: str, priority: int = WAITED_FOR) -> bool:
    terms = checks.TERMS[name]
    limits = {"soft_time_limit": terms.seconds, "time_limit": terms.limit.total_seconds()}
    return _send(run_check, check_id, queue=terms.queue, priority=priority, **limits)


def enqueue_renditions(photo_id: int) -> bool:
    return _send(make_renditions, photo_id)


def _send(task: Task, number: int, **options: Any) -> bool:
    """Tell the queue. A broker that is away is no error: what is owed is in the database, and the sweeper comes by."""
    try:
        task.apply_async([number], retry=False, **options)
    except (OperationalError, OSError) as error:
        log.warning("%s %s not queued, the sweeper will send it: %s", task.name, number, error)
        return False
    return True


def enqueue_job(job_id: int, priority: int | None = None) -> None:
    """Tell the queue of everything that a job is owed, until it does not answer. priority: by who waits if None."""
    rows = OwedCheck.objects.filter(job_id=job_id, state=OwedCheck.State.OWED).order_by("pk")
    rows = rows.exclude(due_at=checks.DEFERRED)
    for pk, name, seller in rows.values_list("pk", "name", "job__listing__seller"):
        if not enqueue(pk, name, _priority(pk, name, seller) if priority is None else priority):
            return


def _priority(pk: int, name: str, seller: int) -> int:
    """Of a check that a merchant waits for. Whoever has many photos waiting to be read leaves others some room."""
    if checks.TERMS[name].queue != checks.READER_QUEUE:
        return WAITED_FOR
    of_seller = OwedCheck.objects.filter(name=name, state=OwedCheck.State.OWED, job__listing__seller=seller, pk__lt=pk)
    ahead = of_seller.filter(job__listing__status=Status.CHECKING).count()
    return WAITED_FOR if ahead < READ_IN_A_ROW else BEHIND_OTHERS


@shared_task
def pay_debts() -> int:
    from .trust import debts, exposure

    exposure.fold()
    return debts.pay()


@shared_task
def settle_decisions() -> int:
    from .moderation import decisions, follow_ups, strikes

    settled = decisions.settle_due()
    follow_ups.make_due()
    strikes.pause_suspended()
    return settled


@shared_task
def mail_notices() -> int:
    from .moderation import notices

    return notices.mail_due()


@shared_task
def draw_quality_jobs() -> int:
    from .moderation import quality_jobs

    return quality_jobs.draw_sample() + quality_jobs.draw_golden()


@shared_task
def count_cells() -> int:
    from .trust import cells

    return cells.refresh()


@shared_task
def sweep() -> int:
    """Send again what is overdue: the broker was wiped, a worker was killed, or a fault made the check wait.

    Returns how many checks were sent. Two sweepers at once do not send one check twice (compare-and-set on due_at).
    """
    from . import photos

    now = timezone.now()
    overdue = OwedCheck.objects.filter(state=OwedCheck.State.OWED, due_at__lte=now).order_by("due_at", "pk")
    sent = 0
    columns = ("pk", "name", "due_at", "job__listing__status", "job__listing__seller", "job__debt__state")
    for pk, name, due_at, status, seller, debt in overdue.values_list(*columns)[:SWEEP_BATCH]:
        waited_for = status == Status.CHECKING and debt != Debt.State.LEFT
        again_at = now + (timedelta(seconds=checks.TERMS[name].resend) if waited_for else RESEND_WHAT_CAN_WAIT)
        held = OwedCheck.objects.filter(pk=pk, due_at=due_at, state=OwedCheck.State.OWED)
        if held.update(due_at=again_at) != 1:
            continue
        if not enqueue(pk, name, _priority(pk, name, seller) if waited_for else CAN_WAIT):
            # The broker is still away: next time.
            OwedCheck.objects.filter(pk=pk, due_at=again_at).update(due_at=now)
            break
        sent += 1
    _send_renditions(now)
    photos.remove_abandoned(older_than=ABANDONED_PHOTOS_AFTER)
    _send_shadow()
    if sent:
        log.info("sent %d checks that are due", sent)
    return sent


def _send_shadow() -> None:
    """Last, and whatever is wrong with a model: nobody waits for it."""
    from . import shadow

    try:
        shadow.send_owed()
    except Exception:
        log.exception("the comparison of a shadow could not be sent")


def _send_renditions(now: datetime) -> None:
    owed = Photo.objects.filter(renditions_due_at__lte=now).order_by("renditions_due_at")
    for pk, due_at in owed.values_list("pk", "renditions_due_at")[:SWEEP_BATCH]:
        held = Photo.objects.filter(pk=pk, renditions_due_at=due_at)
        if held.update(renditions_due_at=now + RESEND_RENDITIONS_AFTER) and not enqueue_renditions(pk):
            Photo.objects.filter(pk=pk, renditions_due_at=now + RESEND_RENDITIONS_AFTER).update(renditions_due_at=now)
            break
