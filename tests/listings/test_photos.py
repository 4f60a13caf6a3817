"""Whatever a phone, a browser or an attacker sends as a photo."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from PIL import Image, ImageCms

from listings import decoder_process, limits, photo_decoding, photo_structure, photos, renditions
from listings import photo_refusals as why
from listings.models import Listing, Photo
from listings.views.files import PHOTO_PATH
from tests.listings.odd_files import (
    SECRET,
    heic_grid,
    jpeg_of,
    jpeg_of_many_parts,
    jpeg_of_many_scans,
    png_of,
    png_of_many_parts,
    saved,
    with_everything,
    with_other_size,
)
from tests.settings import ROOT

KINDS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def shown(made: photos.Prepared) -> Image.Image:
    image = Image.open(io.BytesIO(made.photo))
    image.load()
    return image


def is_near(image: Image.Image, at: tuple[int, int], color: tuple[int, int, int], by: int = 12) -> bool:
    found = image.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= by for a, b in zip(found, color, strict=True))


def refusal(data: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        photos.prepare(io.BytesIO(data))
    assert len(caught.value.messages) == 1
    return caught.value.messages[0]


def quarters(size: tuple[int, int] = (80, 40)) -> Image.Image:
    """Red in the upper left quarter, blue elsewhere: shows every turn and mirror."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1] // 2))
    return image


@pytest.mark.django_db
def test_an_upload_becomes_a_staged_photo_with_two_files(merchant, media):
    data = saved(Image.new("RGB", (3000, 2000), GREEN), "JPEG").getvalue()
    photo = photos.store_upload(merchant, SimpleUploadedFile("../../etc/passwd.svg", data, "image/svg+xml"))
    photo.refresh_from_db()
    assert (photo.owner, photo.listing, photo.width, photo.height) == (merchant, None, 1600, 1067)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    for name, kind, size in ((photo.file, "JPEG", (1600, 1067)), (photo.thumb, "WEBP", (720, 480))):
        assert PHOTO_PATH.fullmatch(name)
        with Image.open(media / name) as image:
            assert (image.format, image.size, image.mode) == (kind, size, "RGB")
    assert sorted(path.suffix for path in media.rglob("*.*")) == [".jpg", ".webp"]


@pytest.mark.parametrize(
    ("size", "photo", "thumb"),
    [
        ((1600, 1200), (1600, 1200), (640, 480)),
        ((500, 300), (500, 300), (500, 300)),
        ((1, 1), (1, 1), (1, 1)),
        ((30_000, 3), (1600, 1), (1600, 1)),
        ((1000, 6000), (267, 1600), (267, 1600)),
        ((4000, 4000), (1600, 1600), (480, 480)),
    ],
)
def test_sizes(size, photo, thumb):
    made = photos.prepare(saved(Image.new("RGB", size)))
    assert (made.width, made.height) == photo == shown(made).size
    assert Image.open(io.BytesIO(made.thumb)).size == thumb


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright_and_leaves_no_metadata(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Mara, 12 Elm Street"
    exif.get_ifd(0x8825)[1] = "N"
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}  # the turn that the camera made, undone by the one it notes
    held = quarters()
    if orientation > 1:
        held = held.transpose(photo_decoding.TURNS[back[orientation]])
    made = photos.prepare(saved(held, kind, exif=exif))
    image = shown(made)
    assert image.size == (80, 40)
    assert is_near(image, (5, 5), RED, 60)
    for at in ((75, 5), (5, 35), (75, 35)):
        assert is_near(image, at, BLUE, 60)
    for data in (made.photo, made.thumb):
        stripped = Image.open(io.BytesIO(data))
        assert not dict(stripped.getexif())
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(stripped.info)
        assert b"Elm Street" not in data


