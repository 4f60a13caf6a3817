"""The check while the merchant types: in the browser, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.recorder import Recorder, recording
from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, UNSAFE_TEXT, UNSAFE_TITLE, SellPage
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page)


def test_an_unsafe_draft_is_warned_of_with_its_words_marked_and_a_safe_one_is_calm(sell: SellPage) -> None:
    sell.open()
    sell.write(UNSAFE_TITLE, UNSAFE_TEXT)
    finding = sell.findings.locator(".finding")
    expect(finding).to_contain_text("Drugs and medicines")
    expect(finding).to_contain_text("This reads like an offer of a drug")  # why
    expect(finding).to_contain_text("Medicines go back to a pharmacy")  # what to do
    marked = sell.page.locator("mark.hit").all_inner_texts()
    assert {"Xanax", "Alprazolam"} & set(marked), marked
    assert sell.page.locator('[data-marks-for="title"]').inner_text() == UNSAFE_TITLE
    expect(sell.page.locator('[data-marks-for="description"] mark.hit').first).to_be_visible()
    expect(sell.submit).to_have_text("Submit for review anyway")

    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    expect(finding).to_have_count(0)
    expect(sell.page.locator("mark.hit")).to_have_count(0)
    expect(sell.submit).to_have_text("Check and publish")


def test_no_request_carries_draft_text_before_submit(
    context: BrowserContext, site: Stack, signed_in: Callable[[Any], None], merchant: Any
) -> None:
    signed_in(merchant)
    elsewhere: list[str] = []
    with recording(site.port) as recorder:
        context.on("request", lambda request: elsewhere.append(request.url))
        sell = SellPage(context.new_page()).open(f"{recorder.url}/sell/new/")
        sell.write(f"{UNSAFE_TITLE} zirconquill", f"{UNSAFE_TEXT} Quagmireplum.")
        expect(sell.findings.locator(".finding")).to_be_visible()
        sell.page.locator("#id_price").fill("98765.43")
        sell.write(f"{SAFE_TITLE} zirconquill", f"{SAFE_TEXT} Quagmireplum.")
        expect(sell.status).to_have_text(CALM)
        sell.await_saved()
        sell.page.wait_for_timeout(1500)  # the service worker's own errands
        sell.page.goto("about:blank")  # beacons and unload handlers

        assert recorder.requests() > 10  # it does see the traffic
        for secret in ("zirconquill", "uagmireplum", "98765.43", "Xanax", "linen shade"):
            assert not recorder.holds(secret), f"{secret!r} left the browser before submit"
        assert [url for url in elsewhere if not url.startswith((recorder.url, "blob:", "about:"))] == []


def test_the_recorder_sees_what_a_submit_sends(recorded: tuple[SellPage, Recorder]) -> None:
    """The test above would fail if text left: this is the same relay, with text leaving on purpose."""
    sell, recorder = recorded
    sell.write(f"{SAFE_TITLE} zirconquill", SAFE_TEXT)
    sell.fill_rest()
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert recorder.holds("zirconquill")


def test_marked_words_are_shown_as_text_never_as_markup(sell: SellPage) -> None:
    sell.open()
    sell.write("Xanax <img src=x onerror=alert(1)>", f"<b>{UNSAFE_TEXT}</b><script>alert(2)</script>")
    expect(sell.findings.locator(".finding")).to_be_visible()
    mirror = sell.page.locator('[data-marks-for="title"]')
    expect(mirror).to_have_text("Xanax <img src=x onerror=alert(1)>")
    assert sell.page.locator("[data-marks-for] img, [data-marks-for] script, [data-marks-for] b").count() == 0


def test_text_that_the_model_does_not_know_is_said_calmly_to_be_unsure(sell: SellPage) -> None:
    sell.open()
    sell.write("Лампа настольная", "Латунная лампа с льняным абажуром, в хорошем состоянии, самовывоз.")
    finding = sell.findings.locator(".finding--unsure")
    expect(finding).to_contain_text("You need not change anything")
    expect(sell.submit).to_have_text("Check and publish")


def test_details_and_words_about_photos_are_checked_too(sell: SellPage) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    sell.page.locator("#id_category").select_option("home")
    sell.page.locator("#id_attr-home-maker").fill("Xanax alprazolam pills")
    expect(sell.status).not_to_have_text(CALM)


def test_nothing_is_loaded_before_the_form_is_touched_and_only_the_three_runtime_files_after(sell: SellPage) -> None:
    loaded: list[str] = []
    sell.page.context.on("request", lambda request: loaded.append(request.url))
    sell.open()
    sell.page.wait_for_timeout(500)
    assert [url for url in loaded if "/ort/" in url or url.endswith(".onnx") or "worker" in url] == []
    sell.title.click()
    expect(sell.status).to_contain_text("Ready")
    runtime = {url.rsplit("/", 1)[1].split(".")[0] for url in loaded if "/ort/" in url}
    assert runtime == {"ort", "ort-wasm-simd-threaded"}
    kinds = {url.rsplit(".", 1)[1] for url in loaded if "/ort/" in url}
    assert kinds == {"mjs", "wasm"}


def test_what_the_worker_needs_is_asked_for_at_once_and_crosses_the_line_once(
    recorded: tuple[SellPage, Recorder],
) -> None:
    sell, recorder = recorded
    sell.title.click()
    expect(sell.status).to_contain_text("Ready")
    form = sell.page.locator("#sell-form")
    wanted = [
        form.get_attribute("data-runtime-url"),
        form.get_attribute("data-worker-url"),
        *(form.get_attribute("data-worker-imports") or "").split(" "),
    ]
    sent = b"".join(map(bytes, recorder.sent)).decode("latin-1")
    assert len(wanted) > 10
    once = [*wanted, "/api/models/manifest"]
    assert {url: sent.count(f"GET {url} ") for url in once} == dict.fromkeys(once, 1)
    asked_by = sell.page.evaluate("performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)")
    assert {wanted[0], *wanted[2:]} <= set(asked_by), "the page asks, the worker finds"


def test_where_bytes_are_dear_nothing_is_asked_for_ahead_of_the_worker(sell: SellPage) -> None:
    sell.page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    sell.open()
    sell.title.click()
    expect(sell.status).to_contain_text("Ready")
    expect(sell.page.locator("link[rel=prefetch]")).to_have_count(0)


def test_a_listing_is_written_checked_and_submitted_with_the_keyboard_alone(sell: SellPage) -> None:
    sell.open()
    keyboard = sell.page.keyboard
    tab_to(sell.page, "id_title")
    keyboard.type(SAFE_TITLE)
    tab_to(sell.page, "id_description")
    keyboard.type(SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    tab_to(sell.page, "id_price")
    keyboard.type("24.50")
    tab_to(sell.page, "id_condition")
    keyboard.press("ArrowDown")
    tab_to(sell.page, "id_category")
    keyboard.type("Ho")
    tab_to(sell.page, "submit-listing")
    keyboard.press("Enter")
    sell.page.wait_for_url("**/sell/")
    expect(sell.page.locator("article", has_text=SAFE_TITLE)).to_be_visible()


def tab_to(page: Page, target: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.id") == target:
            return
    raise AssertionError(f"#{target} cannot be reached with the Tab key")
