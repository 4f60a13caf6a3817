"""A small market on sale, and the history that a browser keeps of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from playwright.sync_api import Browser, Page

from listings.lifecycle import Status
from listings.models import Listing

THINGS = [
    ("Celadon teapot with bamboo handle", "kitchen", "38.00"),
    ("Brown stoneware teapot, one litre", "kitchen", "24.00"),
    ("Iron teapot with trivet", "kitchen", "52.00"),
    ("Teapot cosy, knitted in wool", "home", "9.00"),
    ("Teapot stand in slate", "home", "12.00"),
    ("Red enamel kettle", "kitchen", "18.50"),
    ("Belt drive turntable in teak", "audio", "160.00"),
    ("Digital camera with zoom lens", "cameras", "210.00"),
    ("Film camera, black, mirror stuck", "cameras", "35.00"),
    ("Oak chopping board", "kitchen", "30.00"),
    ("Wool scarf, sea blue", "fashion", "22.00"),
    ("Child's helmet with ladybirds", "sports", "8.00"),
]


def on_sale(*sellers: Any) -> list[Listing]:
    """Listings of these sellers in turn, newest first; nothing waits in a queue for them."""
    now = timezone.now()
    return [
        Listing.objects.create(
            seller=sellers[number % len(sellers)],
            title=title,
            description=f"{title}. In good order, from a house without smokers.",
            category=category,
            price=Decimal(price),
            status=Status.PUBLISHED,
            published_at=now - timedelta(days=number),
        )
        for number, (title, category, price) in enumerate(THINGS)
    ]


def await_feed(page: Page, state: str = "ready") -> None:
    """Until what this device knows is on the page ("ready"), or nothing more is to be fetched ("settled")."""
    states = ("ready", "settled")[("ready", "settled").index(state) :]
    page.locator(", ".join(f"body[data-feed={each}]" for each in states)).wait_for(state="attached")


READ = """() => new Promise((resolve, reject) => {
  const request = indexedDB.open("marketplace-history");
  request.onerror = () => reject(request.error);
  request.onupgradeneeded = () => request.transaction.abort();
  request.onsuccess = () => {
    const database = request.result;
    const names = [...database.objectStoreNames];
    const rows = {};
    const transaction = database.transaction(names);
    for (const name of names) {
      transaction.objectStore(name).getAll().onsuccess = ({ target }) => (rows[name] = target.result);
    }
    transaction.oncomplete = () => { database.close(); resolve(rows); };
  };
})"""


def kept(page: Page) -> dict[str, list[dict[str, Any]]]:
    """Every row in the browser's database of the history, by store; vectors as lists."""
    rows: dict[str, list[dict[str, Any]]] = page.evaluate(READ)
    return rows


def events(page: Page) -> list[tuple[str, str]]:
    """(kind, words or title), oldest first."""
    found = sorted(kept(page)["events"], key=lambda row: row["at"])
    return [(row["kind"], row.get("query") or row["item"]["title"]) for row in found]


def titles(page: Page, within: str = "[data-shelf]") -> list[str]:
    """Titles of the cards of a list, as they stand; dismissed ones too, those under "Perhaps" not."""
    found: list[str] = page.eval_on_selector_all(
        f"{within} > .grid .tile", "tiles => tiles.map((tile) => tile.querySelector('.tile__title').textContent)"
    )
    return found


def everybodys(browser: Browser, site: str, path: str) -> list[str]:
    """Titles in the order that the server gives to everybody: without JavaScript there is no other."""
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto(path)
    found = titles(page)
    context.close()
    return found