def jpeg_segments(data: bytes) -> set[int]:
    """The markers of all segments before the pixels."""
    found, at = set(), 2
    while data[at + 1] != 0xDA:
        found.add(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return found


def webp_chunks(data: bytes) -> list[bytes]:
    found, at = [], 12
    while at < len(data):
        found.append(data[at : at + 4])
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        at += at % 2
    return found


def assert_bare(data: bytes) -> None:
    """Nothing but the picture: no segment or chunk that could carry words, and nothing behind the end."""
    assert SECRET not in data
    if data.startswith(b"RIFF"):
        assert webp_chunks(data) == [b"VP8 "]
        assert int.from_bytes(data[4:8], "little") + 8 == len(data)
    else:
        # 0xE0 says "JFIF"; others of the 0xE_ carry EXIF, XMP, ICC, IPTC, 0xFE a comment.
        assert jpeg_segments(data) <= {0xE0, 0xDB, 0xC0, 0xC2, 0xC4}
        assert data.endswith(b"\xff\xd9")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_no_file_that_we_write_holds_metadata(kind, merchant, media):
    source = with_everything(
        Image.effect_noise((18, 14), 60).convert("RGB").resize((900, 700)), kind, swapped_profile()
    )
    photo = photos.store_upload(merchant, io.BytesIO(source))
    renditions.make(photo.pk)
    written = [path for path in media.rglob("*") if path.is_file()]
    assert len(written) == 7  # master, small one, two sizes more in JPEG, all three in WebP
    for path in written:
        assert_bare(path.read_bytes())
        with Image.open(path) as image:
            assert not dict(image.getexif())
            assert not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive",
                                          "progression", "loop", "background", "timestamp", "duration"}  # fmt: skip


