"""A paused history, and a browser that keeps none: what pages say of it is what is so, in every tab."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from listings.models import Listing
from tests.browser.market import await_feed, events, everybodys, titles
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = "/?q=teapot"
FOR_YOU = "[data-shelf=pool]"
PAUSED = "Not kept: you have paused your history."
BLOCKED = [
    "Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } })",
    "Object.defineProperty(globalThis, 'indexedDB', { value: undefined })",
    "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }",
    "IDBFactory.prototype.open = () => ({})",
]
blocked = pytest.mark.parametrize("block", BLOCKED, ids=["reading throws", "none", "opening throws", "never answers"])


def pause(page: Page, is_paused: bool = True) -> None:
    page.goto("/privacy/")
    page.locator("#set-paused").set_checked(is_paused)
    expect(page.locator("#switches-said")).to_have_text(
        "Paused: nothing is noted and no vectors are sent." if is_paused else "Going on."
    )


def erase(page: Page) -> None:
    page.goto("/privacy/")
    page.get_by_role("button", name="Erase everything").click()
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.locator("#switches-said")).to_have_text("Erased.")


@blocked
def test_a_browser_that_keeps_nothing_sends_no_vectors_and_says_so(
    page: Page, context: BrowserContext, things: list[Listing], block: str
) -> None:
    asked: list[dict[str, Any]] = []
    context.on(
        "request",
        lambda request: asked.append(json.loads(request.post_data or "{}")) if request.method == "POST" else None,
    )
    page.add_init_script(block)
    page.goto("/")
    await_feed(page, "settled")
    page.locator(FOR_YOU).get_by_role("button", name=f"Favourite: {titles(page, FOR_YOU)[0]}").click()
    expect(page.locator(".tile__said:visible")).to_have_text("Not kept after this page: this browser does not let us.")
    with page.expect_response("**/api/recommendations"):
        page.evaluate("document.dispatchEvent(new CustomEvent('wants-more'))")
    page.goto(things[0].get_absolute_url())
    await_feed(page, "settled")
    page.locator("[data-favourite]").click()
    expect(page.locator("[data-favourite-said]")).to_contain_text("Not kept after this page")
    assert asked
    assert all(body["vectors"] == [] and "events" not in body for body in asked)
    page.goto("/privacy/")
    page.locator("#what-left[data-ready='1']").wait_for()
    expect(page.locator("#left-blocked")).to_be_visible()
    expect(page.locator("#sent-sum")).to_contain_text("cannot be kept in this browser, so no vectors are sent")
    expect(page.get_by_text("Nothing has been sent.")).to_have_count(0)
    page.goto("/favourites/")
    expect(page.locator("#favourites-notice")).to_contain_text("lets us keep nothing")


def test_hearts_and_dismissals_in_a_pause_say_that_they_are_not_kept(page: Page, things: list[Listing]) -> None:
    pause(page)
    page.goto(SEARCH)
    await_feed(page)
    heart = page.get_by_role("button", name=f"Favourite: {things[1].title}")
    heart.click()
    expect(page.locator(".tile__said:visible")).to_have_text(PAUSED)
    expect(heart).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name=f"Not interested: {things[0].title}").click()
    expect(page.locator(".tile__gone")).to_contain_text(f"Hidden until you leave this page. {PAUSED}")
    expect(page.get_by_text("less like it")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile__gone")).to_have_count(0)
    page.goto(things[0].get_absolute_url())
    await_feed(page)
    page.locator("[data-favourite]").click()
    expect(page.locator("[data-favourite-said]")).to_have_text(PAUSED)
    assert events(page) == []


def test_for_you_and_the_switch_say_what_is_so(page: Page, things: list[Listing]) -> None:
    note = page.locator("[data-note-words]")
    page.goto("/")
    await_feed(page, "settled")
    expect(note).to_contain_text("your device knows nothing of you yet")
    page.goto(things[0].get_absolute_url())
    await_feed(page, "settled")
    page.goto("/")
    await_feed(page, "settled")
    expect(note).to_contain_text("Chosen by your device")
    pause(page)
    page.goto("/")
    await_feed(page, "settled")
    expect(note).to_contain_text("paused: this is what everybody sees")
    page.goto(SEARCH)
    await_feed(page)
    switch = page.get_by_label("Sorted for you, on this device")
    expect(switch).to_be_disabled()
    expect(switch).not_to_be_checked()
    expect(page.get_by_text("off, for your history is paused")).to_be_visible()
    other = page.context.new_page()
    pause(other, is_paused=False)
    expect(switch).to_be_enabled()
    expect(switch).to_be_checked()


@pytest.mark.parametrize("end", [pause, erase])
def test_another_tab_goes_back_to_what_everybody_sees(
    page: Page, context: BrowserContext, browser: Any, site: Stack, things: list[Listing], end: Any
) -> None:
    everybody = everybodys(browser, site.url, SEARCH)
    page.goto(next(thing for thing in things if thing.title == everybody[0]).get_absolute_url())
    await_feed(page, "settled")
    page.goto(SEARCH)
    await_feed(page, "settled")
    page.get_by_role("button", name=f"Not interested: {everybody[1]}").click()
    expect(page.locator(".tile__gone")).to_contain_text("less like it")
    assert titles(page) != everybody, "it is in this shopper's order"
    end(context.new_page())
    expect(page.locator("[data-shelf] > .grid .tile__title")).to_have_text(everybody)
    expect(page.locator(".tile__gone")).to_have_count(0)


def test_a_new_order_is_said_only_when_there_is_one(page: Page, things: list[Listing]) -> None:
    page.goto("/")
    await_feed(page, "settled")
    before = titles(page)
    last = page.locator(f"{FOR_YOU} .grid .tile").last
    last.hover()
    last.get_by_role("button", name="Not interested").click()
    said = page.locator(f"{FOR_YOU} [data-says]")
    expect(said).to_contain_text("Not interested in")
    assert titles(page) == before
    expect(said).not_to_contain_text("new order")


def test_escape_keeps_everything(page: Page, things: list[Listing]) -> None:
    page.goto(things[0].get_absolute_url())
    await_feed(page)
    page.goto("/privacy/")
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#erase-ask")).to_be_hidden()
    expect(page.get_by_role("button", name="Erase everything")).to_be_focused()
    assert len(events(page)) == 1
