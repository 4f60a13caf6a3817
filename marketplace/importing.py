"""Rows of a catalogue into listings that wait for their check, as if each had been typed into the sell page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ValidationError

from listings import photos, submission
from listings.lifecycle import Status
from listings.models import Listing, User
from marketplace import catalogue
from marketplace.catalogue import Row


@dataclass(frozen=True)
class Result:
    row: Row
    step: str  # added, changed, unchanged, ended (left alone) or wrong


def import_rows(folder: Path, *, seller: str = "", dry_run: bool = False) -> Iterator[Result]:
    """One result a row, in the file's order. A wrong row is left out whole and changes nothing.

    `seller`: whose listings they are, whatever the seller column says. Raises CatalogueError.
    """
    for row in catalogue.read(folder):
        owner = _seller(row, seller)
        if owner is None or row.problems:
            yield Result(row, "wrong")
            continue
        yield Result(row, _import(row, owner, dry_run=dry_run))


def _seller(row: Row, username: str) -> User | None:
    name = username or row.values.get("seller", "").strip()
    if not name:
        row.wrong("seller", "Name the merchant in the column seller, or for all rows with --seller USERNAME.")
        return None
    owner = User.objects.filter(username=name).first()
    if owner is None:
        row.wrong("seller", f"There is no user “{name[:60]}”. Sign the merchant up first.")
        return None
    if not owner.is_merchant or not owner.is_active:
        row.wrong("seller", f"“{name[:60]}” cannot sell: the account is no merchant's, or it is closed.")
        return None
    return owner


def _import(row: Row, owner: User, *, dry_run: bool) -> str:
    key = catalogue.draft_key(row.ref)
    earlier = Listing.objects.filter(seller=owner, draft_key=key).first()
    if earlier:
        if earlier.status == Status.ENDED:  # sold or withdrawn: an old file must not bring it back
            return "ended"
        if _is_same(earlier, row):
            return "unchanged"
    made = []
    for path in row.photos:
        try:
            with path.open("rb") as file:
                made.append(photos.prepare(file))
        except ValidationError as error:
            row.wrong("photos", f"{path.name}: {error.messages[0]}")
        except OSError as error:
            row.wrong("photos", f"{path.name}: The file cannot be read ({error.strerror}).")
    if row.problems:
        return "wrong"
    if not dry_run:
        try:
            stored = [photos.store(owner, each) for each in made]
            submission.submit(seller=owner, content=row.content, photos=stored, draft_key=key, paced=False)
        except (ValidationError, submission.StaleRevision) as error:
            row.wrong("row", error.messages[0] if isinstance(error, ValidationError) else str(error))
            return "wrong"
    return "changed" if earlier else "added"


def _is_same(listing: Listing, row: Row) -> bool:
    if [photo.sha256 for photo in listing.photos.all()] != [catalogue.sha256(path) for path in row.photos]:
        return False
    return all(getattr(listing, name) == value for name, value in row.content.items())
