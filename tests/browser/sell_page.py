"""The sell page as tests use it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

SAFE_TITLE = "Brass table lamp with linen shade"
SAFE_TEXT = "From the 1960s, rewired last year, works well. The shade has a small mark at the back. Pick up in town."
UNSAFE_TITLE = "Xanax bars 2mg"
UNSAFE_TEXT = "Alprazolam pills, no prescription needed, shipped discreetly."
CALM = "Checked on your device: nothing found that breaks our rules."


class SellPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.title = page.locator("#id_title")
        self.description = page.locator("#id_description")
        self.status = page.locator("#device-check-status")
        self.findings = page.locator("#device-check-findings")
        self.draft_status = page.locator("#draft-status")
        self.draft_notes = page.locator("#draft-notes")
        self.photos = page.locator("#photo-list > .photo-item")
        self.submit = page.locator("#submit-listing")

    def open(self, address: str = "/sell/new/") -> SellPage:
        self.page.goto(address)
        return self.await_script()

    def await_script(self) -> SellPage:
        self.page.locator("#sell-form[data-ready='1']").wait_for(state="attached")
        return self

    def write(self, title: str, description: str) -> None:
        self.title.fill(title)
        self.description.fill(description)

    def fill_rest(self, category: str = "home") -> None:
        self.page.locator("#id_price").fill("24.50")
        self.page.locator("#id_condition").select_option(index=2)
        self.page.locator("#id_category").select_option(value=category)

    def await_saved(self) -> None:
        """Until nothing waits to be saved: the last word in the status is that it is."""
        self.page.wait_for_timeout(700)  # longer than the pause before a save
        expect(self.draft_status).to_contain_text("Saved on this device")

    def photo_names(self) -> list[str]:
        """File names, in the order of the list."""
        return self.page.eval_on_selector_all(".photo-item__picture", "nodes => nodes.map((node) => node.title)")

    def photo_states(self) -> list[str]:
        """pass, unsure, warn or block; wait; none: not checked here."""
        found: list[str] = self.page.eval_on_selector_all(".photo-item", "nodes => nodes.map((li) => li.dataset.state)")
        return found

    def await_judged(self, count: int) -> None:
        """Until `count` photos are in the list and this device has judged each of them, whatever it says."""
        judged = ", ".join(f".photo-item[data-state={state}]" for state in ("pass", "unsure", "warn", "block"))
        expect(self.photos).to_have_count(count, timeout=10_000)
        expect(self.page.locator(judged)).to_have_count(count, timeout=20_000)

    def add_photos(self, *files: dict[str, Any]) -> None:
        self.page.locator("#id_photos").set_input_files(list(files))


def picture(
    name: str = "lamp.jpg", colour: str = "peru", kind: str = "JPEG", size: tuple[int, int] = (640, 480)
) -> Any:
    """A real photo file, as Playwright takes it."""
    image = Image.new("RGB", size, colour)
    for step in range(0, size[0], 40):
        image.paste((step % 256, 90, 120), (step, step // 2, step + 20, step // 2 + 60))
    data = io.BytesIO()
    image.save(data, kind)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": data.getvalue()}
