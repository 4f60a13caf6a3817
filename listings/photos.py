"""From an uploaded file to a stored photo: judged by its content, decoded once, re-encoded without its metadata."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import secrets
import struct
import threading
import zlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from PIL import Image, ImageCms

from . import limits
from .models import Photo, User

log = logging.getLogger(__name__)

LONGEST_SIDE = 1600  # pixels, of the photo as shown
THUMB_SIDE = 480  # pixels, shorter side of the small one: covers a square of this size
JPEG_QUALITY, WEBP_QUALITY = 85, 80
ABANDONED_BATCH = 200
STRIP_ROWS = 256
ORIENTATION_TAG = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# One photo is decoded at a time in a process: memory is bounded by the largest photo, not by the number of uploads.
DECODING = threading.Lock()
# What Pillow raises on files that are not what they say, beside its own errors.
DAMAGED = (OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError, struct.error)

MEGABYTES, MEGAPIXELS = limits.PHOTO_BYTES // 1024**2, limits.PHOTO_PIXELS // 1_000_000
EMPTY = "The file is empty. Choose the photo again."
TOO_MANY_BYTES = f"The file is larger than {MEGABYTES} MB. Choose a smaller version of the photo."
TOO_MANY_PIXELS = f"The photo has more than {MEGAPIXELS} million pixels. Choose a smaller version of it."
TOO_LONG = f"The photo is longer than {limits.PHOTO_SIDE} pixels on one side. Choose an ordinary photo."
CUT_OFF = "The photo is damaged or was cut off on its way. Choose it again, or another one."
ANIMATED = "This is an animation. Choose a photo that stands still."
SVG = "This is a drawing in SVG. Choose a photo in JPEG, PNG or WebP."
HEIC = "This photo is in the HEIC format, which browsers cannot show. Save it as JPEG and choose that file."
NOT_A_PHOTO = "This is not a photo in JPEG, PNG or WebP, whatever its name says. Choose another file."
NOT_STORED = "The photo could not be stored at the moment. Your listing is kept; choose the photo again in a minute."


@dataclass(frozen=True)
class Renditions:
    """A photo ready to be stored: JPEG of the photo, WebP of the small one, size of the photo in pixels."""

    photo: bytes
    thumb: bytes
    width: int
    height: int
    sha256: str  # of the file as it came


def store_upload(owner: User, file: Any) -> Photo:
    """Store an uploaded file (Django's UploadedFile) as a photo of nobody's listing yet.

    Raises ValidationError with one sentence for the merchant.
    """
    return store(owner, make_renditions(file))


def store(owner: User, made: Renditions) -> Photo:
    """Write the files and the row. Raises ValidationError when the disk does not take them."""
    names: list[str] = []
    try:
        for content, ending in ((made.photo, "jpg"), (made.thumb, "webp")):
            names.append(_write(content, ending))
        return Photo.objects.create(
            owner=owner, file=names[0], thumb=names[1], width=made.width, height=made.height, sha256=made.sha256
        )
    except OSError as error:
        _remove(names)
        log.exception("photo not stored")
        raise ValidationError(NOT_STORED) from error
    except BaseException:
        _remove(names)
        raise


def copy_staged(photo: Photo, owner: User) -> Photo:
    """A staged photo of the same files, for a duplicate. A file goes with the last row that names it."""
    copied = ("file", "thumb", "width", "height", "sha256", "alt", "position")
    return Photo.objects.create(owner=owner, **{name: getattr(photo, name) for name in copied})


def remove_abandoned(older_than: timedelta, at_most: int = ABANDONED_BATCH) -> int:
    """Delete photos that no listing took and their files, unless another row uses them. Returns the rows deleted."""
    abandoned = Photo.objects.filter(listing=None, created_at__lt=timezone.now() - older_than)
    with transaction.atomic():
        # A row that a submit holds at this moment is not abandoned: it is skipped, and has a listing next time.
        rows = abandoned.select_for_update(skip_locked=True).order_by("pk")[:at_most]
        found = {pk: names for pk, *names in rows.values_list("pk", "file", "thumb")}
        Photo.objects.filter(pk__in=found).delete()
    names = {name for pair in found.values() for name in pair}
    used = Photo.objects.filter(Q(file__in=names) | Q(thumb__in=names)).values_list("file", "thumb")
    _remove(names - {name for pair in used for name in pair})
    return len(found)


def make_renditions(file: IO[bytes]) -> Renditions:
    """Decode, turn upright, convert to sRGB on white and encode anew. Touches neither disk nor database.

    Raises ValidationError with one sentence for the merchant.
    """
    digest = _digest(file)
    with DECODING:
        upright = _upright(file)
        thumb = upright
        if (shorter := min(upright.size)) > THUMB_SIDE:
            thumb = upright.resize(_scaled(upright.size, THUMB_SIDE / shorter), Image.Resampling.LANCZOS)
        return Renditions(
            photo=_encoded(upright, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True),
            thumb=_encoded(thumb, "WEBP", quality=WEBP_QUALITY),
            width=upright.width,
            height=upright.height,
            sha256=digest,
        )


def _digest(file: IO[bytes]) -> str:
    """Hex SHA-256 of the file; its size is checked on the way, whatever the request said of it."""
    hashed, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(1 << 16):
        size += len(chunk)
        if size > limits.PHOTO_BYTES:
            raise ValidationError(TOO_MANY_BYTES)
        hashed.update(chunk)
    if size == 0:
        raise ValidationError(EMPTY)
    file.seek(0)
    return hashed.hexdigest()


def _upright(file: IO[bytes]) -> Image.Image:
    """RGB in sRGB, right side up, the longest side LONGEST_SIDE or less, without any metadata."""
    try:
        with _opened(file) as image:
            turn = TURNS.get(_orientation(image))
            profile = image.info.get("icc_profile")
            scale = min(1.0, LONGEST_SIDE / max(image.size))
            size = _scaled(image.size, scale)
            image.draft(image.mode, size)  # a JPEG decodes straight to a half, quarter or eighth
            image.load()
            small = _reduced(image, size).resize(size, Image.Resampling.LANCZOS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise ValidationError(TOO_MANY_PIXELS) from None
    except (*DAMAGED, zlib.error) as error:
        log.info("photo not readable: %s: %s", type(error).__name__, error)
        raise ValidationError(CUT_OFF) from None
    small = _in_srgb(small, profile)
    if turn is not None:
        small = small.transpose(turn)
    small.info = {}
    return small


def _opened(file: IO[bytes]) -> Image.Image:
    """The image with its header read and nothing decoded. Raises ValidationError, or what Pillow raises."""
    try:
        image = Image.open(file, formats=list(limits.PHOTO_TYPES))
    except Image.UnidentifiedImageError:
        raise ValidationError(_why_not(file)) from None
    if image.width * image.height > limits.PHOTO_PIXELS:
        raise ValidationError(TOO_MANY_PIXELS)
    if max(image.size) > limits.PHOTO_SIDE:
        raise ValidationError(TOO_LONG)
    # Phones store a JPEG with further frames (depth, a preview) as MPO: its first frame is the photo.
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise ValidationError(ANIMATED)
    return image


def _why_not(file: IO[bytes]) -> str:
    """A sentence on a file that Pillow does not know, by its first bytes."""
    file.seek(0)
    head = file.read(1024)
    if b"<svg" in head.lower():
        return SVG
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"):
        return HEIC
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return CUT_OFF
    return NOT_A_PHOTO


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception as error:  # EXIF is written by every kind of program; a broken one does not spoil the photo
        log.info("EXIF not readable: %s", error)
        return 1


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _reduced(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`image` flattened, made smaller by a whole factor to at least twice `size`.

    Strip by strip: flattening and averaging 50 megapixels at once would take a few hundred megabytes more.
    """
    factor = max(1, min(image.width // size[0], image.height // size[1]) // 2)
    if factor == 1 and image.height <= 2 * STRIP_ROWS * 8:
        return _flat(image)
    rows = STRIP_ROWS * factor
    strips = [
        _flat(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factor)
        for top in range(0, image.height, rows)
    ]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def _flat(image: Image.Image) -> Image.Image:
    """L, RGB or CMYK with 8 bits a channel; what is transparent becomes white."""
    if image.mode in ("RGB", "L", "CMYK") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits a pixel, grey
        values = np.clip(np.asarray(image, dtype=np.int32), 0, 0xFFFF) >> 8
        return Image.fromarray(values.astype(np.uint8))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError) as error:  # damaged, or of another kind of colour
            log.info("colour profile not used: %s", error)
        else:
            if converted is not None:
                return converted
    return image.convert("RGB")


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def _write(content: bytes, ending: str) -> str:
    """Write under a random name, aside first: a reader never sees half a file. Returns the path under MEDIA_ROOT."""
    token = secrets.token_hex(17)
    name = f"{token[:2]}/{token[2:]}.{ending}"
    path = Path(settings.MEDIA_ROOT) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    return name


def _remove(names: Any) -> None:
    for name in names:
        try:
            (Path(settings.MEDIA_ROOT) / name).unlink(missing_ok=True)
        except OSError as error:
            log.warning("photo file not removed: %s", error)
