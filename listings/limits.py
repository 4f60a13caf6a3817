"""Sizes that a listing may have. The sell page reads the same numbers (json_script `sell-data`)."""

TITLE_CHARS = 120
DESCRIPTION_CHARS = 5_000
ALT_CHARS = 200
PHOTOS = 8
PHOTO_BYTES = 20 * 1024 * 1024  # the 48 megapixels of a phone in JPEG have 8 to 20
PHOTO_MEGABYTES = PHOTO_BYTES // 1024**2
PHOTO_PIXELS = 50_000_000
PHOTO_SIDE = 30_000  # pixels; the widest panoramas of phones have half of it
PHOTO_SCANS = 100  # of a progressive JPEG; encoders write about ten
PHOTO_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")  # as Pillow names them
PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp", "image/avif", "image/heic", "image/heif")
PHOTO_ACCEPT = ",".join((*PHOTO_TYPES, ".heic", ".heif"))  # not every system knows the type of these
STAGED_PHOTOS = 200  # of one owner, that no listing has yet
UPLOADS_IN_A_ROW = 300  # of one owner within ...
UPLOADS_WITHIN = 600  # ... seconds
REQUEST_BYTES = PHOTOS * PHOTO_BYTES + 1024 * 1024
PHOTO_REQUEST_BYTES = PHOTO_BYTES + 64 * 1024  # of one photo and what a form writes around it
PRICE_MAX = 10_000_000
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
DRAFT_BYTES = 64 * 1024
DRAFTS_PER_ACCOUNT = 100
EVIDENCE_SPANS = 64
PHASH_BITS = 256  # of a photo's perceptual hash (photo_bank.py)
