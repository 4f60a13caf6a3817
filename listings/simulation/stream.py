"""Who offers what, when, and how often it would be looked at: the same for every arm."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from listings import categories

from .parameters import DAY, Parameters
from .texts import SAFE, Case, Pool

PHOTOS = 80  # of safe things, that listings share: a look at each costs a tenth of a second
OF_PHOTO_MODEL = ("weapons", "tobacco_alcohol")  # unsafe listings whose photo shows it


class Kind(StrEnum):
    """Careless merchants are honest too: they do not know the rules, and obey a warning as others do."""

    HONEST, CARELESS, FORGING, REDTEAM = "honest", "careless", "forging", "redteam"

    @property
    def means_well(self) -> bool:
        return self in (Kind.HONEST, Kind.CARELESS)


@dataclass(frozen=True)
class Offer:
    """at, end: seconds from the first counted day; earlier ones are below 0. place: how many the seller had before, of
    all and of this category. views: seconds, sorted; those before it is on sale are lost. obeys, waits, sale: draws."""

    number: int
    seller: int
    kind: Kind
    category: str
    at: float
    end: float
    price: float
    case: Case
    photo: Path | None
    place: int
    place_in_category: int
    views: NDArray[np.float64]
    pauses: int
    obeys: float
    moderator_seconds: float
    sale: bool

    @property
    def unsafe(self) -> bool:
        return self.case.policy != SAFE

    @property
    def counted(self) -> bool:
        return self.at >= 0


@dataclass(frozen=True)
class Seller:
    number: int
    kind: Kind
    weight: float
    home: str
    price: float


def draw(pool: Pool, p: Parameters) -> list[Offer]:
    """In the order in which they come."""
    rng = Random(f"stream {p.seed}")
    before = round(p.listings * p.earlier)
    sellers = _sellers(before + p.listings, rng, p)
    times = sorted(rng.uniform(-p.earlier_days * DAY, 0) for _ in range(before))
    times += sorted(rng.uniform(0, p.days * DAY) for _ in range(p.listings))
    who = rng.choices(sellers, [s.weight for s in sellers], k=len(times))
    unsafe_of = _unsafe_of(Counter(seller.kind for seller in who), p)
    words = _Deck(pool, rng)
    shown = {policy: rng.sample(paths, min(PHOTOS, len(paths))) for policy, paths in sorted(pool.photos.items())}
    all_of: Counter[int] = Counter()
    of_category: Counter[tuple[int, str]] = Counter()
    offers = []
    for number, (at, seller) in enumerate(zip(times, who, strict=True)):
        own = Random(f"offer {p.seed} {number}")
        unsafe = own.random() < unsafe_of[seller.kind]
        category = seller.home if own.random() < p.at_home else own.choice(_categories(p))
        offers.append(
            _offer(
                number,
                seller,
                at,
                category,
                words.next(unsafe),
                (all_of[seller.number], of_category[seller.number, category]),
                shown,
                own,
                p,
            )
        )
        all_of[seller.number] += 1
        of_category[seller.number, category] += 1
    return offers


def _categories(p: Parameters) -> list[str]:
    return [category.id for category in categories.all()[: p.categories]]


def _unsafe_of(listings: Counter[Kind], p: Parameters) -> dict[Kind, float]:
    """Share of unsafe listings by kind of seller, so that it is `unsafe_share` of all."""
    dishonest = listings[Kind.FORGING] + listings[Kind.REDTEAM]
    wanted = p.unsafe_share * listings.total()
    theirs = min(p.unsafe_of_dishonest, wanted / 2 / max(1, dishonest))
    careless = (wanted - theirs * dishonest) / max(1, listings[Kind.CARELESS])
    return {Kind.HONEST: 0.0, Kind.CARELESS: min(1.0, careless), Kind.FORGING: theirs, Kind.REDTEAM: theirs}


def _sellers(listings: int, rng: Random, p: Parameters) -> list[Seller]:
    """At least one of each kind; who offers what is forbidden is none of the busiest tenth: those are shops with a
    name."""
    number = max(10, round(listings / p.listings_per_seller))
    weights = sorted((min(rng.paretovariate(p.tail), p.most_active) for _ in range(number)), reverse=True)
    kinds = [Kind.HONEST] * number
    shares = {Kind.FORGING: p.forging_sellers, Kind.REDTEAM: p.redteam_sellers, Kind.CARELESS: p.careless_sellers}
    others = [kind for kind, share in shares.items() for _ in range(max(1, round(share * number)))]
    places = range(math.ceil(number / 10), number)
    for seller, kind in zip(rng.sample(places, min(len(others), len(places))), others, strict=False):
        kinds[seller] = kind
    return [
        Seller(n, kind, weight, rng.choice(_categories(p)), rng.lognormvariate(3.5, 0.8))
        for n, (kind, weight) in enumerate(zip(kinds, weights, strict=True))
    ]


def _offer(
    number: int,
    seller: Seller,
    at: float,
    category: str,
    case: Case,
    place: tuple[int, int],
    shown: dict[str, list[Path]],
    rng: Random,
    p: Parameters,
) -> Offer:
    life = rng.expovariate(1 / (p.life_days * DAY))
    mu = math.log(p.views) - p.views_sigma**2 / 2
    views = min(p.most_views, round(rng.lognormvariate(mu, p.views_sigma)))
    seen = sorted(at + life * rng.random() ** p.freshness for _ in range(views))
    photo = None
    if shown and rng.random() < p.photo_share:
        shows = case.policy if case.policy in OF_PHOTO_MODEL and shown.get(case.policy) else SAFE
        photo = rng.choice(shown[shows])
    signs = len(case.title) + len(case.description)
    return Offer(
        number=number,
        seller=seller.number,
        kind=seller.kind,
        category=category,
        at=at,
        end=at + life,
        price=round(seller.price * rng.lognormvariate(0, 0.4), 2),
        case=case,
        photo=photo,
        place=place[0],
        place_in_category=place[1],
        views=np.array(seen),
        pauses=1 + int(rng.expovariate(p.signs_per_pause / max(1, signs))),
        obeys=rng.random(),
        moderator_seconds=p.moderator_hours * 3600 * rng.lognormvariate(0, p.moderator_sigma),
        sale=rng.random() < p.sold,
    )


class _Deck:
    """Texts in a drawn order; when all were used, they come again."""

    def __init__(self, pool: Pool, rng: Random) -> None:
        self.cases = {False: rng.sample(pool.safe, len(pool.safe)), True: rng.sample(pool.unsafe, len(pool.unsafe))}
        self.used = Counter[bool]()

    def next(self, unsafe: bool) -> Case:
        cases = self.cases[unsafe]
        self.used[unsafe] += 1
        return cases[(self.used[unsafe] - 1) % len(cases)]


def mix(offers: list[Offer]) -> dict[str, float | int]:
    """Of the counted ones."""
    counted = [offer for offer in offers if offer.counted]

    def share(number: int) -> float:
        return round(number / len(counted), 4)

    return {
        "sellers": len({offer.seller for offer in counted}),
        "earlier_listings": len(offers) - len(counted),
        "beyond_first_5": share(sum(offer.place >= 5 for offer in counted)),
        "beyond_first_10": share(sum(offer.place >= 10 for offer in counted)),
        "beyond_first_5_in_category": share(sum(offer.place_in_category >= 5 for offer in counted)),
        "beyond_first_10_in_category": share(sum(offer.place_in_category >= 10 for offer in counted)),
        "text_alone": share(sum(offer.photo is None for offer in counted)),
        **{f"by_{kind.value}": share(sum(offer.kind == kind for offer in counted)) for kind in Kind},
    }
