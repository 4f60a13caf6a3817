"""The search box with suggestions, by keyboard and pointer, and without JavaScript."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from recommendations import vocabulary
from tests.browser.market import on_sale
from tests.stack import fetch, until

pytestmark = pytest.mark.browser


@pytest.fixture
def market(site, merchant, other_merchant):
    on_sale(merchant, other_merchant)
    vocabulary.refresh(force=True)

    def knows_the_words() -> bool:
        """A process of the server looks at the vocabulary every few seconds only."""
        _, body = fetch(f"{site.url}/api/search/suggestions?q=teap")
        return any(item["kind"] == "words" for item in json.loads(body)["items"])

    until(knows_the_words, 20, "the server suggests words")


@pytest.fixture
def box(page: Page, market):
    page.goto("/rules/")  # the box stands on every page
    return page.get_by_role("combobox", name="Search listings")


def searched(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("q", [""])[0]


def test_the_keys_choose_a_suggestion_and_search_for_it(page: Page, box):
    box.press_sequentially("teap", delay=30)
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(options.first).to_have_text("teapot")
    expect(box).to_have_attribute("aria-expanded", "true")
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    expect(box).to_have_value("teapot")
    box.press("ArrowUp")
    expect(box).to_have_value("teap")
    assert box.get_attribute("aria-activedescendant") is None
    box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url("**/?q=teapot")
    expect(page.get_by_role("heading", name="Results for “teapot”")).to_be_visible()


def test_escape_closes_the_list_and_keeps_what_was_typed(page: Page, box):
    box.press_sequentially("teap", delay=30)
    expect(page.get_by_role("listbox")).to_be_visible()
    box.press("ArrowDown")
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value("teap")
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press("Enter")
    page.wait_for_url("**/?q=teap")


def test_a_title_leads_to_its_page_and_a_category_to_its_own(page: Page, box):
    box.fill("celadon")
    page.get_by_role("option", name="Celadon teapot with bamboo handle").click()
    page.wait_for_url("**/item/*/")
    box.fill("kitch")
    page.get_by_role("option", name="Kitchen Category").click()
    page.wait_for_url("**/c/kitchen/")


def test_fast_typing_asks_once_and_leaving_the_box_closes_it(page: Page, box):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "suggestions" in request.url else None)
    box.press_sequentially("teapot", delay=10)
    expect(page.get_by_role("listbox")).to_be_visible()
    assert len(asked) == 1
    box.press("Tab")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_the_form_works_while_no_suggestions_come(page: Page, box):
    page.route("**/api/search/suggestions*", lambda route: route.abort())
    box.fill("teapot")
    page.wait_for_timeout(300)
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.press("Enter")
    page.wait_for_url("**/?q=teapot")


def test_a_misspelled_search_can_be_had_as_typed(page: Page, box):
    box.fill("teepot")
    box.press("Enter")
    expect(page.get_by_text("Showing results for teapot")).to_be_visible()
    page.get_by_role("link", name="Search instead for “teepot”").click()
    expect(page.get_by_role("heading", name="Nothing found for “teepot”")).to_be_visible()
    assert searched(page) == "teepot"


def test_without_javascript_the_box_is_a_plain_form(browser: Browser, market, site):
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("searchbox", name="Search listings").fill("teepot")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Showing results for teapot")).to_be_visible()
    context.close()
