"""What pages give to static/js/pages/feed.js."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import cards, categories, device_check
from ..models import Listing

register = template.Library()


@register.simple_tag
def item_data(listing: Listing) -> SafeString:
    """The attributes of a tile, or of the item page, that say which item it shows. A view that knows the item's vector
    has set `wire_vector` (base64 of 128 bytes) on the listing."""
    data = json.dumps(cards.card(listing), ensure_ascii=False)
    return format_html('data-item="{}" data-vector="{}"', data, getattr(listing, "wire_vector", ""))


@register.inclusion_tag("listings/_feed_scripts.html", takes_context=True)
def feed_scripts(context: dict[str, Any], query: str = "") -> dict[str, Any]:
    """Once on every page where something happens that a shopper's device notes. `query`: what was searched for;
    `space` in the context: that of the vectors on the page."""
    user = context.get("user")
    return {
        "me": user.username if user is not None and user.is_authenticated else "",
        "query": query,
        "space": context.get("space", ""),
        "worker_imports": device_check.worker_imports(),
        "names": {category.id: category.name for category in categories.all()},
    }
