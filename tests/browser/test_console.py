"""A moderator at work, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from playwright.sync_api import Page, expect

from listings import photos
from listings.lifecycle import Status
from listings.models import Decision, JobEvent, Listing, PendingDecision, ReviewJob
from listings.moderation import claims, queue
from tests.browser.drawn_photos import judged_photo
from tests.conftest import person
from tests.stack import Stack, until

pytestmark = pytest.mark.django_db(transaction=True)
CASES = 30
KINDS = ("Fine", "Copy", "Unclear")
REASON = "A copy of a brand cannot be sold here."


@pytest.fixture
def cases(site: Stack, merchant: Any) -> list[ReviewJob]:
    """Cases of three kinds: fine, to be rejected, to be changed; the title says which."""
    found = []
    for number in range(CASES):
        kind = KINDS[number % 3]
        listing = Listing.objects.create(
            seller=merchant, title=f"{kind} {number}", description="It lies in a drawer.", category="kitchen", price=5,
            status=Status.IN_REVIEW,
        )  # fmt: skip
        found.append(queue.open_job(listing, revision=1, cause="The check was not sure.", policy="counterfeit"))
    return found


def at(page: Page, title: str) -> None:
    """The page with this title is there, and hears keys."""
    expect(page.locator("h1")).to_have_text(title)
    page.locator("body[data-keys=ready]").wait_for(state="attached")


def reason_of(page: Page) -> Any:
    return page.locator("[data-decision] textarea")


def test_thirty_cases_by_keyboard_alone_one_of_them_undone(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, cases: list[ReviewJob]
) -> None:
    signed_in(moderator)
    page.goto("/moderation/")
    at(page, "Review queue")
    key = page.keyboard
    key.press("Shift+?")
    expect(page.locator("#keys")).to_be_visible()
    key.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    key.press("n")
    undone = ""
    for number in range(CASES):
        title = f"{KINDS[number % 3]} {number}"
        at(page, title)
        if number == 4 and not undone:  # a slip, taken back: the same case again
            undone = title
            key.press("a")
            at(page, f"{KINDS[(number + 1) % 3]} {number + 1}")
            key.press("u")
            at(page, undone)
        match number % 3:
            case 0:
                key.press("a")
            case 1:
                key.press("r")  # goes to the reason, which is missing
                expect(reason_of(page)).to_be_focused()
                key.type(REASON)
                key.press("Control+Enter")
            case 2:
                key.press("c")
                expect(reason_of(page)).to_be_focused()
                key.press("Escape")
                key.press("2")
                key.press("t")
                expect(reason_of(page)).not_to_have_value("")
                key.press("Control+Enter")
    at(page, "Review queue")
    assert PendingDecision.objects.filter(state="undone").count() == 1
    until(lambda: Decision.objects.count() == CASES, 60, "decisions in force")
    for title, status in (("Fine", "published"), ("Copy", "rejected"), ("Unclear", "needs_changes")):
        found = Listing.objects.filter(title__startswith=title).values_list("status", flat=True)
        assert set(found) == {status}
    assert JobEvent.objects.filter(kind="undone").count() == 1


def test_what_nobody_chose_is_not_done_and_passing_on_is_written_first(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, cases: list[ReviewJob]
) -> None:
    signed_in(moderator)
    page.goto("/moderation/")
    at(page, "Review queue")
    key = page.keyboard
    key.press("n")
    at(page, "Fine 0")
    reason_of(page).focus()
    key.type("Is the blade longer than it may be?")
    key.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("Choose first what is to be done")
    reason_of(page).fill("")
    key.press("Escape")
    key.press("e")
    expect(reason_of(page)).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("what the next moderator should know")
    key.type("Is the blade longer than it may be?")
    key.press("Control+Enter")
    expect(page.get_by_text("Passed on: “Fine 0”")).to_be_visible()
    assert JobEvent.objects.get(kind="escalated").note == "Is the blade longer than it may be?"
    assert not PendingDecision.objects.exists()


def test_a_lost_case_says_so_while_it_is_worked_on(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, cases: list[ReviewJob]
) -> None:
    signed_in(moderator)
    page.clock.install()
    page.goto("/moderation/")
    at(page, "Review queue")
    page.keyboard.press("n")
    at(page, "Fine 0")
    expect(page.locator("[data-lease]")).to_contain_text("Yours until")
    ReviewJob.objects.update(claimed_until=None)
    claims.take(cases[0].pk, person("max", "moderator"))
    page.keyboard.press("r")
    page.keyboard.type(REASON)
    page.clock.fast_forward("05:00")
    expect(page.locator("[data-lease]")).to_contain_text("max has taken this case")
    expect(reason_of(page)).to_have_value(REASON)


def test_photos_are_blurred_until_v_is_held(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, cases: list[ReviewJob], merchant: Any
) -> None:
    photo = photos.store_upload(merchant, SimpleUploadedFile("drawn.png", judged_photo("pass")["buffer"], "image/png"))
    cases[0].listing.photos.add(photo)
    signed_in(moderator)
    page.goto(f"/moderation/{cases[0].pk}/")
    at(page, "Fine 0")
    shown = page.locator(".gallery img").first
    expect(shown).to_have_css("filter", "blur(18px)")
    page.keyboard.down("v")
    expect(shown).to_have_css("filter", "none")
    page.keyboard.up("v")
    expect(shown).to_have_css("filter", "blur(18px)")


def test_undo_goes_by_the_servers_clock_and_gives_its_focus_away(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, cases: list[ReviewJob]
) -> None:
    signed_in(moderator)
    page.clock.install(time=timezone.now() + timedelta(hours=3))  # the device's clock is far ahead
    page.goto(f"/moderation/{cases[0].pk}/")
    at(page, "Fine 0")
    page.keyboard.press("a")
    at(page, "Copy 1")
    undo = page.locator("[data-pending] button")
    expect(undo).to_be_visible()
    expect(page.locator("[data-seconds]")).to_contain_text("in ")
    undo.focus()
    page.clock.fast_forward("00:30")
    expect(undo).to_have_count(0)
    expect(page.locator("h1")).to_be_focused()


def test_keys_that_also_write_can_be_turned_off_for_good(
    page: Page, signed_in: Callable[[Any], None], moderator: Any, cases: list[ReviewJob]
) -> None:
    signed_in(moderator)
    page.goto(f"/moderation/{cases[0].pk}/")
    at(page, "Fine 0")
    page.keyboard.press("?")
    switch = page.locator("[data-letters]")
    expect(switch).to_be_checked()
    switch.uncheck()
    page.keyboard.press("Escape")
    page.reload()
    at(page, "Fine 0")
    for key in ("a", "1", "?", "n"):
        page.keyboard.press(key)
    expect(page.locator("#keys")).to_be_hidden()
    assert not PendingDecision.objects.exists()
    page.get_by_role("button", name="Keys").click()
    switch.check()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    at(page, "Copy 1")
    assert PendingDecision.objects.count() == 1
