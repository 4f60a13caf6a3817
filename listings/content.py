"""The checked words of a listing: the same named fields, in the same order, on the device, at the gate, by the worker.

`static/js/pages/sell.js` builds the same list from the form.
"""

import hashlib
import unicodedata
from collections.abc import Iterable

from . import categories
from .models import Listing, Revision

Fields = list[tuple[str, str]]
LABELS = {"title": "Title", "description": "Description", "attributes": "Details", "alt": "Words about the photos"}


def text_fields(
    *, title: str, description: str, category: str, attributes: dict[str, str], alts: Iterable[str]
) -> Fields:
    """Title and description always; details and alternative texts only where there are any."""
    fields = [("title", title), ("description", description)]
    known = categories.get(category)
    texts = [attributes.get(a.id, "") for a in known.attributes if a.kind == "text"] if known else []
    for name, parts in (("attributes", texts), ("alt", list(alts))):
        if joined := "\n".join(part for part in parts if part):
            fields.append((name, joined))
    return fields


def fields_of(listing: Listing) -> Fields:
    return listing.earlier_words or text_fields(
        title=listing.title,
        description=listing.description,
        category=listing.category,
        attributes=listing.attributes,
        alts=[photo.alt for photo in listing.photos.all()],
    )


def fields_of_revision(revision: Revision) -> Fields:
    """As it was then."""
    return text_fields(
        title=revision.title,
        description=revision.description,
        category=revision.category,
        attributes=revision.attributes,
        alts=[photo["alt"] for photo in revision.photos],
    )


def as_it_was(listing: Listing, kept: Revision) -> None:
    """Make this instance, which nobody saves, the listing that an earlier revision was."""
    listing.earlier_words = fields_of_revision(kept)
    listing.revision = kept.number
    listing.title, listing.description, listing.category = kept.title, kept.description, kept.category
    listing.fingerprint = fingerprint(listing.title, listing.description)


def fingerprint(title: str, description: str) -> str:
    """Hex SHA-256 of the words alone: case, spaces and form of letters do not make a text another one."""
    words = unicodedata.normalize("NFKC", f"{title}\n{description}").casefold().split()
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()
