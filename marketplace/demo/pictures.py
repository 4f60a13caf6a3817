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

from listings import photos
from listings.models import Listing
from marketplace import catalogue

log = logging.getLogger(__name__)
PROCESSES = 2
CHUNK = 8
FEW = 8  # not worth starting processes for
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def render(path: Path) -> photos.Renditions | str:
    """The renditions of a file, or why there are none."""
    try:
        with path.open("rb") as file:
            return photos.make_renditions(file)
    except ValidationError as error:
        return str(error.messages[0])
    except OSError as error:
        return str(error.strerror)


def rendered(paths: list[Path]) -> Iterator[tuple[Path, photos.Renditions | str]]:
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
    """Give each listing its pictures. Returns how many photos were stored, and the names of files that are not there.

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
    for number, (path, made) in enumerate(rendered(list(due)), start=1):
        if isinstance(made, str):
            say(f"picture {path.name} not used: {made}")
            continue
        for listing in due[path]:
            photo = photos.store(listing.seller, made)
            photo.listing, photo.position = listing, order[listing.pk].index(made.sha256)
            photo.save(update_fields=["listing", "position"])
            stored += 1
        if number % 100 == 0:
            say(f"{number} of {len(due)} pictures")
    return stored, sorted(missing)
