"""Photos on their way to the server: one by one, tried again, refused one at a time; and nothing is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from listings.models import Listing, Photo
from tests.browser.conftest import sign_in
from tests.browser.recorder import UPLOAD, Recorder, recording
from tests.browser.sell_page import SAFE_TEXT, SAFE_TITLE, SellPage, picture
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)

UPLOADS = "**/api/photos"
AGAIN = "The connection was lost. Trying again…"
BROKEN_HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"not a photo at all " * 100


@pytest.fixture
def line(site: Stack) -> Iterator[Recorder]:
    """The way between browser and site, which may be cut."""
    with recording(site.port) as recorder:
        yield recorder


@pytest.fixture
def sell(page: Page, line: Recorder, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    sell = SellPage(page).open(f"{line.url}/sell/new/")
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    return sell


def add(sell: SellPage, *colours: str) -> None:
    sell.add_photos(*[picture(f"{colour}.jpg", colour, size=(1500, 1000)) for colour in colours])
    sell.await_judged(len(colours))


def test_the_form_follows_when_every_photo_is_there_and_carries_their_names_alone(
    sell: SellPage, line: Recorder
) -> None:
    add(sell, "peru", "teal", "plum")
    sell.page.get_by_label("What can be seen on photo 3").fill("The third")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    listing = Listing.objects.get()
    assert [photo.alt for photo in listing.photos.order_by("position")] == ["", "", "The third"]
    sent = b"".join(map(bytes, line.sent))
    assert uploads(line) == 3
    form = sent[sent.index(b"POST /sell/new/") :]
    assert b"image/jpeg" not in form
    assert b",".join(b"id:%d" % photo.pk for photo in listing.photos.order_by("position")) in form


def test_a_photo_added_while_others_are_on_their_way_goes_along_made_ready_first(sell: SellPage) -> None:
    """None leaves the device as the file it was: that one may say where it was taken."""
    add(sell, "peru")
    late = picture("late.jpg", "teal", size=(3000, 2000))

    def hold(route: Route) -> None:
        sell.add_photos(late)
        expect(sell.photos).to_have_count(2)
        route.continue_()

    page = sell.page
    page.route(UPLOADS, hold, times=1)
    sell.submit.click()
    page.wait_for_url("**/sell/")
    assert [photo.width for photo in Listing.objects.get().photos.order_by("position")] == [1500, 1600]
    assert Photo.objects.count() == 2


def test_a_connection_that_drops_at_90_percent_is_tried_again_by_itself(sell: SellPage, line: Recorder) -> None:
    add(sell, "peru", "teal")
    line.cut_at = 0.9
    sell.submit.click()
    expect(sell.page.get_by_text(AGAIN)).to_be_visible(timeout=10_000)
    line.cut_at = None
    sell.page.wait_for_url("**/sell/")
    assert (Listing.objects.get().photos.count(), Photo.objects.count()) == (2, 2)


def test_a_line_that_stays_bad_stops_it_and_pressing_again_goes_on_where_it_stopped(
    sell: SellPage, line: Recorder
) -> None:
    add(sell, "peru", "teal", "plum")
    line.cut_at = 0.9
    sell.page.clock.install()
    sell.submit.click()
    alert = sell.page.locator("#send-note")
    await_last_try(sell)
    expect(alert).to_contain_text("0 of 3 photos have arrived, and nothing is lost")
    expect(sell.photos.nth(0)).to_contain_text("The connection was lost before this photo had arrived.")
    assert Listing.objects.count() == 0
    line.cut_at = None
    sell.page.get_by_role("button", name="Send photo 1 again").click()
    expect(sell.photos.nth(0)).to_contain_text("Sent.", timeout=10_000)
    before = uploads(line)
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert (Listing.objects.get().photos.count(), uploads(line) - before) == (3, 2)


def test_a_photo_sent_again_by_hand_puts_what_was_said_right(sell: SellPage, line: Recorder) -> None:
    add(sell, "peru")
    line.cut_at = 0.9
    sell.page.clock.install()
    sell.submit.click()
    alert = sell.page.locator("#send-note")
    await_last_try(sell)
    expect(alert).to_contain_text("0 of 1 photos have arrived")
    line.cut_at = None
    sell.page.get_by_role("button", name="Send photo 1 again").click()
    expect(alert).to_have_text("All photos have arrived. Press the button again to go on.", timeout=10_000)
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")


def await_last_try(sell: SellPage) -> None:
    """The waits between the tries, in less time: the page's clock is Playwright's."""
    for _ in range(60):
        sell.page.wait_for_timeout(250)
        if sell.page.locator("#send-note").is_visible():
            return
        sell.page.clock.run_for(1000)


def uploads(line: Recorder) -> int:
    return sum(bytes(record).count(UPLOAD) for record in line.sent)


def test_a_photo_that_the_server_refuses_says_why_and_the_rest_goes_on(sell: SellPage) -> None:
    """This browser cannot open HEIC, so it learns from the server alone that this one is none."""
    heic = {"name": "phone.heic", "mimeType": "image/heic", "buffer": BROKEN_HEIC}
    sell.add_photos(picture("lamp.jpg"), heic, picture("b.jpg", "teal"))
    expect(sell.photos.nth(1)).to_contain_text("This browser cannot show HEIC. It is checked after you submit.")
    sell.submit.click()
    expect(sell.page.get_by_role("alert")).to_contain_text("2 of 3 photos have arrived, and nothing is lost")
    expect(sell.photos.nth(1).locator(".field-error")).not_to_be_empty()
    expect(sell.photos.nth(2)).to_contain_text("Sent.")
    assert Listing.objects.count() == 0
    sell.page.get_by_role("button", name="Remove photo 2").click()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert Listing.objects.get().photos.count() == 2


def test_photos_wait_until_the_form_is_filled_in(sell: SellPage) -> None:
    add(sell, "peru")
    sell.page.locator("#id_price").fill(" ")
    sell.submit.click()
    expect(sell.page.locator("#send-note")).to_have_text("Not sent yet. Give a price. Write 0 if you give it away.")
    expect(sell.page.locator("#id_price")).to_be_focused()
    expect(sell.page.locator("#error-price")).to_have_text("Give a price. Write 0 if you give it away.")
    assert Photo.objects.count() == 0
    sell.page.locator("#id_price").fill("10")
    expect(sell.page.locator("#error-price")).to_have_text("")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert Listing.objects.get().photos.count() == 1


def test_who_was_signed_out_meanwhile_loses_nothing_and_goes_on_after_signing_in(
    sell: SellPage, merchant: Any, line: Recorder
) -> None:
    add(sell, "peru", "teal")
    context = sell.page.context
    cookies = context.cookies()
    context.clear_cookies(name="sessionid")
    sell.submit.click()
    expect(sell.page.get_by_role("alert")).to_contain_text("0 of 2 photos have arrived, and nothing is lost")
    context.add_cookies([{**cookie} for cookie in cookies])  # type: ignore[misc]
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert Listing.objects.get().photos.count() == 2


def test_leaving_the_page_in_the_middle_keeps_the_draft_and_what_arrived_is_not_there_twice(
    sell: SellPage, line: Recorder
) -> None:
    add(sell, "peru", "teal")
    sell.await_saved()
    line.cut_at = 0.9
    sell.submit.click()
    expect(sell.page.get_by_text(AGAIN)).to_be_visible(timeout=10_000)
    address = sell.page.url
    sell.page.goto(f"{line.url}/")
    line.cut_at = None
    sell.open(address)
    expect(sell.photos).to_have_count(2)
    expect(sell.title).to_have_value(SAFE_TITLE)
    expect(sell.page.locator("#send-note")).to_contain_text(
        "Look whether everything is here, then press the button to go on."
    )
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert (Listing.objects.get().photos.count(), Photo.objects.count()) == (2, 2)


def test_a_form_that_comes_back_keeps_its_photos_with_what_was_found(sell: SellPage) -> None:
    add(sell, "peru", "teal")
    states = sell.photo_states()
    sell.page.get_by_label("What can be seen on photo 2").fill("teal")
    sell.page.locator("#id_price").fill("a lot")
    sell.submit.click()
    expect(sell.page.locator("#form-errors")).to_be_visible()
    sell.await_script()
    sell.await_judged(2)
    assert sell.photo_states() == states
    expect(sell.page.get_by_label("What can be seen on photo 2")).to_have_value("teal")
    sell.page.locator("#id_price").fill("10")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert (Listing.objects.get().photos.count(), Photo.objects.count()) == (2, 2)


def test_without_javascript_the_form_posts_its_files(browser: Browser, site: Stack, merchant: Any) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    sign_in(context, merchant, site.url)
    sell = SellPage(context.new_page())
    sell.page.goto("/sell/new/")
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    sell.add_photos(picture("one.jpg"), picture("two.webp", "teal", "WEBP"))
    sell.submit.click()
    sell.page.wait_for_url("**/sell/**")
    assert Listing.objects.get().photos.count() == 2
    context.close()
