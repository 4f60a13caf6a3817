"""The front page in this shopper's order, with candidates of the real server, which learns nothing of the shopper."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Request, expect

from listings.models import Listing
from tests.browser.market import await_feed, kept, titles

pytestmark = pytest.mark.django_db(transaction=True)
FOR_YOU = "[data-shelf=pool]"


def test_what_was_looked_at_leads_the_front_page(page: Page, things: list[Listing]) -> None:
    by_title = {listing.title: listing for listing in things}
    for title in ("Digital camera with zoom lens", "Film camera, black, mirror stuck"):
        page.goto(by_title[title].get_absolute_url())
        await_feed(page, "settled")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.goto("/")
    await_feed(page, "settled")
    assert kept(page)["events"], "the device remembers"
    shown = titles(page, FOR_YOU)
    assert len(shown) == len(set(shown))
    assert "camera" in shown[0].lower(), shown
    for request in sent:
        assert by_title["Digital camera with zoom lens"].public_id not in (request.post_data or "")


def test_the_request_holds_vectors_and_nothing_else(page: Page, things: list[Listing]) -> None:
    with page.expect_request("**/api/recommendations") as asked:
        page.goto(things[0].get_absolute_url())
        await_feed(page)
        page.goto("/")
    await_feed(page, "settled")
    request = asked.value
    assert set(json.loads(request.post_data or "")) == {"model_version", "vectors", "limit"}
    headers = request.all_headers()
    assert "cookie" not in headers and "referer" not in headers
    answer = request.response()
    assert answer is not None and answer.status == 200
    assert answer.all_headers()["cache-control"] == "no-store"
    assert "set-cookie" not in answer.all_headers()


def test_a_new_device_gets_what_is_new(page: Page, things: list[Listing]) -> None:
    page.goto("/")
    await_feed(page, "settled")
    assert set(titles(page, FOR_YOU)) <= {listing.title for listing in things}
    assert len(titles(page, FOR_YOU)) == 10


def test_what_is_similar_stands_below_an_item(page: Page, things: list[Listing]) -> None:
    page.goto(things[0].get_absolute_url())
    await_feed(page, "settled")
    similar = titles(page, "[data-source=similar]")
    assert things[0].title not in similar
    assert "teapot" in similar[0].lower()


def test_cards_in_use_stay_until_somebody_asks_for_others(page: Page, things: list[Listing]) -> None:
    page.goto("/")
    await_feed(page, "settled")
    page.locator(f"{FOR_YOU} .tile").first.hover()
    page.mouse.wheel(0, 1)  # somebody reads
    before = titles(page, FOR_YOU)
    other = page.context.new_page()
    for thing in [thing for thing in things if "amera" in thing.title]:
        other.goto(thing.get_absolute_url())
        await_feed(other, "settled")
    assert titles(page, FOR_YOU)[0] == before[0]
    page.get_by_role("button", name="Renew").click()
    expect(page.locator(f"{FOR_YOU} [data-says]")).to_have_text("“For you” is renewed.")
    expect(page.locator(f"{FOR_YOU} .tile__title").first).to_contain_text("amera")
