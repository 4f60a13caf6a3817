"""After the first visit the sell page works without a network, and shows nobody another account's data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, UNSAFE_TEXT, UNSAFE_TITLE, SellPage

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = """async () => {
  const urls = {};
  for (const name of await caches.keys()) {
    urls[name] = (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname);
  }
  return urls;
}"""


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page)


def first_visit(sell: SellPage) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    sell.await_saved()
    sell.page.wait_for_function(
        "async () => Boolean(await (await caches.open('account')).match('/__owner'))", timeout=20_000
    )


def test_typing_is_checked_offline_after_the_first_visit(sell: SellPage) -> None:
    first_visit(sell)
    address = sell.page.url
    sell.page.close()
    context = sell.page.context
    context.set_offline(True)
    again = SellPage(context.new_page()).open(address)
    expect(again.title).to_have_value(SAFE_TITLE)  # the draft of this device
    again.title.click()
    expect(again.status).to_have_text(CALM)
    expect(again.page.locator("#device-check")).to_contain_text(
        "You are offline. The check still works on this device."
    )
    again.write(UNSAFE_TITLE, UNSAFE_TEXT)
    expect(again.findings.locator(".finding")).to_contain_text("Medicines go back to a pharmacy")

    again.submit.click()
    expect(again.page.get_by_role("alert")).to_contain_text("Not sent: you are offline.")
    context.set_offline(False)
    again.page.reload()
    again.await_script()
    expect(again.title).to_have_value(UNSAFE_TITLE)
    expect(again.page.locator("#sell-form")).to_have_attribute("data-shell", "0")


def test_the_offline_copy_leads_to_the_real_page_once_the_line_is_back(sell: SellPage) -> None:
    first_visit(sell)
    sell.page.context.set_offline(True)
    sell.page.reload()
    sell.await_script()
    expect(sell.page.locator("#sell-form")).to_have_attribute("data-shell", "1")
    sell.fill_rest()
    sell.page.context.set_offline(False)
    sell.submit.click()
    expect(sell.page.locator("#sell-form")).to_have_attribute("data-shell", "0")
    sell.await_script()
    expect(sell.title).to_have_value(SAFE_TITLE)
    expect(sell.page.locator("#id_price")).to_have_value("24.50")
    expect(sell.page.locator("#send-note")).to_have_text(
        "Not sent yet: the network is back, and everything you wrote is here. Press the button once more to send it."
    )
    expect(sell.submit).to_be_focused()
    expect(sell.page.locator("#send-note")).to_be_in_viewport()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")


def test_nothing_of_an_account_is_in_the_caches(sell: SellPage, merchant: Any) -> None:
    first_visit(sell)
    sell.page.goto("/sell/")
    sell.page.goto("/")
    kept = sell.page.evaluate(KEPT)
    assert set(kept) == {"static", "public", "account", "models"}
    assert all(path.startswith("/static/") for path in kept["static"])
    assert set(kept["public"]) == {"/api/models/manifest", "/api/policies"}
    assert set(kept["account"]) == {"/__shell", "/__owner"}
    shell = sell.page.evaluate("async () => (await (await caches.open('account')).match('/__shell')).text()")
    for secret in (merchant.username, merchant.shop_name, "csrfmiddlewaretoken", SAFE_TITLE):
        assert secret not in shell


def test_signing_out_empties_what_belongs_to_the_account(sell: SellPage) -> None:
    first_visit(sell)
    address = sell.page.url
    sell.page.goto("/sell/")
    sell.page.get_by_role("button", name="Sign out").first.click()
    sell.page.wait_for_load_state()
    sell.page.wait_for_function("async () => !(await caches.keys()).includes('account')")
    sell.page.context.set_offline(True)
    sell.page.goto(address)
    expect(sell.page.get_by_role("heading", name="You are offline")).to_be_visible()
    expect(sell.page.get_by_text("Your drafts are safe on this device.")).to_be_visible()


def test_old_caches_and_old_versions_of_files_are_removed(sell: SellPage) -> None:
    sell.open()
    old = sell.page.evaluate(
        """async () => {
          await caches.open('static-of-another-time');
          const current = document.querySelector('link[rel=stylesheet]').getAttribute('href');
          const old = current.replace(/[.][0-9a-f]{12}[.]/, '.0123456789ab.');
          await (await caches.open('static')).put(old, new Response('old'));
          return old;
        }"""
    )
    first_visit(sell)
    sell.page.wait_for_function("async () => !(await caches.keys()).includes('static-of-another-time')")
    kept = sell.page.evaluate(KEPT)
    assert old not in kept["static"]
    assert any(path.endswith(".wasm") for path in kept["static"])
