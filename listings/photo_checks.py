"""The photo models on a stored photo: the worker's on the whole and on crops, the gate's if it could not be asked."""

from __future__ import annotations

from models import photo as photo_model

from . import gate, live_models, photo_files
from .models import Listing, Photo, Verdict, Where

SIDE = 1600  # pixels; crops of it are what a small object shows on


def check(listing: Listing, photo: Photo) -> list[Verdict]:
    """Unsaved verdicts. Raises ModelUnavailable, and OSError when the file is missing or damaged."""
    seen = listing.verdicts.filter(revision=listing.revision, where=Where.GATE, photo=photo).exists()
    found = [] if seen else [gate.photo_look(photo)]
    image = photo_files.decoded(photo, SIDE)
    folder = live_models.folder(photo_model.CLOUD)
    said = photo_model.check_photo_in_cloud(image, digest=photo.sha256, where=Where.CLOUD, folder=folder)
    return [*found, Verdict(**said, photo=photo)]
