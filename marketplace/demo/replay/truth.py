"""What is really so, which nobody on the site knows: whether a listing of the demo or of a replayed day breaks a rule.

The script's people are right or wrong by it. Of listings of other people nothing is known, and the script's moderators
leave them alone.
"""

from __future__ import annotations

import secrets
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Q

from listings import contact_details
from listings.lifecycle import Status
from marketplace import catalogue
from marketplace.demo.replay.script import SAFE, Stock

# The draft keys of a replayed day's listings begin with these 64 bits: another day knows them again.
MARK = 0x7EA1_DA11_0000_0001
FIRST, PAST = uuid.UUID(int=MARK << 64), uuid.UUID(int=(MARK + 1) << 64)
CONTACT = "contact"


@dataclass(frozen=True)
class Truths:
    """titles: of our unsafe offers, with what they break; each variation begins with one. keys: draft keys of the
    demo's listings whose truth its files say."""

    titles: dict[str, str]
    keys: dict[uuid.UUID, str]

    def known(self, listing: str = "") -> Q:
        """Listings whose truth is known; `listing`: where they are joined ("listing__"). What the demo's data put up
        and somebody has edited since says something else."""
        untouched = {f"{listing}draft_key__in": list(self.keys), f"{listing}revision": 1}
        return ours(listing) | Q(**untouched)

    def of(self, key: uuid.UUID | None, title: str, description: str) -> str:
        """The policy that these words break; "contact" for contact details; safe."""
        said = next((policy for begin, policy in self.titles.items() if title.startswith(begin)), "")
        if said:
            return said
        if contact_details.find([("title", title), ("description", description)]):
            return CONTACT
        return self.keys.get(key, SAFE) if key else SAFE


def truths(goods: Stock, folder: Path) -> Truths:
    unsafe = [offer for half in goods.unsafe.values() for offer in half]
    keys = {catalogue.draft_key(row.ref): SAFE for row in catalogue.read(folder)}
    for case in tomllib.loads((folder / "cases.toml").read_text("utf-8")).get("listing", []):
        if case["status"] == Status.REJECTED:
            keys[uuid.uuid5(catalogue.NAMESPACE, f"case:{case['seller']}:{case['title']}")] = case["policy"]
    return Truths({offer.content["title"]: offer.truth for offer in unsafe}, keys)


def ours(listing: str = "") -> Q:
    """Listings of a replayed day, this one or an earlier one."""
    return Q(**{f"{listing}draft_key__gte": FIRST, f"{listing}draft_key__lt": PAST})


def draft_key() -> uuid.UUID:
    """For a new listing of the replayed day; never the same twice, so that a day may be played again."""
    return uuid.UUID(int=MARK << 64 | secrets.randbits(64))
