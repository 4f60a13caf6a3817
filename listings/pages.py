"""Lists in pages. Whoever asks for a page that is not there gets the nearest one."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator


class Pages(Paginator):
    def get_page(self, number: Any) -> Page:
        """Django's own gives the last page for 0 and -1."""
        try:
            return super().get_page(max(int(number), 1))
        except (TypeError, ValueError):
            return super().get_page(1)
