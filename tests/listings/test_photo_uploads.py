"""POST /api/photos and the form without JavaScript: one photo for one request, whatever happens on the line."""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings as site_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from listings import decoder_process, limits, photos
from listings import photo_refusals as why
from listings.models import Listing, Photo
from tests.conftest import PASSWORD
from tests.listings.odd_files import heic_grid, png_of, saved
from tests.listings.test_api import assert_refused
from tests.stack import until

ADDRESS = "/api/photos"


@pytest.fixture(autouse=True)
def media(request: Any, settings: Any, tmp_path: Path) -> Path:
    if "site" not in request.fixturenames:  # the running site has its own
        settings.MEDIA_ROOT = tmp_path / "media"
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def signed_in(merchant: Any, as_user: Any) -> Client:
    return as_user(merchant)


def picture(kind: str = "JPEG", size: tuple[int, int] = (800, 600), color: str = "#2a6") -> bytes:
    return saved(Image.new("RGB", size, color), kind).getvalue()


def send(client: Client, data: bytes, name: str = "photo.jpg", type: str = "image/jpeg", **more: Any) -> Any:
    return client.post(ADDRESS, {"photo": SimpleUploadedFile(name, data, type)}, **more)


def files(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def test_a_photo_comes_back_with_all_that_the_page_needs(signed_in, merchant, media):
    answer = send(signed_in, picture())
    photo = Photo.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": photo.pk,
        "url": f"/media/{photo.file}",
        "thumb": f"/media/{photo.thumb}",
        "width": 800,
        "height": 600,
        "colour": photo.colour,
        "sha256": photo.sha256,
    }
    assert "no-store" in answer.headers["Cache-Control"]
    assert (photo.owner, photo.listing) == (merchant, None)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_the_content_decides_and_not_the_name_or_the_type(signed_in, kind):
    for name, type in (("photo.svg", "image/svg+xml"), ("../../a.php", "text/html"), ("ohne", "application/x-foo")):
        answer = send(signed_in, picture(kind), name, type)
        assert answer.status_code == 201, answer.content
        assert answer.json()["url"].endswith(".jpg")
    assert Photo.objects.count() == 1


def test_sending_again_after_a_lost_answer_makes_no_second_photo(signed_in, media):
    first = send(signed_in, picture())
    again = send(signed_in, picture())
    assert again.status_code == 201
    assert again.json() == first.json()
    assert len(files(media)) == 2


def test_the_form_takes_what_was_sent_before_it(signed_in, form_data):
    ids = [send(signed_in, picture(color=color)).json()["id"] for color in ("red", "green")]
    order = ",".join(f"id:{pk}" for pk in reversed(ids))
    assert signed_in.post("/sell/new/", form_data(photo_order=order)).status_code == 302
    assert [photo.pk for photo in Listing.objects.get().photos.all()] == ids[::-1]


@pytest.mark.parametrize(
    ("data", "status", "code", "text"),
    [
        (b"hello", 400, "not_a_photo", why.NOT_A_PHOTO),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400, "not_a_photo", why.SVG),
        (picture()[:900], 400, "cut_off", why.CUT_OFF),
        (png_of(100_000, 100_000), 400, "too_many_pixels", why.TOO_MANY_PIXELS),
        (png_of(1, 40_000), 400, "too_long", why.TOO_LONG),
        (b"\xff\xd8\xff" + bytes(limits.PHOTO_BYTES), 413, "too_large", why.TOO_MANY_BYTES),
    ],
)
def test_what_is_no_good_photo_is_refused_in_one_sentence(signed_in, media, data, status, code, text):
    answer = send(signed_in, data)
    assert_refused(answer, status, code)
    assert answer.json()["error"] == {"code": code, "message": text, "fields": {"photo": text}}
    assert not Photo.objects.exists()
    assert files(media) == []


