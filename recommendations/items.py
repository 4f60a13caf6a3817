"""A listing as the JSON interface gives it: search results and recommendations have one shape."""

from __future__ import annotations

from typing import Any

from listings.models import Listing


def item(listing: Listing) -> dict[str, Any]:
    """`wire_vector` and `score` are what the view set on the listing, if it did."""
    return {
        "id": listing.public_id,
        "title": listing.title,
        "price": str(listing.price),
        "currency": listing.currency,
        "condition": listing.condition,
        "condition_label": listing.get_condition_display(),
        "category": listing.category,
        "seller": listing.seller.username,
        "town": listing.seller.town,
        "photo": listing.cover.thumb_url if listing.cover else "",
        "url": listing.get_absolute_url(),
        "published_at": listing.published_at,
        "vector": getattr(listing, "wire_vector", ""),
        "score": getattr(listing, "score", 0.0),
    }
