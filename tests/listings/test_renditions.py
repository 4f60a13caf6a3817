"""The sizes of a photo: what is made, that it is made in the end, and that nothing of it is left behind."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image

from listings import photo_decoding, photos, renditions, tasks
from listings.models import Photo
from listings.views.files import PHOTO_PATH
from tests.listings.odd_files import saved
from tests.stack import until


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def stored(owner: Any, size: tuple[int, int] = (1600, 1200), color: str = "#8a2be2") -> Photo:
    return photos.store_upload(owner, saved(Image.new("RGB", size, color), "JPEG"))


def files(media: Path) -> set[str]:
    return {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}


def named(photo: Photo) -> set[str]:
    return {photo.file, photo.thumb} | {made[kind] for made in photo.renditions for kind in ("jpeg", "webp")}


@pytest.mark.parametrize(
    ("width", "steps"),
    [
        (1600, [320, 640, 960, 1600]),
        (1599, [320, 640, 960, 1599]),
        (1000, [320, 640, 1000]),
        (700, [320, 700]),
        (330, [330]),
        (1, [1]),
    ],
)
def test_no_step_is_wider_than_the_photo_or_close_to_it(width, steps):
    assert renditions.widths(width) == steps


@pytest.mark.django_db
@pytest.mark.parametrize("size", [(1600, 1200), (1200, 1600), (1600, 3), (3, 1600), (1, 1)])
def test_every_rendition_is_what_its_row_says(merchant, media, size):
    photo = stored(merchant, size)
    assert photo.renditions == []
    renditions.make(photo.pk)
    photo.refresh_from_db()
    assert photo.renditions_due_at is None
    assert [made["width"] for made in photo.renditions] == renditions.widths(photo.width)
    for made in photo.renditions:
        for kind, format in (("jpeg", "JPEG"), ("webp", "WEBP")):
            assert PHOTO_PATH.fullmatch(made[kind])
            with Image.open(media / made[kind]) as image:
                image.load()
                assert (image.format, image.size) == (format, (made["width"], made["height"]))
    assert photo.renditions[-1]["jpeg"] == photo.file, "the widest JPEG is the master itself"
    assert files(media) == named(photo)


@pytest.mark.django_db
def test_a_second_run_changes_nothing(merchant, media):
    photo = stored(merchant)
    renditions.make(photo.pk)
    before = {name: (media / name).stat().st_mtime_ns for name in files(media)}
    renditions.make(photo.pk)
    renditions.make(photo.pk + 1)  # a photo that is no more
    assert {name: (media / name).stat().st_mtime_ns for name in files(media)} == before


@pytest.mark.django_db
def test_a_run_that_was_killed_is_made_good_by_the_next(merchant, media, monkeypatch):
    photo = stored(merchant)
    write, left = photos.write, [3]

    def dying(name: str, content: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        write(name, content)

    monkeypatch.setattr(photos, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        renditions.make(photo.pk)
    monkeypatch.setattr(photos, "write", write)
    photo.refresh_from_db()
    assert (photo.renditions, photo.renditions_due_at is None) == ([], False)
    assert len(files(media)) == 4
    renditions.make(photo.pk)
    photo.refresh_from_db()
    assert files(media) == named(photo)


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_a_photo_that_goes_takes_half_made_renditions_along(merchant, media, monkeypatch):
    photo = stored(merchant)
    write = photos.write
    monkeypatch.setattr(photos, "write", lambda name, content: (write(name, content), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        renditions.make(photo.pk)
    (media / photo.file).with_name(f"{Path(photo.file).stem}-320-9f.part").write_bytes(b"half")
    assert len(files(media)) == 4
    assert photos.remove_staged(merchant, photo.pk)
    assert files(media) == set()


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_a_photo_that_is_removed_while_its_renditions_are_made_leaves_nothing(merchant, media, monkeypatch):
    photo = stored(merchant)
    colour = photo_decoding.average_colour

    def removing(image: Image.Image) -> str:
        assert photos.remove_staged(merchant, photo.pk)
        photos.write(f"{photo.file[:-4]}-1600.webp", b"the last file, written just now")
        return colour(image)

    monkeypatch.setattr(renditions, "average_colour", removing)
    renditions.make(photo.pk)
    assert files(media) == set()


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_copies_share_their_renditions_until_the_last_goes(merchant, media):
    photo = stored(merchant)
    copy = photos.copy_staged(photo, merchant)
    renditions.make(copy.pk)
    photo.refresh_from_db()
    copy.refresh_from_db()
    assert photo.renditions == copy.renditions != []
    assert photo.renditions_due_at is copy.renditions_due_at is None
    later = photos.copy_staged(photo, merchant)
    assert (later.renditions, later.renditions_due_at, later.colour) == (photo.renditions, None, photo.colour)
    for one in (photo, copy):
        assert photos.remove_staged(merchant, one.pk)
        assert files(media) == named(later)
    assert photos.remove_staged(merchant, later.pk)
    assert files(media) == set()


@pytest.mark.django_db
def test_a_master_that_cannot_be_read_is_tried_again_later_and_shown_as_it_is(merchant, media):
    photo = stored(merchant)
    (media / photo.file).write_bytes(b"\xff\xd8\xff damaged")
    renditions.make(photo.pk)
    photo.refresh_from_db()
    assert photo.renditions == []
    assert photo.renditions_due_at > timezone.now() + timedelta(minutes=30)


@pytest.mark.django_db
def test_a_photo_from_before_gets_its_colour_too(merchant, media):
    photo = stored(merchant, color="#ff0000")
    Photo.objects.update(colour="", renditions_due_at="2020-01-01T00:00Z")
    renditions.make(photo.pk)
    photo.refresh_from_db()
    assert photo.colour[:3] == "#fe"


# --- The queue -------------------------------------------------------------------------------------------------------
def is_made(photo: Photo) -> bool:
    return Photo.objects.filter(pk=photo.pk, renditions_due_at=None).exclude(renditions=[]).exists()


@pytest.mark.site
def test_the_worker_makes_them_in_a_moment(site, merchant):
    photo = stored(merchant)
    until(lambda: is_made(photo), 20, "renditions are made")


@pytest.mark.site
def test_nothing_is_lost_when_redis_is_wiped(site, merchant):
    site.stop_worker()
    photo = stored(merchant)
    site.wipe_redis()
    Photo.objects.update(renditions_due_at=timezone.now())
    site.start_worker()
    until(lambda: is_made(photo), 60, "the sweeper finds what is missing")


@pytest.mark.site
def test_the_sweeper_sends_what_is_owed_once(site, merchant):
    site.stop_worker()
    site.kill("beat")
    try:
        for color in ("red", "green"):
            stored(merchant, (400, 300), color)
        Photo.objects.filter(pk=Photo.objects.first().pk).update(renditions_due_at=timezone.now())
        site.wipe_redis()
        for _ in range(3):
            assert tasks.sweep() == 0
        assert site.queued("make_renditions", "renditions") == 1
        site.kill_redis()
        Photo.objects.update(renditions_due_at=timezone.now())
        tasks.sweep()
        assert Photo.objects.filter(renditions_due_at__lte=timezone.now()).count() == 2, "the broker is away: next time"
    finally:
        site.start_redis()
        site.spawn("beat")
        site.start_worker()


# --- On a page -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_pages_show_the_master_first_and_all_sizes_later(client, merchant, media, make_listing):
    listing = make_listing()
    photo = stored(merchant, (1600, 1200))
    Photo.objects.update(listing=listing)
    before = client.get(f"/item/{listing.public_id}/").content.decode()
    assert (
        f'<img src="/media/{photo.file}" alt="{listing.title}" width="1600" height="1200" decoding="async">' in before
    )
    assert f'fill="{photo.colour}"' in before
    assert "srcset" not in before
    renditions.make(photo.pk)
    photo.refresh_from_db()
    page = client.get(f"/item/{listing.public_id}/").content.decode()
    webp = ", ".join(f"/media/{made['webp']} {made['width']}w" for made in photo.renditions)
    assert f'<source type="image/webp" srcset="{webp}" sizes="' in page
    assert f"/media/{photo.file} 1600w" in page
    tile = client.get("/").content.decode()
    assert f'<img src="/media/{photo.thumb}"' in tile
    assert "calc(1.33 * 18rem)" in tile, "a landscape in a square box is drawn wider than the box"
    assert "style=" not in tile + page, "the security policy forbids it"


@pytest.mark.django_db
def test_renditions_are_served_with_a_fixed_type_and_for_a_day(client, merchant, media):
    client.force_login(merchant)
    photo = stored(merchant)
    renditions.make(photo.pk)
    photo.refresh_from_db()
    for kind, type in (("jpeg", "image/jpeg"), ("webp", "image/webp")):
        answer = client.get(f"/media/{photo.renditions[0][kind]}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, type)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        assert answer.headers["Cache-Control"] == "private, max-age=86400"
        Image.open(io.BytesIO(b"".join(answer))).load()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.jpg.html", "-9f.part", "..%2f..%2fsecret_key", "x.php", "x.js"])
def test_nothing_else_is_served_from_the_folder_of_photos(client, merchant, media, name):
    photo = stored(merchant)
    stray = (media / photo.file).with_name(f"{Path(photo.file).stem}{name}".replace("%2f", "_"))
    stray.write_bytes(b"<script>alert(1)</script>")
    assert client.get(f"/media/{photo.file[:2]}/{Path(photo.file).stem}{name}").status_code == 404
