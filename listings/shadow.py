"""What a release in its shadow would have decided: on what is submitted meanwhile, and on what is stored."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from PIL import Image

from models import contract, photo, sets, text
from models.manifest import ModelUnavailable

from . import content, live_models, photo_checks, photo_files, releases
from .lifecycle import Status
from .models import Decision, Listing, Release, ShadowLook

log = logging.getLogger(__name__)
Said = dict[str, Any]  # a verdict, as of models/text.py and models/photo.py
DAYS = 7  # of stored listings that are gone over ...
LEAST = 200  # ... or so many of the latest, where there are fewer
MOST = 2_000
MOST_HEAVY = 300  # where a model is tried that takes long, or photos have to be opened
BATCH = 100
SLICE_SECONDS = 30  # at a time, so that merchants' checks come in between, and no task runs into its time limit
RESEND_AFTER = timedelta(minutes=2)
UNSEEN, FEW_UNSEEN = 0.02, 3  # of the looks, failed: beyond that nothing is known of it
LOCK = 7_041  # of the advisory locks of this database, ours


def owe(pk: int) -> None:
    """The comparison with what is stored, from when this transaction is in force."""
    from . import tasks  # which knows this module

    Release.objects.filter(pk=pk).update(compare_due_at=timezone.now() + RESEND_AFTER, compare_problem="")
    transaction.on_commit(partial(tasks.enqueue_shadow, pk), robust=True)


def send_owed() -> int:
    """Send the comparisons that are due: not made, stopped, or beside other models than now. Returns how many."""
    from . import tasks

    now, sent = timezone.now(), 0
    rows = Release.objects.filter(Q(compare_due_at=None) | Q(compare_due_at__lte=now), state=Release.State.SHADOW)
    for row in rows.defer("patch"):
        held = Release.objects.filter(pk=row.pk, compare_due_at=row.compare_due_at)
        if not is_compared(row) and held.update(compare_due_at=now + RESEND_AFTER):
            sent += tasks.enqueue_shadow(row.pk)
    return sent


def is_compared(row: Release) -> bool:
    """Whether it was held against all that is stored, beside what counts now."""
    if row.compared_at is None:
        return False
    now = live_models.read_live()
    try:
        return (row.compared_with, row.compared_state) == (live_models.number_of(now), sets.state(now))
    except ModelUnavailable:
        return False


def look_at(listing_id: int) -> None:
    """Of a submit that was stored this moment. Never raises: the shadow must not cost anybody a listing, nor the
    merchant a second: what takes longer than words on the device's model is left to a worker."""
    from . import tasks

    try:
        found = live_models.in_shadow()
        if found is None:
            return
        if changed(found[1], live_models.live().release) <= {text.MODEL}:
            look_now(listing_id)
        else:
            tasks.enqueue_look(listing_id)
    except Exception:
        log.exception("the shadow could not look at listing %s", listing_id)


def look_now(listing_id: int) -> None:
    """Raises ModelUnavailable, OSError, Listing.DoesNotExist."""
    found = live_models.in_shadow()
    if found is None:
        return
    (pk, tried), now = found, live_models.live().release
    listing = Listing.objects.defer("search").get(pk=listing_id)
    look = _look(pk, changed(tried, now), tried, now, listing, submitted=True)
    ShadowLook.objects.bulk_create([look], ignore_conflicts=True)


def changed(tried: sets.Release, now: sets.Release | None) -> set[str]:
    """Models that would say something else. Raises ModelUnavailable."""
    now = now or sets.Release(0)
    before, after = sets.digests(now), sets.digests(tried)
    found = {model for model in sets.JUDGES if before[model] != after[model]}
    if tried.content != now.content or tried.points != now.points:
        found.add(text.MODEL)
    return found


def compare_stored(pk: int) -> bool:
    """Go over the stored listings for SLICE_SECONDS, from where it was stopped. False when somebody has to go on. What
    cannot be looked at is counted; why a release cannot be compared at all is kept in its row."""
    with _alone(pk) as is_mine:
        row = Release.objects.filter(pk=pk, state=Release.State.SHADOW).first()
        if not is_mine or row is None or is_compared(row):
            return True
        ends = time.monotonic() + SLICE_SECONDS
        now = live_models.read_live()
        found = Release.objects.filter(pk=pk, state=Release.State.SHADOW)
        found.update(compare_due_at=timezone.now() + RESEND_AFTER)
        try:
            if problem := live_models.problem_of(row):
                raise ModelUnavailable(problem)
            number, state = live_models.number_of(now), sets.state(now)
            if row.compared_with == number and row.compared_state not in ("", state):  # seen beside other files
                row.looks.filter(against=number).delete()
            found.update(compared_with=number, compared_state=state, compare_problem="")
            if not _go_over(row, live_models.of_row(row), now, ends):
                return False
            _refuse_too_few(row, now)
        except ModelUnavailable as error:
            found.update(compare_problem=str(error)[:300])
            return True
        found.update(compared_at=timezone.now())
        row.refresh_from_db()
        return is_compared(row)  # or somebody published meanwhile


