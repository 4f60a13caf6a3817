"""The check of photos: in the browser, at once, with the places that led to it; nothing leaves before the submit."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from listings.models import Listing, Photo
from models import photo as photo_model
from tests.browser.drawn_photos import judged, judged_photo
from tests.browser.recorder import Recorder, recording
from tests.browser.sell_page import CALM, SAFE_TEXT, SAFE_TITLE, SellPage, picture
from tests.stack import Stack, until

pytestmark = pytest.mark.django_db(transaction=True)

PASSED = "Nothing found on this device."
# The densest pixel of the heat map, where it stands (0..1 across and down), and how many pixels are clear.
VEIL = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  let [most, at, clear] = [-1, 0, 0];
  for (let place = 0; place < width * height; place += 1) {
    const alpha = data[place * 4 + 3];
    if (alpha > most) [most, at] = [alpha, place];
    if (alpha < 60) clear += 1;
  }
  const [x, y] = [(at % width) / width, Math.floor(at / width) / height];
  return { most, x, y, clear: clear / (width * height), shape: width / height };
}"""


@pytest.fixture
def sell(page: Page, signed_in: Callable[[Any], None], merchant: Any) -> SellPage:
    signed_in(merchant)
    return SellPage(page)


def test_each_decision_has_its_own_words_and_only_doubtful_ones_a_heat_map(sell: SellPage) -> None:
    sell.open()
    sell.add_photos(*[judged_photo(decision, f"{decision}.png") for decision in ("pass", "unsure", "warn", "block")])
    sell.await_judged(4)
    assert sell.photo_states() == ["pass", "unsure", "warn", "block"]
    words = [sell.photos.nth(place).locator(".photo-item__state") for place in range(4)]
    expect(words[0]).to_have_text(PASSED)
    expect(words[1]).to_contain_text("Not sure: it may be")
    expect(words[2]).to_contain_text("Looks like:")
    expect(words[3]).to_contain_text("Looks like:")
    veils = sell.photos.locator(".photo-item__heat")
    expect(veils.nth(0)).to_be_hidden()
    for place in (1, 2, 3):
        expect(veils.nth(place)).to_be_visible()
    hide = sell.photos.nth(2).get_by_role("button", name="Hide the marks on photo 3")
    hide.click()
    expect(veils.nth(2)).to_be_hidden()
    sell.photos.nth(2).get_by_role("button", name="Show the marks on photo 3").click()
    expect(veils.nth(2)).to_be_visible()
    expect(sell.photos.nth(1).get_by_role("button", name="Ask for a second opinion on photo 2")).to_be_visible()

    panel = sell.page.locator("#device-check-photos")
    expect(panel).to_contain_text(
        "4 photos were checked on your device: please look at photos 3 and 4 before you publish"
    )
    both = panel.locator(".finding")
    expect(both).to_have_count(1)  # of one policy
    expect(both).to_have_attribute("data-photos", "3 4")
    expect(both).to_contain_text("Photo 3: Looks like: Weapons")
    expect(both).to_contain_text("Photo 4: Looks like: Weapons")
    expect(both.get_by_text("What to do:")).to_have_count(1)
    expect(sell.submit).to_have_text("Submit for review anyway")
    for place in (4, 3):
        sell.page.get_by_role("button", name=f"Remove photo {place}").click()
    expect(sell.submit).to_have_text("Check and publish")


def test_a_warning_says_why_and_where_with_the_market_s_own_words(sell: SellPage, site: Stack) -> None:
    verdict = photo_model.check_photo(Image.open(io.BytesIO(judged("warn"))), digest="")
    sell.open()
    sell.add_photos(judged_photo("warn"))
    sell.await_judged(1)
    rules = {
        rule["id"]: rule for rule in sell.page.evaluate("fetch('/api/policies').then((r) => r.json())")["policies"]
    }
    policy = rules[verdict["policy"]]
    expect(sell.photos.nth(0).locator(".photo-item__state")).to_contain_text(f"Looks like: {policy['name']}")
    sell.photos.nth(0).get_by_text("Why this happened").click()
    expect(sell.photos.nth(0)).to_contain_text(policy["photo_text"])
    expect(sell.photos.nth(0)).to_contain_text("If it does show that, take this photo out.")

    veil = sell.photos.nth(0).locator(".photo-item__heat").evaluate(VEIL)
    heat = verdict["evidence"][0]
    hottest = max(range(len(heat["heat"])), key=lambda place: heat["heat"][place])
    row, column = divmod(hottest, heat["columns"])
    if max(heat["heat"]) - min(heat["heat"]) >= 30:  # a map that says where
        assert heat["heat"][_place(veil, heat)] >= max(heat["heat"]) - 15, (veil, row, column, heat)
    assert abs(veil["shape"] - 240 / 180) < 0.05, "the map has the shape of the photo"


