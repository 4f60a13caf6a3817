import io
import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from listings import limits
from listings.lifecycle import Status
from listings.models import Draft, Listing, Photo, ValidationJob, Verdict


@pytest.fixture
def client(as_user, merchant):
    return as_user(merchant)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def page_text(answer) -> str:
    return answer.content.decode()


def test_a_submitted_listing_waits_for_its_check_with_its_photos_in_order(client, form_data, jpeg):
    data = form_data(
        photos=[jpeg("a.jpg", color="#a00"), jpeg("b.jpg", color="#0a0")],
        photo_order="file:1,file:0",
        **{"alt-0": "Green"},
    )
    answer = client.post("/sell/new/", data)
    assert answer.status_code == 302
    assert answer.url == f"/sell/?submitted={data['draft_key']}"
    listing = Listing.objects.get()
    assert listing.status == Status.CHECKING
    assert ValidationJob.objects.get().state == "owed"
    assert [photo.alt for photo in listing.photos.all()] == ["Green", ""]
    stored = Image.open(io.BytesIO(b"".join(client.get(listing.cover.url).streaming_content)))
    red, green, _ = stored.getpixel((5, 5))
    assert green > 120 > red


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("title", "", "Give the listing a title."),
        ("title", "   ", "Give the listing a title."),
        ("title", "x" * 121, "at most 120 characters; this one has 121"),
        ("description", "", "Describe the thing"),
        ("description", "x" * 100_000, "at most 5000 characters; this one has 100000"),
        ("price", "", "Give a price"),
        ("price", "1e400", "cannot be above"),
        ("price", "-1", "cannot be below 0"),
        ("price", "NaN", "in digits"),
        ("price", "ten", "in digits"),
        ("price", "1.234", "two digits after the point"),
        ("currency", "XXX", "XXX is not one of the available choices"),
        ("condition", "", "Choose the condition."),
        ("category", "", "Choose a category."),
        ("category", "spaceships", "spaceships is not one of"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_written_is_lost(client, form_data, jpeg, field, value, message):
    answer = client.post("/sell/new/", form_data(**{field: value, "photos": [jpeg()]}))
    assert answer.status_code == 400
    assert message in page_text(answer)
    assert not Listing.objects.exists()
    kept = Photo.objects.get()
    assert f'value="id:{kept.pk}"' in page_text(answer), "the photo is stored and named in the form"
    if field != "title":
        assert "Wooden train set, 24 pieces" in page_text(answer)
    again = client.post("/sell/new/", form_data(photo_order=f"id:{kept.pk}"))
    assert again.status_code == 302
    assert Listing.objects.get().cover == kept


def bomb() -> bytes:
    """A PNG that says 60,000 x 60,000 pixels in its header."""
    data = io.BytesIO()
    Image.new("1", (64, 64)).save(data, "PNG")
    png = bytearray(data.getvalue())
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    return bytes(png)


def truncated(jpeg_bytes: bytes) -> bytes:
    return jpeg_bytes[: len(jpeg_bytes) // 2]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("notes.jpg", b"This is only text with a photo's name."),
        ("empty.jpg", b""),
        ("bomb.png", bomb()),
        ("large.jpg", b"\xff\xd8\xff" + b"0" * (limits.PHOTO_BYTES + 1)),
    ],
)
def test_a_photo_that_is_none_is_refused_and_the_good_one_beside_it_is_kept(client, form_data, jpeg, name, content):
    bad = SimpleUploadedFile(name, content, "image/jpeg")
    answer = client.post("/sell/new/", form_data(photos=[jpeg(), bad]))
    assert answer.status_code == 400
    assert "Photo 2" in page_text(answer)
    assert not Listing.objects.exists()
    assert Photo.objects.count() == 1


def test_a_page_refused_for_a_photo_alone_is_a_refused_page(client, form_data):
    answer = client.post("/sell/new/", form_data(photos=[SimpleUploadedFile("notes.jpg", b"only text")]))
    assert answer.status_code == 400
    assert '<li><a href="#id_photos">Photos</a>:' in page_text(answer)
    assert 'data-rejected="1"' in page_text(answer)
    assert 'data-rejected="0"' in page_text(client.get("/sell/new/"))


def test_a_truncated_photo_is_refused(client, form_data, jpeg):
    photo = jpeg(size=(1200, 900))
    photo.file = io.BytesIO(truncated(photo.read()))
    photo.size = len(photo.file.getvalue())
    answer = client.post("/sell/new/", form_data(photos=[photo]))
    assert answer.status_code == 400
    assert "Photo 1" in page_text(answer)


def test_more_photos_than_allowed_are_refused_with_the_number(client, form_data, jpeg):
    answer = client.post("/sell/new/", form_data(photos=[jpeg(f"{n}.jpg") for n in range(limits.PHOTOS + 1)]))
    assert answer.status_code == 400
    assert f"at most {limits.PHOTOS} photos" in page_text(answer)


