"""The whole demo: people, catalogue, moderation cases, settings, orders, pictures. May be repeated; what is here stays.

Listings are sent in in the order of their dates. Before those of the last days the cells are counted and the demo's
settings changed, so that some of them are on sale at once and owe their heavy checks, by the site's own rules.
"""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from listings import orders
from listings.lifecycle import Status
from listings.models import Listing, Order, SettingChange, StatusChange, User
from listings.trust import cells, settings
from marketplace import catalogue
from marketplace.demo import moderation, people, pictures
from marketplace.demo.dating import dating_back
from marketplace.demo.entries import Entered, Entry, enter, moment

FOLDER = Path(__file__).resolve().parent
SETTINGS_DAYS = 6  # ago its moderator changed the settings


class Faulty(Exception):
    """The demo's own files are wrong."""


@dataclass
class Report:
    people: int = 0
    listings: int = 0
    orders: int = 0
    photos: int = 0
    missing_pictures: list[str] = field(default_factory=list)
    stopped: list[Entered] = field(default_factory=list)  # meant to be on sale, and a check says otherwise


def load(say: Callable[[str], None], folder: Path = FOLDER) -> Report:
    """Raises Faulty, CatalogueError, NameTaken, ModelUnavailable; what was done until then stays, and a second run
    goes on from there."""
    report = Report()
    users, report.people = people.add_people(folder)
    say(f"{len(users)} people, {report.people} of them new")
    entries = [*_catalogue(folder, users), *_cases(folder, users)]
    changed_at = timezone.now() - timedelta(days=SETTINGS_DAYS)
    report.listings = _enter(
        [entry for entry in entries if moment(entry) < changed_at],
        [entry for entry in entries if moment(entry) >= changed_at],
        lambda: _change_settings(folder, users, changed_at),
        report.stopped,
        say,
    )
    report.orders = _orders(folder, users, say)
    moderation.add_moderation(folder, users, say)
    keys: dict[tuple[int, uuid.UUID | None], list[str]] = {
        (entry.seller.pk, entry.key): entry.photos for entry in entries
    }
    rows = Listing.objects.filter(draft_key__in=[entry.key for entry in entries])
    rows = rows.select_related("seller").prefetch_related("photos").defer("search")
    wanted = [(row, keys[row.seller_id, row.draft_key]) for row in rows if (row.seller_id, row.draft_key) in keys]
    # The catalogue first: a case that shows another seller's picture is the one that came later.
    place = {key: number for number, key in enumerate(keys)}
    wanted.sort(key=lambda pair: place[pair[0].seller_id, pair[0].draft_key])
    report.photos, report.missing_pictures = pictures.add_pictures(wanted, folder, say)
    return report


def _enter(
    before: list[Entry],
    after: list[Entry],
    between: Callable[[], None],
    stopped: list[Entered],
    say: Callable[[str], None],
) -> int:
    keys = [entry.key for entry in (*before, *after)]
    here = set(Listing.objects.filter(draft_key__in=keys).values_list("seller_id", "draft_key"))
    first, fresh = (
        sorted((each for each in entries if (each.seller.pk, each.key) not in here), key=moment)
        for entries in (before, after)
    )
    turn, fresh = len(first), [*first, *fresh]
    if not fresh:
        return 0
    for number, entry in enumerate(fresh, start=1):
        if number == turn + 1:
            between()
        entered = enter(entry)
        if not entered.as_wanted:
            stopped.append(entered)
        if number % 60 == 0 or number == len(fresh):
            say(f"{number} of {len(fresh)} listings checked and stored")
    return len(fresh)


def _change_settings(folder: Path, users: dict[str, User], when: datetime) -> None:
    """Those of cases.toml, dated back, where nobody has changed them yet; and the cells, as the task counts them."""
    cells.refresh()
    for case in _toml(folder).get("setting", []):
        if SettingChange.objects.filter(name=case["name"]).exists():
            continue
        actor = users[case["moderator"]]
        made = settings.change(name=case["name"], value=case["value"], actor=actor, reason=case["reason"])
        if made:
            with dating_back():
                SettingChange.objects.filter(pk=made.pk).update(created_at=when)


def _catalogue(folder: Path, users: dict[str, User]) -> list[Entry]:
    entries = []
    for row in catalogue.read(folder):
        # A picture that is not drawn yet is no fault here: a later run adds it.
        problems = [problem for problem in row.problems if not problem.text.startswith("There is no file")]
        seller = users.get(row.values.get("seller", ""))
        if problems or seller is None:
            raise Faulty("; ".join(map(str, problems)) or f"line {row.line}: no merchant {row.values.get('seller')}")
        names = [name.strip() for name in row.values.get("photos", "").split("|") if name.strip()]
        entries.append(Entry(catalogue.draft_key(row.ref), seller, row.content, photos=names))
    return entries


def _cases(folder: Path, users: dict[str, User]) -> list[Entry]:
    entries = []
    for number, case in enumerate(_toml(folder).get("listing", []), start=1):
        attributes = {name: str(value) for name, value in case["attributes"].items()}
        values = {name: case[name] for name in catalogue.TEXT_FIELDS}
        row = catalogue.Row(number, values | {"ref": case["title"], "attributes": catalogue.json_text(attributes)})
        content = catalogue.content_of(row)
        if row.problems:
            raise Faulty(f"cases.toml, listing {number}: {row.problems[0]}")
        key = uuid.uuid5(catalogue.NAMESPACE, f"case:{case['seller']}:{case['title']}")
        entry = Entry(key, users[case["seller"]], content, Status(case["status"]), photos=case["photos"])
        found = {"policy": case["policy"], "reason": case["reason"], "moderator": users.get(case["moderator"])}
        entries.append(replace(entry, **found))
    return entries


def _orders(folder: Path, users: dict[str, User], say: Callable[[str], None]) -> int:
    placed = 0
    for number, case in enumerate(_toml(folder).get("order", [])):
        buyer = users[case["buyer"]]
        listing = (
            Listing.objects.filter(draft_key=catalogue.draft_key(case["listing"])).select_related("seller").first()
        )
        if listing is None:
            raise Faulty(f"cases.toml, order {number + 1}: no listing {case['listing']}")
        if Order.objects.filter(listing=listing, buyer=buyer).exists():
            continue
        if listing.status != Status.PUBLISHED:
            say(f"order left out: “{listing.title}” is not on sale")
            continue
        _order(listing, buyer, case, number)
        placed += 1
    return placed


def _order(listing: Listing, buyer: User, case: dict[str, Any], number: int) -> None:
    order = orders.place(listing=listing, buyer=buyer, price_seen=str(listing.price))
    if case["status"] == Order.State.SETTLED:
        orders.settle(order=order, actor=listing.seller)
    elif case["status"] == Order.State.CANCELLED:
        orders.cancel(order=order, actor=buyer)
    assert listing.published_at
    when = listing.published_at + timedelta(minutes=25 + 7 * number)
    Order.objects.filter(pk=order.pk).update(created_at=when)
    with dating_back():
        StatusChange.objects.filter(listing=listing, target=Status.ENDED).update(created_at=when)
    Listing.objects.filter(pk=listing.pk).update(updated_at=when)


def _toml(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "cases.toml").read_text("utf-8"))