def exif_of_one(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return b"Exif\x00\x00MM\x00*" + struct.pack(">IHHHI", 8, 1, tag, kind, count) + value + bytes(12)


BROKEN_EXIF = {
    "points nowhere": b"Exif\x00\x00MM\x00*\xff\xff\xff\xff",
    "65535 tags": b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff",
    "orientation as text": exif_of_one(0x0112, 2, 4, b"six\x00"),
    "orientation out of range": exif_of_one(0x0112, 4, 1, b"\xff\xff\xff\xff"),
    "orientation by nothing": exif_of_one(0x0112, 5, 1, b"\x00\x00\x00\x1a"),
    "place points nowhere": exif_of_one(0x8825, 4, 1, b"\x7f\xff\xff\xff"),
    "place points at itself": exif_of_one(0x8825, 4, 1, b"\x00\x00\x00\x08"),
    "no EXIF at all": b"no EXIF at all",
}


# AVIF's decoder takes no file whose block is no EXIF at all.
@pytest.mark.parametrize(
    ("kind", "how"),
    [(kind, how) for kind in KINDS for how in BROKEN_EXIF if (kind, how) != ("AVIF", "no EXIF at all")],
)
def test_a_broken_exif_block_does_not_spoil_the_photo(kind, how):
    exif = BROKEN_EXIF[how]
    plain = saved(quarters(), kind).getvalue()
    try:
        source = saved(quarters(), kind, exif=exif)
    except Exception:  # the encoder looks into it: the block takes the place of a good one of its length
        good = Image.Exif()
        good[0x010F] = "x" * (len(exif) + 200)
        written = saved(quarters(), kind, exif=good).getvalue()
        at = written.index(b"MM\x00*") if b"MM\x00*" in written else written.index(b"II*\x00")
        block = exif.removeprefix(b"Exif\x00\x00")
        source = io.BytesIO(written[:at] + block + written[at + len(block) :])
    assert source.getvalue() != plain
    assert shown(photos.prepare(source)).size == (80, 40)


@pytest.mark.parametrize(
    ("image", "options", "color"),
    [
        (Image.new("RGBA", (30, 30), (*RED, 0)), {}, WHITE),
        (Image.new("RGBA", (30, 30), (*RED, 128)), {}, (255, 127, 127)),
        (Image.new("LA", (30, 30), (0, 0)), {}, WHITE),
        (Image.new("P", (30, 30)), {"transparency": 0}, WHITE),
        (Image.new("L", (30, 30), 7), {"transparency": 7}, WHITE),
        (Image.new("RGB", (30, 30), BLUE), {"transparency": BLUE}, WHITE),
        (Image.new("L", (30, 30), 100), {}, (100, 100, 100)),
        (Image.new("1", (30, 30), 1), {}, WHITE),
        (Image.new("I;16", (30, 30), 0x8000), {}, (128, 128, 128)),
        (Image.new("I;16", (30, 30), 0x1234), {"transparency": 0x1234}, WHITE),
        (Image.new("P", (30, 30), 0), {}, (0, 0, 0)),
    ],
)
def test_every_kind_of_pixel_is_shown_on_white(image, options, color):
    made = photos.prepare(saved(image, "PNG", **options))
    assert shown(made).mode == "RGB"
    assert is_near(shown(made), (15, 15), color, 3)


def test_cmyk_is_shown_in_rgb():
    made = photos.prepare(saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"))
    assert shown(made).mode == "RGB"
    assert is_near(shown(made), (20, 20), RED, 60)


def swapped_profile() -> bytes:
    """sRGB with its red and blue primaries exchanged: red written with it is a blue thing."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    profile[84:100] = bytes(16)  # the profile's own checksum
    return bytes(profile)


def test_a_colour_profile_is_applied():
    source = saved(Image.new("RGB", (40, 40), RED), "JPEG", icc_profile=swapped_profile())
    assert is_near(shown(photos.prepare(source)), (20, 20), BLUE, 20)


@pytest.mark.parametrize("profile", [b"no profile", b"\x00" * 4000])
def test_a_damaged_colour_profile_is_left_out(profile):
    source = saved(Image.new("RGB", (40, 40), RED), "JPEG", icc_profile=profile)
    assert is_near(shown(photos.prepare(source)), (20, 20), RED, 5)


def test_the_first_frame_of_a_phones_mpo_is_the_photo():
    source = saved(Image.new("RGB", (60, 40), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))])
    assert is_near(shown(photos.prepare(source)), (20, 20), RED, 5)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", why.EMPTY),
        (b"hello", why.NOT_A_PHOTO),
        (b"\x00", why.NOT_A_PHOTO),
        (b"%PDF-1.7 ...", why.NOT_A_PHOTO),
        (b"<html><script>alert(1)</script></html>", why.NOT_A_PHOTO),
        (b'<?xml version="1.0"?><SVG xmlns="http://www.w3.org/2000/svg"/>', why.SVG),
        (b"\x00\x00\x00\x20ftypheic" + bytes(60), why.CUT_OFF),
        (b"\x00\x00\x00\x20ftypavif" + bytes(60), why.CUT_OFF),
        (b"\x00\x00\x00\x20ftypisom" + bytes(60), why.NOT_A_PHOTO),
        (b"\x00\x00\x00\x20ftypheic", why.CUT_OFF),
        (b"\xff\xd8\xff\xe0", why.CUT_OFF),
        (b"\x89PNG\r\n\x1a\n", why.CUT_OFF),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", why.CUT_OFF),
        (saved(Image.new("RGB", (9, 9)), "GIF").getvalue(), why.NOT_A_PHOTO),
        (saved(Image.new("RGB", (9, 9)), "BMP").getvalue(), why.NOT_A_PHOTO),
    ],
)
def test_what_is_no_photo_is_refused_in_one_sentence(data, text):
    assert refusal(data) == text


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_that_was_cut_off_is_refused_wherever_it_ends(kind):
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    whole = saved(noise, kind).getvalue()
    for share in (0.02, 0.2, 0.5, 0.9, 0.98):
        assert refusal(whole[: int(len(whole) * share)]) == why.CUT_OFF


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_bytes_never_raise_anything_else(kind):
    whole = saved(quarters((64, 64)), kind).getvalue()
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        try:
            photos.prepare(io.BytesIO(bytes(broken)))
        except ValidationError as error:
            assert error.messages[0] in (why.CUT_OFF, why.NOT_A_PHOTO, why.TOO_MANY_PIXELS, why.ANIMATED)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("count", [2, 500])
def test_animations_are_refused(kind, count):
    frames = [Image.new("RGB", (20, 20), (RED, BLUE, GREEN)[n % 3]) for n in range(count)]
    assert refusal(saved(frames[0], kind, save_all=True, append_images=frames[1:]).getvalue()) == why.ANIMATED


def test_a_gif_is_no_photo_however_many_frames_it_has():
    frames = [Image.new("P", (20, 20), n % 2) for n in range(500)]
    assert refusal(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]).getvalue()) == why.NOT_A_PHOTO


def test_of_several_shots_in_one_heic_the_chosen_one_is_the_photo():
    shots = [Image.new("RGB", (64, 64), color) for color in (RED, BLUE)]
    source = saved(shots[0], "HEIF", save_all=True, append_images=shots[1:], primary_index=1)
    assert is_near(shown(photos.prepare(source)), (20, 20), BLUE, 30)


def test_the_preview_in_a_heic_never_stands_for_the_photo():
    """A file may carry a preview of something else; a decoder that is asked for a small picture would take it."""
    whole = Image.new("RGB", (2400, 1800), RED)
    source = saved(whole, "HEIF", quality=20, thumbnails=[2200]).getvalue()
    opened = Image.open(io.BytesIO(source))
    assert opened.draft("RGB", (1600, 1200)) is None
    made = photos.prepare(io.BytesIO(source))
    assert (made.width, made.height) == (1600, 1200)


def test_a_heic_is_turned_once():
    """What opens HEIC has turned it, and EXIF still says how the camera was held. XMP says so too, in some files."""
    exif = Image.Exif()
    exif[0x0112] = 6
    held = quarters().transpose(Image.Transpose.ROTATE_90)
    source = saved(held, "HEIF", exif=exif, xmp=b'<x:xmpmeta tiff:Orientation="6"/>')
    image = shown(photos.prepare(source))
    assert image.size == (80, 40)
    assert is_near(image, (5, 5), RED, 60)


POLYGLOTS = {
    "zip": b"PK\x03\x04" + SECRET + b"PK\x05\x06" + bytes(18),
    "html": b"<html><script>alert('" + SECRET + b"')</script></html>",
    "script": b"*/=alert('" + SECRET + b"')//",
    "php": b"<?php system('" + SECRET + b"') ?>",
    "pdf": b"%PDF-1.7 " + SECRET,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hidden", POLYGLOTS)
def test_of_a_file_that_is_two_things_only_the_photo_is_kept(kind, hidden):
    source = saved(quarters(), kind).getvalue() + POLYGLOTS[hidden]
    made = photos.prepare(io.BytesIO(source))
    assert is_near(shown(made), (5, 5), RED, 60)
    for data in (made.photo, made.thumb):
        assert_bare(data)


def test_a_script_that_begins_like_a_gif_is_no_photo():
    assert refusal(b"GIF89a=1;alert('" + SECRET + b"')//") == why.NOT_A_PHOTO


@pytest.mark.parametrize(
    "size", [(7072, 7072), (20_000, 20_000), (100_000, 100_000), (2_000_000, 2_000_000), (2**31 - 1, 1)]
)
def test_a_decompression_bomb_is_refused_by_its_header(size):
    assert size[0] * size[1] > limits.PHOTO_PIXELS
    assert refusal(png_of(*size)) == why.TOO_MANY_PIXELS


def test_bombs_of_other_formats_are_refused_too():
    heic, avif = (saved(quarters(), kind).getvalue() for kind in ("HEIF", "AVIF"))
    assert refusal(jpeg_of(65_000, 65_000)) == why.TOO_MANY_PIXELS
    assert refusal(heic_grid(8_192, 6_656)) == why.TOO_MANY_PIXELS
    assert refusal(with_other_size(heic, 100_000, 100_000)) == why.TOO_MANY_PIXELS
    assert refusal(with_other_size(avif, 100_000, 100_000)) == why.CUT_OFF
    assert refusal(with_other_size(heic, 30, 20)) == why.CUT_OFF  # smaller in the header than it is


def test_a_jpeg_of_endless_scans_is_refused_and_an_ordinary_progressive_one_is_not():
    assert refusal(jpeg_of_many_scans(50_000)) == why.TOO_MANY_SCANS
    assert refusal(jpeg_of_many_scans(15)) == why.TOO_MANY_SCANS
    assert shown(photos.prepare(io.BytesIO(jpeg_of_many_scans(1)))).size == (640, 480)


def test_a_film_behind_a_jpeg_is_not_taken_for_scans():
    photo = saved(quarters(), "JPEG").getvalue() + b"\xff\xda\x00\x02" * 5_000
    assert shown(photos.prepare(io.BytesIO(photo))).size == (80, 40)


@pytest.mark.parametrize(
    "data",
    [
        jpeg_of_many_parts(b"\xff\xe5\x00\x02"),
        jpeg_of_many_parts(b"\xff\xd9"),
        jpeg_of_many_parts(b"\xff"),
        png_of_many_parts(1_700_000),
    ],
    ids=["empty segments", "ends", "fill", "empty chunks"],
)
def test_a_file_of_endless_parts_is_refused_at_once(data):
    began = time.monotonic()
    assert refusal(data) == why.TOO_MANY_PARTS
    assert time.monotonic() - began < 5  # 22 s and more before


def test_as_many_parts_as_encoders_write_are_no_reason():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().ljust(4_000_000, b"\x00")
    assert shown(photos.prepare(saved(quarters(), "JPEG", icc_profile=profile))).size == (80, 40)
    assert shown(photos.prepare(io.BytesIO(png_of_many_parts(5_000)))).size == (64, 64)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_avif_whose_frame_is_larger_than_it_says_is_refused(mode):
    """A decoder unfolds the frame, 16,300 pixels square for one, and scales it to what the file says."""
    avif = saved(Image.new(mode, (1000, 800), "red"), "AVIF", speed=10).getvalue()
    assert refusal(with_other_size(avif, 100, 80, everywhere=True)) == why.CUT_OFF
    assert shown(photos.prepare(io.BytesIO(avif))).size == (1000, 800)


def test_an_avif_frame_beyond_the_limit_is_refused_whatever_the_file_says(monkeypatch):
    avif = saved(Image.new("RGB", (1000, 800), "red"), "AVIF", speed=10).getvalue()
    monkeypatch.setattr(limits, "PHOTO_PIXELS", 799_999)
    with pytest.raises(ValidationError) as caught:
        photo_structure.check(with_other_size(avif, 100, 80, everywhere=True))
    assert caught.value.messages == [why.TOO_MANY_PIXELS]


def test_a_text_chunk_that_unfolds_is_refused():
    from PIL import PngImagePlugin

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * (80 * 1024 * 1024), zip=True)
    assert refusal(saved(quarters(), "PNG", pnginfo=notes).getvalue()) == why.CUT_OFF


def test_too_many_bytes_are_refused_whatever_the_request_says():
    class Lying(io.BytesIO):
        size = 10

    with pytest.raises(ValidationError, match="larger than 20 MB"):
        photos.prepare(Lying(bytes(limits.PHOTO_BYTES + 1)))


MEASURE = """
import sys
from listings import photo_decoding
photo_decoding._limit_memory()
made = photo_decoding.decoded(open(sys.argv[1], "rb").read())
# VmHWM belongs to this program alone; ru_maxrss would start at what the test runner held when it forked.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(made.width, made.height, int(peak.split()[1]) // 1024)
"""


def large(kind: str, path: Path) -> None:
    """A photo of 48 megapixels (50 in PNG, with transparency: the largest that is taken)."""
    if kind == "HEIF":
        path.write_bytes(heic_grid(8064, 6048))
    elif kind == "PNG":
        Image.new("RGBA", (10_000, 5_000), (9, 9, 9, 90)).save(path, kind)
    elif kind == "progressive":
        Image.new("RGB", (8064, 6048), (9, 9, 9)).save(path, "JPEG", progressive=True, subsampling=0)
    else:
        Image.new("RGB", (8064, 6048), (9, 9, 9)).save(path, kind, speed=10, method=0)


# Measured on 2026-11-28 with photos of 48 megapixels, the 40 MB of the program included: JPEG 90, progressive JPEG 360,
# HEIC 470, PNG 340, AVIF 470, WebP 830 (two canvases). Of address space, which limits.DECODE_BYTES bounds, 100 more.
@pytest.mark.parametrize(
    ("kind", "megabytes"),
    [("JPEG", 150), ("progressive", 450), ("HEIF", 600), ("AVIF", 640), ("PNG", 480), ("WEBP", 940)],
)
def test_the_largest_photo_needs_bounded_memory(kind, megabytes, tmp_path):
    """A process as the decoder's, which decodes one photo at a time (test_decoder_process.py)."""
    path = tmp_path / "large"
    large(kind, path)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True,
        env=decoder_process.ENVIRONMENT,
    )  # fmt: skip
    width, height, peak = map(int, done.stdout.split())
    assert (width, height) == ((1600, 800) if kind == "PNG" else (1600, 1200))
    assert peak < megabytes


@pytest.mark.django_db
def test_a_full_disk_is_a_sentence_and_leaves_nothing(merchant, media):
    media.parent.mkdir(exist_ok=True)
    media.write_text("a file where the folder should be")
    with pytest.raises(ValidationError, match="could not be stored"):
        photos.store_upload(merchant, saved(quarters()))
    assert not Photo.objects.exists()


def listing_of(merchant: Any, *shown: Photo) -> Listing:
    listing = Listing.objects.create(seller=merchant, title="Kettle", description="Blue.", category="kitchen", price=5)
    Photo.objects.filter(pk__in=[photo.pk for photo in shown]).update(listing=listing)
    return listing


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_abandoned_photos_go_with_their_files_and_others_stay(merchant, media):
    taken, fresh, old = (photos.store_upload(merchant, saved(quarters((n, 20)))) for n in (20, 30, 40))
    listing_of(merchant, taken)
    Photo.objects.filter(pk__in=[taken.pk, old.pk]).update(created_at=timezone.now() - timedelta(days=2))
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 1
    assert set(Photo.objects.all()) == {taken, fresh}
    kept = {str(path.relative_to(media)) for path in media.rglob("*.*")}
    assert kept == {taken.file, taken.thumb, fresh.file, fresh.thumb}
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 0


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_a_copy_shares_the_files_until_the_last_one_goes(merchant, media):
    original = photos.store_upload(merchant, saved(quarters()))
    original.alt = "A kettle"
    original.save()
    copy = photos.copy_staged(original, merchant)
    assert (copy.listing, copy.alt, copy.file, copy.sha256) == (None, "A kettle", original.file, original.sha256)
    long_ago = timezone.now() - timedelta(days=2)
    Photo.objects.filter(pk=copy.pk).update(created_at=long_ago)
    listing_of(merchant, original)
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 1
    assert (media / original.file).exists()
    assert (media / original.thumb).exists()
    Photo.objects.update(listing=None, created_at=long_ago)
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 1
    assert not list(media.rglob("*.*"))


@pytest.mark.django_db(transaction=True)
def test_room_that_was_made_for_a_photo_that_did_not_fit_is_taken_back(merchant, media, monkeypatch):
    monkeypatch.setattr(limits, "STAGED_PHOTOS", 1)
    old = photos.store_upload(merchant, saved(quarters((20, 20))))
    Photo.objects.update(created_at=timezone.now() - timedelta(days=2))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(photos, "write", full)
        with pytest.raises(ValidationError, match="could not be stored"):
            photos.store_upload(merchant, saved(quarters((30, 20))))
    assert Photo.objects.get() == old
    assert (media / old.file).exists()
    photos.store_upload(merchant, saved(quarters((30, 20))))
    assert not (media / old.file).exists()


@pytest.mark.django_db
def test_a_photo_that_is_gone_cannot_be_copied(merchant):
    photo = photos.store_upload(merchant, saved(quarters()))
    assert photos.remove_staged(merchant, photo.pk)
    with pytest.raises(ValidationError, match="no longer here"):
        photos.copy_staged(photo, merchant)


@pytest.mark.django_db
def test_cleaning_up_takes_bounded_steps(merchant):
    for width in (20, 30, 40):
        photos.store_upload(merchant, saved(quarters((width, 20))))
    Photo.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert photos.remove_abandoned(older_than=timedelta(days=1), at_most=2) == 2
    assert photos.remove_abandoned(older_than=timedelta(days=1), at_most=2) == 1


def test_names_are_random_and_of_one_shape(media):
    names = {photos._new_name("jpg") for _ in range(50)}
    assert len(names) == 50
    assert all(re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}\.jpg", name) for name in names)


def test_a_photo_that_is_endless_on_one_side_is_refused_before_it_is_decoded():
    data = io.BytesIO()
    Image.new("L", (1, 30_001)).save(data, "PNG")
    data.seek(0)
    with pytest.raises(ValidationError, match="longer than 30000 pixels"):
        photos.prepare(data)


# --- Waiting photos --------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_same_bytes_give_the_same_waiting_photo(merchant, other_merchant, media):
    first = photos.store_upload(merchant, saved(quarters()))
    Photo.objects.update(created_at=timezone.now() - timedelta(days=29))
    again = photos.store_upload(merchant, saved(quarters()))
    assert again == first
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 0, "it is young again"
    assert photos.store_upload(other_merchant, saved(quarters())) != first
    listing_of(merchant, first)
    assert photos.store_upload(merchant, saved(quarters())) != first, "a listing has the first one"
    assert Photo.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_requests_with_one_photo_at_once_make_one_photo(merchant, media, monkeypatch):
    store = photos.store
    monkeypatch.setattr(photos, "store", lambda *given: (time.sleep(0.3), store(*given))[1])
    data = saved(Image.effect_noise((700, 700), 50).convert("RGB"), "JPEG").getvalue()

    def send(_: int) -> int:
        try:
            return photos.store_upload(merchant, io.BytesIO(data)).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(decoder_process.IN_LINE) as pool:
        assert len(set(pool.map(send, range(decoder_process.IN_LINE)))) == 1
    assert Photo.objects.count() == 1
    assert len([path for path in media.rglob("*") if path.is_file()]) == 2


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_waiting_photos_are_bounded_and_old_ones_make_room(merchant, media, monkeypatch):
    monkeypatch.setattr(limits, "STAGED_PHOTOS", 3)
    kept = [photos.store_upload(merchant, saved(quarters((width, 20)))) for width in (20, 30, 40)]
    with pytest.raises(ValidationError, match="within a day"):
        photos.store_upload(merchant, saved(quarters((50, 20))))
    with pytest.raises(ValidationError, match="within a day"):
        photos.copy_staged(kept[0], merchant)
    assert len([path for path in media.rglob("*") if path.is_file()]) == 6
    Photo.objects.filter(pk=kept[1].pk).update(created_at=timezone.now() - timedelta(days=2))
    fresh = photos.store_upload(merchant, saved(quarters((50, 20))))
    assert set(Photo.objects.all()) == {kept[0], kept[2], fresh}
    assert not (media / kept[1].file).exists()


@pytest.mark.django_db
def test_whoever_sends_without_end_is_slowed_down(merchant, monkeypatch):
    monkeypatch.setattr(limits, "UPLOADS_IN_A_ROW", 3)
    for _ in range(3):
        with pytest.raises(ValidationError, match="not a photo"):
            photos.store_upload(merchant, io.BytesIO(b"none"))
    with pytest.raises(ValidationError, match="Wait a little"):
        photos.store_upload(merchant, saved(quarters()))
    assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("image", "colour"),
    [(Image.new("RGB", (30, 30), RED), "#ff0000"), (Image.new("RGBA", (9, 9), (0,) * 4), "#ffffff")],
)
def test_the_placeholder_is_the_average_colour(image, colour):
    assert photos.prepare(saved(image)).colour == colour


def test_the_average_counts_every_part_of_the_photo():
    red, green, blue = bytes.fromhex(photos.prepare(saved(quarters((400, 200)))).colour[1:])
    assert abs(red - 64) < 4 and green < 4 and abs(blue - 191) < 4
