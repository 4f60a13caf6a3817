"""Drafts on the device: they survive what happens to pages, tabs, sessions and disks, and stay with their owner."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from listings.models import Draft
from tests.browser.conftest import sign_in
from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, SellPage, picture
from tests.stack import Stack, until

# As soon as the photo list stands, before the draft is there.
CHOOSE_EARLY = """
const data = Uint8Array.from(atob("%s"), (char) => char.charCodeAt(0));
new MutationObserver((_, observer) => {
  const list = document.getElementById("photo-list");
  if (!list?.nextElementSibling?.matches(".photo-removed")) return;
  observer.disconnect();
  const transfer = new DataTransfer();
  transfer.items.add(new File([data], "late.png", { type: "image/png" }));
  const input = document.getElementById("id_photos");
  input.files = transfer.files;
  setTimeout(() => input.dispatchEvent(new Event("change", { bubbles: true })));
}).observe(document, { childList: true, subtree: true });
"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page)


def write_draft(sell: SellPage, title: str = SAFE_TITLE) -> None:
    sell.open()
    sell.write(title, SAFE_TEXT)
    sell.fill_rest("furniture")
    sell.page.locator("#id_attr-furniture-material").fill("oak")
    sell.await_saved()


def test_a_reload_brings_back_text_choices_and_photos_in_order(sell: SellPage) -> None:
    write_draft(sell)
    sell.add_photos(picture("one.jpg"), picture("two.png", "teal", "PNG"))
    expect(sell.photos).to_have_count(2)
    sell.page.get_by_label("What can be seen on photo 1").fill("front")
    sell.page.get_by_role("button", name="Move photo 1 right").click()
    sell.await_saved()
    sell.page.reload()
    sell.await_script()
    expect(sell.title).to_have_value(SAFE_TITLE)
    expect(sell.description).to_have_value(SAFE_TEXT)
    expect(sell.page.locator("#id_price")).to_have_value("24.50")
    expect(sell.page.locator("#id_category")).to_have_value("furniture")
    expect(sell.page.locator("#id_attr-furniture-material")).to_be_visible()
    expect(sell.page.locator("#id_attr-furniture-material")).to_have_value("oak")
    expect(sell.photos).to_have_count(2)
    expect(sell.page.get_by_label("What can be seen on photo 2")).to_have_value("front")
    assert sell.photo_names() == ["two.png", "one.jpg"]


def test_a_photo_chosen_while_the_draft_is_being_read_stays_behind_those_it_brings(sell: SellPage) -> None:
    write_draft(sell)
    sell.add_photos(picture("one.jpg"))
    sell.await_judged(1)
    sell.await_saved()
    late = base64.b64encode(picture("late.png", "teal", "PNG")["buffer"]).decode()
    sell.page.add_init_script(CHOOSE_EARLY % late)
    sell.page.reload()
    sell.await_script()
    expect(sell.photos).to_have_count(2)
    assert sell.photo_names() == ["one.jpg", "late.png"]
    sell.await_saved()


def test_drafts_are_listed_opened_and_deleted_on_my_listings(sell: SellPage) -> None:
    write_draft(sell)
    page = sell.page
    page.goto("/sell/")
    row = page.locator("#device-drafts-list > li", has_text=SAFE_TITLE)
    row.get_by_role("link", name=SAFE_TITLE).click()
    sell.await_script()
    expect(sell.title).to_have_value(SAFE_TITLE)
    page.goto("/sell/")
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Delete").click()
    expect(page.locator("#device-drafts")).to_be_hidden()


def test_a_new_form_offers_the_unfinished_draft(sell: SellPage) -> None:
    write_draft(sell)
    sell.open()
    expect(sell.title).to_have_value("")
    sell.draft_notes.get_by_role("link", name=SAFE_TITLE).click()
    sell.await_script()
    expect(sell.title).to_have_value(SAFE_TITLE)


def test_a_draft_survives_signing_out_and_another_account_does_not_see_it(
    sell: SellPage, signed_in: Callable[[Any], None], merchant: Any, other_merchant: Any
) -> None:
    write_draft(sell)
    address = sell.page.url
    sell.page.goto("/sell/")
    sell.page.get_by_role("button", name="Sign out").first.click()
    sell.page.wait_for_load_state()
    sell.page.context.clear_cookies()

    signed_in(other_merchant)
    sell.open(address)
    expect(sell.title).to_have_value("")
    sell.page.goto("/sell/")
    expect(sell.page.locator("#device-drafts")).to_be_hidden()

    sell.page.context.clear_cookies()
    signed_in(merchant)
    sell.open(address)
    expect(sell.title).to_have_value(SAFE_TITLE)


