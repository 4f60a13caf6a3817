"""What a shopper does is noted on the device, and nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from listings.models import Listing
from tests.browser.market import await_feed, events, everybodys, kept, titles
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
SEARCH = "/?q=teapot"


def listen(context: BrowserContext) -> list[Request]:
    sent: list[Request] = []
    context.on("request", lambda request: sent.append(request))
    return sent


def look_at(page: Page, listing: Listing) -> None:
    page.goto(listing.get_absolute_url())
    await_feed(page)


def test_searches_views_favourites_and_dismissals_are_noted_signed_out(page: Page, things: list[Listing]) -> None:
    page.goto(SEARCH)
    await_feed(page)
    page.get_by_role("button", name=f"Favourite: {things[1].title}").click()
    page.get_by_role("button", name=f"Not interested: {things[3].title}").click()
    page.get_by_role("link", name=things[0].title).click()
    page.wait_for_url("**/item/**")
    await_feed(page)
    assert events(page) == [
        ("search", "teapot"),
        ("favourite", things[1].title),
        ("dismissal", things[3].title),
        ("view", things[0].title),
    ]


def test_a_purchase_is_noted_once_it_has_happened(
    page: Page, things: list[Listing], signed_in: Callable[[Any], None], shopper: Any
) -> None:
    signed_in(shopper)
    look_at(page, things[0])
    page.get_by_role("button", name="Buy").click()
    page.wait_for_url("**/orders/**")
    await_feed(page)
    assert events(page)[-1] == ("purchase", things[0].title)
    page.reload()
    await_feed(page)
    assert [kind for kind, _ in events(page)] == ["view", "purchase"]


def test_one_s_own_listing_is_no_event(
    page: Page, things: list[Listing], signed_in: Callable[[Any], None], merchant: Any
) -> None:
    signed_in(merchant)
    look_at(page, next(thing for thing in things if thing.seller == merchant))
    assert kept(page)["events"] == []


def test_no_request_holds_an_item_of_the_history_a_search_or_anything_of_the_person(
    page: Page, context: BrowserContext, things: list[Listing]
) -> None:
    """The addresses that a person opens themselves are left out: without them there would be no page."""
    page.goto(SEARCH)
    await_feed(page)
    page.get_by_role("button", name=f"Not interested: {things[3].title}").click()
    look_at(page, things[0])
    sent = listen(context)
    page.goto("/")
    await_feed(page, "settled")
    page.goto("/privacy/")
    page.locator("#what-left[data-ready='1']").wait_for()
    page.goto(f"/seller/{things[1].seller.username}/")
    await_feed(page, "settled")
    asked = [request for request in sent if request.resource_type != "document"]
    assert asked
    secrets = ["teapot", *(thing.public_id for thing in (things[0], things[3]))]
    secrets += [quote_plus(thing.title) for thing in (things[0], things[3])]
    for request in asked:
        if "/media/" in request.url:
            continue
        said = request.url + (request.post_data or "")
        assert not [secret for secret in secrets if secret in said], said
        if request.method == "POST":
            assert "cookie" not in request.all_headers()
            assert not request.all_headers().get("referer")
            assert set(json.loads(request.post_data or "{}")) <= {"model_version", "vectors", "limit"}


def test_a_click_on_not_interested_sorts_anew_without_a_request(
    page: Page, context: BrowserContext, things: list[Listing]
) -> None:
    look_at(page, things[3])
    page.goto(SEARCH)
    await_feed(page, "settled")
    before = titles(page)
    sent = listen(context)
    page.get_by_role("button", name=f"Not interested: {before[0]}").click()
    expect(page.get_by_role("status").filter(has_text="Not interested in")).to_have_count(1)
    assert titles(page)[0] == before[0], "the card keeps its place"
    expect(page.locator(".tile__gone")).to_have_count(1)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    assert sent == []
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile__gone")).to_have_count(0)
    expect(page.get_by_role("button", name=f"Not interested: {before[0]}")).to_be_focused()
    assert [kind for kind, _ in events(page)] == ["view", "search"]
    assert sent == []


def test_what_was_dismissed_does_not_come_back(page: Page, things: list[Listing]) -> None:
    page.goto(SEARCH)
    await_feed(page)
    page.get_by_role("button", name=f"Not interested: {things[0].title}").click()
    page.reload()
    await_feed(page)
    assert things[0].title not in titles(page)
    assert len(titles(page)) == 4


def test_results_are_in_this_shopper_s_order_and_the_switch_gives_everybody_s(
    page: Page, browser: Any, site: Stack, things: list[Listing]
) -> None:
    everybody = everybodys(browser, site.url, SEARCH)
    first = next(thing for thing in things if thing.title == everybody[0])
    look_at(page, first)
    for thing in things:  # of another seller, and none of the results
        if thing.seller != first.seller and "eapot" not in thing.title:
            look_at(page, thing)
    page.goto(SEARCH)
    await_feed(page)
    mine = titles(page)
    assert sorted(mine) == sorted(everybody)
    switch = page.get_by_label("Sorted for you, on this device")
    expect(switch).to_be_checked()
    assert mine[0] != first.title, "it was seen already, and others are of a seller looked at"
    switch.uncheck()
    expect(page.get_by_role("status").filter(has_text="In the order that everybody sees.")).to_have_count(1)
    expect(page.locator("[data-shelf] > .grid .tile__title")).to_have_text(everybody)  # once the movement is over
    page.reload()
    await_feed(page)
    expect(switch).not_to_be_checked()
    assert titles(page) == everybody


def test_a_click_teaches_the_weights(page: Page, things: list[Listing]) -> None:
    look_at(page, things[6])
    page.goto(SEARCH)
    await_feed(page)
    last = titles(page)[-1]
    page.get_by_role("link", name=last).click()
    page.wait_for_url("**/item/**")
    await_feed(page)
    weights = next(row["value"] for row in kept(page)["notes"] if row["name"] == "weights")
    assert len(weights) > 5
    page.goto("/privacy/")
    expect(page.locator("#learned-rows")).to_contain_text(re.compile("a little (more|less)"))


# --- the page about it
def test_the_page_shows_what_is_kept_and_a_pause_holds_it(page: Page, things: list[Listing]) -> None:
    look_at(page, things[0])
    page.goto("/privacy/")
    expect(page.locator("#kept-list")).to_contain_text(f"Looked at {things[0].title}")
    page.locator("#set-paused").check()
    expect(page.locator("#switches-said")).to_contain_text("Paused")
    look_at(page, things[1])
    page.goto(SEARCH)
    await_feed(page)
    assert events(page) == [("view", things[0].title)]
    page.goto("/privacy/")
    page.locator("#set-paused").uncheck()
    look_at(page, things[1])
    assert len(events(page)) == 2


def test_the_export_is_a_file_with_all_of_it(page: Page, things: list[Listing]) -> None:
    page.goto(SEARCH)
    await_feed(page)
    look_at(page, things[0])
    page.goto("/privacy/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save it all as a file").click()
    data = json.loads(download.value.path().read_text())
    assert [event["kind"] for event in data["events"]] == ["search", "view"]
    assert data["events"][1]["item"]["title"] == things[0].title
    assert set(data) >= {"sent", "weights", "settings", "candidates"}


def test_erase_asks_once_and_leaves_nothing(page: Page, things: list[Listing]) -> None:
    page.goto(SEARCH)
    await_feed(page)
    page.get_by_role("link", name=titles(page)[-1]).click()
    page.wait_for_url("**/item/**")
    await_feed(page)
    page.goto("/privacy/")
    page.get_by_role("button", name="Erase everything").click()
    page.get_by_role("button", name="Keep it").click()
    assert kept(page)["events"]
    page.get_by_role("button", name="Erase everything").click()
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.locator("#switches-said")).to_have_text("Erased.")
    expect(page.locator("#kept-sum")).to_contain_text("Nothing is kept.")
    expect(page.locator("#sent-sum")).to_have_text("Nothing has been sent.")
    left = kept(page)
    assert left.pop("notes") == [{"name": "erasures", "value": 1}], "what was worked out before must not come back"
    assert all(rows == [] for rows in left.values())


# --- several tabs, other browsers
def test_two_tabs_write_one_history_and_an_erasure_reaches_both(
    page: Page, context: BrowserContext, things: list[Listing]
) -> None:
    other = context.new_page()
    look_at(page, things[0])
    look_at(other, things[1])
    page.goto("/privacy/")
    expect(page.locator("#kept-sum")).to_contain_text("2 events")
    look_at(other, things[2])
    expect(page.locator("#kept-sum")).to_contain_text("3 events")  # without a reload
    page.get_by_role("button", name="Erase everything").click()
    page.get_by_role("button", name="Erase", exact=True).click()
    expect(page.locator("#kept-sum")).to_contain_text("Nothing is kept.")
    look_at(other, things[3])
    assert events(other) == [("view", things[3].title)]


@pytest.mark.parametrize(
    "block",
    [
        "Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } })",
        "Object.defineProperty(globalThis, 'indexedDB', { value: undefined })",
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }",
        "for (const name of ['sessionStorage', 'localStorage']) Object.defineProperty(globalThis, name,"
        " { get() { throw new DOMException('no', 'SecurityError'); } });"
        " Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined })",
    ],
    ids=["reading it throws", "no IndexedDB", "opening throws", "no other storage"],
)
def test_a_browser_that_keeps_nothing_shows_the_pages_all_the_same(
    page: Page, things: list[Listing], block: str
) -> None:
    page.add_init_script(block)
    page.goto(SEARCH)
    await_feed(page, "settled")
    assert len(titles(page)) == 5
    page.get_by_role("button", name=f"Not interested: {things[1].title}").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("link", name=things[0].title).click()
    page.wait_for_url("**/item/**")
    await_feed(page)
    page.goto("/privacy/")
    page.locator("#what-left[data-ready='1']").wait_for()


def test_a_history_of_an_older_version_is_upgraded(page: Page, things: list[Listing]) -> None:
    page.goto("/rules/")  # a page without the script
    page.evaluate(
        """(item) => new Promise((resolve, reject) => {
          const request = indexedDB.open("marketplace-history", 1);
          request.onupgradeneeded = () => request.result.createObjectStore("events", { keyPath: "id" })
            .put({ id: 1, kind: "view", at: Date.now() - 5000, item, vector: null, space: "" });
          request.onerror = () => reject(request.error);
          request.onsuccess = () => { request.result.close(); resolve(); };
        })""",
        {"id": "old1", "title": "An old lamp", "url": "/item/old1/", "seller": "x", "category": "home", "price": 5},
    )
    look_at(page, things[0])
    assert events(page) == [("view", "An old lamp"), ("view", things[0].title)]


def test_a_history_of_a_newer_version_is_left_alone(page: Page, things: list[Listing]) -> None:
    page.goto("/rules/")
    page.evaluate(
        """() => new Promise((resolve) => {
          const request = indexedDB.open("marketplace-history", 99);
          request.onupgradeneeded = () => request.result.createObjectStore("events", { keyPath: "id" });
          request.onsuccess = () => { request.result.close(); resolve(); };
        })"""
    )
    look_at(page, things[0])
    page.goto("/privacy/")
    expect(page.locator("#kept-sum")).to_contain_text("for longer than a page is open")
    assert kept(page) == {"events": []}


def test_without_javascript_the_page_says_that_nothing_is_kept(browser: Any, site: Stack, db: None) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/privacy/")
    expect(page.get_by_text("JavaScript is off, so nothing is kept")).to_be_visible()
    expect(page.get_by_text("Erase everything")).to_be_hidden()
    context.close()
