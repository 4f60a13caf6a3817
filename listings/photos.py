"""From an uploaded file to a stored photo: judged by its content, decoded once in a process of its own, stored.

What is stored here, a JPEG and a small WebP, can be shown at once; renditions.py makes the other sizes later.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, Func, JSONField, OuterRef, Q, QuerySet
from django.utils import timezone

from . import decoder_process, limits, tasks
from . import photo_refusals as why
from .lifecycle import Status
from .models import Debt, Order, OwedCheck, Photo, ReviewJob, Revision, User
from .photo_decoding import Decoded
from .trust import settings as trust_settings

log = logging.getLogger(__name__)

ABANDONED_BATCH = 200
RENDITION = re.compile(r"-[0-9]+\.(jpg|webp)$")  # the end of its name, after the master's (renditions.py)
STAGED_KEPT = timedelta(days=1)  # a staged photo makes room for newer ones only after this


@dataclass(frozen=True)
class Prepared(Decoded):
    """A photo ready to be stored."""

    sha256: str  # of the file as it came


def store_upload(owner: User, file: IO[bytes]) -> Photo:
    """Store an uploaded file (Django's UploadedFile) as a photo of nobody's listing yet.

    The same bytes of the same owner give the same photo while it waits for its listing: whoever lost our answer may
    send again. Raises ValidationError with one sentence for the merchant and a code.
    """
    _slow_down(owner)
    digest = _digest(file)
    if earlier := _staged_again(owner, digest):
        return earlier
    made = _prepared(file, digest)
    with transaction.atomic():
        # Two requests with one photo at once: the second waits here, and finds the first one's.
        User.objects.select_for_update(no_key=True).only("pk").get(pk=owner.pk)
        if earlier := _staged_again(owner, digest):
            return earlier
        _make_room(owner)
        return store(owner, made)


def _slow_down(owner: User) -> None:
    """Counts in this process, whose decoder is what many uploads would block, bad ones too."""
    key = f"uploads-{owner.pk}"
    cache.add(key, 0, limits.UPLOADS_WITHIN)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out this moment
        return
    if count > limits.UPLOADS_IN_A_ROW:
        raise ValidationError(why.TOO_MANY_UPLOADS, code="too_many_uploads")


def is_evidence() -> Q:
    """Of photos that nobody wipes by taking them out of a listing: the revision that names them waits for a moderator,
    or was decided about and its decision may still be appealed against (an appeal that came is such a case); or it was
    on sale and still owes its checks. Afterwards they are kept no longer."""
    now = timezone.now()
    undated = now - timedelta(days=trust_settings.value("appeal_days"))
    case = Q(listing__review_jobs__state=ReviewJob.State.OPEN)
    case |= Q(listing__review_jobs__decision__appeal_until__gt=now)
    case |= Q(listing__review_jobs__decision__appeal_until=None, listing__review_jobs__decision__created_at__gt=undated)
    named = Func(
        OuterRef("pk"),
        template="jsonb_build_array(jsonb_build_object('id', %(expressions)s))",
        output_field=JSONField(),
    )
    revisions = Revision.objects.filter(
        Q(listing__review_jobs__revision=F("number")) & case, listing__seller=OuterRef("owner"), photos__contains=named
    )
    owes = OwedCheck.objects.filter(photo=OuterRef("pk"), job__debt__state=Debt.State.LEFT)
    return Q(Exists(revisions)) | Q(Exists(owes))


def _staged(owner: User) -> QuerySet[Photo]:
    return Photo.objects.filter(owner=owner, listing=None)


def _staged_again(owner: User, digest: str) -> Photo | None:
    """The waiting photo of the same bytes, as young as a new one: the sweeper must not take it now."""
    earlier = _staged(owner).filter(sha256=digest).order_by("pk").first()
    if earlier and _staged(owner).filter(pk=earlier.pk).update(created_at=timezone.now()):
        return earlier
    return None


def _make_room(owner: User) -> None:
    """The oldest waiting photo goes when there are too many. Raises ValidationError when all of them are fresh."""
    waiting = _staged(owner).exclude(is_evidence())
    if waiting.count() < limits.STAGED_PHOTOS:
        return
    if not _drop(waiting.filter(created_at__lt=timezone.now() - STAGED_KEPT).order_by("created_at", "pk"), at_most=1):
        raise ValidationError(why.TOO_MANY_STAGED, code="too_many_staged")


def store(owner: User, made: Prepared) -> Photo:
    """Write the files and the row; a worker makes the renditions. Raises ValidationError when the disk is full."""
    names: list[str] = []
    try:
        for content, ending in ((made.photo, "jpg"), (made.thumb, "webp")):
            names.append(_new_name(ending))
            write(names[-1], content)
        photo = Photo.objects.create(
            owner=owner,
            file=names[0],
            thumb=names[1],
            width=made.width,
            height=made.height,
            colour=made.colour,
            sha256=made.sha256,
            renditions_due_at=timezone.now() + tasks.RENDITIONS_FIRST_DUE,
        )
    except OSError as error:
        _remove(names)
        log.exception("photo not stored")
        raise ValidationError(why.NOT_STORED, code="not_stored") from error
    except BaseException:
        _remove(names)
        raise
    transaction.on_commit(partial(tasks.enqueue_renditions, photo.pk))
    return photo


def copy_staged(photo: Photo, owner: User) -> Photo:
    """A staged photo of the same files, for a duplicate. A file goes with the last row that names it.

    Raises ValidationError when too many wait already, or when the photo is gone.
    """
    copied = ("file", "thumb", "width", "height", "sha256", "alt", "position", "colour", "phash", "renditions")
    with transaction.atomic():
        _make_room(owner)
        # Whoever removes the files asks after them only when this row is free again, and then finds its copy.
        if not Photo.objects.select_for_update().filter(pk=photo.pk):
            raise ValidationError(why.GONE, code="gone")
        values = {name: getattr(photo, name) for name in (*copied, "renditions_due_at")}
        return Photo.objects.create(owner=owner, **values)


def is_public(path: str) -> bool:
    """Whether a file belongs to something that is on sale. path: of a photo, its small one or one of its renditions."""
    return _named(path).filter(listing__status=Status.PUBLISHED).exists()


def concerns(user: User | AnonymousUser, path: str) -> bool:
    """Whether somebody may see a file that is not on sale: its merchant, who bought what it shows, and moderators."""
    if not isinstance(user, User):
        return False
    named = _named(path)
    bought = Order.objects.filter(listing=OuterRef("listing"), buyer=user)
    return named.exists() if user.is_moderator else named.filter(Q(owner=user) | Exists(bought)).exists()


def _named(path: str) -> QuerySet[Photo]:
    master = RENDITION.sub(".jpg", path)
    return Photo.objects.filter(Q(file=master) | Q(thumb=path))


def remove_abandoned(older_than: timedelta, at_most: int = ABANDONED_BATCH) -> int:
    """Delete photos that no listing took and their files, unless another row uses them. Returns the rows deleted."""
    abandoned = Photo.objects.filter(listing=None, created_at__lt=timezone.now() - older_than)
    return _drop(abandoned.order_by("pk"), at_most)


def remove_staged(owner: User, pk: int) -> bool:
    """Delete a photo that waits for its listing. False when there is none: it went already, or a listing has it."""
    return _drop(_staged(owner).filter(pk=pk), at_most=1) == 1


def _drop(rows: QuerySet[Photo], at_most: int) -> int:
    with transaction.atomic():
        # A row that a submit holds at this moment is not abandoned: it is skipped, and has a listing next time.
        found = {
            pk: names
            for pk, *names in rows.exclude(is_evidence())
            .select_for_update(skip_locked=True, of=("self",))
            .values_list("pk", "file", "thumb")[:at_most]
        }
        Photo.objects.filter(pk__in=found).delete()
        if found:  # once it is certain: around us there may be a transaction that is taken back
            transaction.on_commit(partial(remove_unused, {name for pair in found.values() for name in pair}))
    return len(found)


def remove_unused(names: set[str]) -> None:
    """Remove these files, and the renditions made from them, but for those that a row still names."""
    used = Photo.objects.filter(Q(file__in=names) | Q(thumb__in=names)).values_list("file", "thumb")
    _remove(names - {name for pair in used for name in pair})


def prepare(file: IO[bytes]) -> Prepared:
    """Decode, turn upright, convert to sRGB on white and encode anew. Touches neither disk nor database.

    Raises ValidationError with one sentence for the merchant and a code.
    """
    return _prepared(file, _digest(file))


def _prepared(file: IO[bytes], digest: str) -> Prepared:
    return Prepared(**vars(decoder_process.decode(file)), sha256=digest)


def _digest(file: IO[bytes]) -> str:
    """Hex SHA-256 of the file; its size is checked on the way, whatever the request said of it."""
    hashed, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(1 << 16):
        size += len(chunk)
        if size > limits.PHOTO_BYTES:
            raise ValidationError(why.TOO_MANY_BYTES, code="too_large")
        hashed.update(chunk)
    if size == 0:
        raise ValidationError(why.EMPTY, code="empty")
    file.seek(0)
    return hashed.hexdigest()


def _new_name(ending: str) -> str:
    """A random path under MEDIA_ROOT: nothing of the file's own name, nothing to guess."""
    token = secrets.token_hex(17)
    return f"{token[:2]}/{token[2:]}.{ending}"


def write(name: str, content: bytes) -> None:
    """Write under MEDIA_ROOT, aside first: a reader never sees half a file."""
    path = Path(settings.MEDIA_ROOT) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.stem}-{secrets.token_hex(4)}.part")
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise


def _remove(names: Iterable[str]) -> None:
    """Files and whatever was made from them, or half made: that carries their name and more (see renditions.py)."""
    for name in names:
        path = Path(settings.MEDIA_ROOT) / name
        try:
            for found in (path, *path.parent.glob(f"{path.stem}-*")):
                found.unlink(missing_ok=True)
        except OSError as error:
            log.warning("photo file not removed: %s", error)