def _go_over(row: Release, tried: sets.Release, now: sets.Release | None, ends: float) -> bool:
    """Whether it came to the end of them. Raises ModelUnavailable."""
    models = changed(tried, now)
    most = MOST if models <= {text.MODEL} else MOST_HEAVY
    done = row.looks.filter(against=live_models.number_of(now), listing=OuterRef("pk"), revision=OuterRef("revision"))
    keys = list(stored(most).values_list("pk", flat=True))
    rest = list(Listing.objects.filter(~Exists(done), pk__in=keys).order_by("-pk").values_list("pk", flat=True))
    for at in range(0, len(rest), BATCH):
        rows = Listing.objects.filter(pk__in=rest[at : at + BATCH]).prefetch_related("photos").defer("search")
        for listing in rows.order_by("-pk"):
            if time.monotonic() > ends:
                return False
            try:
                look = _look(row.pk, models, tried, now, listing, submitted=False)
            except ModelUnavailable:
                raise
            except Exception:  # also one that takes longer than a task may: the next slice goes past it
                log.exception("the shadow could not look at listing %s", listing.pk)
                look = _unseen(row.pk, now, listing)
            ShadowLook.objects.bulk_create([look], ignore_conflicts=True)
    return True


def _unseen(pk: int, now: sets.Release | None, listing: Listing) -> ShadowLook:
    return ShadowLook(
        release_id=pk, listing=listing, revision=listing.revision, submitted=False, against=live_models.number_of(now)
    )


def _refuse_too_few(row: Release, now: sets.Release | None) -> None:
    """A model that fails on what is stored has nothing held against it. Raises ModelUnavailable."""
    looks = row.looks.filter(against=live_models.number_of(now))
    failed, all_of_them = looks.filter(would_be="").count(), looks.count()
    if failed > max(FEW_UNSEEN, UNSEEN * all_of_them):
        raise ModelUnavailable(f"It failed on {failed} of {all_of_them} stored listings; the worker's log says why.")


def try_out(tried: sets.Release, models: Iterable[str]) -> None:
    """Run each of the models once, on harmless words and a grey picture. Raises ValidationError."""
    for model in models:
        try:
            if model in WORDS:
                WORDS[model]([("title", "Oak table"), ("description", "Seats six.")], tried)
            else:
                PHOTOS[model](Image.new("RGB", (320, 240), "grey"), "", tried)
        except Exception as error:  # ONNX Runtime raises its own undocumented classes
            log.warning("%s does not run: %s", model, error)
            raise ValidationError(f"{model} does not run here: {error}"[:400]) from error


