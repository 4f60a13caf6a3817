"""The plan of a day: what happens at which minute, and which goods come. Drawn from a seed alone; who does it and what
comes of it depends on the site as it is then.

From midday on another mix comes: other goods of ours in other words, other categories of the catalogue, and more of
what breaks a rule or only sounds like it. What the checks find, and how sure they are, drifts with it.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from listings import limits
from marketplace import catalogue

OFFERS = Path(__file__).with_name("offers.toml")
SAFE = "safe"
DAWN = 6  # o'clock: when the day begins
MIDDAY = (12 - DAWN) * 60.0  # minutes after dawn


class Do(StrEnum):
    SUBMIT = "submit"
    EDIT = "edit"
    WITHDRAW = "withdraw"
    ANSWER = "answer"  # a merchant deals with what came of a listing: appeals, mends it, takes it back
    LOOK = "look"
    REPORT = "report"
    WORK = "work"  # a moderator takes a case
    DRAW = "draw"  # the site draws samples and known answers


A_DAY = {
    Do.SUBMIT: 150,
    Do.EDIT: 24,
    Do.WITHDRAW: 8,
    Do.ANSWER: 60,
    Do.LOOK: 240,
    Do.REPORT: 36,
    Do.WORK: 200,
    Do.DRAW: 12,
}
# How much of a day's doings falls into each hour from midnight on: merchants and shoppers; what is put up and reported,
# most of it before the afternoon; moderators, who are few until then, so that a queue fills and is then worked off; the
# site.
PEOPLE = (1, 1, 0, 0, 0, 1, 2, 4, 6, 7, 7, 7, 6, 6, 6, 6, 7, 8, 9, 9, 8, 6, 4, 2)
EARLY = (1, 0, 0, 0, 0, 1, 6, 9, 11, 11, 11, 10, 8, 6, 4, 3, 3, 3, 4, 4, 3, 2, 2, 1)
STAFF = (0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 7, 13, 15, 15, 14, 10, 7, 5, 3, 2, 0)
EVENLY = (1,) * 24
RHYTHM = {Do.SUBMIT: EARLY, Do.REPORT: EARLY, Do.WORK: STAFF, Do.DRAW: EVENLY}


@dataclass(frozen=True)
class Act:
    """minute: after dawn. luck: seed of what is still to be drawn when it happens."""

    minute: float
    do: Do
    luck: int


@dataclass(frozen=True)
class Offer:
    """A thing to sell. content: cleaned, as submission.submit takes it. truth: the policy that it breaks, or safe.
    seller: of the catalogue's; "" for anybody. photos: of the catalogue's, files as they were rendered."""

    content: dict[str, Any]
    truth: str
    seller: str = ""
    photos: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Mix:
    """Shares of what is offered; the rest are variations of the catalogue."""

    unsafe: float
    alike: float  # sounds unsafe, and is not
    contact: float  # harmless, with a telephone number in it


MORNING = Mix(unsafe=0.20, alike=0.16, contact=0.06)
AFTERNOON = Mix(unsafe=0.26, alike=0.22, contact=0.06)
OF_THE_TIME = 0.85  # share of the goods that belong to their half of the day


@dataclass(frozen=True)
class Stock:
    """Goods by half of the day, "morning" and "midday"."""

    harmless: dict[str, list[Offer]]
    unsafe: dict[str, list[Offer]]
    alike: dict[str, list[Offer]]


def day(seed: int, hours: float) -> list[Act]:
    """The first `hours` of the day, in order."""
    rng = random.Random(seed)
    acts = []
    for do, number in A_DAY.items():
        rhythm = RHYTHM.get(do, PEOPLE)
        for hour in range(24):
            expected = number * rhythm[(hour + DAWN) % 24] / sum(rhythm)
            times = int(expected) + (rng.random() < expected % 1)
            acts += [Act(60 * (hour + rng.random()), do, rng.getrandbits(32)) for _ in range(times)]
    return sorted((act for act in acts if act.minute < hours * 60), key=lambda act: act.minute)


def clock(minute: float) -> str:
    """13:05 of the replayed day."""
    whole = int(minute) + DAWN * 60
    return f"{whole // 60 % 24:02}:{whole % 60:02}"


# --- Goods -----------------------------------------------------------------------------------------------------------
def stock(folder: Path, sellers: list[str], offers: Path = OFFERS) -> Stock:
    """folder: with the demo's catalogue.csv. sellers: whose part of it is offered. Raises CatalogueError, ValueError
    for an offer that the site would not take."""
    found = Stock({"morning": [], "midday": []}, {"morning": [], "midday": []}, {"morning": [], "midday": []})
    rows = [row for row in catalogue.read(folder) if row.content and row.values.get("seller") in sellers]
    order = sorted({row.content["category"] for row in rows})
    for row in rows:
        half = "morning" if order.index(row.content["category"]) < len(order) / 2 else "midday"
        found.harmless[half].append(Offer(row.content, SAFE, row.values["seller"], tuple(row.photos)))
    for half, offer in read_offers(offers):
        (found.alike if offer.truth == SAFE else found.unsafe)[half].append(offer)
    return found


def read_offers(path: Path = OFFERS) -> Iterator[tuple[str, Offer]]:
    """(half of the day, offer). Raises ValueError."""
    for number, each in enumerate(tomllib.loads(path.read_text("utf-8"))["offer"], start=1):
        values = {name: each[name] for name in ("title", "description", "category", "price")}
        row = catalogue.Row(number, values | {"ref": each["title"], "currency": "EUR", "condition": "good"})
        content = catalogue.content_of(row)
        if row.problems:
            raise ValueError(f"{path.name}, offer {number}: {row.problems[0]}")
        yield each["from"], Offer(content, each["truth"])


def offer(goods: Stock, minute: float, rng: random.Random) -> Offer:
    """What somebody puts up at this minute, in words of its own."""
    now, other = ("midday", "morning") if minute >= MIDDAY else ("morning", "midday")
    half = now if rng.random() < OF_THE_TIME else other
    mix, luck = (AFTERNOON if now == "midday" else MORNING), rng.random()
    if luck < mix.unsafe:
        return varied(rng.choice(goods.unsafe[half]), rng)
    if luck < mix.unsafe + mix.alike:
        return varied(rng.choice(goods.alike[half]), rng)
    found = varied(rng.choice(goods.harmless[half]), rng)
    if luck < mix.unsafe + mix.alike + mix.contact:
        number = f"020 7946 0{rng.randrange(1000):03}"  # kept free for films
        return replaced(found, description=f"{found.content['description']} Call me on {number}.")
    return found


TAILS = (
    "",
    ", collect or post",
    ", from a calm home",
    ", well looked after",
    ", another one",
    ", ready to go",
    ", price by agreement",
    ", from our own shelf",
    ", looking for a new place",
    ", used for one season",
)
CLOSINGS = (
    "Ask if something is unclear.",
    "Collection on any evening, or posted at cost.",
    "It has stood dry and out of the sun.",
    "I can hold it until the weekend.",
    "Questions are answered in the evening.",
    "We are moving, so it has to find a place soon.",
    "Swaps are welcome, tell me what you have.",
    "Packed well, sent within two days.",
)
SENTENCE = re.compile(r"(?<=[.!?])\s+")


def varied(found: Offer, rng: random.Random) -> Offer:
    """The same thing as another seller, or the same one a week later, would put it: the title whole, with something
    after it; a sentence left out of a longer text, one of ours at its end."""
    title, text = titled(found.content["title"], rng.choice(TAILS)), SENTENCE.split(found.content["description"])
    if len(text) > 3:
        del text[rng.randrange(1, len(text) - 1)]
    text.append(rng.choice(CLOSINGS))
    return replaced(found, title=title, description=" ".join(text))


def titled(title: str, tail: str) -> str:
    """With the tail, where there is room for it."""
    return title + tail if len(title) + len(tail) <= limits.TITLE_CHARS else title


def replaced(found: Offer, **content: str) -> Offer:
    return replace(found, content=found.content | content)
