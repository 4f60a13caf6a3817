"""From decisions to a warning on a page that was open all the time: fit, shadow, publish, roll back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from listings import content, gate
from listings.lifecycle import Status
from listings.models import Listing, ReviewJob
from listings.moderation import decisions
from tests.browser.conftest import sign_in
from tests.browser.sell_page import CALM, SellPage
from tests.conftest import person
from tests.models.decided import HARMLESS, REJECTED
from tests.stack import Stack

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Laughing gas for balloons came up again and again."
TEXT = ("Two full tanks for parties", "Nitrous, each with a nozzle. Ring me any time.")
MOST_SECONDS = 600


def listing_of(words: tuple[str, str], seller: Any, **fields: Any) -> Listing:
    values = {"category": "kitchen", "price": "18.50", "seller": seller} | fields
    return Listing.objects.create(title=words[0], description=words[1], **values)


def decide(words: tuple[str, str], seller: Any, moderator: Any) -> None:
    listing = listing_of(words, seller, status=Status.IN_REVIEW)
    said = gate.device_look(content.fields_of(listing))
    said.listing, said.revision = listing, 1
    said.save()
    job = ReviewJob.objects.create(listing=listing, revision=1, cause="Reported.")
    decisions.reject(job=job, moderator=moderator, policy="drugs", reason="Laughing gas for balloons.")


def do(page: Page, button: str, why: str = WHY) -> None:
    """Press a button of the page with its reason, by the keyboard alone."""
    form = page.locator("form", has=page.get_by_role("button", name=button)).last
    form.get_by_label("Why").focus()
    page.keyboard.type(why)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_a_page_that_is_open_warns_of_what_moderators_decided_meanwhile(
    browser: Browser, context: BrowserContext, site: Stack, signed_in: Callable[[Any], None],
    merchant: Any, moderator: Any, record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    sellers = [person(f"seller{number}", "merchant") for number in range(4)]
    for words in HARMLESS[:10]:
        listing_of(words, sellers[0], status=Status.PUBLISHED)
    signed_in(merchant)
    sell = SellPage(context.new_page()).open()
    sell.write(*TEXT)
    expect(sell.status).to_have_text(CALM)
    offices = []
    for by in (moderator, person("max", "moderator")):
        office = browser.new_context(base_url=site.url, java_script_enabled=len(offices) == 0)  # one works without
        sign_in(office, by, site.url)
        offices.append(office.new_page())
    first, second = offices
    first.set_default_timeout(60_000)
    second.set_default_timeout(60_000)

    began = time.monotonic()
    for number, words in enumerate(REJECTED):
        decide(words, sellers[number % 4], moderator)
    first.goto("/moderation/models/")
    do(first, "Fit a patch")
    expect(first.locator("#p1")).to_contain_text("Draft")
    do(first, "Start its shadow")
    second.goto("/moderation/models/")
    for _ in range(60):
        if not second.get_by_text("still going over the stored listings").count():
            break
        time.sleep(1)
        second.reload()
    do(second, "Publish this release")
    expect(second.locator("main")).to_contain_text("is live since")
    published = time.monotonic()
    expect(sell.findings.locator(".finding")).to_contain_text("Drugs and medicines", timeout=150_000)
    on_the_page = time.monotonic()
    assert "Nitrous," in sell.page.locator("mark.hit").all_inner_texts()
    assert on_the_page - began < MOST_SECONDS

    # What was learned is there without a network too.
    sell.page.wait_for_timeout(1500)
    context.set_offline(True)
    sell.write("Nitrous for the weekend", "Two tanks.")
    expect(sell.findings.locator(".finding")).to_contain_text("Drugs and medicines")
    context.set_offline(False)
    sell.write(*TEXT)
    expect(sell.findings.locator(".finding")).to_contain_text("Drugs and medicines")

    back = time.monotonic()
    do(second, "Roll back to the published model")
    expect(second.locator("main")).to_contain_text("No release is live")
    rolled_back = time.monotonic()
    expect(sell.status).to_have_text(CALM, timeout=150_000)
    calm = time.monotonic()
    for name, seconds in (
        ("decided to published", published - began), ("published to warned", on_the_page - published),
        ("rolled back", rolled_back - back), ("rolled back on the page", calm - back),
    ):  # fmt: skip
        record_property(name, round(seconds, 1))
        print(f"{name}: {seconds:.1f} s")
    for page in offices:
        page.context.close()
