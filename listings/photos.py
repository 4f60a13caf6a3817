"""From an uploaded file to a stored photo: judged by its content, decoded once, re-encoded without its metadata.

What is stored here, a JPEG and a small WebP, can be shown at once; renditions.py makes the other sizes later.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import secrets
import struct
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pillow_heif
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from PIL import Image, ImageCms

from . import limits, tasks
from .models import Photo, User

log = logging.getLogger(__name__)

# Without thumbnails: a file could carry one of another picture, and a decoder in a hurry would take it for the photo.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=2)

LONGEST_SIDE = 1600  # pixels, of the photo as shown
THUMB_SIDE = 480  # pixels, shorter side of the small one: covers a square of this size
JPEG_QUALITY, WEBP_QUALITY = 85, 80
ABANDONED_BATCH = 200
STAGED_KEPT = timedelta(days=1)  # a staged photo makes room for newer ones only after this
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
# In one thread, not behind a lock: the allocator keeps what each thread has freed for that thread alone.
DECODER = ThreadPoolExecutor(1, thread_name_prefix="decoder")
# What Pillow and its plugins raise on files that are not what they say, beside Pillow's own errors.
DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")

MEGAPIXELS = limits.PHOTO_PIXELS // 1_000_000
KINDS = "JPEG, PNG, WebP, AVIF or HEIC"
EMPTY = "The file is empty. Choose the photo again."
TOO_MANY_BYTES = f"The file is larger than {limits.PHOTO_MEGABYTES} MB. Choose a smaller version of the photo."
TOO_MANY_PIXELS = f"The photo has more than {MEGAPIXELS} million pixels. Choose a smaller version of it."
TOO_LONG = f"The photo is longer than {limits.PHOTO_SIDE} pixels on one side. Choose an ordinary photo."
TOO_MANY_SCANS = "This JPEG is built in more layers than any camera writes. Save it anew as an ordinary JPEG."
CUT_OFF = "The photo is damaged or was cut off on its way. Choose it again, or another one."
ANIMATED = "This is an animation. Choose a photo that stands still."
SVG = f"This is a drawing in SVG. Choose a photo in {KINDS}."
NOT_A_PHOTO = f"This is not a photo in {KINDS}, whatever its name says. Choose another file."
NOT_STORED = "The photo could not be stored at the moment. Your listing is kept; choose the photo again in a minute."
TOO_MANY_UPLOADS = (
    f"You have sent {limits.UPLOADS_IN_A_ROW} photos within {limits.UPLOADS_WITHIN // 60} minutes. "
    "Wait a little, then send this one again."
)
TOO_MANY_STAGED = (
    f"You have sent {limits.STAGED_PHOTOS} photos within a day whose listings you did not send. "
    "Send those listings first, or wait until tomorrow."
)


@dataclass(frozen=True)
class Prepared:
    """A photo ready to be stored: JPEG of the photo, WebP of the small one, size of the photo in pixels."""

    photo: bytes
    thumb: bytes
    width: int
    height: int
    colour: str  # its average, "#rrggbb": shown until the photo is there
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
    made = DECODER.submit(_prepared, file, digest).result()
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
        raise ValidationError(TOO_MANY_UPLOADS, code="too_many_uploads")


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
    waiting = _staged(owner)
    if waiting.count() < limits.STAGED_PHOTOS:
        return
    if not _drop(waiting.filter(created_at__lt=timezone.now() - STAGED_KEPT).order_by("created_at", "pk"), at_most=1):
        raise ValidationError(TOO_MANY_STAGED, code="too_many_staged")


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
        raise ValidationError(NOT_STORED, code="not_stored") from error
    except BaseException:
        _remove(names)
        raise
    transaction.on_commit(partial(tasks.enqueue_renditions, photo.pk))
    return photo


def copy_staged(photo: Photo, owner: User) -> Photo:
    """A staged photo of the same files, for a duplicate. A file goes with the last row that names it.

    Raises ValidationError when too many wait already.
    """
    _make_room(owner)
    copied = ("file", "thumb", "width", "height", "sha256", "alt", "position", "colour", "phash", "renditions")
    values = {name: getattr(photo, name) for name in (*copied, "renditions_due_at")}
    return Photo.objects.create(owner=owner, **values)


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
            for pk, *names in rows.select_for_update(skip_locked=True).values_list("pk", "file", "thumb")[:at_most]
        }
        Photo.objects.filter(pk__in=found).delete()
    remove_unused({name for pair in found.values() for name in pair})
    return len(found)


def remove_unused(names: set[str]) -> None:
    """Remove these files, and the renditions made from them, but for those that a row still names."""
    used = Photo.objects.filter(Q(file__in=names) | Q(thumb__in=names)).values_list("file", "thumb")
    _remove(names - {name for pair in used for name in pair})


def prepare(file: IO[bytes]) -> Prepared:
    """Decode, turn upright, convert to sRGB on white and encode anew. Touches neither disk nor database.

    Raises ValidationError with one sentence for the merchant and a code.
    """
    digest = _digest(file)
    return DECODER.submit(_prepared, file, digest).result()


def _prepared(file: IO[bytes], digest: str) -> Prepared:
    upright = _upright(file)
    thumb = upright
    if (shorter := min(upright.size)) > THUMB_SIDE:
        thumb = upright.resize(scaled(upright.size, THUMB_SIDE / shorter), Image.Resampling.LANCZOS)
    return Prepared(
        photo=encoded(upright, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True),
        thumb=encoded(thumb, "WEBP", quality=WEBP_QUALITY),
        width=upright.width,
        height=upright.height,
        colour=average_colour(upright),
        sha256=digest,
    )


def _digest(file: IO[bytes]) -> str:
    """Hex SHA-256 of the file; its size is checked on the way, whatever the request said of it."""
    hashed, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(1 << 16):
        size += len(chunk)
        if size > limits.PHOTO_BYTES:
            raise ValidationError(TOO_MANY_BYTES, code="too_large")
        hashed.update(chunk)
    if size == 0:
        raise ValidationError(EMPTY, code="empty")
    file.seek(0)
    return hashed.hexdigest()


def _upright(file: IO[bytes]) -> Image.Image:
    """RGB in sRGB, right side up, the longest side LONGEST_SIDE or less, without any metadata."""
    try:
        with _opened(file) as image:
            turn = TURNS.get(_orientation(image))
            profile = image.info.get("icc_profile")
            size = scaled(image.size, min(1.0, LONGEST_SIDE / max(image.size)))
            if image.format in ("JPEG", "MPO"):
                image.draft(image.mode, size)  # decodes straight to a half, quarter or eighth
            image.load()
            _check_size(image)  # HEIC may say another size in its header
            small = _reduced(image, size).resize(size, Image.Resampling.LANCZOS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise ValidationError(TOO_MANY_PIXELS, code="too_many_pixels") from None
    except DAMAGED as error:
        log.info("photo not readable: %s: %s", type(error).__name__, error)
        if "Security limit" in str(error):  # libheif, which looks at the size before we can
            raise ValidationError(TOO_MANY_PIXELS, code="too_many_pixels") from None
        raise ValidationError(CUT_OFF, code="cut_off") from None
    small = _in_srgb(small, profile)
    if turn is not None:
        small = small.transpose(turn)
    small.info = {}
    return small


def _opened(file: IO[bytes]) -> Image.Image:
    """The image with its header read and nothing decoded. Raises ValidationError, or what Pillow raises."""
    try:
        image = Image.open(file, formats=limits.PHOTO_FORMATS)
    except Image.UnidentifiedImageError:
        raise _why_not(file) from None
    _check_size(image)
    # Phones store a JPEG with further frames (depth, a preview) as MPO and several shots in one HEIC: one is the photo.
    if image.format not in ("MPO", "HEIF") and getattr(image, "is_animated", False):
        raise ValidationError(ANIMATED, code="animation")
    if image.format in ("JPEG", "MPO") and _scans(file) > limits.PHOTO_SCANS:
        raise ValidationError(TOO_MANY_SCANS, code="too_many_scans")
    return image


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > limits.PHOTO_PIXELS:
        raise ValidationError(TOO_MANY_PIXELS, code="too_many_pixels")
    if max(image.size) > limits.PHOTO_SIDE:
        raise ValidationError(TOO_LONG, code="too_long")


def _scans(file: IO[bytes]) -> int:
    """How many passes a JPEG makes over its pixels. Each takes a moment, and a small file has room for 100,000."""
    at = file.tell()
    file.seek(0)
    count = file.read().count(b"\xff\xda")
    file.seek(at)
    return count


def _why_not(file: IO[bytes]) -> ValidationError:
    """A sentence on a file that Pillow does not know, by its first bytes."""
    file.seek(0)
    head = file.read(1024)
    if b"<svg" in head.lower():
        return ValidationError(SVG, code="not_a_photo")
    known = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
    known |= (head[:4], head[8:12]) == (b"RIFF", b"WEBP")
    known |= head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS
    return ValidationError(CUT_OFF, code="cut_off") if known else ValidationError(NOT_A_PHOTO, code="not_a_photo")


def _orientation(image: Image.Image) -> int:
    """How the camera was held, by EXIF. What decodes HEIC has turned it already, whatever EXIF and XMP say."""
    if image.format == "HEIF":
        return 1
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception as error:  # EXIF is written by every kind of program; a broken one does not spoil the photo
        log.info("EXIF not readable: %s", error)
        return 1


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def average_colour(image: Image.Image) -> str:
    """Of an RGB image, as CSS writes it."""
    pixel = image.reduce(max(1, min(image.size) // 8)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return "#" + bytes(map(int, pixel)).hex()


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


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


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
