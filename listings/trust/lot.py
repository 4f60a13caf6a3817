"""Who is drawn for an audit: by lot, and not to be drawn anew.

The lot is an HMAC over the seller, the day and the words that a listing began with. It stays with the listing through
every edit, and whoever puts the same words up again on the same day draws the same lot. It is compared with the share
only after the listing is on sale, and nobody without the key can tell it beforehand.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import date

from django.conf import settings


def draw(seller: int, day: date, fingerprint: str, key: str = "") -> str:
    """Hex SHA-256. key: the site's own unless another is given."""
    said = f"audit {seller} {day.isoformat()} {fingerprint}"
    return hmac.new((key or settings.SECRET_KEY).encode(), said.encode(), hashlib.sha256).hexdigest()


def place(lot: str) -> float:
    """Where it lies among all, 0 to 1: it is drawn by every share above. Of none (a listing from before there were
    lots) 0: it is always drawn."""
    return int(lot[:13], 16) / 16**13 if lot else 0.0
