"""What the script's people share: who they are, their habits, the goods, what is known of them, who hears them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.db.models import Exists, OuterRef, Q

from listings.models import Report, ReviewJob, User
from marketplace.demo import people
from marketplace.demo.replay import script
from marketplace.demo.replay.truth import Truths, truths

ONE_CLICK = list(User.Role.values)  # accounts of whoever looks at the demo: nobody here plays them
NEWCOMERS = "newcomer"  # accounts made for a replayed day: whoever is suspended comes back under another name


class NoDemo(Exception):
    """The demo's people are not here."""


@dataclass(frozen=True)
class Care:
    """How often a moderator is wrong. missed: of what breaks a rule, taken for harmless; harsh: of the harmless,
    refused."""

    missed: float
    harsh: float


@dataclass(frozen=True)
class Habits:
    """Shares of occasions."""

    care: tuple[Care, ...] = (Care(0.03, 0.03), Care(0.15, 0.12))  # of the moderators, in turn
    skips: float = 0.06
    walks_away: float = 0.05  # with a case in hand; its lease runs out
    passes_on: float = 0.03
    undoes: float = 0.08  # and decides again, rightly
    looks_wrong_again: float = 0.05  # who answers an appeal and lets a wrong decision stand
    appeals_wrong: float = 0.85  # merchants, against a decision that was wrong
    appeals_right: float = 0.25  # and against one that was not
    asks_a_person: float = 0.25  # of what the checks alone sent back
    with_device: float = 0.85  # submits with what the browser said
    false_reports: float = 0.35
    baits: float = 0.15  # edits that turn something harmless into something forbidden


@dataclass
class Stage:
    goods: script.Stock
    truths: Truths
    merchants: list[str]  # user names, here and below without the one-click accounts
    shoppers: list[str]
    moderators: list[str]
    say: Callable[[str], None]
    habits: Habits = field(default_factory=Habits)
    minute: float = 0.0
    most: tuple[int, float] = (0, 0.0)  # cases that waited at once, and when
    tally: Counter[str] = field(default_factory=Counter)
    thought_about: set[int] = field(default_factory=set)  # decisions that their merchant has come to terms with

    def touchable(self, listing: str = "") -> Q:
        """Listings that the script's people may deal with: those whose truth is known, and which no visitor sells or
        has reported. `listing`: where they are joined ("listing__")."""
        reported = Report.objects.filter(job__state=ReviewJob.State.OPEN, listing=OuterRef(f"{listing}pk"))
        by_visitor = reported.filter(Q(reporter=None) | ~Q(reporter__username__in=self.shoppers))
        visitors = Q(**{f"{listing}seller__username__in": ONE_CLICK})
        return self.truths.known(listing) & ~visitors & ~Q(Exists(by_visitor))

    def tell(self, who: str, what: str) -> None:
        self.say(f"{script.clock(self.minute)}  {who:<14} {what}")


def set_up(folder: Path, say: Callable[[str], None], habits: Habits | None = None) -> Stage:
    """Raises NoDemo, CatalogueError."""
    parts = people.read(folder)
    names = {role: [person["username"] for person in parts.get(role, [])] for role in User.Role.values}
    everybody = [name for found in names.values() for name in found]
    here = set(User.objects.filter(username__in=everybody).values_list("username", flat=True))
    names = {role: [name for name in found if name in here - set(ONE_CLICK)] for role, found in names.items()}
    if len(names[User.Role.MODERATOR]) < 2 or not names[User.Role.MERCHANT] or not names[User.Role.SHOPPER]:
        raise NoDemo("The demo's people are not here. Load them first: python manage.py demo")
    goods = script.stock(folder, names[User.Role.MERCHANT])
    return Stage(
        goods, truths(goods, folder), names[User.Role.MERCHANT], names[User.Role.SHOPPER],
        names[User.Role.MODERATOR], say, habits or Habits(),
    )  # fmt: skip


def person(name: str) -> User:
    return User.objects.get(username=name)


def short(title: str) -> str:
    return f"“{title if len(title) <= 60 else title[:59] + '…'}”"
