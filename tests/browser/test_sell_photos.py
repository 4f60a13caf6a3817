"""The photo list of the sell page: choose, drop, paste, order, describe, remove; and what cannot be a photo."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from listings.models import Listing
from tests.browser.conftest import sign_in
from tests.browser.recorder import recording
from tests.browser.sell_page import SAFE_TEXT, SAFE_TITLE, SellPage, picture
from tests.stack import Stack, until

pytestmark = pytest.mark.django_db(transaction=True)

# A DataTransfer with one PNG, handed to the page as a drop or a paste.
HAND_OVER = """([kind, target, data]) => {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], `${kind}.png`, { type: 'image/png' }));
  const event = kind === 'drop'
    ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
  document.querySelector(target).dispatchEvent(event);
}"""

# After a swipe the page glides on for a moment.
AT_REST = """async () => {
  for (let last = -1, same = 0; same < 10; ) {
    same = scrollY === last ? same + 1 : 0;
    last = scrollY;
    await new Promise(requestAnimationFrame);
  }
}"""


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page).open()


def three(sell: SellPage) -> None:
    sell.add_photos(picture("one.jpg"), picture("two.jpg", "teal"), picture("three.jpg", "plum"))
    expect(sell.photos).to_have_count(3)


def focused_name(sell: SellPage) -> str:
    name: str = sell.page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id")
    return name


def test_choosing_again_adds_and_the_form_itself_holds_no_file(sell: SellPage) -> None:
    sell.add_photos(picture("one.jpg"))
    expect(sell.photos).to_have_count(1)
    sell.add_photos(picture("two.jpg", "teal"), picture("three.webp", "plum", "WEBP"))
    expect(sell.photos).to_have_count(3)
    assert sell.photo_names() == ["one.jpg", "two.jpg", "three.webp"]
    assert sell.page.evaluate("document.querySelector('#id_photos').files.length") == 0


def test_dropped_and_pasted_pictures_are_added(sell: SellPage) -> None:
    data = [base64.b64encode(picture(colour=colour, kind="PNG")["buffer"]).decode() for colour in ("peru", "teal")]
    sell.page.evaluate(HAND_OVER, ["drop", ".photo-drop", data[0]])
    expect(sell.photos).to_have_count(1)
    sell.page.evaluate(HAND_OVER, ["paste", "body", data[1]])
    expect(sell.photos).to_have_count(2)
    assert sell.photo_names() == ["drop.png", "paste.png"]


def test_a_photo_chosen_twice_is_in_the_list_once(sell: SellPage) -> None:
    sell.add_photos(picture("one.jpg"))
    expect(sell.photos).to_have_count(1)
    sell.add_photos(picture("again.jpg"), picture("two.jpg", "teal"))
    expect(sell.page.locator("#error-photos")).to_have_text("“again.jpg” is in the list already.")
    assert sell.photo_names() == ["one.jpg", "two.jpg"]


def test_the_keyboard_moves_and_removes_and_keeps_its_place(sell: SellPage) -> None:
    three(sell)
    expect(sell.photos.nth(0)).to_contain_text("Cover")
    sell.page.get_by_role("button", name="Move photo 3 left").focus()
    sell.page.keyboard.press("Enter")
    sell.page.keyboard.press("Enter")  # the focus went along
    sell.page.keyboard.press("Enter")  # it can go no further to the left
    assert sell.photo_names() == ["three.jpg", "one.jpg", "two.jpg"]
    assert focused_name(sell) == "Move photo 1 left"
    expect(sell.page.get_by_text("This photo is the cover now.")).to_be_attached()
    expect(sell.photos.locator(".photo-item__cover:visible")).to_have_count(1)
    sell.page.get_by_role("button", name="Remove photo 2").focus()
    sell.page.keyboard.press("Enter")
    assert sell.photo_names() == ["three.jpg", "two.jpg"]
    expect(sell.page.get_by_role("button", name="Put it back")).to_be_focused()


def test_a_photo_removed_by_mistake_is_put_back_where_it_was_with_its_words(sell: SellPage) -> None:
    three(sell)
    sell.page.get_by_label("What can be seen on photo 2").fill("teal")
    sell.page.get_by_role("button", name="Remove photo 2").click()
    assert sell.photo_names() == ["one.jpg", "three.jpg"]
    sell.page.keyboard.press("Enter")
    assert sell.photo_names() == ["one.jpg", "two.jpg", "three.jpg"]
    expect(sell.page.get_by_label("What can be seen on photo 2")).to_have_value("teal")
    expect(sell.page.get_by_role("button", name="Remove photo 2")).to_be_focused()
    sell.await_judged(3)


def test_one_press_makes_a_photo_the_cover(sell: SellPage) -> None:
    three(sell)
    sell.page.get_by_role("button", name="Make photo 3 the cover").click()
    assert sell.photo_names() == ["three.jpg", "one.jpg", "two.jpg"]
    expect(sell.page.get_by_role("button", name="Make photo 1 the cover")).to_have_count(0)
    assert focused_name(sell) == "Move photo 1 right"


def test_what_is_being_written_keeps_focus_and_cursor_while_photos_are_made_ready(sell: SellPage) -> None:
    sell.add_photos(picture("one.jpg"))
    alt = sell.page.get_by_label("What can be seen on photo 1")
    alt.click()
    sell.page.keyboard.type("A lamp")
    sell.add_photos(picture("two.jpg", "teal"), picture("three.jpg", "plum"))
    sell.page.keyboard.type(" of brass")
    sell.await_judged(3)
    sell.page.keyboard.type(", lit")
    expect(alt).to_have_value("A lamp of brass, lit")


def test_a_picture_is_dragged_to_another_place_with_the_mouse(sell: SellPage) -> None:
    sell.page.set_viewport_size({"width": 1280, "height": 2000})  # both rows are in view
    three(sell)
    sell.await_judged(3)
    sell.photos.nth(0).scroll_into_view_if_needed()
    grip = sell.photos.nth(2).locator(".photo-item__picture").bounding_box()
    goal = sell.photos.nth(0).locator(".photo-item__picture").bounding_box()
    assert grip and goal
    mouse = sell.page.mouse
    mouse.move(grip["x"] + 60, grip["y"] + 60)
    mouse.down()
    mouse.move(goal["x"] + 100, goal["y"] + 80, steps=8)
    expect(sell.photos.nth(0)).to_have_class("photo-item is-target")
    mouse.up()
    assert sell.photo_names() == ["three.jpg", "one.jpg", "two.jpg"]

    mouse.move(goal["x"] + 60, goal["y"] + 60)
    mouse.down()
    mouse.move(grip["x"] + 60, grip["y"] + 60, steps=8)
    sell.page.keyboard.press("Escape")
    mouse.up()
    assert sell.photo_names() == ["three.jpg", "one.jpg", "two.jpg"], "Escape leaves the order as it was"


def test_a_finger_drags_a_photo_by_its_handle_and_scrolls_by_its_picture(
    browser: Browser, site: Stack, merchant: Any
) -> None:
    context = browser.new_context(base_url=site.url, viewport={"width": 390, "height": 844}, has_touch=True)
    sign_in(context, merchant, site.url)
    sell = SellPage(context.new_page()).open()
    expect(sell.page.get_by_role("button", name="Take a photo")).to_be_visible()
    three(sell)
    sell.await_judged(3)
    sell.photos.nth(0).scroll_into_view_if_needed()
    swipe(sell, sell.photos.nth(0).locator(".photo-item__picture"), 200)
    assert sell.photo_names() == ["one.jpg", "two.jpg", "three.jpg"]
    sell.page.evaluate(AT_REST)
    handle = sell.photos.nth(0).locator(".photo-item__handle")
    # High on the screen: near its edge the page would scroll.
    handle.evaluate("(node) => { node.scrollIntoView({ block: 'start' }); scrollBy(0, -160); }")
    start, following = handle.bounding_box(), sell.photos.nth(1).bounding_box()
    assert start and following
    middle = following["y"] + following["height"] / 2
    swipe(sell, handle, middle - start["y"] - start["height"] / 2)
    assert sell.photo_names() == ["two.jpg", "one.jpg", "three.jpg"]
    context.close()


def test_a_photo_held_near_the_edge_scrolls_the_page_until_it_is_let_go(sell: SellPage) -> None:
    three(sell)
    sell.await_judged(3)
    grip = sell.photos.nth(0).locator(".photo-item__picture")
    grip.evaluate("(node) => { node.scrollIntoView({ block: 'center' }); }")
    sell.page.evaluate(AT_REST)
    box, height = grip.bounding_box(), sell.page.evaluate("innerHeight")
    assert box
    before = sell.page.evaluate("scrollY")
    sell.page.mouse.move(box["x"] + 40, box["y"] + 40)
    sell.page.mouse.down()
    sell.page.mouse.move(box["x"] + 40, height - 20, steps=4)  # and no further: it rests there
    until(lambda: sell.page.evaluate("scrollY") > before + 40, 5, "the page scrolls")
    sell.page.mouse.up()
    sell.page.evaluate(AT_REST)


def swipe(sell: SellPage, element: Any, down: float) -> None:
    box = element.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touches = sell.page.context.new_cdp_session(sell.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": px, "y": py} for px, py in points]}
        )

    touch("touchStart", (x, y))
    for step in range(1, 9):
        touch("touchMove", (x, y + down * step / 8))
    touch("touchEnd")


def test_what_cannot_be_a_photo_is_named_with_the_reason_and_the_rest_goes_on(sell: SellPage) -> None:
    whole = picture("whole.jpg", "navy")["buffer"]
    bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (100_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" + b"\0" * 4
    bomb += b"\0\0\0\0IEND\xaeB`\x82"
    broken = b"\xff\xd8\xff\xda\0\x04ab" + b"\0" * 999 + b"\xff\xd9"
    sell.add_photos(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"},
        {"name": "drawing.svg", "mimeType": "image/svg+xml", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
        {"name": "really-text.jpg", "mimeType": "image/jpeg", "buffer": b"this is not a picture"},
        {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""},
        {"name": "cut.jpg", "mimeType": "image/jpeg", "buffer": whole[: len(whole) * 9 // 10]},
        {"name": "bomb.png", "mimeType": "image/png", "buffer": bomb},
        {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": broken},
        {"name": "photo-without-a-type", "mimeType": "", "buffer": picture(colour="teal")["buffer"]},
        picture("good.jpg"),
    )  # fmt: skip
    sell.await_judged(2)
    assert sell.photo_names() == ["photo-without-a-type", "good.jpg"]
    errors = sell.page.locator("#error-photos")
    for text in (
        "“notes.txt” cannot be used. Choose a photo in JPEG, PNG, WebP, AVIF or HEIC.",
        "“drawing.svg” is a drawing (SVG).",
        "“really-text.jpg” is not a",
        "“empty.jpg” is empty.",
        "“cut.jpg” is damaged or was cut off on its way.",
        "“bomb.png” has too many pixels",
        "“broken.jpg” cannot be opened as a photo.",
    ):
        expect(errors).to_contain_text(text)


def test_what_was_said_of_files_goes_when_others_are_chosen(sell: SellPage) -> None:
    sell.add_photos({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}, picture("first.jpg", "navy"))
    sell.await_judged(1)
    expect(sell.page.locator("#error-photos")).to_contain_text("notes.txt")
    sell.page.get_by_role("button", name="Remove photo 1").click()
    expect(sell.page.get_by_text("Photo 1 was removed.", exact=True).last).to_be_visible()
    sell.add_photos(picture("second.jpg", "teal"))
    expect(sell.page.locator("#error-photos")).to_be_empty()
    expect(sell.page.get_by_role("button", name="Put it back")).to_have_count(0)


def test_of_thirty_photos_the_first_eight_are_taken_and_the_page_stays_usable(sell: SellPage, tmp_path: Path) -> None:
    """From the disk, as a person chooses them: what Playwright itself hands over would keep the page busy."""
    for number in range(30):
        file = picture(colour=f"rgb({8 * number}, 90, 120)", size=(1700, 1275))
        (tmp_path / f"{number}.jpg").write_bytes(file["buffer"])
    sell.page.evaluate(
        """() => {
          globalThis.longest = 0;
          let last = performance.now();
          setInterval(() => {
            longest = Math.max(longest, performance.now() - last);
            last = performance.now();
          }, 20);
        }"""
    )
    sell.page.locator("#id_photos").set_input_files([tmp_path / f"{number}.jpg" for number in range(30)])
    expect(sell.photos).to_have_count(8)
    expect(sell.page.locator("#error-photos")).to_have_text(
        "A listing has at most 8 photos: the first 8 were taken, 22 were left out."
    )
    sell.title.fill(SAFE_TITLE)
    sell.await_judged(8)
    assert sell.photo_names() == [f"{number}.jpg" for number in range(8)]
    assert sell.page.evaluate("longest") < 1000, "milliseconds in which the page could not answer, on a busy machine"


def test_order_and_descriptions_arrive_with_the_listing_and_can_be_edited(sell: SellPage) -> None:
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    sell.add_photos(picture("one.jpg", "red"), picture("two.jpg", "blue"))
    expect(sell.photos).to_have_count(2)
    sell.page.get_by_label("What can be seen on photo 1").fill("red")
    sell.page.get_by_label("What can be seen on photo 2").fill("blue")
    sell.page.get_by_role("button", name="Move photo 2 left").click()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    listing = Listing.objects.get()
    assert [photo.alt for photo in listing.photos.order_by("position")] == ["blue", "red"]

    sell.open(f"/sell/{listing.public_id}/edit/")
    expect(sell.photos).to_have_count(2)
    sell.page.get_by_role("button", name="Remove photo 1").click()
    sell.add_photos(picture("three.jpg", "green"))
    sell.page.get_by_label("What can be seen on photo 2").fill("green")
    sell.page.get_by_role("button", name="Move photo 2 left").click()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert [photo.alt for photo in listing.photos.order_by("position")] == ["green", "red"]


def test_the_draft_keeps_photos_their_order_words_and_verdicts(sell: SellPage) -> None:
    three(sell)
    sell.await_judged(3)
    sell.page.get_by_label("What can be seen on photo 2").fill("teal")
    sell.page.get_by_role("button", name="Make photo 3 the cover").click()
    sell.await_saved()
    states = sell.photo_states()
    sell.page.route("**/models/*", lambda route: route.abort())  # what is known is not worked out again
    sell.page.reload()
    sell.await_script()
    sell.await_judged(3)
    assert sell.photo_states() == states
    assert sell.photo_names() == ["three.jpg", "one.jpg", "two.jpg"]
    expect(sell.page.get_by_label("What can be seen on photo 3")).to_have_value("teal")


def test_a_large_photo_is_made_smaller_upright_and_without_its_metadata_before_it_leaves(
    page: Page, site: Stack, signed_in: Callable[[Any], None], merchant: Any
) -> None:
    """The camera's file says where it was taken; what leaves the browser does not."""
    secrets = ("SECRETCAMERA", "SECRETCOMMENT", "Exif")
    camera = camera_file()
    assert all(secret.encode() in camera for secret in secrets)
    signed_in(merchant)
    with recording(site.port) as recorder:
        sell = SellPage(page).open(f"{recorder.url}/sell/new/")
        sell.write(SAFE_TITLE, SAFE_TEXT)
        sell.fill_rest()
        sell.add_photos({"name": "camera.jpg", "mimeType": "image/jpeg", "buffer": camera})
        sell.await_judged(1)
        sell.submit.click()
        sell.page.wait_for_url("**/sell/")
        sent = next(bytes(record) for record in recorder.sent if b"POST /api/photos" in record)
        for secret in secrets:
            assert not recorder.holds(secret), f"{secret} left the browser"
    arrived = Image.open(io.BytesIO(sent[sent.index(b"\xff\xd8\xff", sent.index(b"POST /api/photos")) :]))
    assert arrived.size == (1200, 1600)
    red, _, blue = arrived.convert("RGB").getpixel((600, 1500))  # type: ignore[misc]
    assert blue > red, "the orientation was applied"
    assert Listing.objects.get().photos.count() == 1


def camera_file() -> bytes:
    photo = Image.new("RGB", (2400, 1800), "peru")
    photo.paste("navy", (0, 0, 1200, 1800))  # left; below once it is turned
    exif = Image.Exif()
    exif[0x0112] = 8  # turn it to the left
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    data = io.BytesIO()
    photo.save(data, "JPEG", exif=exif, comment=b"SECRETCOMMENT")
    return data.getvalue()
