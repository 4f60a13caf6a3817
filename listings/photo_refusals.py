"""Why a photo was not taken: one sentence each, that says what to do."""

from . import limits

MEGAPIXELS = limits.PHOTO_PIXELS // 1_000_000
KINDS = "JPEG, PNG, WebP, AVIF or HEIC"
EMPTY = "The file is empty. Choose the photo again."
TOO_MANY_BYTES = f"The file is larger than {limits.PHOTO_MEGABYTES} MB. Choose a smaller version of the photo."
TOO_MANY_PIXELS = f"The photo has more than {MEGAPIXELS} million pixels. Choose a smaller version of it."
TOO_LONG = f"The photo is longer than {limits.PHOTO_SIDE} pixels on one side. Choose an ordinary photo."
TOO_MANY_SCANS = "This JPEG is built in more layers than any camera writes. Save it anew as an ordinary JPEG."
TOO_MANY_PARTS = "This file is built of more parts than any camera writes. Save it anew as an ordinary JPEG."
TOO_COSTLY = "Opening this photo takes more time or memory than any camera's photo. Save it anew as an ordinary JPEG."
BUSY = "Many photos arrive at the moment. Your listing is kept; send this photo again in a few seconds."
CUT_OFF = "The photo is damaged or was cut off on its way. Choose it again, or another one."
ANIMATED = "This is an animation. Choose a photo that stands still."
SVG = f"This is a drawing in SVG. Choose a photo in {KINDS}."
NOT_A_PHOTO = f"This is not a photo in {KINDS}, whatever its name says. Choose another file."
NOT_STORED = "The photo could not be stored at the moment. Your listing is kept; choose the photo again in a minute."
TOO_MANY_UPLOADS = (
    f"You have sent {limits.UPLOADS_IN_A_ROW} photos within {limits.UPLOADS_WITHIN // 60} minutes. "
    "Wait a little, then send this one again."
)
TOO_MANY_STAGED = (
    f"You have sent {limits.STAGED_PHOTOS} photos within a day whose listings you did not send. "
    "Send those listings first, or wait until tomorrow."
)
GONE = "It is no longer here: it was deleted, or waited too long. Everything else is kept. Choose it again, or go on."
TWICE = "The listing has this photo already. It is kept once; send the listing again."
