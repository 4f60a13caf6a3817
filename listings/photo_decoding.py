"""A photo's file decoded once, turned upright, in sRGB on white, and encoded anew without its metadata.

Run as a program (`python -m listings.photo_decoding`) it decodes what decoder_process.py sends it, within limits that
the system keeps. It knows no database and no settings: whoever breaks a decoder finds nothing else in its process.
"""

from __future__ import annotations

import io
import json
import logging
import resource
import signal
import socket
import struct
import zlib
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pillow_heif
from django.core.exceptions import ValidationError
from PIL import Image, ImageCms

from . import limits, photo_structure
from . import photo_refusals as why

log = logging.getLogger(__name__)

# Without thumbnails: a file could carry one of another picture, and a decoder in a hurry would take it for the photo.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=2)

LONGEST_SIDE = 1600  # pixels, of the photo as shown
THUMB_SIDE = 480  # pixels, shorter side of the small one: covers a square of this size
JPEG_QUALITY, WEBP_QUALITY = 85, 80
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
# What Pillow and its plugins raise on files that are not what they say, beside Pillow's own errors.
DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError, RuntimeError,
    struct.error, zlib.error,
)  # fmt: skip
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")


@dataclass(frozen=True)
class Decoded:
    """JPEG of the photo, WebP of the small one, size of the photo in pixels."""

    photo: bytes
    thumb: bytes
    width: int
    height: int
    colour: str  # its average, "#rrggbb": shown until the photo is there


def decoded(data: bytes) -> Decoded:
    """Raises ValidationError with one sentence for the merchant and a code."""
    photo_structure.check(data)
    upright = _upright(io.BytesIO(data))
    thumb = upright
    if (shorter := min(upright.size)) > THUMB_SIDE:
        thumb = upright.resize(scaled(upright.size, THUMB_SIDE / shorter), Image.Resampling.LANCZOS)
    return Decoded(
        photo=encoded(upright, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True),
        thumb=encoded(thumb, "WEBP", quality=WEBP_QUALITY),
        width=upright.width,
        height=upright.height,
        colour=average_colour(upright),
    )


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
        raise ValidationError(why.TOO_MANY_PIXELS, code="too_many_pixels") from None
    except DAMAGED as error:
        log.info("photo not readable: %s: %s", type(error).__name__, error)
        if "Security limit" in str(error):  # libheif, which looks at the size before we can
            raise ValidationError(why.TOO_MANY_PIXELS, code="too_many_pixels") from None
        raise ValidationError(why.CUT_OFF, code="cut_off") from None
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
        raise ValidationError(why.ANIMATED, code="animation")
    return image


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > limits.PHOTO_PIXELS:
        raise ValidationError(why.TOO_MANY_PIXELS, code="too_many_pixels")
    if max(image.size) > limits.PHOTO_SIDE:
        raise ValidationError(why.TOO_LONG, code="too_long")


def _why_not(file: IO[bytes]) -> ValidationError:
    """A sentence on a file that Pillow does not know, by its first bytes."""
    file.seek(0)
    head = file.read(1024)
    if b"<svg" in head.lower():
        return ValidationError(why.SVG, code="not_a_photo")
    known = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
    known |= (head[:4], head[8:12]) == (b"RIFF", b"WEBP")
    known |= head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS
    return (
        ValidationError(why.CUT_OFF, code="cut_off") if known else ValidationError(why.NOT_A_PHOTO, code="not_a_photo")
    )


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
        values = np.clip(np.asarray(image, dtype=np.int32), 0, 0xFFFF)
        clear = image.info.get("transparency", -1)  # the one grey that is none
        return Image.fromarray(np.where(values == clear, 255, values >> 8).astype(np.uint8))
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


# --- The program -----------------------------------------------------------------------------------------------------
HEADER = struct.Struct(">II")  # lengths: of a question, the file and 0; of an answer, the words about it and its bytes


def received(line: socket.socket, size: int) -> bytes:
    """Raises EOFError when the other side ended."""
    parts = []
    while size:
        part = line.recv(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def main() -> None:
    """Answer one question after the other, until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; we end when it does
    Image.init()
    _limit_memory()
    with socket.socket(fileno=0) as line:
        while True:
            try:
                size, _ = HEADER.unpack(received(line, HEADER.size))
                _limit_time()
                words, body = _answer(received(line, size))
                said = json.dumps(words).encode()
                line.sendall(HEADER.pack(len(said), len(body)) + said + body)
            except (EOFError, ConnectionError):
                return


def _limit_memory() -> None:
    """A decoder that wants more gets none: it says so, or it dies, and one photo is refused."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.DECODE_BYTES, limits.DECODE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time() -> None:
    """The system ends us in the middle of a decoder, too, and without anybody's help."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + limits.DECODE_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def _answer(data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        made = decoded(data)
    except ValidationError as error:
        return {"code": error.code, "message": error.messages[0]}, b""
    except MemoryError:
        return {"code": "too_costly", "message": why.TOO_COSTLY}, b""
    words = {"width": made.width, "height": made.height, "colour": made.colour, "photo": len(made.photo)}
    return words, made.photo + made.thumb


if __name__ == "__main__":
    main()
