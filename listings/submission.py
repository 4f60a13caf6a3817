"""From the merchant's form to a listing that waits for its check."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from . import checks, claims, gate, shadow, tasks
from . import content as words
from .lifecycle import Status
from .models import (
    Debt,
    Listing,
    Order,
    Photo,
    ReviewJob,
    Revision,
    StatusChange,
    User,
    ValidationJob,
    Verdict,
    Where,
)
from .moderation import reports
from .outcome import a_person_decides
from .photos import copy_staged
from .trust import debts, lot, settings

SUBMITS_IN_A_ROW = 30
SUBMITS_WITHIN = timedelta(minutes=10)
# Changing these alone needs no new check (text among the attributes counts as words, see content.text_fields) ...
UNCHECKED = ("price", "currency", "condition", "attributes")
# ... in these states. From the others, saving is asking for another look.
UNTOUCHED_BY_PRICE = (Status.CHECKING, Status.IN_REVIEW, Status.PUBLISHED, Status.PAUSED)


class StaleRevision(Exception):
    """The listing was changed elsewhere since this form was opened."""


class Suspended(PermissionDenied):
    """The seller has too many strikes."""


class TooManySubmissions(Exception):
    """The seller sends faster than a person writes."""


def submit(
    *,
    seller: User,
    content: dict[str, Any],
    photos: list[Photo],
    claim: str = "",
    photo_claims: str = "",
    draft_key: uuid.UUID | None = None,
    paced: bool = True,
    browser: str = "",
) -> Listing:
    """Store a new listing with the device's claims, the gate's verdicts and the outbox rows, in one transaction.

    `content`: title, description, category, attributes, price, currency, condition (cleaned). `claim`, `photo_claims`:
    the raw hidden fields. A second submit of one `draft_key` gives the same listing; with other content it counts as an
    edit of it.
    `paced`: false for an operator's import, which may send faster than a person writes. `browser`: whose claim it is.
    Raises TooManySubmissions, PermissionDenied.
    """
    if earlier := _of_draft(seller, draft_key):
        return _again(earlier, seller, content, photos, claim, photo_claims, paced, browser)
    _may_send(seller, paced)
    checked = _check(content, photos, claim, photo_claims, browser)
    try:
        with transaction.atomic():
            columns = _columns(content)
            drawn = lot.draw(seller.pk, timezone.localdate(), columns["fingerprint"])
            listing = Listing.objects.create(seller=seller, draft_key=draft_key, lot=drawn, **columns)
            StatusChange.objects.create(listing=listing, target=Status.CHECKING, actor=seller, revision=1)
            _keep(listing, photos, checked)
    except IntegrityError:
        if earlier := _of_draft(seller, draft_key):  # pressed twice, both at once
            return earlier
        raise
    return listing


def resubmit(
    *,
    listing: Listing,
    seller: User,
    content: dict[str, Any],
    photos: list[Photo],
    claim: str = "",
    photo_claims: str = "",
    base_edits: int,
    paced: bool = True,
    browser: str = "",
) -> Listing:
    """Store an edit. New words or photos are checked like a new listing; a new price alone keeps the status.

    Raises StaleRevision when the listing is no longer at `base_edits`, ValidationError when it is sold,
    TooManySubmissions, PermissionDenied.
    """
    if listing.seller_id != seller.pk:
        raise PermissionDenied("This listing belongs to somebody else.")
    _may_send(seller, paced)
    checked = _check(content, photos, claim, photo_claims, browser)
    with transaction.atomic():
        current = Listing.objects.select_for_update().get(pk=listing.pk)
        if current.edits != base_edits:
            raise StaleRevision(
                "This listing was changed in another tab or on another device after you opened this form. "
                "What you wrote is still here: open the listing again in a new tab and bring your changes over."
            )
        if current.orders.exclude(status=Order.State.CANCELLED).exists():
            raise ValidationError("This thing is sold. To sell another one like it, use “Duplicate” in “My listings”.")
        if current.status in UNTOUCHED_BY_PRICE and _same_words(current, content, photos):
            for name in UNCHECKED:
                setattr(current, name, content[name])
            current.edits += 1
            current.updated_at = timezone.now()
            current.save(update_fields=[*UNCHECKED, "edits", "updated_at"])
            debts.price_changed(current)
            return current
        was = current.status
        revision, said_before = current.revision + 1, (current.title, current.category)
        withdraw_jobs(current)
        columns = _columns(content) | {"revision": revision, "edits": current.edits + 1}
        moved = Listing.objects.move(
            current.pk,
            source=current.status,
            target=Status.CHECKING,
            actor=seller,
            at_revision=current.revision,
            **columns,
        )
        if not moved:  # cannot happen under the row lock; without this an edit could go unchecked
            raise StaleRevision("This listing was changed at the same moment. Please send it once more.")
        current.refresh_from_db()
        if was in (Status.ENDED, Status.NEEDS_CHANGES):
            reports.come_back(current)
        if (content["title"], content["category"]) != said_before:
            current.photos.update(approved_at=None)  # they were approved as photos of something else
        _keep(current, photos, checked)
    return current


def withdraw_jobs(listing: Listing, *, ended: bool = False) -> None:
    """Nobody needs to look at the earlier words any more, unless they were on sale before their checks, or were drawn
    as a sample: whoever edits in time would fall out of it. What was reported is looked at in its new words, unless the
    listing has ended; an appeal is about a decision and stays."""
    checks.drop(ValidationJob.objects.filter(listing=listing, state=ValidationJob.State.OWED))
    waiting = ReviewJob.objects.filter(listing=listing, state=ReviewJob.State.OPEN)
    on_sale = Debt.objects.filter(listing=listing, job__revision=OuterRef("revision"))
    waiting.filter(Exists(on_sale), kind=ReviewJob.Kind.CHECK).update(kind=ReviewJob.Kind.LEFT)
    answered = [ReviewJob.Kind.CHECK, *([ReviewJob.Kind.REPORT] if ended else [])]
    if ended:
        reports.ended(listing)
    waiting.filter(kind__in=answered).update(state=ReviewJob.State.WITHDRAWN, decided_at=timezone.now())
    waiting.filter(kind=ReviewJob.Kind.REPORT).update(revision=listing.revision + 1)


def _may_send(seller: User, paced: bool) -> None:
    if not seller.is_merchant or not seller.is_active:
        raise PermissionDenied("Only merchants can sell.")
    if seller.is_suspended:
        raise Suspended(
            f"Your account is suspended until {seller.suspended_until:%-d %B %Y}. What you wrote is kept on your "
            "device. Under “Decisions” you can see why, and ask for another look."
        )
    if not paced:
        return
    since = timezone.now() - SUBMITS_WITHIN
    if ValidationJob.objects.filter(listing__seller=seller, created_at__gte=since).count() >= SUBMITS_IN_A_ROW:
        raise TooManySubmissions(
            f"You have sent {SUBMITS_IN_A_ROW} listings within ten minutes. Wait a little, then send this one again; "
            "it is kept on your device."
        )


def _of_draft(seller: User, draft_key: uuid.UUID | None) -> Listing | None:
    return Listing.objects.filter(seller=seller, draft_key=draft_key).first() if draft_key else None


def _again(
    listing: Listing,
    seller: User,
    content: dict[str, Any],
    photos: list[Photo],
    claim: str,
    photo_claims: str,
    paced: bool,
    browser: str,
) -> Listing:
    if _same_words(listing, content, photos) and all(getattr(listing, name) == content[name] for name in UNCHECKED):
        return listing
    return resubmit(
        listing=listing,
        seller=seller,
        content=content,
        photos=photos,
        claim=claim,
        photo_claims=photo_claims,
        base_edits=listing.edits,
        paced=paced,
        browser=browser,
    )


def _check(content: dict[str, Any], photos: list[Photo], claim: str, photo_claims: str, browser: str) -> list[Verdict]:
    """Unsaved verdicts of device and gate, on the words and on each photo. Outside the transaction: a model run holds
    no locks."""
    fields = _fields(content, photos)
    said = claims.parse_claim(claim, fields)
    found = gate.run_gate(fields)
    if said:
        claims.compare(said, claims.same_run(said, fields, found), gate.tolerance())
        found = [said, *found]
    seen = gate.run_photo_gate(photos)
    found = [*found, *claims.photo_claims(photo_claims, photos, seen), *seen]
    for verdict in found:
        if verdict.where == Where.DEVICE and browser:
            verdict.detail["browser"] = browser
    return found


def _fields(content: dict[str, Any], photos: list[Photo]) -> words.Fields:
    return words.text_fields(
        title=content["title"],
        description=content["description"],
        category=content["category"],
        attributes=content["attributes"],
        alts=[photo.alt for photo in photos],
    )


def _columns(content: dict[str, Any]) -> dict[str, Any]:
    return content | {"fingerprint": words.fingerprint(content["title"], content["description"])}


def _same_words(listing: Listing, content: dict[str, Any], photos: list[Photo]) -> bool:
    """True when nothing that a check looks at has changed: words, category, photos and what is said of each."""
    return (
        words.fields_of(listing) == _fields(content, photos)
        and listing.category == content["category"]
        and [(photo.sha256, photo.alt) for photo in listing.photos.all()] == [(p.sha256, p.alt) for p in photos]
    )


def _keep(listing: Listing, photos: list[Photo], verdicts: list[Verdict]) -> None:
    """Photos, verdicts and the outbox rows of the listing's revision; the queue hears of them after the commit."""
    # The rows of all photos are locked in one order: two forms may name the same ones, each in its own.
    named = [photo.pk for photo in photos]
    list(Photo.objects.filter(Q(pk__in=named) | Q(listing=listing)).order_by("pk").select_for_update().only("pk"))
    # A photo that is no longer named waits like any staged one from now on, until the sweeper removes it.
    listing.photos.exclude(pk__in=named).update(listing=None, created_at=timezone.now())
    Photo.objects.filter(pk__in=named, listing=None).update(approved_at=None)
    ours = Photo.objects.filter(Q(listing=None) | Q(listing=listing))
    kept: dict[int, Photo] = {}  # by the keys that the form named
    for position, photo in enumerate(photos):
        place = {"listing": listing, "position": position, "phash": photo.phash}
        if ours.filter(pk=photo.pk).update(alt=photo.alt, **place):
            kept[photo.pk] = photo
        # Another form of this merchant took it this moment: both listings show the same files. Or deleted it.
        elif Photo.objects.filter(pk=photo.pk).exists():
            kept[photo.pk] = copy_staged(photo, listing.seller)
            Photo.objects.filter(pk=kept[photo.pk].pk).update(**place)
    verdicts = [verdict for verdict in verdicts if verdict.photo is None or verdict.photo.pk in kept]
    for verdict in verdicts:
        verdict.listing, verdict.revision = listing, listing.revision
        verdict.photo = kept[verdict.photo.pk] if verdict.photo else None
    Verdict.objects.bulk_create(verdicts)
    remember(listing)
    job = checks.owe(listing, kept.values())
    granted = debts.consider(listing, list(listing.photos.all()), verdicts, job)
    if not granted and settings.values()["spare_checks"] and a_person_decides(verdicts):
        checks.spare(job)
    transaction.on_commit(partial(tasks.enqueue_job, job.pk))
    transaction.on_commit(partial(shadow.look_at, listing.pk), robust=True)


def remember(listing: Listing) -> None:
    """What is decided about, also after the next edit."""
    names = ("title", "description", "category", "attributes", "price", "currency", "condition")
    photos = listing.photos.order_by("position", "pk").values("id", "file", "sha256", "alt")
    said = {name: getattr(listing, name) for name in names}
    Revision.objects.create(listing=listing, number=listing.revision, photos=list(photos), **said)