@pytest.mark.parametrize(
    "claim",
    [
        "not json",
        "[]",
        "null",
        '{"model": 7}',
        json.dumps({"model": "listing-text", "version": "1900", "decision": "pass", "scores": {"safe": 1}}),
        json.dumps({"model": "listing-text", "decision": "pass", "scores": {"safe": float("nan")}}),
        json.dumps({"decision": "pass", "digest": "0" * 64, "scores": {"safe": 1}}),
        '{"decision":' * 3000,
        "[" * 100_000,
        '{"scores": "\\ud800", "decision": "pass"}',
        '{"decision": "pass", "model": "a\\u0000b"}',
    ],
)
def test_a_claim_that_makes_no_sense_never_stops_or_publishes_a_listing(client, form_data, claim):
    assert client.post("/sell/new/", form_data(claim=claim)).status_code == 302
    assert Listing.objects.get().status == Status.CHECKING
    for verdict in Verdict.objects.filter(where="device"):
        assert verdict.detail, "what was not believed says why"


@pytest.mark.parametrize(
    "text",
    [
        "مرحبا \u200f بكم \u202e",
        "zero\u200bwidth\u2060joiners",
        "e\u0301\u0301\u0301 \u1112\u1161\u11ab",
        "line\r\nbreak",
        "🪑" * 40,
    ],
)
def test_odd_text_is_kept_as_it_was_typed(client, form_data, text):
    assert client.post("/sell/new/", form_data(description=f"A train. {text}")).status_code == 302
    assert Listing.objects.get().description == f"A train. {text}".replace("\r\n", "\n")


def test_a_null_character_is_refused_at_the_field(client, form_data):
    answer = client.post("/sell/new/", form_data(title="Train\x00set"))
    assert answer.status_code == 400
    assert "Null characters are not allowed" in page_text(answer)


def test_submit_pressed_twice_makes_one_listing(client, form_data):
    for _ in range(2):
        assert client.post("/sell/new/", form_data()).status_code == 302
    assert Listing.objects.count() == 1


def test_a_draft_is_kept_in_the_account_without_javascript_and_goes_when_it_is_submitted(client, form_data):
    key = form_data()["draft_key"]
    client.post("/sell/new/", form_data(action="save-draft", title="Half a th", price=""))
    assert not Listing.objects.exists()
    assert "Half a th" in page_text(client.get(f"/sell/new/?draft={key}"))
    assert "Half a th" in page_text(client.get("/sell/"))
    client.post("/sell/new/", form_data(draft_version="1"))
    assert not Draft.objects.exists()


def test_photos_of_a_kept_draft_wait_with_their_words(client, form_data, jpeg):
    draft = form_data(action="save-draft", photos=[jpeg("a.jpg")], **{"alt-0": "Seen from the left"})
    client.post("/sell/new/", draft)
    assert Photo.objects.get().alt == "Seen from the left"
    assert "Seen from the left" in page_text(client.get(f"/sell/new/?draft={draft['draft_key']}"))


def test_two_tabs_saving_one_draft_do_not_overwrite_each_other_in_silence(client, form_data):
    client.post("/sell/new/", form_data(action="save-draft", title="First", draft_version="0"))
    client.post("/sell/new/", form_data(action="save-draft", title="Second", draft_version="1"))
    answer = client.post("/sell/new/", form_data(action="save-draft", title="Stale", draft_version="1"))
    assert answer.status_code == 409
    assert Draft.objects.get().data["title"] == "Second"
    assert "Stale" in page_text(answer), "what the late tab wrote is still in its form"


def test_another_merchants_draft_listing_and_photo_are_out_of_reach(
    client, as_user, other_merchant, form_data, make_listing, jpeg
):
    other = as_user(other_merchant)
    listing = make_listing("Alice's kettle")
    assert other.get(f"/sell/{listing.public_id}/edit/").status_code == 404
    assert other.post(f"/sell/{listing.public_id}/edit/", form_data()).status_code == 404
    assert other.post(f"/sell/{listing.public_id}/end/").status_code == 404
    assert other.get(f"/sell/new/?from={listing.public_id}").status_code == 404
    key = str(uuid.uuid4())
    client.post("/sell/new/", form_data(action="save-draft", title="Alice's secret", draft_key=key))
    assert "Alice's secret" not in page_text(other.get(f"/sell/new/?draft={key}"))
    client.post("/sell/new/", form_data(title="", photos=[jpeg()]))
    photo = Photo.objects.get()
    other.post("/sell/new/", form_data(photo_order=f"id:{photo.pk}"))
    photo.refresh_from_db()
    assert photo.listing is None


def test_an_edit_of_the_text_is_checked_again_and_an_edit_of_the_price_is_not(client, form_data, make_listing):
    listing = make_listing("Blue enamel kettle", category="kitchen")
    same = {"title": listing.title, "description": listing.description, "category": "kitchen", "base_edits": "1"}
    client.post(f"/sell/{listing.public_id}/edit/", form_data(**same, price="15"))
    listing.refresh_from_db()
    assert (listing.status, listing.revision, listing.price) == (Status.PUBLISHED, 1, 15)
    red = same | {"title": "Red enamel kettle", "base_edits": "2"}
    client.post(f"/sell/{listing.public_id}/edit/", form_data(**red))
    listing.refresh_from_db()
    assert (listing.status, listing.revision) == (Status.CHECKING, 2)
    assert ValidationJob.objects.filter(listing=listing, revision=2, state="owed").exists()


