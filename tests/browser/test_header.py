"""The top of every page: two rows on a phone, one on a desk, and everything in it without a mouse or JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
ROW = 44  # pixels of what can be tapped
PATHS = ("/", "/favourites/", "/rules/", "/accounts/sign-in/", "/privacy/")


def rows(page: Page) -> int:
    """How many rows of things there are in the header."""
    tops: list[float] = page.eval_on_selector_all(
        ".brand, .search, .site-menu > summary, .site-nav > *, .nav-sell",
        "nodes => nodes.filter((node) => node.checkVisibility()).map((node) => node.getBoundingClientRect().top)",
    )
    return len({round(top / ROW) for top in tops})


@pytest.mark.parametrize(("width", "most"), [(320, 2), (390, 2), (800, 1), (1440, 1)])
@pytest.mark.parametrize("who", ["visitor", "merchant"])
def test_the_header_takes_two_rows_on_a_phone_and_one_on_a_desk(
    page: Page, signed_in: Callable[[Any], None], merchant: Any, width: int, most: int, who: str
) -> None:
    if who == "merchant":
        signed_in(merchant)
    page.set_viewport_size({"width": width, "height": 800})
    for path in PATHS:
        page.goto(path)
        assert rows(page) <= most, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_menu_works_with_the_keyboard(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/rules/")
    menu, link = page.locator(".site-menu > summary"), page.locator(".site-nav").get_by_role("link", name="Sign in")
    expect(link).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.mouse.click(30, 600)
    expect(link).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1440])
def test_everything_in_it_is_reached_without_javascript(browser: Browser, site: Stack, db: None, width: int) -> None:
    context = browser.new_context(
        base_url=site.url, java_script_enabled=False, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto("/rules/")
    menu = page.locator(".site-menu > summary")
    if width < 1000:
        menu.click()
    else:
        expect(menu).to_be_hidden()
    page.get_by_role("navigation", name="Your account").get_by_role("link", name="Favourites").click()
    page.wait_for_url("**/favourites/")
    context.close()
