"""Whatever a phone, a browser or an attacker sends as a photo."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import subprocess
import sys
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageCms

from listings import limits, photos
from listings.models import Listing, Photo
from listings.views.files import PHOTO_PATH
from tests.settings import ROOT

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> io.BytesIO:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data


def shown(made: photos.Renditions) -> Image.Image:
    image = Image.open(io.BytesIO(made.photo))
    image.load()
    return image


def is_near(image: Image.Image, at: tuple[int, int], color: tuple[int, int, int], by: int = 12) -> bool:
    found = image.convert("RGB").getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= by for a, b in zip(found, color, strict=True))


def refusal(data: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        photos.make_renditions(io.BytesIO(data))
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
    made = photos.make_renditions(saved(Image.new("RGB", size)))
    assert (made.width, made.height) == photo == shown(made).size
    assert Image.open(io.BytesIO(made.thumb)).size == thumb


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright_and_leaves_no_metadata(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of Mara, 12 Elm Street"
    exif.get_ifd(0x8825)[1] = "N"
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}  # the turn that the camera made, undone by the one it notes
    held = quarters()
    if orientation > 1:
        held = held.transpose(photos.TURNS[back[orientation]])
    made = photos.make_renditions(saved(held, kind, exif=exif))
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


def test_comments_and_text_chunks_are_gone():
    from PIL import PngImagePlugin

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "call 0123")
    notes.add_itxt("XML:com.adobe.xmp", "<x>call 0123</x>")
    for source in (
        saved(quarters(), "PNG", pnginfo=notes),
        saved(quarters(), "JPEG", comment=b"call 0123"),
        saved(quarters(), "WEBP", xmp=b"<x>call 0123</x>"),
    ):
        made = photos.make_renditions(source)
        assert b"0123" not in made.photo
        assert b"0123" not in made.thumb


def test_a_broken_exif_block_does_not_spoil_the_photo():
    data = saved(quarters(), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff").getvalue()
    assert shown(photos.make_renditions(io.BytesIO(data))).size == (80, 40)


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
        (Image.new("P", (30, 30), 0), {}, (0, 0, 0)),
    ],
)
def test_every_kind_of_pixel_is_shown_on_white(image, options, color):
    made = photos.make_renditions(saved(image, "PNG", **options))
    assert shown(made).mode == "RGB"
    assert is_near(shown(made), (15, 15), color, 3)


def test_cmyk_is_shown_in_rgb():
    made = photos.make_renditions(saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"))
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
    assert is_near(shown(photos.make_renditions(source)), (20, 20), BLUE, 20)


@pytest.mark.parametrize("profile", [b"no profile", b"\x00" * 4000])
def test_a_damaged_colour_profile_is_left_out(profile):
    source = saved(Image.new("RGB", (40, 40), RED), "JPEG", icc_profile=profile)
    assert is_near(shown(photos.make_renditions(source)), (20, 20), RED, 5)


def test_the_first_frame_of_a_phones_mpo_is_the_photo():
    source = saved(Image.new("RGB", (60, 40), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))])
    assert is_near(shown(photos.make_renditions(source)), (20, 20), RED, 5)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", photos.EMPTY),
        (b"hello", photos.NOT_A_PHOTO),
        (b"\x00", photos.NOT_A_PHOTO),
        (b"%PDF-1.7 ...", photos.NOT_A_PHOTO),
        (b"<html><script>alert(1)</script></html>", photos.NOT_A_PHOTO),
        (b'<?xml version="1.0"?><SVG xmlns="http://www.w3.org/2000/svg"/>', photos.SVG),
        (b"\x00\x00\x00\x20ftypheic" + bytes(60), photos.HEIC),
        (b"\xff\xd8\xff\xe0", photos.CUT_OFF),
        (b"\x89PNG\r\n\x1a\n", photos.CUT_OFF),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", photos.CUT_OFF),
        (saved(Image.new("RGB", (9, 9)), "GIF").getvalue(), photos.NOT_A_PHOTO),
        (saved(Image.new("RGB", (9, 9)), "BMP").getvalue(), photos.NOT_A_PHOTO),
    ],
)
def test_what_is_no_photo_is_refused_in_one_sentence(data, text):
    assert refusal(data) == text


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_that_was_cut_off_is_refused_wherever_it_ends(kind):
    noise = Image.effect_noise((200, 200), 80).convert("RGB")
    whole = saved(noise, kind).getvalue()
    for share in (0.02, 0.2, 0.5, 0.8):
        assert refusal(whole[: int(len(whole) * share)]) == photos.CUT_OFF


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_bytes_never_raise_anything_else(kind):
    whole = saved(quarters((64, 64)), kind).getvalue()
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        try:
            photos.make_renditions(io.BytesIO(bytes(broken)))
        except ValidationError as error:
            assert error.messages[0] in (photos.CUT_OFF, photos.NOT_A_PHOTO, photos.TOO_MANY_PIXELS, photos.ANIMATED)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind):
    frames = [Image.new("RGB", (20, 20), color) for color in (RED, BLUE, GREEN)]
    assert refusal(saved(frames[0], kind, save_all=True, append_images=frames[1:]).getvalue()) == photos.ANIMATED


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and brings next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(7072, 7072), (20_000, 20_000), (2_000_000, 2_000_000), (2**31 - 1, 1)])
def test_a_decompression_bomb_is_refused_by_its_header(size):
    assert size[0] * size[1] > limits.PHOTO_PIXELS
    assert refusal(png_of(*size)) == photos.TOO_MANY_PIXELS


def test_a_text_chunk_that_unfolds_is_refused():
    from PIL import PngImagePlugin

    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * (80 * 1024 * 1024), zip=True)
    assert refusal(saved(quarters(), "PNG", pnginfo=notes).getvalue()) == photos.CUT_OFF


def test_too_many_bytes_are_refused_whatever_the_request_says():
    class Lying(io.BytesIO):
        size = 10

    with pytest.raises(ValidationError, match="larger than 15 MB"):
        photos.make_renditions(Lying(bytes(limits.PHOTO_BYTES + 1)))


MEASURE = """
import sys
import django; django.setup()
from listings import photos
made = photos.make_renditions(open(sys.argv[1], "rb"))
# VmHWM belongs to this program alone; ru_maxrss would start at what the test runner held when it forked.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(made.width, made.height, int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize(("kind", "megabytes"), [("JPEG", 330), ("PNG", 560)])
def test_the_largest_photo_needs_bounded_memory(kind, megabytes, tmp_path):
    """A process of its own, for the peak counts: about 90 MB of it are Django and the model runtime's numpy."""
    path = tmp_path / "large"
    mode, color = ("RGBA", (9, 9, 9, 90)) if kind == "PNG" else ("RGB", (9, 9, 9))
    Image.new(mode, (10_000, 5_000), color).save(path, kind)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], cwd=ROOT, capture_output=True, text=True, check=True,
        env={"DJANGO_SETTINGS_MODULE": "marketplace.settings", "PATH": "/usr/bin", "SECRET_KEY": "x" * 40},
    )  # fmt: skip
    width, height, peak = map(int, done.stdout.split())
    assert (width, height) == (1600, 800)
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


