"""What a market knows when a listing comes: of its seller, of the category, of what is owed. Kept in memory, weighed by
the site's own rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from listings import policies
from listings.trust import intervals, tiers
from listings.trust.cells import SELLER_MOST
from listings.trust.rules import Load
from listings.trust.tiers import Standing

from .parameters import DAY, MINUTE

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
upper = cache(intervals.share_upper)


def moment(at: float) -> datetime:
    """at: seconds from the first counted day."""
    return FIRST_DAY + timedelta(seconds=at)


def day(at: float) -> date:
    return moment(at).date()


@dataclass
class Known:
    terms: dict[str, float]
    checked: dict[tuple[int, str], dict[int, tuple[datetime, float]]] = field(default_factory=lambda: defaultdict(dict))
    sold: dict[tuple[int, str], list[datetime]] = field(default_factory=lambda: defaultdict(list))
    violations: dict[int, float] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)  # cells: by category
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)  # by category and policy
    looked: Counter[tuple[int, str]] = field(default_factory=Counter)  # by seller and category
    open_of: Counter[int] = field(default_factory=Counter)  # debts: by seller
    opened_of: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[int, float] = field(default_factory=dict)  # by listing: since when it waits for a heavy check

    def standing(self, seller: int, category: str, now: float) -> Standing:
        own = self.checked[seller, category]
        last = self.violations.get(seller)
        weighs = last is not None and last >= now - self.terms["violation_days"] * DAY
        return tiers.weighed(
            [*(when for when, _ in own.values()), *self.sold[seller, category]],
            max((Decimal(str(price)) for _, price in own.values()), default=None),
            moment(last) if weighs and last is not None else None,
            self.terms,
        )

    def cells(self, category: str) -> dict[str, float]:
        """Upper ends, by policy; none while nothing was counted."""
        seen = self.seen[category]
        return {policy.id: upper(self.missed[category, policy.id], seen) for policy in policies.all()} if seen else {}

    def load(self, seller: int, now: float) -> Load:
        return Load(
            of_seller=self.open_of[seller],
            of_seller_today=sum(at >= now - DAY for at in self.opened_of[seller]),
            of_all=self.open_of.total(),
            behind=any(since < now - self.terms["behind"] * MINUTE for since in self.waiting.values()),
        )

    def came_through(self, seller: int, category: str, number: int, price: float, at: float) -> None:
        self.checked[seller, category].setdefault(number, (moment(at), price))

    def was_sold(self, seller: int, category: str, number: int, at: float) -> None:
        """A sale counts beside the check of what was sold."""
        if number in self.checked[seller, category]:
            self.sold[seller, category].append(moment(at))

    def looked_at(self, seller: int, category: str, missed: str = "") -> None:
        """A listing that the gate passed with margin and that was checked in full. missed: the policy it breaks."""
        self.looked[seller, category] += 1
        if self.looked[seller, category] <= SELLER_MOST:
            self.seen[category] += 1
            self.missed[category, missed] += bool(missed)

    def was_rejected(self, seller: int, category: str, number: int, at: float) -> None:
        self.checked[seller, category].pop(number, None)
        self.violations[seller] = at

    def begin(self, seller: int, at: float) -> None:
        self.open_of[seller] += 1
        self.opened_of[seller].append(at)

    def close(self, seller: int) -> None:
        self.open_of[seller] -= 1
