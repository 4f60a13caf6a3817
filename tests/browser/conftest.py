"""A real Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from listings.models import Listing
from recommendations import vectors
from tests.browser import chromium
from tests.browser.market import on_sale
from tests.browser.recorder import Recorder, recording
from tests.browser.sell_page import SellPage
from tests.stack import Stack


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, installed if need be; a machine without one fails here with the reason."""
    path = chromium.path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.flags())
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, site: Stack) -> Iterator[BrowserContext]:
    """A fresh profile: no cookies, no caches, no drafts."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose uncaught errors and refusals by the content security policy fail the test at its end."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if is_refusal(message) else None)
    yield page
    assert not problems, "the page reported errors: " + "; ".join(problems)


def is_refusal(message: Any) -> bool:
    return message.type == "error" and "Content Security Policy" in message.text


def sign_in(context: BrowserContext, user: Any, url: str) -> None:
    """A signed-in session without the form (which has tests of its own)."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": url}])


@pytest.fixture
def signed_in(context: BrowserContext, site: Stack) -> Callable[[Any], None]:
    """Call it with a user."""
    return lambda user: sign_in(context, user, site.url)


@pytest.fixture
def recorded(
    context: BrowserContext, site: Stack, signed_in: Callable[[Any], None], merchant: Any
) -> Iterator[tuple[SellPage, Recorder]]:
    """The page, opened through a relay that keeps what the browser sends."""
    signed_in(merchant)
    with recording(site.port) as recorder:
        yield SellPage(context.new_page()).open(f"{recorder.url}/sell/new/"), recorder


@pytest.fixture
def things(site: Stack, merchant: Any, other_merchant: Any) -> list[Listing]:
    """The small market of market.py, with its vectors."""
    listings = on_sale(merchant, other_merchant)
    vectors.sweep()  # or the worker does it in the middle of a test, and the order for everybody changes
    return listings