@contextmanager
def _alone(pk: int) -> Iterator[bool]:
    """Whether no other worker is at this comparison; an advisory lock of the database's session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, pk])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, pk])


def stored(most: int = MOST) -> QuerySet[Listing]:
    """Listings of the last DAYS, or the latest ones, whatever became of them."""
    rows = Listing.objects.order_by("-updated_at", "-pk")
    recent = rows.filter(updated_at__gte=timezone.now() - timedelta(days=DAYS)).count()
    return rows[: min(max(recent, LEAST), most)]


def _look(
    pk: int, models: set[str], tried: sets.Release, now: sets.Release | None, listing: Listing, *, submitted: bool
) -> ShadowLook:
    before, after = gravest(listing, models, tried, now)
    return ShadowLook(
        release_id=pk,
        listing=listing,
        revision=listing.revision,
        submitted=submitted,
        against=live_models.number_of(now),
        decided=before["decision"],
        would_be=after["decision"],
        policy=after["policy"],
    )


def gravest(listing: Listing, models: set[str], tried: sets.Release, now: sets.Release | None) -> tuple[Said, Said]:
    """What the models that the release changes say of a listing now, and what they would say: of all the gravest. A
    photo whose file is missing is left out."""
    now = now or sets.Release(0)
    before: list[Said] = [PASS]
    after: list[Said] = [PASS]
    fields = content.fields_of(listing)
    for model in sorted(models & set(WORDS)):
        before.append(WORDS[model](fields, now))
        after.append(WORDS[model](fields, tried))
    for image, digest in _images(listing) if models & set(PHOTOS) else ():
        for model in sorted(models & set(PHOTOS)):
            before.append(PHOTOS[model](image, digest, now))
            after.append(PHOTOS[model](image, digest, tried))
    return max(before, key=contract.gravity), max(after, key=contract.gravity)


def _in_cloud(model: str) -> Callable[[content.Fields, sets.Release], Said]:
    return lambda fields, release: text.check_text_in_cloud(fields, model=model, folder=release.folder(model))


def _images(listing: Listing) -> Iterator[tuple[Image.Image, str]]:
    for each in listing.photos.all():
        try:
            yield photo_files.decoded(each, photo_checks.SIDE), each.sha256
        except OSError as error:
            log.warning("the shadow left out photo %s: %s", each.pk, error)


PASS: Said = {"decision": "pass", "policy": "", "scores": {"safe": 1.0}}
WORDS: dict[str, Callable[[content.Fields, sets.Release], Said]] = {
    text.MODEL: lambda fields, release: text.check_text(fields, release=release),
    text.SECOND: _in_cloud(text.SECOND),
    text.CLOUD: _in_cloud(text.CLOUD),
}
PHOTOS: dict[str, Callable[[Image.Image, str, sets.Release], Said]] = {
    photo.MODEL: lambda image, digest, release: photo.check_photo(
        image, digest=digest, folder=release.folder(photo.MODEL)
    ),
    photo.TAIL: lambda image, digest, release: photo.check_split(
        image, folder=release.folder(photo.MODEL), tail=release.folder(photo.TAIL)
    ),
    photo.CLOUD: lambda image, digest, release: photo.check_photo_in_cloud(
        image, digest=digest, folder=release.folder(photo.CLOUD)
    ),
}


# --- Figures ----------------------------------------------------------------------------------------------------------
def figures(row: Release) -> dict[str, Any]:
    """looked, submitted, other (decided otherwise), new_warnings, on_approved (of those, listings that a moderator
    approved or that are on sale), approved (looked at), now_caught (of rejected listings that were let through),
    warnings_gone, lost (of those, rejected listings), rejected (looked at and warned now). The examples that it was
    fitted on are left out."""
    rows = _looks(row).exclude(listing__decisions__in=row.examples.all())
    approved = rows.filter(_approved())
    newly = Q(would_be__in=releases.WARNED) & ~Q(decided__in=releases.WARNED)
    gone = Q(decided__in=releases.WARNED) & ~Q(would_be__in=releases.WARNED)
    rejected = rows.filter(listing__status=Status.REJECTED)
    return {
        "looked": rows.count(),
        "submitted": rows.filter(submitted=True).count(),
        "other": rows.exclude(decided=F("would_be")).count(),
        "new_warnings": rows.filter(newly).count(),
        "approved": approved.count(),
        "on_approved": approved.filter(newly).count(),
        "now_caught": rejected.filter(newly).count(),
        "warnings_gone": rows.filter(gone).count(),
        "lost": rejected.filter(gone).count(),
        "rejected": rejected.filter(decided__in=releases.WARNED).count(),
    }


def _looks(row: Release) -> QuerySet[ShadowLook]:
    """Those that say what publishing it would change now. Once it has left its shadow, those of its last comparison:
    beside a release that was rolled back since, its own false alarms would have been none."""
    now = live_models.number_of(live_models.read_live()) if row.state == Release.State.SHADOW else row.compared_with
    return row.looks.filter(against=now, revision=F("listing__revision")).exclude(would_be="")


def _approved() -> Any:
    by_moderator = Decision.objects.filter(
        listing=OuterRef("listing"), action=Decision.Action.APPROVE, review_job__revision=OuterRef("revision")
    )
    return Q(listing__status=Status.PUBLISHED) | Exists(by_moderator)


def alarming(row: Release) -> str:
    """Why it should not be published, from what its shadow saw; "" when nothing speaks against it."""
    seen = figures(row)
    if seen["on_approved"] > max(releases.FEW_ALARMS, releases.ALARMS * seen["approved"]):
        return (
            f"Refused: of {seen['approved']} listings that are on sale or were approved it would warn "
            f"{seen['on_approved']} that are not warned now."
        )
    if seen["lost"] > max(releases.FEW_LOST, releases.LOST * seen["rejected"]):
        return f"Refused: of {seen['rejected']} rejected listings that are warned now it would let {seen['lost']} pass."
    return ""


def examples(row: Release, most: int = 10) -> dict[str, list[ShadowLook]]:
    """Listings for a person to look at, the latest: `warned` that are on sale or were approved, `lost` ones that were
    rejected and would pass, and `others` that would be decided otherwise."""
    rows = _looks(row).exclude(decided=F("would_be")).select_related("listing").defer("listing__search")
    newly = Q(would_be__in=releases.WARNED) & ~Q(decided__in=releases.WARNED)
    gone = Q(decided__in=releases.WARNED) & ~Q(would_be__in=releases.WARNED)
    warned, lost = rows.filter(newly).filter(_approved()), rows.filter(gone, listing__status=Status.REJECTED)
    found = {"warned": list(warned.order_by("-pk")[:most]), "lost": list(lost.order_by("-pk")[:most])}
    named = [look.pk for looks in found.values() for look in looks]
    return found | {"others": list(rows.exclude(pk__in=named).order_by("-pk")[:most])}
