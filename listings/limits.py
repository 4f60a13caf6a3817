"""Sizes that a listing may have. The sell page reads the same numbers (json_script `sell-data`)."""

TITLE_CHARS = 120
DESCRIPTION_CHARS = 5_000
ALT_CHARS = 200
PHOTOS = 8
PHOTO_BYTES = 15 * 1024 * 1024
PHOTO_PIXELS = 50_000_000
PHOTO_SIDE = 30_000  # pixels; the widest panoramas of phones have half of it
PHOTO_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
REQUEST_BYTES = PHOTOS * PHOTO_BYTES + 1024 * 1024
PRICE_MAX = 10_000_000
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
DRAFT_BYTES = 64 * 1024
DRAFTS_PER_ACCOUNT = 100
EVIDENCE_SPANS = 64
