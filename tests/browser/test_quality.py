"""The simulator of the page of quality: the slide reckons in the page what the form asks of the server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from listings.lifecycle import Status
from listings.models import Debt, Listing, ValidationJob, Verdict
from listings.moderation import decisions, queue
from listings.moderation.decisions import Word
from models import manifest
from tests.browser.conftest import sign_in
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/moderation/quality/"
OUTCOMES = "[data-outcomes]"
REASON = "This cannot be sold here, as the rules say."


@pytest.fixture
def scored(site: Stack, merchant: Any, moderator: Any) -> None:
    """Revisions that the gate scored for weapons from 0.05 to 0.95; those from 0.55 on were decided, most rejected."""
    entry = manifest.load()["models"]["listing-text"]
    for step in range(5, 100, 10):
        held, unsafe = step > 50, step / 100
        listing = Listing.objects.create(
            seller=merchant, title=f"Thing {step}", description="A thing.", category="toys", price=9,
            status=Status.IN_REVIEW if held else Status.PUBLISHED, published_at=None if held else timezone.now(),
        )  # fmt: skip
        Verdict.objects.create(
            listing=listing, revision=1, where="gate", model="listing-text", version=entry["version"],
            scores=dict.fromkeys(entry["labels"], 0.0) | {"weapons": unsafe, "safe": round(1 - unsafe, 6)},
            decision="unsure" if held else "pass", policy="weapons" if held else "",
        )  # fmt: skip
        ValidationJob.objects.create(
            listing=listing, revision=1, category="toys", state="done", finished_at=timezone.now(),
            outcome=Status.IN_REVIEW if held else Status.PUBLISHED,
        )  # fmt: skip
        if held:
            job = queue.open_job(listing, revision=1, cause="The gate is not sure.", policy="weapons")
            word = Word("approve") if step == 65 else Word("reject", "weapons", REASON)
            decisions.decide(job=job, moderator=moderator, word=word)


def test_the_slide_says_at_once_what_the_form_says(
    page: Page, browser: Browser, site: Stack, signed_in: Callable[[Any], None], moderator: Any, scored: None
) -> None:
    signed_in(moderator)
    page.goto(ADDRESS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.select_option("#simulator-policy", "weapons")
    page.locator("#simulator-slide").fill("0.6")
    row = page.locator("tr", has_text="Precision").filter(has=page.locator("[data-out=precision]"))
    expect(row.locator("td").first).to_have_text("75 %")
    expect(page.locator("#simulator-threshold")).to_have_value("0.6")
    assert not [url for url in asked if "/static/" not in url], "nothing is asked of the server but pictures"
    slid = page.locator(OUTCOMES).inner_text()

    bare = browser.new_context(base_url=site.url, java_script_enabled=False)
    sign_in(bare, moderator, site.url)
    form = bare.new_page()
    form.goto(ADDRESS)
    form.select_option("#simulator-policy", "weapons")
    form.fill("#simulator-threshold", "0.6")
    form.get_by_role("button", name="Reckon").click()
    assert form.locator(OUTCOMES).inner_text() == slid
    assert "threshold=0.6" in form.url
    bare.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_no_wider_than_the_window(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, scored: None, width: int
) -> None:
    signed_in(moderator)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(ADDRESS)
    expect(page.locator("[data-plot=thresholds] canvas")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# What is written into a canvas, and the rectangles of its paths, as [text, x] and [left, width].
RECORD = """
window.drawn = { texts: [], bars: [] };
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, ...more) {
  window.drawn.texts.push([text, x]);
  return write.call(this, text, x, ...more);
};
const rect = Path2D.prototype.rect;
Path2D.prototype.rect = function (x, y, width, height) {
  window.drawn.bars.push([x, width]);
  return rect.call(this, x, y, width, height);
};
"""


@pytest.mark.parametrize("width", [390, 1440])
def test_a_bar_of_drift_stands_over_the_days_of_its_week_and_the_last_is_named(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, scored: None, width: int
) -> None:
    signed_in(moderator)
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script(RECORD)
    page.goto(ADDRESS)
    expect(page.locator("[data-plot=drift] canvas")).to_be_visible()
    today, first = timezone.localdate(), timezone.localdate() - timedelta(days=7)
    drawn = page.evaluate("window.drawn")
    begins, ends = ({x for text, x in drawn["texts"] if text == f"{day:%-d %b}"} for day in (first, today))
    (middle,) = begins & ends  # the two stand below one another, and only there
    bars = {at + wide / 2 for at, wide in drawn["bars"]}
    assert any(bar == pytest.approx(middle, abs=2) for bar in bars), "all scores are of this week"


def test_a_legend_has_values_before_and_after_the_pointer(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, scored: None
) -> None:
    signed_in(moderator)
    page.goto(ADDRESS)
    legend = page.locator("[data-plot=pace] .u-legend")
    said = [f"{timezone.localdate():%-d %b}", "5"]
    expect(legend.locator(".u-value")).to_have_text(said)
    page.locator("[data-plot=pace] .u-over").hover(position={"x": 5, "y": 20})
    expect(legend.locator(".u-value").last).to_have_text("0")
    page.mouse.move(0, 0)
    expect(legend.locator(".u-value")).to_have_text(said)
    expect(page.locator("[data-plot=thresholds] .u-legend .u-value").first).to_have_text(
        f"{int(100 * float(page.input_value('#simulator-threshold'))) / 100:g}"
    )


@pytest.mark.parametrize("width", [390, 1440])
def test_a_single_day_of_audits_stands_in_the_middle_with_its_interval(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, scored: None, width: int
) -> None:
    job = ValidationJob.objects.filter(outcome=Status.PUBLISHED).first()
    assert job
    Debt.objects.create(
        listing=job.listing, job=job, risk=0.1, tier=2, state="paid", audit=True, closed_at=timezone.now()
    )
    signed_in(moderator)
    page.set_viewport_size({"width": width, "height": 900})
    page.add_init_script(RECORD)
    page.goto("/moderation/savings/")
    plot = page.locator("[data-plot=misses]")
    said = [f"{timezone.localdate():%-d %b}", "0 %", "97.5 %", "0.2 %", "0 %"]
    expect(plot.locator(".u-legend .u-value")).to_have_text(said)
    over = plot.locator(".u-over").evaluate("box => [box.offsetLeft, box.offsetWidth]")
    named = [x for text, x in page.evaluate("window.drawn.texts") if text == said[0]]
    assert pytest.approx(over[0] + over[1] / 2, abs=2) in named
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_every_place_of_moderation_can_be_seen(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, site: Stack
) -> None:
    signed_in(moderator)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(ADDRESS)
    places = page.get_by_role("navigation", name="Moderation").get_by_role("link")
    expect(places).to_have_count(5)
    for place in places.all():
        box = place.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