def test_two_tabs_on_one_draft_are_told_and_nothing_is_overwritten(sell: SellPage, context: BrowserContext) -> None:
    write_draft(sell)
    address = sell.page.url
    second = SellPage(context.new_page()).open(address)
    expect(second.title).to_have_value(SAFE_TITLE)
    expect(second.draft_notes).to_contain_text("also open in another tab")
    expect(sell.draft_notes).to_contain_text("also open in another tab")

    sell.title.fill("Written in the first tab")
    sell.await_saved()
    expect(second.draft_notes).to_contain_text("has just changed in another tab")
    second.title.fill("Written in the second tab")
    expect(second.draft_notes).to_contain_text("nothing was overwritten")
    second.await_saved()
    assert second.page.url != address

    sell.page.goto("/sell/")
    drafts = sell.page.locator("#device-drafts-list > li")
    expect(drafts).to_have_count(2)
    expect(drafts.filter(has_text="Written in the first tab")).to_have_count(1)
    expect(drafts.filter(has_text="Written in the second tab")).to_have_count(1)


def test_a_full_disk_keeps_the_text_and_says_that_photos_were_not_kept(sell: SellPage, site: Stack) -> None:
    sell.open()
    sell.page.locator("#id_photos").focus()  # models and files for offline use take their place first
    sell.page.wait_for_function("async () => (await (await caches.open('models')).keys()).length >= 2")
    sell.page.wait_for_function("async () => Boolean(await (await caches.open('account')).match('/__owner'))")
    sell.page.wait_for_timeout(1000)
    devtools = sell.page.context.new_cdp_session(sell.page)
    used = sell.page.evaluate("navigator.storage.estimate().then((found) => found.usage)")
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": site.url, "quotaSize": used + 700_000})
    data = io.BytesIO()
    Image.effect_noise((1600, 1200), 90).save(data, "JPEG", quality=95)  # large however it is compressed
    sell.add_photos({"name": "big.jpg", "mimeType": "image/jpeg", "buffer": data.getvalue()})
    expect(sell.photos).to_have_count(1)
    sell.write(SAFE_TITLE, SAFE_TEXT)
    lost = "The text is safe; one photo could not be kept: the device has no room"
    expect(sell.draft_status).to_contain_text(lost, timeout=15_000)
    sell.page.reload()
    sell.await_script()
    expect(sell.title).to_have_value(SAFE_TITLE)
    expect(sell.draft_notes).to_contain_text("Choose it again before you submit")


def test_with_storage_blocked_the_page_works_and_says_that_nothing_is_kept(sell: SellPage) -> None:
    sell.page.add_init_script(
        "Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    sell.open()
    expect(sell.draft_status).to_contain_text("This browser keeps no drafts")
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    sell.fill_rest()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")


def test_drafts_go_to_the_account_only_when_switched_on(sell: SellPage, merchant: Any) -> None:
    write_draft(sell)
    sell.page.get_by_role("button", name="draft").click()
    sell.page.wait_for_timeout(3000)
    assert not Draft.objects.exists()


def test_a_synced_draft_goes_on_from_another_device_and_a_clash_is_shown(
    sell: SellPage, merchant: Any, browser: Any, site: Stack
) -> None:
    merchant.sync_drafts = True
    merchant.save()
    write_draft(sell)
    expect(sell.draft_status).to_contain_text("and in your account")
    draft = Draft.objects.get(owner=merchant)
    assert draft.data["title"] == SAFE_TITLE

    other = browser.new_context(base_url=site.url)
    sign_in(other, merchant, site.url)
    second = SellPage(other.new_page()).open(f"/sell/new/?draft={draft.key}")
    expect(second.title).to_have_value(SAFE_TITLE)
    second.title.fill("Changed on the phone")
    until(lambda: Draft.objects.get().data["title"] == "Changed on the phone", 10, "the phone's version is synced")

    sell.title.fill("Changed on the desk")
    choices = sell.draft_notes.locator(".draft-choice")
    expect(choices).to_have_count(2)
    expect(sell.draft_notes).to_contain_text("Changed on the desk")
    expect(sell.draft_notes).to_contain_text("Changed on the phone")
    assert Draft.objects.get().data["title"] == "Changed on the phone"
    sell.draft_notes.get_by_role("button", name="Use the account’s").click()
    expect(sell.title).to_have_value("Changed on the phone")
    expect(sell.draft_notes).to_contain_text("kept as a draft of its own")
    sell.page.goto("/sell/")
    expect(sell.page.locator("#device-drafts-list > li", has_text="Changed on the desk")).to_have_count(1)
    other.close()