@pytest.mark.parametrize(
    ("body", "type"),
    [
        ({}, None),
        ({"other": "word"}, None),
        ({"photo": "a word and no file"}, None),
        (b"{}", "application/json"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nnothing", "multipart/form-data; boundary=x"),
        (b"no boundary", "multipart/form-data"),
    ],
)
def test_a_request_without_a_photo_is_told_so(signed_in, body, type):
    answer = signed_in.post(ADDRESS, body, **({"content_type": type} if type else {}))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_an_empty_file_is_told_so(signed_in):
    assert send(signed_in, b"").json()["error"]["message"] == why.EMPTY


def test_the_length_is_looked_at_before_anything_is_read(signed_in):
    answer = signed_in.generic(
        "POST", ADDRESS, b"x" * (limits.PHOTO_REQUEST_BYTES + 1), "multipart/form-data; boundary=x"
    )
    assert_refused(answer, 413, "too_large")
    assert answer.json()["error"]["message"] == why.TOO_MANY_BYTES


def test_only_merchants_with_the_token_of_their_page_may_send(client, merchant, shopper, moderator, as_user):
    assert_refused(send(client, picture()), 401, "sign_in_needed")
    for person in (shopper, moderator):
        assert_refused(send(as_user(person), picture()), 403, "forbidden")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(merchant)
    assert_refused(send(strict, picture()), 403, "csrf")
    strict.get("/sell/new/")
    token = strict.cookies["csrftoken"].value
    assert send(strict, picture(), headers={"X-CSRFToken": token}).status_code == 201


def test_too_many_at_once_get_a_plain_message(signed_in, monkeypatch):
    monkeypatch.setattr(limits, "UPLOADS_IN_A_ROW", 2)
    assert [send(signed_in, picture(color=color)).status_code for color in ("red", "green")] == [201, 201]
    answer = send(signed_in, picture(color="blue"))
    assert_refused(answer, 429, "too_many_uploads")
    assert "Wait a little" in answer.json()["error"]["message"]


def test_too_many_that_wait_are_refused(signed_in, monkeypatch):
    monkeypatch.setattr(limits, "STAGED_PHOTOS", 1)
    assert send(signed_in, picture()).status_code == 201
    assert_refused(send(signed_in, picture(color="blue")), 409, "too_many_staged")


def test_a_full_disk_is_said_and_leaves_nothing(signed_in, media):
    media.write_text("a file where the folder should be")
    assert_refused(send(signed_in, picture()), 503, "not_stored")
    assert not Photo.objects.exists()


@pytest.mark.django_db(transaction=True)  # files go after the commit
def test_a_waiting_photo_can_be_deleted_and_no_other(signed_in, as_user, other_merchant, media, make_listing):
    waiting, shown = (send(signed_in, picture(color=color)).json()["id"] for color in ("red", "green"))
    Photo.objects.filter(pk=shown).update(listing=make_listing())
    assert as_user(other_merchant).delete(f"{ADDRESS}/{waiting}").status_code == 204
    assert signed_in.delete(f"{ADDRESS}/{shown}").status_code == 204
    assert set(Photo.objects.values_list("pk", flat=True)) == {waiting, shown}
    for _ in range(2):
        assert signed_in.delete(f"{ADDRESS}/{waiting}").status_code == 204
    assert Photo.objects.get().pk == shown
    assert len(files(media)) == 2


@pytest.mark.parametrize("number", ["9" * 40, "-1", "x", "9223372036854775808"])
def test_a_nonsense_number_deletes_nothing(signed_in, number):
    assert signed_in.delete(f"{ADDRESS}/{number}").status_code in (204, 400, 404)


# --- The form without JavaScript -------------------------------------------------------------------------------------
def test_of_thirty_photos_at_once_the_first_eight_stay_and_so_does_the_form(signed_in, form_data):
    many = [SimpleUploadedFile(f"{n}.jpg", picture(size=(40 + n, 30)), "image/jpeg") for n in range(30)]
    answer = signed_in.post("/sell/new/", form_data(photos=many))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "A listing has at most 8 photos. The first 8 are kept here." in page
    assert form_data()["title"] in page
    assert form_data()["description"] in page
    order = ",".join(f"id:{photo.pk}" for photo in Photo.objects.order_by("pk"))
    assert Photo.objects.count() == 8
    assert f'name="photo_order" value="{order}"' in page
    assert signed_in.post("/sell/new/", form_data(photo_order=order)).status_code == 302
    assert Listing.objects.get().photos.count() == 8


def test_good_and_bad_photos_at_once_each_get_their_word(signed_in, form_data):
    sources = [picture("HEIF"), b"", b"GIF89a", picture()[:500], png_of(100_000, 100_000), picture("AVIF")]
    answer = signed_in.post("/sell/new/", form_data(photos=[SimpleUploadedFile("p", data) for data in sources]))
    page = answer.content.decode()
    assert answer.status_code == 400
    # An empty file never reaches the view: browsers send one for "nothing chosen".
    for text in (why.NOT_A_PHOTO, why.CUT_OFF, why.TOO_MANY_PIXELS):
        assert text in page
    assert Photo.objects.count() == 2


def test_one_photo_chosen_twice_is_stored_once(signed_in, form_data):
    twice = [SimpleUploadedFile(f"{n}.jpg", picture(), "image/jpeg") for n in range(2)]
    page = signed_in.post("/sell/new/", form_data(photos=twice, title="")).content.decode()
    assert f'name="photo_order" value="id:{Photo.objects.get().pk}"' in page


def test_a_named_photo_that_is_gone_is_told_and_the_rest_is_kept(signed_in, form_data):
    gone, here = (send(signed_in, picture(color=color)).json()["id"] for color in ("red", "green"))
    signed_in.delete(f"{ADDRESS}/{gone}")
    answer = signed_in.post("/sell/new/", form_data(photo_order=f"id:{gone},id:{here}"))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert f"Photo 1: {why.GONE}" in page
    assert f'name="photo_order" value="id:{here}"' in page
    assert form_data()["description"] in page


def test_words_stay_with_their_photo_when_the_order_repeats_one(signed_in, form_data):
    red, green = (send(signed_in, picture(color=color)).json()["id"] for color in ("red", "green"))
    words = {"alt-0": "Red", "alt-1": "Red again", "alt-2": "Green"}
    signed_in.post("/sell/new/", form_data(photo_order=f"id:{red},id:{red},id:{green}", **words))
    assert [photo.alt for photo in Listing.objects.get().photos.all()] == ["Red", "Green"]


def test_a_photo_that_the_listing_has_already_is_not_added_again(signed_in, form_data):
    first = send(signed_in, picture()).json()["id"]
    signed_in.post("/sell/new/", form_data(photo_order=f"id:{first}"))
    listing = Listing.objects.get()
    again = send(signed_in, picture()).json()["id"]
    edited = form_data(photo_order=f"id:{first},id:{again}", base_edits="1")
    page = signed_in.post(f"/sell/{listing.public_id}/edit/", edited).content.decode()
    assert f"Photo 2: {why.TWICE}" in page
    assert f'name="photo_order" value="id:{first}"' in page
    assert listing.photos.get().pk == first


def test_a_full_line_of_photos_asks_to_come_back(signed_in, monkeypatch):
    monkeypatch.setattr(decoder_process._decoder, "line", threading.BoundedSemaphore(1))
    with decoder_process._decoder.line:
        assert_refused(send(signed_in, picture()), 503, "busy")
    assert send(signed_in, picture()).status_code == 201


def test_two_forms_with_one_waiting_photo_both_show_it(signed_in, merchant, form_data):
    """The second form read the photo as waiting; the first one was sent before it."""
    from listings import submission

    content = {
        "title": "Train", "description": "Wood.", "category": "toys", "attributes": {}, "price": 5,
        "currency": "EUR", "condition": "good",
    }  # fmt: skip
    first_view, second_view = (photos.store_upload(merchant, io.BytesIO(picture())) for _ in range(2))
    listings = [
        submission.submit(seller=merchant, content=content | {"title": title}, photos=[view])
        for title, view in (("One", first_view), ("Two", second_view))
    ]
    shown = [listing.photos.get() for listing in listings]
    assert shown[0].pk == first_view.pk
    assert shown[0].file == shown[1].file


def test_the_form_names_the_formats_and_sizes(signed_in):
    page = signed_in.get("/sell/new/").content.decode()
    assert (
        'accept="image/jpeg,image/png,image/webp,image/avif,image/heic,image/heif,.heic,.heif"' in page
        and "JPEG, PNG, WebP, AVIF or HEIC, at most 20 MB each" in page
    )


# --- Over a real connection ------------------------------------------------------------------------------------------
class Line:
    """A browser's connection, by hand: it may break wherever we like."""

    def __init__(self, site: Any, username: str) -> None:
        self.site = site
        client = Client()
        assert client.login(username=username, password=PASSWORD)
        client.get("/sell/new/")
        self.cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self.token = client.cookies["csrftoken"].value

    def body(self, data: bytes, **fields: str) -> bytes:
        parts = [
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = b'--cut\r\nContent-Disposition: form-data; name="%s"; filename="a.jpg"\r\n\r\n'
        name = b"photos" if fields else b"photo"
        return b"".join(parts) + head % name + data + b"\r\n--cut--\r\n"

    def head(self, path: str, length: int) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self.cookies}\r\nX-CSRFToken: {self.token}\r\n"
            f"Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    def send(self, path: str, body: bytes, share: float) -> bytes:
        """Send this share of the body and end our side. Returns what the server still says."""
        with socket.create_connection(("127.0.0.1", self.site.port), timeout=150) as line:
            line.sendall(self.head(path, len(body)) + body[: int(len(body) * share)])
            line.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := line.recv(1 << 16):
                answer += chunk
            return answer


@pytest.mark.site
def test_a_connection_that_drops_leaves_nothing_and_the_next_try_counts(site, merchant):
    """Even when the part that came is a whole photo: phones append films and previews to theirs."""
    line = Line(site, merchant.username)
    before = set(files(Path(site_settings.MEDIA_ROOT)))
    body = line.body(picture() + bytes(100_000))
    for share in (0.1, 0.5, 0.9, 0.999):
        answer = line.send(ADDRESS, body, share)
        assert b"201" not in answer.split(b"\r\n", 1)[0]
        assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert not Photo.objects.exists()
    assert set(files(Path(site_settings.MEDIA_ROOT))) == before
    assert line.send(ADDRESS, body, 1).startswith(b"HTTP/1.1 201")
    assert Photo.objects.count() == 1


@pytest.mark.site
def test_a_form_that_was_cut_off_stores_nothing(site, merchant, form_data):
    line = Line(site, merchant.username)
    body = line.body(picture() + bytes(50_000), csrfmiddlewaretoken=line.token, **form_data())
    line.send("/sell/new/", body, 0.9)
    time.sleep(0.5)
    assert not Photo.objects.exists()
    assert not Listing.objects.exists()
    line.send("/sell/new/", body, 1)
    assert Listing.objects.count() == Photo.objects.count() == 1


@pytest.mark.site
def test_a_browser_that_sends_too_large_a_photo_can_read_the_answer(site, merchant):
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    connection.putrequest("POST", ADDRESS)
    connection.putheader("Content-Length", str(limits.PHOTO_REQUEST_BYTES + 1))
    connection.endheaders()
    connection.send(bytes(limits.PHOTO_REQUEST_BYTES + 1))
    response = connection.getresponse()
    assert (response.status, b"larger than 20 MB" in response.read()) == (413, True)


def send_until_taken(line: Line, data: bytes) -> bytes:
    """As the page does: when the line of photos is full, it tries again."""
    while (answer := line.send(ADDRESS, line.body(data), 1)).startswith(b"HTTP/1.1 503"):
        time.sleep(1)
    return answer


@pytest.mark.site
def test_pages_answer_while_photos_that_take_long_are_decoded(site, merchant):
    line = Line(site, merchant.username)
    slow = saved(Image.new("RGB", (8000, 6000), (9, 99, 9)), "WEBP", method=0).getvalue()
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(line.send, ADDRESS, line.body(slow + bytes([n])), 1) for n in range(10)]
        time.sleep(1)
        worst = 0.0
        while not all(answer.done() for answer in answers):
            began = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            worst = max(worst, time.monotonic() - began)
            time.sleep(0.2)
    assert worst < 5  # on a busy machine; it was 73 s
    assert {answer.result()[9:12] for answer in answers} <= {b"201", b"503"}


@pytest.mark.site
def test_large_photos_at_once_from_many_sides_keep_the_server_small(site, merchant):
    """Eight of 48 megapixels together cost what one costs: they wait for each other."""
    line = Line(site, merchant.username)
    sources = [heic_grid(8064, 6048, f"#{shade:02x}7830") for shade in range(30, 150, 15)]
    web = psutil.Process(site.processes["web"].pid)
    peak, running = 0, True

    def watch() -> None:
        nonlocal peak
        while running:
            peak = max([peak, *(child.memory_info().rss for child in web.children(recursive=True))])
            time.sleep(0.02)

    with ThreadPoolExecutor(9) as pool:
        watching = pool.submit(watch)
        try:
            answers = list(pool.map(lambda data: send_until_taken(line, data), sources))
        finally:
            running = False  # a watcher that nobody stops would keep the pool, and the tests, from ending
        watching.result()
    assert all(answer.startswith(b"HTTP/1.1 201") for answer in answers)
    assert Photo.objects.count() == 8
    assert peak < 800 * 1024**2, f"{peak // 1024**2} MB"
    until(lambda: not Photo.objects.filter(renditions_due_at__gt=timezone.now()).exists(), 60, "all renditions made")
