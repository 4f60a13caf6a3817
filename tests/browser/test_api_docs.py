"""The API's own page works under the security headers, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from listings.models import Draft

pytestmark = pytest.mark.browser


def test_the_api_page_lists_the_endpoints(page: Page):
    page.goto("/api/docs")
    expect(page.get_by_text("/api/models/manifest").first).to_be_visible()
    expect(page.get_by_text("/api/policies").first).to_be_visible()


def test_a_request_can_be_tried_out_and_nothing_leaves_the_site(page: Page, signed_in, merchant, site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    signed_in(merchant)
    page.goto("/api/docs")
    operation = page.locator("#operations-drafts-listings_api_put_draft")
    operation.get_by_role("button").first.click()
    operation.locator("input[placeholder=key]").fill("3b6d1c9e-6a53-4f0e-9a55-0c5b4c2f0d11")
    operation.locator("textarea").fill('{"base_version": 0, "data": {"title": "Kettle"}}')
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text('"version": 1')
    assert Draft.objects.get().data == {"title": "Kettle"}, "the CSRF token of the page was sent along"
    assert all(address.startswith((site.url, "data:")) for address in asked)