@pytest.mark.django_db
def test_abandoned_photos_go_with_their_files_and_others_stay(merchant, media):
    taken, fresh, old = (photos.store_upload(merchant, saved(quarters((n, 20)))) for n in (20, 30, 40))
    listing_of(merchant, taken)
    Photo.objects.filter(pk__in=[taken.pk, old.pk]).update(created_at=timezone.now() - timedelta(days=2))
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 1
    assert set(Photo.objects.all()) == {taken, fresh}
    kept = {str(path.relative_to(media)) for path in media.rglob("*.*")}
    assert kept == {taken.file, taken.thumb, fresh.file, fresh.thumb}
    assert photos.remove_abandoned(older_than=timedelta(days=1)) == 0


@pytest.mark.django_db
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


@pytest.mark.django_db
def test_cleaning_up_takes_bounded_steps(merchant):
    for _ in range(3):
        photos.store_upload(merchant, saved(quarters()))
    Photo.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert photos.remove_abandoned(older_than=timedelta(days=1), at_most=2) == 2
    assert photos.remove_abandoned(older_than=timedelta(days=1), at_most=2) == 1


def test_names_are_random_and_of_one_shape(media):
    names = {photos._write(b"x", "jpg") for _ in range(50)}
    assert len(names) == 50
    assert all(re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}\.jpg", name) for name in names)


def test_a_photo_that_is_endless_on_one_side_is_refused_before_it_is_decoded():
    data = io.BytesIO()
    Image.new("L", (1, 30_001)).save(data, "PNG")
    data.seek(0)
    with pytest.raises(ValidationError, match="longer than 30000 pixels"):
        photos.make_renditions(data)