def _place(veil: dict[str, float], heat: dict[str, Any]) -> int:
    row = min(int(veil["y"] * heat["rows"]), heat["rows"] - 1)
    return int(row * heat["columns"] + min(int(veil["x"] * heat["columns"]), heat["columns"] - 1))


def test_the_claim_is_about_the_very_file_that_is_sent_and_agrees_with_the_server_s_own_run(
    page: Page, site: Stack, signed_in: Callable[[Any], None], merchant: Any
) -> None:
    signed_in(merchant)
    with recording(site.port) as recorder:
        sell = SellPage(page).open(f"{recorder.url}/sell/new/")
        sell.write(SAFE_TITLE, SAFE_TEXT)
        sell.fill_rest()
        sell.add_photos(judged_photo("warn"), picture("large.jpg", size=(2400, 1800)))
        sell.await_judged(2)
        sell.submit.click()
        sell.page.wait_for_url("**/sell/")
        claims = claims_in(b"".join(map(bytes, recorder.sent)))
    digests = list(Listing.objects.get().photos.order_by("position").values_list("sha256", flat=True))
    assert digests[0] == hashlib.sha256(judged("warn")).hexdigest(), "small and bare: sent as it is"
    assert [claim["digest"] for claim in claims] == digests
    own = photo_model.check_photo(Image.open(io.BytesIO(judged("warn"))), digest=digests[0])
    mine = claims[0]
    assert mine["where"] == "device"
    for name in ("model", "version", "policies_version", "variant", "decision", "policy"):
        assert mine[name] == own[name], name
    for label, score in own["scores"].items():
        assert abs(mine["scores"][label] - score) < 1e-3, label
    for ours, theirs in zip(mine["evidence"][0]["heat"], own["evidence"][0]["heat"], strict=True):
        assert abs(ours - theirs) <= 1


def claims_in(sent: bytes) -> Any:
    """The form's field `photo_claims`."""
    start = sent.index(b'name="photo_claims"\r\n\r\n') + len(b'name="photo_claims"\r\n\r\n')
    return json.loads(sent[start : sent.index(b"\r\n", start)])


def test_nothing_of_a_photo_leaves_before_the_submit(recorded: tuple[SellPage, Recorder]) -> None:
    sell, recorder = recorded
    sell.add_photos(judged_photo("pass"), judged_photo("unsure"), judged_photo("warn"))
    sell.await_judged(3)
    sell.page.get_by_label("What can be seen on photo 1").fill("zirconquill")
    sell.await_saved()
    sell.page.wait_for_timeout(1000)
    sell.page.goto("about:blank")
    assert recorder.requests() > 10
    assert not any(b"POST " in record or b"PUT " in record for record in recorder.sent)
    assert not recorder.holds("zirconquill")


def test_photos_are_checked_offline_after_the_first_visit_and_a_second_opinion_says_that_it_needs_the_network(
    sell: SellPage,
) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    expect(sell.status).to_have_text(CALM)
    sell.await_saved()
    sell.page.wait_for_function(
        "async () => Boolean(await (await caches.open('account')).match('/__owner'))", timeout=20_000
    )
    # Fetched in a quiet moment, without any photo.
    sell.page.wait_for_function("async () => (await (await caches.open('models')).keys()).length >= 2", timeout=20_000)
    sell.page.wait_for_timeout(500)
    context = sell.page.context
    sell.page.close()
    context.set_offline(True)
    again = SellPage(context.new_page()).open()
    again.add_photos(judged_photo("warn"), judged_photo("unsure"))
    again.await_judged(2)
    assert again.photo_states() == ["warn", "unsure"]
    again.page.get_by_role("button", name="Ask for a second opinion on photo 2").click()
    expect(again.photos.nth(1)).to_contain_text("a second opinion needs the network")
    again.submit.click()
    expect(again.page.get_by_role("alert")).to_contain_text("Not sent: you are offline.")
    expect(again.photos).to_have_count(2)


def test_without_its_model_a_photo_is_not_checked_here_and_the_text_still_is(sell: SellPage) -> None:
    sell.page.context.route("**/models/listing-photo*", lambda route: route.abort())
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.add_photos(judged_photo("warn"))
    expect(sell.photos.nth(0)).to_contain_text("Not checked on this device: the model could not be downloaded")
    expect(sell.status).to_have_text(CALM)
    sell.page.context.unroute("**/models/listing-photo*")
    sell.page.evaluate("dispatchEvent(new Event('online'))")
    sell.await_judged(1)
    assert sell.photo_states() == ["warn"]


