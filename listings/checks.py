"""Which checks a revision is owed, what each may cost and where it runs; the rows that say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from .lifecycle import Status
from .models import Debt, Listing, OwedCheck, Photo, ValidationJob

WORDS, CONTACT_DETAILS, DUPLICATES = "words", "contact-details", "duplicates"
PHOTO_MODEL, PHOTO_TEXT, PHOTO_BANK, LOOK_ALIKES = "photo-model", "photo-text", "photo-bank", "look-alikes"

QUEUE = "celery"
# Reading text takes much memory: one process does it for the whole site (marketplace/serve.py).
READER_QUEUE = "photo-text"
# While it is so, a check is worth making. On sale or with a moderator: photos that came after the words were checked.
ASKED = (Status.CHECKING, Status.PUBLISHED, Status.PAUSED, Status.IN_REVIEW)
# The worker usually answers within a second; after this the sweeper sends a check again.
FIRST_DUE = timedelta(seconds=20)
GRACE = 5  # seconds between asking a check to stop and killing its process


@dataclass(frozen=True)
class Terms:
    seconds: int  # it is stopped after this, and its process killed GRACE later
    queue: str = QUEUE
    resend: int = 60  # seconds; after this the sweeper sends it once more: a second delivery costs two queries

    @property
    def limit(self) -> timedelta:
        """After this its process is gone, whatever it did."""
        return timedelta(seconds=self.seconds + GRACE)


OF_WORDS = {WORDS: Terms(40), CONTACT_DETAILS: Terms(10), DUPLICATES: Terms(10)}
OF_PHOTOS = {
    PHOTO_MODEL: Terms(20),
    PHOTO_TEXT: Terms(40, READER_QUEUE, resend=300),
    PHOTO_BANK: Terms(15),
    LOOK_ALIKES: Terms(15),
}
TERMS = OF_WORDS | OF_PHOTOS
# Queries of some milliseconds; the others run the larger models. What is on sale before its checks (trust/) gets the
# light ones at once.
LIGHT = (CONTACT_DETAILS, DUPLICATES, PHOTO_BANK, LOOK_ALIKES)
HEAVY = tuple(name for name in TERMS if name not in LIGHT)
DEFERRED = datetime(9999, 1, 1, tzinfo=UTC)  # when a check is due that waits to be called in
SETTLED_BY_APPROVAL = (PHOTO_MODEL, PHOTO_TEXT)  # of a photo that a moderator has seen and approved


def owe(listing: Listing, photos: Iterable[Photo]) -> ValidationJob:
    """The outbox rows of the listing's revision: one of the job, one of each check."""
    photos = list(photos)
    _listed(photos)
    job = ValidationJob.objects.create(
        listing=listing, revision=listing.revision, category=listing.category, price=listing.price
    )
    words = [OwedCheck(name=name) for name in OF_WORDS]
    _owe(job, [*words, *_of_photos(photos)], timezone.now() + FIRST_DUE)
    return job


def owe_later(listing: Listing, photos: Iterable[Photo]) -> None:
    """Checks of photos that came to a listing whose words are checked. It keeps its status meanwhile; the sweeper
    sends them, behind what merchants wait for."""
    photos = list(photos)
    _listed(photos)
    if listing.status not in ASKED:
        return
    job, _ = ValidationJob.objects.get_or_create(listing=listing, revision=listing.revision)
    _owe(job, _of_photos(photos), timezone.now())
    _open(job)


def owe_again(photo: Photo, name: str) -> None:
    """One check of a photo once more: what it is held against has changed. The listing keeps its status meanwhile."""
    if photo.listing_id is None:
        return
    with transaction.atomic():
        Listing.objects.hold(photo.listing_id)
        listing = Listing.objects.only("status", "revision").get(pk=photo.listing_id)
        if listing.status not in ASKED:
            return
        job, _ = ValidationJob.objects.get_or_create(listing=listing, revision=listing.revision)
        _owe(job, [OwedCheck(name=name, photo=photo)], timezone.now())
        ended = job.checks.filter(name=name, photo=photo).exclude(state=OwedCheck.State.OWED)
        anew = {"attempts": 0, "not_before": None, "started_at": None, "finished_at": None, "last_error": ""}
        ended.update(state=OwedCheck.State.OWED, due_at=timezone.now(), **anew)
        _open(job)


def defer(job: ValidationJob) -> None:
    """Its heavy checks wait until they are called in."""
    job.checks.filter(state=OwedCheck.State.OWED, name__in=HEAVY).update(due_at=DEFERRED)


def spare(job: ValidationJob) -> None:
    """Its heavy checks are not made: a person decides, whatever they would find."""
    heavy = job.checks.filter(state=OwedCheck.State.OWED, name__in=HEAVY)
    heavy.update(state=OwedCheck.State.DROPPED, finished_at=timezone.now())


def make_due(job_id: int) -> None:
    """Those that were deferred are due now."""
    OwedCheck.objects.filter(job_id=job_id, due_at=DEFERRED).update(due_at=timezone.now())


def owe_dropped(listing_id: int, revision: int) -> None:
    """A revision that is back on the market owes again what was dropped when it was taken off."""
    for job in ValidationJob.objects.filter(listing=listing_id, revision=revision):
        dropped = job.checks.filter(state=OwedCheck.State.DROPPED)
        dropped.update(state=OwedCheck.State.OWED, due_at=timezone.now(), finished_at=None, started_at=None)
        _open(job)


def drop(jobs: QuerySet[ValidationJob]) -> None:
    """Of these, what is owed is owed no longer. Not so what was on sale already: it is checked for the record, later
    (trust/debts.py)."""
    now = timezone.now()
    debts = Debt.objects.filter(job__in=jobs.values("pk"))
    debts.filter(state=Debt.State.OPEN).update(state=Debt.State.LEFT, left_at=now)
    jobs = ValidationJob.objects.filter(pk__in=jobs.values("pk")).exclude(debt__state=Debt.State.LEFT)
    owed = OwedCheck.objects.filter(job__in=jobs.values("pk"), state=OwedCheck.State.OWED)
    owed.update(state=OwedCheck.State.DROPPED, finished_at=now)
    jobs.filter(state=ValidationJob.State.OWED).update(state=ValidationJob.State.DROPPED, finished_at=now)


def _listed(photos: list[Photo]) -> None:
    """From now on they count as put up by their owner (look_alikes.py)."""
    Photo.objects.filter(pk__in=[photo.pk for photo in photos], listed_at=None).update(listed_at=timezone.now())


def _of_photos(photos: Iterable[Photo]) -> list[OwedCheck]:
    """Unsaved rows, the quick checks of all photos before the first slow one."""
    rows = [OwedCheck(name=name, photo=photo) for photo in photos for name in OF_PHOTOS]
    return sorted(rows, key=lambda row: row.name == PHOTO_TEXT)


def _open(job: ValidationJob) -> None:
    """It ends with the last of its checks; with none owed there would be no last one. When it ended before stays: what
    its checks came to then holds while photos that came later are checked."""
    if job.checks.filter(state=OwedCheck.State.OWED).exists():
        rows = ValidationJob.objects.filter(pk=job.pk)
        rows.filter(state=ValidationJob.State.DROPPED).update(finished_at=None)
        rows.update(state=ValidationJob.State.OWED)


def _owe(job: ValidationJob, rows: list[OwedCheck], due_at: datetime) -> None:
    for row in rows:
        row.job, row.due_at = job, due_at
    OwedCheck.objects.bulk_create(rows, ignore_conflicts=True)
