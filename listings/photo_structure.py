"""How a photo's file is built, before anything decodes it: a small file may ask for minutes of work, or gigabytes.

Only counts and sizes are read. What is built in a way that is not understood here passes: the decoder says what is
wrong with it, within its own limits (decoder_process.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.core.exceptions import ValidationError

from . import limits
from . import photo_refusals as why

MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # of a JPEG; in a scan's data no other begins like this
START_OF_SCAN, END_OF_IMAGE, WITHOUT_BODY = 0xDA, 0xD9, (0x01, 0xD8, 0xD9)
JPEG_FILL = 1 << 16  # bytes between the parts of its header: a decoder reads them one by one
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SEQUENCE_HEADER = 1
AV1_MARGIN = 64  # pixels, by which a frame may be larger than its photo: encoders fill up whole blocks


def check(data: bytes) -> None:
    """Raises ValidationError with one sentence for the merchant and a code."""
    if data.startswith(b"\xff\xd8\xff"):
        _check_jpeg(data)
    elif data.startswith(PNG_SIGNATURE):
        _check_png(data)
    elif data[4:8] == b"ftyp":
        try:
            _check_av1(data)
        except (IndexError, ValueError):
            return  # not built as we read it


def _check_jpeg(data: bytes) -> None:
    """Behind the end of the image phones append films and further pictures, which nobody decodes."""
    at, parts, scans, fill = 2, 0, 0, 0
    while marker := MARKER.search(data, at):
        kind = data[marker.end() - 1]
        if kind == END_OF_IMAGE and scans:
            break
        parts += 1
        scans += kind == START_OF_SCAN
        fill += marker.start() - at if scans == 0 else 0
        if scans > limits.PHOTO_SCANS:
            raise ValidationError(why.TOO_MANY_SCANS, code="too_many_scans")
        if parts > limits.JPEG_PARTS or fill > JPEG_FILL:
            raise ValidationError(why.TOO_MANY_PARTS, code="too_many_parts")
        at = marker.end() + (0 if kind in WITHOUT_BODY else int.from_bytes(data[marker.end() : marker.end() + 2]))
    if not scans:
        raise ValidationError(why.CUT_OFF, code="cut_off")


def _check_png(data: bytes) -> None:
    at = len(PNG_SIGNATURE)
    for _ in range(limits.PNG_PARTS):
        kind = data[at + 4 : at + 8]
        if len(kind) < 4 or kind == b"IEND":
            return
        at += 12 + int.from_bytes(data[at : at + 4])
    raise ValidationError(why.TOO_MANY_PARTS, code="too_many_parts")


# --- AVIF ------------------------------------------------------------------------------------------------------------
def _check_av1(data: bytes) -> None:
    """Its header says one size, which others check, and each AV1 frame in it another, which is what gets decoded."""
    frames = [size for item in _av1_items(data) for size in _frame_sizes(item)]
    said = _said_sizes(data)
    if any(width * height > limits.PHOTO_PIXELS for width, height in frames):
        raise ValidationError(why.TOO_MANY_PIXELS, code="too_many_pixels")
    # Each tile of a grid has its size said, as the whole has.
    if said and any(
        not any(width <= w + AV1_MARGIN and height <= h + AV1_MARGIN for w, h in said) for width, height in frames
    ):
        raise ValidationError(why.CUT_OFF, code="cut_off")


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box in a stretch of the file."""
    for _ in range(limits.HEIF_BOXES):
        if at + 8 > end:
            return
        size, kind, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        size = size or end - at
        if size < head:
            return
        yield kind, at + head, min(at + size, end)
        at += size
    raise ValidationError(why.TOO_MANY_PARTS, code="too_many_parts")


def _inside(data: bytes, *path: bytes) -> tuple[int, int] | None:
    """Where the content of a box lies that is named by those around it."""
    start, end = 0, len(data)
    for kind in path:
        found = next((box for box in _boxes(data, start, end) if box[0] == kind), None)
        if found is None:
            return None
        start, end = found[1] + (4 if kind == b"meta" else 0), found[2]
    return start, end


