"""The sizes of a stored photo that `srcset` offers, JPEG and WebP: made by a worker from the stored master.

Until they are there, pages show the master. The names follow from the master's, so a run that was killed, or a second
one at the same time, writes the same files once more and leaves nothing else behind.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.utils import timezone
from PIL import Image

from . import photos
from .models import Photo
from .photo_decoding import average_colour, encoded

log = logging.getLogger(__name__)
WIDTHS = (320, 640, 960, 1600)
CLOSE = 0.85  # a step closer to the master's own width than this is left out
JPEG_QUALITY, WEBP_QUALITY = 80, 78
RETRY_AFTER = timedelta(hours=1)  # the master cannot be read, or the disk is full


def make(photo_id: int) -> None:
    """Make what a photo lacks and note it in every row that shows the same file. Does nothing the second time."""
    photo = Photo.objects.filter(pk=photo_id, renditions_due_at__isnull=False).first()
    if photo is None:
        return
    rows = Photo.objects.filter(file=photo.file)
    owed = rows.filter(renditions_due_at__isnull=False)
    try:
        made, colour = _made(photo.file)
    except OSError as error:
        log.warning("no renditions of photo %d: %s", photo_id, error)
        owed.update(renditions_due_at=timezone.now() + RETRY_AFTER)
        return
    if not owed.update(renditions=made, colour=colour, renditions_due_at=None) and not rows.exists():
        photos.remove_unused({photo.file})  # the photo was removed meanwhile


def widths(width: int) -> list[int]:
    """The steps below a master of this width, and its own: nothing is enlarged."""
    return [step for step in WIDTHS if step < CLOSE * width] + [width]


def _made(file: str) -> tuple[list[dict[str, Any]], str]:
    """Write the files. Returns what stands in the row, the smallest first, and the average colour."""
    with Image.open(Path(settings.MEDIA_ROOT) / file, formats=["JPEG"]) as opened:
        master = opened.convert("RGB")
    master.info = {}
    made = []
    for width in widths(master.width):
        own = width == master.width
        size = (width, max(1, round(master.height * width / master.width)))
        image = master if own else master.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        name = PurePosixPath(file)
        webp = str(name.with_name(f"{name.stem}-{width}.webp"))
        photos.write(webp, encoded(image, "WEBP", quality=WEBP_QUALITY))
        jpeg = file
        if not own:  # the widest JPEG is the master itself
            jpeg = str(name.with_name(f"{name.stem}-{width}.jpg"))
            photos.write(jpeg, encoded(image, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True))
        made.append({"width": image.width, "height": image.height, "jpeg": jpeg, "webp": webp})
    return made, average_colour(master)
