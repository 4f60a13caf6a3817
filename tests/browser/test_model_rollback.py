"""One click in the console leads a page that is open back to an earlier file of the model, and forward again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from listings.models import Listing, Verdict
from tests.browser.conftest import sign_in
from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, SellPage
from tests.browser.test_policy_patch import do
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "**/models/listing-text-*-a21b9037.*.onnx", "**/models/listing-text-*-f5a679b9.*.onnx"
SOON = 150_000  # the page asks once a minute


def test_a_page_that_is_open_goes_back_to_the_earlier_file_and_forward_again(
    browser: Browser, context: BrowserContext, site: Stack, signed_in: Callable[[Any], None], merchant: Any,
    moderator: Any,
) -> None:  # fmt: skip
    signed_in(merchant)
    sell = SellPage(context.new_page()).open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    office = browser.new_context(base_url=site.url)
    sign_in(office, moderator, site.url)
    console = office.new_page()
    console.goto("/moderation/models/")
    console.locator("summary", has_text="earlier/listing-text-4-006407c5").focus()
    console.keyboard.press("Enter")
    with sell.page.expect_response(OLD, timeout=SOON):
        console.keyboard.press("Tab")
        console.keyboard.type("Version 5 warns of kettles.")
        console.keyboard.press("Tab")
        console.keyboard.press("Tab")  # past the draft, which is what Enter alone would make
        expect(console.get_by_role("button", name="Roll back to it")).to_be_focused()
        console.keyboard.press("Enter")
        expect(console.locator("main")).to_contain_text("listing-text 4+p1")
    sell.fill_rest()
    sell.write(SAFE_TITLE, f"{SAFE_TEXT} The cable is new.")
    sell.page.wait_for_timeout(8_000)  # the file is opened, and the text judged by it, on a busy machine too
    expect(sell.status).to_have_text(CALM)
    sell.submit.click()
    sell.page.wait_for_url(re.compile(r"/sell/(\?.*)?$"))
    listing = Listing.objects.get()
    said = Verdict.objects.get(listing=listing, where="device", photo=None)
    assert (said.version, said.detail) == ("4+p1", {"browser": said.detail["browser"]}), "the gate finds the same"
    assert Verdict.objects.get(listing=listing, where="gate", model=said.model).version == "4+p1"

    sell = SellPage(context.new_page()).open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    with sell.page.expect_response(NEW, timeout=SOON):
        do(console, "Roll back to the published models", "It was the kettles’ fault.")
        expect(console.locator("main")).to_contain_text("No release is live")
    expect(sell.status).to_have_text(CALM)
    office.close()
