"""What a browser cannot do must not stop a merchant: the form works, and the server checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from listings.models import Listing
from tests.browser.conftest import sign_in
from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, UNSAFE_TEXT, UNSAFE_TITLE, SellPage
from tests.stack import Stack, until

pytestmark = pytest.mark.django_db(transaction=True)
MY_LISTINGS = re.compile(r"/sell/(\?submitted=.*)?$")
UNAVAILABLE = "The check could not run on this device"


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page)


def submit_without_claim(sell: SellPage) -> None:
    sell.fill_rest()
    sell.submit.click()
    sell.page.wait_for_url(MY_LISTINGS)
    listing = Listing.objects.get()
    assert not listing.verdicts.filter(where="device").exists()
    until(lambda: Listing.objects.get().status == "published", 30, "the server checks and publishes")
    assert listing.verdicts.filter(where="gate").exists()


def answer(status: int, body: bytes | str = "") -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, body=body, headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("pattern", "how", "reason"),
    [
        ("**/ml/worker*.js", answer(404), "program could not start"),
        ("**/ml/sessions*.js", answer(404), "program could not start"),
        ("**/api/models/manifest", answer(503, "{}"), "list of models could not be read"),
        ("**/api/models/manifest", answer(200, "<!doctype html>"), "list of models could not be read"),
        ("**/models/*.onnx", answer(404), "model could not be downloaded"),
        ("**/models/*.onnx", lambda route: route.abort(), "model could not be downloaded"),
        ("**/models/*.onnx", answer(200, b"\x08\x09 damaged"), "model arrived damaged"),
        ("**/ort/ort-wasm*.wasm", answer(404, "<!doctype html>"), "cannot run the model"),
        ("**/ort/ort.wasm*.mjs", answer(404), "cannot run the model"),
    ],
    ids=[
        "worker 404",
        "worker's module 404",
        "manifest 503",
        "manifest not JSON",
        "model 404",
        "model line cut",
        "model damaged",
        "runtime is an error page",
        "runtime loader 404",
    ],
)
def test_a_part_that_fails_is_said_and_the_server_checks(
    sell: SellPage, pattern: str, how: Callable[[Route], None], reason: str
) -> None:
    sell.page.context.route(pattern, how)
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_contain_text(UNAVAILABLE)
    expect(sell.status).to_contain_text(reason)
    submit_without_claim(sell)


def test_after_a_failed_download_the_check_runs_once_the_line_is_back(sell: SellPage) -> None:
    sell.page.context.route("**/models/*.onnx", lambda route: route.abort())
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_contain_text("model could not be downloaded")
    sell.page.context.unroute("**/models/*.onnx")
    sell.page.evaluate("dispatchEvent(new Event('online'))")
    expect(sell.status).to_have_text(CALM)


def test_a_browser_without_webassembly_or_workers_submits_as_usual(sell: SellPage) -> None:
    sell.page.add_init_script("delete globalThis.Worker; delete globalThis.WebAssembly;")
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_contain_text(UNAVAILABLE)
    submit_without_claim(sell)


def test_a_worker_that_may_not_compile_wasm_says_so(
    context: BrowserContext, signed_in: Callable[[Any], None], merchant: Any
) -> None:
    """The worker's own policy without 'wasm-unsafe-eval': what a strict proxy or a browser setting does."""

    def strict(route: Route) -> None:
        response = route.fetch()
        headers = response.headers | {"content-security-policy": "script-src 'self'"}
        route.fulfill(response=response, headers=headers)

    signed_in(merchant)
    context.route("**/ml/worker*.js", strict)
    sell = SellPage(context.new_page()).open()  # not the fixture's page: it fails on a refusal, which is wanted here
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_contain_text("this browser cannot run the model")
    submit_without_claim(sell)


def test_a_slow_download_does_not_hold_up_the_submit(sell: SellPage) -> None:
    held: list[Route] = []
    sell.page.context.route("**/models/*.onnx", lambda route: held.append(route))  # never answered
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_contain_text("Getting the check ready")
    submit_without_claim(sell)
    assert held


def test_without_javascript_a_listing_is_submitted_checked_and_published(
    browser: Browser, site: Stack, merchant: Any
) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    sign_in(context, merchant, site.url)
    sell = SellPage(context.new_page())
    sell.page.goto("/sell/new/")
    sell.write(SAFE_TITLE, SAFE_TEXT)
    submit_without_claim(sell)
    context.close()


def test_without_javascript_an_unsafe_listing_is_caught_by_the_server(
    browser: Browser, site: Stack, merchant: Any
) -> None:
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    sign_in(context, merchant, site.url)
    sell = SellPage(context.new_page())
    sell.page.goto("/sell/new/")
    sell.write(UNSAFE_TITLE, UNSAFE_TEXT)
    sell.fill_rest()
    sell.submit.click()
    sell.page.wait_for_url(MY_LISTINGS)
    until(lambda: Listing.objects.get().status != "checking", 30, "the worker decides")
    assert Listing.objects.get().status in ("in_review", "needs_changes")
    context.close()
