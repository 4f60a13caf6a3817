"""One's favourites, shown by the device from what it keeps; the server learns none of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from listings.models import Listing
from tests.browser.market import await_feed, events
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = "/?q=teapot"


def open_favourites(page: Page) -> None:
    page.goto("/favourites/")
    page.locator("#favourites[data-ready='1']").wait_for()


def press_hearts(page: Page, *listings: Listing) -> None:
    page.goto(SEARCH)
    await_feed(page)
    for number, listing in enumerate(listings, start=1):
        page.get_by_role("button", name=f"Favourite: {listing.title}").click()
        expect(page.locator(f"[data-shelf] > .grid [aria-label='Favourite: {listing.title}']")).to_have_attribute(
            "aria-pressed", "true"
        )
        page.wait_for_function(
            """(count) => new Promise((resolve) => {
              indexedDB.open("marketplace-history").onsuccess = ({ target: { result } }) => {
                const store = result.transaction("events").objectStore("events");
                store.getAll().onsuccess = (event) => {
                  result.close();
                  resolve(event.target.result.filter(({ kind }) => kind === "favourite").length >= count);
                };
              };
            })""",
            arg=number,
        )


def test_favourites_stand_there_newest_first_and_no_request_names_them(
    page: Page, context: BrowserContext, things: list[Listing]
) -> None:
    press_hearts(page, things[0], things[1])
    sent: list[Request] = []
    context.on("request", lambda request: sent.append(request))
    page.get_by_role("navigation", name="Your account").get_by_role("link", name="Favourites").click()
    page.locator("#favourites[data-ready='1']").wait_for()
    expect(page.locator("#favourites .tile__title")).to_have_text([things[1].title, things[0].title])
    expect(page.locator("#favourites .tile__price").first).to_have_text("€24")
    expect(page.locator("#favourites-sum")).to_have_text("2 favourites, newest first.")
    for request in sent:
        said = request.url + (request.post_data or "")
        assert not [thing for thing in things[:2] if thing.public_id in said], said
        assert "/media/" not in request.url


def test_a_heart_is_taken_back_there_and_can_be_given_again(page: Page, things: list[Listing]) -> None:
    press_hearts(page, things[0], things[1])
    open_favourites(page)
    page.get_by_role("button", name=f"Favourite: {things[0].title}").click()
    expect(page.get_by_role("button", name=f"Undo: {things[0].title}")).to_be_focused()
    expect(page.locator("#favourites-sum")).to_have_text("1 favourite.")
    assert [title for kind, title in events(page) if kind == "favourite"] == [things[1].title]
    page.get_by_role("button", name=f"Undo: {things[0].title}").click()
    expect(page.get_by_role("button", name=f"Favourite: {things[0].title}")).to_be_focused()
    expect(page.locator("#favourites-sum")).to_have_text("2 favourites, newest first.")
    page.get_by_role("button", name=f"Favourite: {things[0].title}").click()
    expect(page.locator("#favourites-sum")).to_have_text("1 favourite.")
    page.reload()
    expect(page.locator("#favourites .tile__title")).to_have_text([things[1].title])


def test_what_was_dismissed_since_is_no_favourite_until_that_is_undone(page: Page, things: list[Listing]) -> None:
    press_hearts(page, things[0])
    page.get_by_role("button", name=f"Not interested: {things[0].title}").click()
    expect(page.locator(".tile__gone")).to_contain_text("less like it")
    other = page.context.new_page()
    open_favourites(other)
    expect(other.locator("#favourites-sum")).to_contain_text("No favourites.")
    expect(other.get_by_role("link", name="Look around")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(other.locator("#favourites .tile__title")).to_have_text([things[0].title])


def test_the_heart_of_an_item_page_follows_other_tabs(page: Page, things: list[Listing]) -> None:
    page.goto(things[0].get_absolute_url())
    await_feed(page)
    heart = page.locator("[data-favourite]")
    expect(heart).to_have_attribute("aria-pressed", "false")
    other = page.context.new_page()
    press_hearts(other, things[0])
    expect(heart).to_have_text("A favourite")
    expect(heart).to_have_attribute("aria-pressed", "true")
    open_favourites(other)
    other.get_by_role("button", name=f"Favourite: {things[0].title}").click()
    expect(heart).to_have_text("Favourite")
    expect(heart).to_have_attribute("aria-pressed", "false")
    third = page.context.new_page()
    third.goto(things[0].get_absolute_url())
    await_feed(third)
    third.locator("[data-favourite]").click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    third.locator("[data-favourite]").click()
    expect(heart).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_found_without_javascript_and_says_why_it_is_empty(
    browser: Any, site: Stack, db: None, width: int
) -> None:
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto("/rules/")
    page.locator("a[href='/favourites/']:visible").first.click()
    page.wait_for_url("**/favourites/")
    expect(page.get_by_text(re.compile("JavaScript is off, so there is nothing here"))).to_be_visible()
    expect(page.locator("#favourites-sum")).to_be_hidden()
    context.close()