def _said_sizes(data: bytes) -> list[tuple[int, int]]:
    properties = _inside(data, b"meta", b"iprp", b"ipco")
    if properties is None:
        return []
    return [
        (int.from_bytes(data[at + 4 : at + 8]), int.from_bytes(data[at + 8 : at + 12]))
        for kind, at, _ in _boxes(data, *properties)
        if kind == b"ispe"
    ]


def _av1_items(data: bytes) -> Iterator[bytes]:
    """What an AV1 decoder gets of each picture in the file."""
    names, places = _inside(data, b"meta", b"iinf"), _inside(data, b"meta", b"iloc")
    if names is None or places is None:
        return
    start, end = names
    start += 6 if data[start] == 0 else 8
    numbers = set()
    for kind, at, _ in _boxes(data, start, end):
        wide = 4 if data[at] >= 3 else 2
        if kind == b"infe" and data[at + 4 + wide + 2 :][:4] == b"av01":
            numbers.add(int.from_bytes(data[at + 4 : at + 4 + wide]))
    held = _inside(data, b"meta", b"idat")
    for number, method, extents in _places(Fields(data, places[0])):
        if number in numbers and method in (0, 1):
            base = held[0] if method == 1 and held else 0
            yield b"".join(data[base + at : base + at + length if length else len(data)] for at, length in extents)


def _places(fields: Fields) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Of each item its number, where its offsets count from, and its stretches."""
    version = fields.take(1)
    fields.take(3)
    sizes = fields.take(1), fields.take(1)
    offset, length, base, index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
    wide = 2 if version < 2 else 4
    for _ in range(min(fields.take(wide), limits.HEIF_BOXES)):
        number = fields.take(wide)
        method = fields.take(2) & 15 if version else 0
        fields.take(2)
        start = fields.take(base)
        extents = []
        for _ in range(min(fields.take(2), limits.HEIF_BOXES)):
            fields.take(index if version else 0)
            extents.append((start + fields.take(offset), fields.take(length)))
        yield number, method, extents


class Fields:
    """Numbers one after the other, of whole bytes. Raises IndexError at the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> int:
        self.at += size
        if self.at > len(self.data):
            raise IndexError("the file ends within a number")
        return int.from_bytes(self.data[self.at - size : self.at])


class Bits:
    """Numbers one after the other, of single bits. Raises ValueError at the end."""

    def __init__(self, data: bytes) -> None:
        self.bits = "".join(f"{byte:08b}" for byte in data[:256])
        self.at = 0

    def take(self, size: int) -> int:
        self.at += size
        return int(self.bits[self.at - size : self.at], 2)

    def take_variable(self) -> None:
        zeros = self.bits.index("1", self.at) - self.at
        self.at += 2 * zeros + 1


def _frame_sizes(item: bytes) -> Iterator[tuple[int, int]]:
    """The largest size that each sequence header allows (AV1 bitstream specification, 5.3 and 5.5)."""
    fields = Fields(item)
    for _ in range(limits.HEIF_BOXES):
        if fields.at >= len(item):
            return
        head = fields.take(1)
        fields.take(1 if head & 4 else 0)
        size, shift = (0, 0) if head & 2 else (len(item) - fields.at, 0)
        while head & 2:
            byte = fields.take(1)
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 28:
                break
        if head >> 3 & 15 == SEQUENCE_HEADER:
            yield _largest_frame(Bits(item[fields.at : fields.at + size]))
        fields.at += size


def _largest_frame(bits: Bits) -> tuple[int, int]:
    bits.take(4)  # profile, still picture
    if bits.take(1):  # a reduced header
        bits.take(5)
    else:
        delay = 0
        if bits.take(1):  # timing
            bits.take(64)
            if bits.take(1):
                bits.take_variable()
            if bits.take(1):  # decoder model
                delay = bits.take(5) + 1
                bits.take(42)
        delayed = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if delay and bits.take(1):
                bits.take(2 * delay + 1)
            if delayed and bits.take(1):
                bits.take(4)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(wide) + 1, bits.take(high) + 1
