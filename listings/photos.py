"""Uploads become photos: decoded with limits, turned upright, stripped of all metadata, encoded anew.

Nothing of the uploaded bytes is ever served, and no name that a user chose.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import tempfile
import warnings
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.utils import timezone
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from . import limits
from .models import Photo, User

FULL_SIDE, THUMB_SIDE = 1600, 480  # pixels: longest side of the photo, shorter side of the thumbnail
FULL_QUALITY, THUMB_QUALITY = 85, 80
REMOVED_AT_ONCE = 200
KINDS = "JPEG, PNG or WebP"


def store_upload(owner: User, upload: UploadedFile) -> Photo:
    """A staged Photo of the upload. Raises ValidationError with one sentence that says what to do."""
    if upload.size is not None and upload.size > limits.PHOTO_BYTES:
        raise ValidationError(
            f"This photo has {upload.size / 2**20:.0f} MB; at most {limits.PHOTO_BYTES // 2**20} MB are taken. "
            "Choose a smaller one."
        )
    if not upload.size:
        raise ValidationError("This file is empty. Choose the photo again.")
    image = _decode(upload.file or upload)
    sha256 = _sha256(upload)
    full = image.copy()
    full.thumbnail((FULL_SIDE, FULL_SIDE), Image.Resampling.LANCZOS)
    thumb = _cover(image, THUMB_SIDE)
    return Photo.objects.create(
        owner=owner,
        file=_write(full, "JPEG", FULL_QUALITY),
        thumb=_write(thumb, "WEBP", THUMB_QUALITY),
        width=full.width,
        height=full.height,
        sha256=sha256,
    )


def copy_staged(photo: Photo, owner: User) -> Photo:
    """A staged copy for another listing; both rows name the same files (`remove_abandoned` looks for both)."""
    return Photo.objects.create(
        owner=owner,
        file=photo.file,
        thumb=photo.thumb,
        width=photo.width,
        height=photo.height,
        sha256=photo.sha256,
        alt=photo.alt,
    )


def remove_abandoned(older_than: timedelta) -> int:
    """Delete staged photos that no form came back for, and their files where no other row names them."""
    stale = Photo.objects.filter(listing=None, created_at__lt=timezone.now() - older_than).order_by("pk")
    removed = 0
    for photo in stale[:REMOVED_AT_ONCE]:
        # Compare-and-set: a form may be taking it up at this moment.
        if not Photo.objects.filter(pk=photo.pk, listing=None).delete()[0]:
            continue
        removed += 1
        for path in (photo.file, photo.thumb):
            if not Photo.objects.filter(Q(file=path) | Q(thumb=path)).exists():
                (Path(settings.MEDIA_ROOT) / path).unlink(missing_ok=True)
    return removed


def _decode(file: BinaryIO) -> Image.Image:
    """RGB, upright, sRGB, nothing attached. Limits are checked on the header, before any pixel is decoded."""
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=list(limits.PHOTO_TYPES))
            pixels = image.width * image.height
            if pixels > limits.PHOTO_PIXELS:
                raise ValidationError(
                    f"This photo has {pixels / 1e6:.0f} megapixels; at most {limits.PHOTO_PIXELS // 10**6} are taken."
                )
            if getattr(image, "is_animated", False):
                raise ValidationError("This is a moving picture. Choose a still photo.")
            # A JPEG can be decoded at a fraction of its size: a 48-megapixel photo then costs little memory.
            image.draft("RGB", (2 * FULL_SIDE, 2 * FULL_SIDE))
            image.load()
            return _plain(ImageOps.exif_transpose(image))
    except ValidationError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValidationError("This picture is too large to open safely. Choose an ordinary photo.") from None
    except UnidentifiedImageError:
        raise ValidationError(f"This is no {KINDS} photo, whatever its name says. Choose a photo.") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError, TypeError, KeyError):
        # Pillow's decoders answer a damaged file with any of these.
        raise ValidationError("This photo is damaged or was cut off. Choose it again, or take another one.") from None


def _plain(image: Image.Image) -> Image.Image:
    if profile := image.info.get("icc_profile"):
        image = _to_srgb(image, profile)
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        # 16 bits a pixel: Pillow clips instead of scaling.
        image = image.convert("F").point(lambda value: value / 257).convert("L")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    plain = Image.new("RGB", image.size)  # carries over pixels and nothing else
    plain.paste(image.convert("RGB"))
    return plain


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGB" if image.mode in ("RGB", "CMYK", "L") else image.mode
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
        return converted or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a broken profile: the colours are a little off, the photo is fine


def _cover(image: Image.Image, side: int) -> Image.Image:
    """Shorter side = `side`, aspect kept up to 2:1, never enlarged."""
    wide, high = image.size
    if max(wide, high) > 2 * min(wide, high):
        image = ImageOps.fit(image, (min(wide, 2 * high), min(high, 2 * wide)))
    scale = side / min(image.size)
    if scale >= 1:
        return image
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def _write(image: Image.Image, kind: str, quality: int) -> str:
    """Store under a random name, aside first, so that no half file is ever served. Returns the path in MEDIA_ROOT."""
    name = secrets.token_hex(16)
    path = f"{name[:2]}/{name}.{'jpg' if kind == 'JPEG' else 'webp'}"
    target = Path(settings.MEDIA_ROOT) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            image.save(file, kind, quality=quality, **({"optimize": True} if kind == "JPEG" else {"method": 4}))
        os.chmod(aside, 0o644)
        os.replace(aside, target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
    return path


def _sha256(upload: UploadedFile) -> str:
    upload.seek(0)
    found = hashlib.sha256()
    for chunk in upload.chunks():
        found.update(chunk)
    return found.hexdigest()