def test_a_stale_edit_is_told_so_and_loses_nothing(client, form_data, make_listing):
    listing = make_listing(edits=3)
    answer = client.post(f"/sell/{listing.public_id}/edit/", form_data(title="Written in the old tab", base_edits="2"))
    assert answer.status_code == 409
    assert "Written in the old tab" in page_text(answer)
    listing.refresh_from_db()
    assert listing.title == "Blue enamel kettle"


def test_pause_resume_end_and_the_steps_that_do_not_exist(client, make_listing):
    listing = make_listing()

    def step(name: str) -> str:
        client.post(f"/sell/{listing.public_id}/{name}/")
        listing.refresh_from_db()
        return listing.status

    assert step("pause") == Status.PAUSED
    assert step("resume") == Status.PUBLISHED
    assert step("end") == Status.ENDED
    assert step("resume") == Status.ENDED, "an ended listing comes back only through a check"
    waiting = make_listing(status=Status.IN_REVIEW)
    client.post(f"/sell/{waiting.public_id}/resume/")
    waiting.refresh_from_db()
    assert waiting.status == Status.IN_REVIEW


def test_a_duplicate_brings_text_and_photos_into_a_new_form(client, form_data, jpeg):
    client.post("/sell/new/", form_data(photos=[jpeg()]))
    original = Listing.objects.get()
    page = page_text(client.get(f"/sell/new/?from={original.public_id}"))
    assert original.title in page
    photo = Photo.objects.get()
    client.post(
        "/sell/new/",
        form_data(title="Another train set", draft_key=str(uuid.uuid4()), photo_order=f"id:{photo.pk}"),
    )
    assert [listing.photos.count() for listing in Listing.objects.all()] == [1, 1], (
        "one each, the original keeps its own"
    )


def test_the_offline_copy_of_the_page_holds_nothing_of_the_account(client, merchant):
    page = page_text(client.get("/sell/new/?shell=1"))
    assert "csrfmiddlewaretoken" not in page
    assert merchant.username not in page
    assert merchant.shop_name not in page
    assert 'data-owner=""' in page


def test_too_many_submits_are_slowed_down_with_a_message(client, form_data):
    answers = [client.post("/sell/new/", form_data(title=f"Train {n}", draft_key=str(uuid.uuid4()))) for n in range(32)]
    assert answers[-1].status_code == 429
    assert "Wait" in page_text(answers[-1])


@pytest.mark.parametrize("order", ["id:²", "file:²", "id:" + "9" * 5000, "id:-1", "id:", ":::", "file:999", "id:1e5"])
def test_a_nonsense_photo_order_is_no_error(client, form_data, jpeg, order):
    assert client.post("/sell/new/", form_data(photo_order=order, photos=[jpeg()])).status_code == 302
    assert Listing.objects.get().photos.count() == 1


@pytest.mark.parametrize("order", [5, None, "id:²", ["id:1"], {"a": 1}])
def test_a_stored_draft_with_a_nonsense_photo_order_opens(client, merchant, form_data, order):
    key = form_data()["draft_key"]
    Draft.objects.create(owner=merchant, key=key, data={"title": "Kept", "photo_order": order})
    assert "Kept" in page_text(client.get(f"/sell/new/?draft={key}"))


@pytest.mark.parametrize("value", ["1e-5000000", "1e999999", "1e20", "abc", "NaN", "-5", "99999"])
def test_a_nonsense_number_detail_is_named_and_the_form_comes_back(client, form_data, value):
    answer = client.post("/sell/new/", form_data(category="audio", **{"attr-audio-year": value}))
    assert answer.status_code == 400
    assert "Year made:" in page_text(answer)
    assert '<li><a href="#id_attr-audio-year">Year made:' in page_text(answer)


def test_opening_a_duplicate_writes_nothing(client, form_data, jpeg):
    client.post("/sell/new/", form_data(photos=[jpeg()]))
    listing = Listing.objects.get()
    for _ in range(3):
        client.get(f"/sell/new/?from={listing.public_id}")
    assert Photo.objects.count() == 1


def test_it_is_said_of_the_listing_that_was_sent_whether_a_check_follows(client, form_data, jpeg):
    data = form_data()
    answer = client.post("/sell/new/", data)
    assert "A check of some seconds follows" in client.get(answer.url).content.decode()
    assert "A check of some seconds follows" not in client.get(f"/sell/?submitted={uuid.uuid4()}").content.decode()
    listing = Listing.objects.get()
    edit_key = uuid.uuid5(uuid.NAMESPACE_URL, listing.public_id)
    assert "A check of some seconds follows" in client.get(f"/sell/?submitted={edit_key}").content.decode()
    Listing.objects.update(status="published")
    page = client.get(answer.url).content.decode()
    assert 'data-about="sent">Sent.</p>' in page
