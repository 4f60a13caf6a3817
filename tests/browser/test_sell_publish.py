"""From the merchant's draft to a listing that a shopper finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from listings.models import Listing, ReviewJob, Verdict
from tests.browser.conftest import sign_in
from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, UNSAFE_TEXT, UNSAFE_TITLE, SellPage, picture
from tests.stack import Stack, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page)


def test_a_safe_draft_is_submitted_published_by_the_worker_and_found_by_a_shopper(
    sell: SellPage, browser: Browser, site: Stack, shopper: Any
) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    sell.page.locator("#id_attr-home-maker").fill("Lumen & Sons")
    sell.add_photos(picture())
    sell.page.get_by_label("What can be seen on photo 1").fill("The lamp, lit, on a desk")
    expect(sell.status).to_have_text(CALM)
    sell.await_saved()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    row = sell.page.locator("article[data-listing]", has_text=SAFE_TITLE)
    # The page hears of the verdict by itself.
    expect(row).to_have_attribute("data-status", "published", timeout=30_000)
    expect(sell.page.locator(".status-tabs")).to_contain_text("Published (1)")
    expect(sell.page.locator("#device-drafts")).to_be_hidden()

    listing = Listing.objects.get()
    claim = listing.verdicts.get(where="device", model="listing-text")
    assert claim.detail.keys() == {"browser"}, claim.detail  # of this very text, and as the server found
    assert (claim.decision, claim.variant) == ("pass", "int8-pruned")
    of_photo = listing.verdicts.get(where="device", model="listing-photo")
    assert of_photo.detail.keys() == {"browser"}, of_photo.detail  # as near as the gate on its own copy
    assert set(listing.verdicts.values_list("where", flat=True)) >= {"device", "gate", "cloud"}

    other = browser.new_context(base_url=site.url)
    sign_in(other, shopper, site.url)
    page = other.new_page()
    page.goto("/")
    page.get_by_label("Search listings").fill("linen lamp")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=SAFE_TITLE).first.click()
    expect(page.get_by_role("heading", name=SAFE_TITLE)).to_be_visible()
    expect(page.get_by_alt_text("The lamp, lit, on a desk").first).to_be_visible()
    other.close()


def test_a_list_of_those_being_checked_lets_go_of_one_whose_check_is_done(sell: SellPage) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    row = sell.page.locator("article[data-listing]")
    expect(row).to_have_attribute("data-status", "published", timeout=30_000)
    Listing.objects.update(status="checking")  # as the page found it a moment ago
    sell.page.goto("/sell/?status=checking")
    expect(row).to_have_count(1)
    Listing.objects.update(status="published")
    expect(row).to_have_count(0, timeout=30_000)
    expect(sell.page.locator(".status-tabs")).to_contain_text("Published (1)")


def test_a_warned_listing_may_be_submitted_for_review_and_waits_there(sell: SellPage) -> None:
    sell.open()
    sell.write(UNSAFE_TITLE, UNSAFE_TEXT)
    sell.fill_rest()
    expect(sell.submit).to_have_text("Submit for review anyway")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    until(lambda: Listing.objects.get().status != "checking", 30, "the worker decides")
    listing = Listing.objects.get()
    assert listing.status in ("in_review", "needs_changes")
    assert listing.published_at is None
    assert listing.verdicts.get(where="device", model="listing-text").decision in ("warn", "block")
    if listing.status == "in_review":
        assert ReviewJob.objects.filter(listing=listing, state="open").exists()


def test_submit_pressed_many_times_makes_one_listing(sell: SellPage) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    expect(sell.status).to_have_text(CALM)
    sell.page.evaluate("for (let n = 0; n < 5; n += 1) document.querySelector('#submit-listing').click()")
    sell.page.wait_for_url("**/sell/")
    assert Listing.objects.count() == 1


def test_the_claim_is_for_the_text_that_is_submitted_not_for_one_typed_before(sell: SellPage) -> None:
    sell.open()
    sell.write(UNSAFE_TITLE, UNSAFE_TEXT)
    expect(sell.findings.locator(".finding")).to_be_visible()
    sell.fill_rest()
    sell.write(SAFE_TITLE, f"  {SAFE_TEXT}\n\nTwo lines, an é, an emoji 🪔 and spaces at the end  ")
    sell.submit.click()  # at once: the check of the new text has not run yet
    sell.page.wait_for_url("**/sell/")
    claims = Verdict.objects.filter(where="device")
    assert claims.count() == 1
    assert claims[0].detail.keys() == {"browser"}, claims[0].detail


def test_server_errors_bring_everything_back_photos_included(sell: SellPage) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    sell.page.locator("#id_price").fill("1e400")
    sell.add_photos(picture("one.jpg"), picture("two.png", "plum", "PNG"))
    expect(sell.photos).to_have_count(2)
    sell.submit.click()
    expect(sell.page.locator("#error-price")).not_to_be_empty()
    sell.await_script()
    expect(sell.page.locator("#form-errors")).to_be_focused()
    expect(sell.status).to_have_text(CALM)  # checked again without a key pressed
    sell.page.locator("#form-errors").get_by_role("link", name="Price").click()
    expect(sell.page.locator("#id_price")).to_be_focused()
    expect(sell.title).to_have_value(SAFE_TITLE)
    expect(sell.photos).to_have_count(2)
    sell.page.locator("#id_price").fill("24.50")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    listing = Listing.objects.get()
    assert listing.photos.count() == 2


def test_an_edit_is_checked_again_and_its_draft_survives_a_reload(sell: SellPage, context: BrowserContext) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    expect(sell.status).to_have_text(CALM)  # on a busy machine the model may load for long
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    until(lambda: Listing.objects.get().status == "published", 30, "the worker publishes")
    address = f"/sell/{Listing.objects.get().public_id}/edit/"
    sell.open(address)
    sell.title.fill(f"{SAFE_TITLE}, large")
    sell.await_saved()
    sell.open(address)
    expect(sell.title).to_have_value(f"{SAFE_TITLE}, large")
    expect(sell.draft_notes).to_contain_text("Your unsent changes were brought back.")
    sell.title.focus()  # the first touch fetches the model
    expect(sell.status).to_have_text(CALM)
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    until(lambda: Listing.objects.get().revision > 1, 10, "the edit is stored")
    until(lambda: Listing.objects.get().status == "published", 30, "the worker publishes the edit")
    assert Verdict.objects.filter(where="device").count() == 2
    sell.open(address)
    expect(sell.draft_notes).to_be_empty()
