"""Photos on the sell page: choose, drop, paste, order, remove; and what cannot be a photo."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from listings.models import Listing
from tests.browser.sell_page import SAFE_TEXT, SAFE_TITLE, SellPage, picture

pytestmark = pytest.mark.django_db(transaction=True)

FILES = "[...document.querySelector('#id_photos').files].map((file) => file.name)"
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


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page).open()


def test_choosing_again_adds_and_the_form_holds_what_the_list_shows(sell: SellPage) -> None:
    sell.add_photos(picture("one.jpg"))
    expect(sell.photos).to_have_count(1)
    sell.add_photos(picture("two.jpg", "teal"), picture("three.webp", "plum", "WEBP"))
    expect(sell.photos).to_have_count(3)
    assert sell.page.evaluate(FILES) == ["one.jpg", "two.jpg", "three.webp"]
    assert sell.page.locator("[name=photo_order]").input_value() == "file:0,file:1,file:2"


def test_dropped_and_pasted_pictures_are_added(sell: SellPage) -> None:
    data = base64.b64encode(picture(kind="PNG")["buffer"]).decode()
    sell.page.evaluate(HAND_OVER, ["drop", ".photo-drop", data])
    expect(sell.photos).to_have_count(1)
    sell.page.evaluate(HAND_OVER, ["paste", "body", data])
    expect(sell.photos).to_have_count(2)
    assert sell.page.evaluate(FILES) == ["drop.png", "paste.png"]


def test_the_keyboard_moves_and_removes_and_keeps_its_place(sell: SellPage) -> None:
    sell.add_photos(picture("one.jpg"), picture("two.jpg", "teal"), picture("three.jpg", "plum"))
    expect(sell.photos).to_have_count(3)
    expect(sell.photos.nth(0)).to_contain_text("Cover")
    sell.page.get_by_role("button", name="Move photo 3 left").focus()
    sell.page.keyboard.press("Enter")
    sell.page.keyboard.press("Enter")  # the focus went along
    assert sell.page.evaluate(FILES) == ["three.jpg", "one.jpg", "two.jpg"]
    expect(sell.photos.locator(".photo-item__cover")).to_have_count(1)
    sell.page.get_by_role("button", name="Remove photo 2").focus()
    sell.page.keyboard.press("Enter")
    assert sell.page.evaluate(FILES) == ["three.jpg", "two.jpg"]
    assert sell.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Remove photo 2"


def test_what_cannot_be_a_photo_is_named_with_the_reason(sell: SellPage) -> None:
    sell.add_photos(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"},
        {"name": "drawing.svg", "mimeType": "image/svg+xml", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'/>"},
        {"name": "really-text.jpg", "mimeType": "image/jpeg", "buffer": b"this is not a picture"},
        {"name": "huge.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8" + b"\0" * (16 * 1024 * 1024)},
        picture("good.jpg"),
    )
    expect(sell.photos).to_have_count(1)
    errors = sell.page.locator("#error-photos")
    expect(errors).to_contain_text("“notes.txt” is not a JPEG, PNG or WebP photo.")
    expect(errors).to_contain_text("“drawing.svg” is not a JPEG, PNG or WebP photo.")
    expect(errors).to_contain_text("“really-text.jpg” cannot be opened as a photo.")
    expect(errors).to_contain_text("“huge.jpg” is too big: 16")
    assert sell.page.evaluate(FILES) == ["good.jpg"]


def test_a_ninth_photo_is_left_out_and_said(sell: SellPage) -> None:
    sell.add_photos(*[picture(f"{number}.jpg", size=(80, 60)) for number in range(9)])
    expect(sell.photos).to_have_count(8)
    expect(sell.page.locator("#error-photos")).to_contain_text("at most 8 photos. One photo was left out.")


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
