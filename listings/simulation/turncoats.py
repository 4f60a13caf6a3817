"""Sellers who earn trust honestly and then use it: a forger who waits for it, and whoever bought a trusted account.

The hardest case: they send nothing but forbidden texts that the gate lets through with margin and that the worker's
model would find, the same ones again and again (the site's search for duplicates is left out), all within seconds,
before the first debt can be paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import cycle
from random import Random

import numpy as np

from listings.models import VerdictDecision, Where
from listings.trust import rules
from models import text

from .looks import Looks
from .parameters import DAY, HOUR, Parameters
from .stream import Kind, Offer
from .texts import Case, Pool


class Turncoat(StrEnum):
    """PATIENT: a forging seller's own account. BOUGHT: the busiest honest seller's, in other hands; nobody noticed."""

    PATIENT, BOUGHT = "patient forger", "bought account"


def turn(p: Parameters) -> float:
    """When it happens, in seconds: half of the counted days are over."""
    return p.days * DAY / 2


def without_workers(p: Parameters) -> tuple[float, float]:
    """An hour that begins when everything is sent and idle workers have not been given the first of it yet."""
    begin = turn(p) + min(p.turncoat_sends * p.turncoat_seconds, p.idle_seconds - 1)
    return begin, begin + HOUR


def past_the_gate(pool: Pool, looks: Looks, terms: dict[str, float], p: Parameters) -> list[Case]:
    """Forbidden texts that the gate passes with margin and the worker's model does not, as far as a look at
    `turncoat_tries` of the pool finds them; without any such, the best there is. Raises ModelUnavailable."""
    tried = Random(f"turncoat {p.seed}").sample(pool.unsafe, min(p.turncoat_tries, len(pool.unsafe)))

    def doubt(case: Case) -> tuple[bool, bool]:
        fields = [("title", case.title), ("description", case.description)]
        said = [looks.words(model, fields, Where.GATE) for model in (text.MODEL, text.SECOND)]
        stopped = any(v.decision != VerdictDecision.PASS for v in said) or any(rules.by_gate([], said, terms))
        return stopped, stopped or looks.words(text.CLOUD, fields, Where.CLOUD).decision == VerdictDecision.PASS

    known = [doubt(case) for case in tried]
    best = min(known)
    return [case for case, found in zip(tried, known, strict=True) if found == best]


def among(
    offers: Sequence[Offer], way: Turncoat, unsafe: Sequence[Case], p: Parameters
) -> tuple[list[Offer], list[Offer]]:
    """The stream with a turncoat in it, in the order in which it comes, and what the turncoat sends from the turn on.
    Their numbers stand behind all others'."""
    busiest = Counter(offer.seller for offer in offers if offer.kind == Kind.HONEST).most_common(1)[0][0]
    own = [offer for offer in offers if offer.seller == busiest]
    home = Counter(offer.category for offer in own).most_common(1)[0][0]
    like = next(offer for offer in own if offer.category == home)
    number = max(offer.number for offer in offers) + 1
    if way == Turncoat.PATIENT:
        seller = max(offer.seller for offer in offers) + 1
        before = [
            replace(each, number=number + n, seller=seller, kind=Kind.FORGING, at=at, end=at + each.end - each.at)
            for n, (each, at) in enumerate(_harmless(offers, home, like.price, p))
        ]
        others = list(offers)
    else:
        seller, before = busiest, []
        others = [offer for offer in offers if offer.seller != busiest or offer.at < turn(p)]
    sent = [
        replace(
            like,
            number=number + len(before) + n,
            seller=seller,
            kind=Kind.FORGING,
            at=turn(p) + n * p.turncoat_seconds,
            end=turn(p) + p.days * DAY,
            case=case,
            photo=None,
            views=turn(p) + np.linspace(0, DAY, round(p.turncoat_views)),
        )
        for n, case in zip(range(p.turncoat_sends), cycle(unsafe), strict=False)
    ]
    return sorted([*others, *before, *sent], key=lambda offer: (offer.at, offer.number)), sent


def _harmless(offers: Sequence[Offer], home: str, price: float, p: Parameters) -> list[tuple[Offer, float]]:
    """What a patient seller puts up first, and when: other people's harmless words, one a day up to the turn."""
    found = [offer for offer in offers if not offer.unsafe and offer.photo is None][: p.turncoat_earns]
    days = range(len(found), 0, -1)
    views = np.array([])
    return [
        (replace(offer, category=home, price=price, views=views, sale=True), turn(p) - day * DAY)
        for offer, day in zip(found, days, strict=True)
    ]