def test_what_could_not_be_checked_is_checked_again_when_asked(sell: SellPage) -> None:
    sell.page.context.route("**/models/listing-photo*", lambda route: route.abort())
    sell.open()
    sell.add_photos(judged_photo("warn"))
    panel = sell.page.locator("#device-check-photos")
    expect(panel).to_have_text("One photo could not be checked on this device: it is checked after you submit.")
    sell.page.context.unroute("**/models/listing-photo*")
    again = sell.page.get_by_role("button", name="Check again: photo 1, on this device")
    again.click()
    sell.await_judged(1)
    assert sell.photo_states() == ["warn"]
    expect(again).to_be_hidden()


def test_the_photo_model_is_fetched_once_at_the_first_touch_of_the_photos(
    page: Page, site: Stack, signed_in: Callable[[Any], None], merchant: Any
) -> None:
    signed_in(merchant)
    with recording(site.port) as recorder:

        def asked(name: bytes) -> int:
            return sum(bytes(record).count(b"GET /static/" + name) for record in list(recorder.sent))

        sell = SellPage(page).open(f"{recorder.url}/sell/new/")
        sell.page.wait_for_timeout(500)
        assert asked(b"models/") == 0
        sell.page.locator("#id_photos").focus()
        sell.page.wait_for_function("async () => (await (await caches.open('models')).keys()).length >= 2")
        sell.add_photos(picture())
        sell.await_judged(1)
        assert (asked(b"models/listing-photo"), asked(b"models/listing-text")) == (1, 1)


def test_a_browser_that_cannot_work_on_photos_sends_them_as_they_are(sell: SellPage) -> None:
    sell.page.add_init_script("delete globalThis.Worker;")
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    file = picture("lamp.jpg")
    sell.add_photos(file, {"name": "no.jpg", "mimeType": "image/jpeg", "buffer": file["buffer"][:40] + b"\0" * 99})
    expect(sell.photos.nth(0)).to_contain_text("Not checked on this device")
    expect(sell.page.locator("#error-photos")).to_contain_text("“no.jpg” cannot be opened as a photo.")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    assert Photo.objects.get().sha256 == hashlib.sha256(file["buffer"]).hexdigest()


def test_a_second_opinion_sends_a_few_kilobytes_of_numbers_and_never_the_photo(
    page: Page, site: Stack, signed_in: Callable[[Any], None], merchant: Any
) -> None:
    signed_in(merchant)
    with recording(site.port) as recorder:
        sell = SellPage(page).open(f"{recorder.url}/sell/new/")
        sell.add_photos(judged_photo("unsure"))
        sell.await_judged(1)
        photo = sell.photos.nth(0)
        expect(photo).to_contain_text("Sends 8 KB of numbers worked out from the photo, not the photo.")
        assert not any(b"POST " in record for record in recorder.sent), "nothing goes before it is asked for"
        photo.get_by_role("button", name="Ask for a second opinion on photo 1").click()
        expect(photo).to_contain_text("Second opinion:")
        expect(photo).to_contain_text("8 KB were sent, not the photo.")
        asked = next(bytes(record) for record in recorder.sent if b"POST /api/drafts/second-opinion" in record)
        assert b"IDAT" not in b"".join(map(bytes, recorder.sent))
    head, _, body = asked[asked.index(b"POST /api/drafts/second-opinion") :].partition(b"\r\n\r\n")
    assert b"model=listing-photo" in head
    assert len(body) >= 8192
    assert photo_model.check_activation(body[:8192])["decision"] in ("pass", "unsure", "warn", "block")
    assert Photo.objects.count() == 0


def test_who_allowed_it_once_gets_second_opinions_without_asking(sell: SellPage) -> None:
    sell.open()
    sell.add_photos(judged_photo("unsure"))
    sell.await_judged(1)
    sell.page.get_by_label("Ask for a second opinion by itself").check()
    expect(sell.photos.nth(0)).to_contain_text("Second opinion:")
    sell.open("/sell/new/?draft=3b6d1c9e-6a53-4f0e-9a55-0c5b4c2f0d11")
    sell.add_photos(judged_photo("unsure"))
    expect(sell.photos.nth(0)).to_contain_text("Second opinion:", timeout=20_000)
    sell.page.get_by_label("Ask for a second opinion by itself").uncheck()


def test_a_photo_that_the_device_warns_of_holds_the_listing(sell: SellPage) -> None:
    sell.open()
    sell.write(SAFE_TITLE, SAFE_TEXT)
    sell.fill_rest()
    sell.add_photos(judged_photo("block"))
    sell.await_judged(1)
    expect(sell.submit).to_have_text("Submit for review anyway")
    sell.submit.click()
    sell.page.wait_for_url("**/sell/")
    until(lambda: Listing.objects.get().status != "checking", 60, "the worker decides")
    listing = Listing.objects.get()
    assert listing.status in ("in_review", "needs_changes"), listing.status
    claim = listing.verdicts.get(where="device", model="listing-photo")
    assert (claim.decision, claim.detail.keys()) == ("block", {"browser"}), "as the gate says"
