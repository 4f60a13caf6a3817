"""The API's own page works under the security headers, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_the_api_page_lists_the_endpoints(page: Page):
    page.goto("/api/docs")
    expect(page.get_by_text("/api/models/manifest").first).to_be_visible()
    expect(page.get_by_text("/api/policies").first).to_be_visible()
