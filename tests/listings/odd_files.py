"""Files that no camera writes: made by hand, byte by byte, so that tests need not keep or encode large ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

from listings import photo_decoding  # noqa: F401  (registers HEIC)

TILE = 512
SECRET = b"call 0123 Elm Street"  # stands in every place where a file has room for words
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r>' + SECRET + b"</r></x:xmpmeta>"


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> io.BytesIO:
    data = io.BytesIO()
    if kind == "HEIF" and isinstance(options.get("exif"), Image.Exif):
        options["exif"] = options["exif"].tobytes()  # its encoder turns the photo by these, and not by the object
    image.save(data, kind, **options)
    return data


def gps_exif(orientation: int = 1) -> Image.Exif:
    """Place, camera, a note and a preview, as a phone writes them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = SECRET.decode()
    exif[0x9286] = SECRET.decode()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (50.0, 51.0, 3.0)
    gps[3], gps[4] = "E", (4.0, 21.0, 1.0)
    gps[29] = SECRET.decode()
    return exif


def with_everything(image: Image.Image, kind: str, icc_profile: bytes) -> bytes:
    """The image with all the metadata that its format takes."""
    options: dict[str, Any] = {"exif": gps_exif(), "icc_profile": icc_profile, "xmp": XMP}
    if kind == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", SECRET.decode())
        notes.add_text("Author", SECRET.decode(), zip=True)
        notes.add_itxt("XML:com.adobe.xmp", XMP.decode())
        notes.add(b"prVt", SECRET)
        options = {**options, "pnginfo": notes}
        del options["xmp"]
    if kind == "JPEG":
        options["comment"] = SECRET
    data = saved(image, kind, **options).getvalue()
    if kind == "JPEG":
        # IPTC, as photo programs write it, and a second file behind the end, as phones append films and previews.
        caption = b"\x1c\x02\x78" + struct.pack(">H", len(SECRET)) + SECRET
        block = b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(caption)) + caption + b"\x00" * (len(caption) % 2)
        iptc = b"Photoshop 3.0\x00" + block
        data = data[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + data[2:] + SECRET
    assert SECRET in data
    return data


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and brings next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(bytes(100))), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG whose header claims another size."""
    data = bytearray(saved(Image.new("RGB", (16, 16)), "JPEG").getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_of_many_scans(count: int, size: tuple[int, int] = (640, 480)) -> bytes:
    """A progressive JPEG that goes over its pixels once more for every few bytes."""
    data = saved(Image.new("RGB", size, "#2a6"), "JPEG", progressive=True).getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def jpeg_of_many_parts(part: bytes, size: int = 15_000_000) -> bytes:
    """A small JPEG with one part over and over before its picture."""
    data = saved(Image.new("RGB", (64, 64)), "JPEG").getvalue()
    return data[:2] + part * (size // len(part)) + data[2:]


def png_of_many_parts(count: int) -> bytes:
    """A small PNG with empty chunks that nobody reads."""
    data = saved(Image.new("RGB", (64, 64)), "PNG").getvalue()
    return data[:33] + png_chunk(b"abCd", b"") * count + data[33:]


# --- HEIF ------------------------------------------------------------------------------------------------------------
def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def heic_grid(width: int, height: int, color: str = "#5a783c") -> bytes:
    """A HEIC as phones write large ones, of 512-pixel tiles; here all of them are one and the same few bytes."""
    tile = saved(Image.new("RGB", (TILE, TILE), color), "HEIF", quality=30).getvalue()
    at = tile.index(b"hvcC") - 4
    decoder = tile[at : at + struct.unpack(">I", tile[at : at + 4])[0]]
    pixels = tile[tile.index(b"mdat") + 4 :]
    columns, rows = -(-width // TILE), -(-height // TILE)
    layout = struct.pack(">BBBBII", 0, 1, (rows - 1) & 0xFF, (columns - 1) & 0xFF, width, height)
    file_type = box(b"ftyp", b"heic", bytes(4), b"mif1", b"heic")

    def meta(start: int) -> bytes:
        def extent(item: int, offset: int, length: int) -> bytes:
            return struct.pack(">HHHII", item, 0, 1, offset, length)

        return full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", 0, struct.pack(">H", 2)),
            full_box(b"iloc", 0, b"\x44\x00", struct.pack(">H", 2), extent(1, start, len(pixels)),
                     extent(2, start + len(pixels), len(layout))),
            full_box(b"iinf", 0, struct.pack(">H", 2), full_box(b"infe", 2, struct.pack(">HH", 1, 0), b"hvc1\x00"),
                     full_box(b"infe", 2, struct.pack(">HH", 2, 0), b"grid\x00")),
            full_box(b"iref", 0, box(b"dimg", struct.pack(f">HH{rows * columns}H", 2, rows * columns,
                                                          *[1] * (rows * columns)))),
            box(
                b"iprp",
                box(b"ipco", decoder, full_box(b"ispe", 0, struct.pack(">II", TILE, TILE)),
                    full_box(b"ispe", 0, struct.pack(">II", width, height))),
                full_box(b"ipma", 0, struct.pack(">I", 2), struct.pack(">HBBB", 1, 2, 0x81, 2),
                         struct.pack(">HBB", 2, 1, 3)),
            ),
        )  # fmt: skip

    start = len(file_type) + len(meta(0)) + 8
    return file_type + meta(start) + box(b"mdat", pixels, layout)


def with_other_size(heif: bytes, width: int, height: int, *, everywhere: bool = False) -> bytes:
    """A HEIC or AVIF whose header claims another size than its pixels have."""
    start, *parts = heif.split(b"ispe")
    changed = [part[:4] + struct.pack(">II", width, height) + part[12:] for part in parts]
    return b"ispe".join([start, *changed] if everywhere else [start, changed[0], *parts[1:]])
