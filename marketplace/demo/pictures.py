"""The demo's pictures on their listings. A picture that is not there yet comes with a later run."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import django
from django.core.exceptions import ValidationError
from django.utils import timezone

from listings import checks, photo_bank, photos
from listings.models import Listing, Photo
from marketplace import catalogue

log = logging.getLogger(__name__)
PROCESSES = 2
CHUNK = 8
FEW = 8  # not worth starting processes for
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def render(path: Path) -> photos.Prepared | str:
    """A file ready to be stored, or why it is not."""
    try:
        with path.open("rb") as file:
            return photos.prepare(file)
    except ValidationError as error:
        return str(error.messages[0])
    except OSError as error:
        return str(error.strerror)


def rendered(paths: list[Path]) -> Iterator[tuple[Path, photos.Prepared | str]]:
    if len(paths) <= FEW:
        yield from ((path, render(path)) for path in paths)
        return
    # spawn: a forked process would share our database connection.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, initializer=django.setup) as pool:
        yield from zip(paths, pool.map(render, paths, chunksize=CHUNK), strict=True)


def add_pictures(
    wanted: list[tuple[Listing, list[str]]], folder: Path, say: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Give each listing its pictures. Their checks are owed, and the workers make them in the background.

    Returns how many photos were stored, and the names of files that are not there.
    A listing that its merchant has edited since is left alone.
    """
    missing: set[str] = set()
    due: dict[Path, list[Listing]] = {}
    order: dict[int, list[str]] = {}
    for listing, names in wanted:
        found = {name: catalogue.find_photo(name, folder) for name in names}
        missing |= {name for name, path in found.items() if path is None}
        paths = [path for path in found.values() if path]
        order[listing.pk] = [catalogue.sha256(path) for path in paths]
        if listing.revision > 1 or [photo.sha256 for photo in listing.photos.all()] == order[listing.pk]:
            continue
        # Pictures that were drawn anew: the sweeper takes the old ones, dated so that it comes at once.
        listing.photos.exclude(sha256__in=order[listing.pk]).update(listing=None, created_at=LONG_AGO)
        held = set(listing.photos.values_list("sha256", flat=True))
        for path, digest in zip(paths, order[listing.pk], strict=True):
            if digest not in held:
                due.setdefault(path, []).append(listing)
    stored = 0
    fresh: dict[int, list[Photo]] = {}
    for number, (path, made) in enumerate(rendered(list(due)), start=1):
        if isinstance(made, str):
            say(f"picture {path.name} not used: {made}")
            continue
        for listing in due[path]:
            photo = photos.store(listing.seller, made)
            photo.listing, photo.position = listing, order[listing.pk].index(made.sha256)
            photo.listed_at = timezone.now()  # now, and its hash too: a copy that comes meanwhile is to be known as one
            photo.save(update_fields=["listing", "position", "listed_at"])
            photo_bank.known(photo)
            fresh.setdefault(listing.pk, []).append(photo)
            stored += 1
        if number % 100 == 0:
            say(f"{number} of {len(due)} pictures")
    for listing, _ in wanted:
        if listing.pk in fresh:
            checks.owe_later(listing, fresh[listing.pk])
    return stored, sorted(missing)
