"""The stored photos as pictures in memory, as large as a check needs them."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from PIL import Image

from .models import Photo


def decoded(photo: Photo, side: int) -> Image.Image:
    """The stored photo in RGB, its longer side at least `side` where it has as much: a JPEG decodes straight to a half,
    a quarter or an eighth. Raises OSError when the file is missing or damaged."""
    with Image.open(Path(settings.MEDIA_ROOT) / photo.file, formats=["JPEG"]) as image:
        longer = max(image.size)
        if side < longer:
            image.draft("RGB", (max(1, image.width * side // longer), max(1, image.height * side // longer)))
        return image.convert("RGB")
