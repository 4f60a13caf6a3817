"""What a page tells the device about an item on it, in the words of `POST /api/recommendations`."""

from __future__ import annotations

from typing import Any

from .models import Listing


def card(listing: Listing) -> dict[str, Any]:
    """Public facts only; the device keeps them with the event when somebody opens or marks the item."""
    cover = listing.cover
    scored = {"score": listing.score} if hasattr(listing, "score") else {}  # of a search
    return scored | {
        "id": listing.public_id,
        "title": listing.title,
        "url": listing.get_absolute_url(),
        "price": f"{listing.price:.2f}",
        "currency": listing.currency,
        "photo": cover.thumb_url if cover else "",
        "seller": listing.seller.username,
        "category": listing.category,
        "published_at": listing.published_at.isoformat() if listing.published_at else "",
    }
