"""How often the device and the gate say something else than the cloud about the very same words or photo, by week."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import TruncWeek

from models import photo, text

from .. import policies
from ..models import Verdict, VerdictDecision, Where
from . import quality

# (name, where, model, the cloud's model, its label)
PAIRS = (
    ("device", Where.DEVICE, text.MODEL, text.CLOUD, "Words: device against cloud"),
    ("gate", Where.GATE, text.MODEL, text.CLOUD, "Words: the device’s model at the gate against cloud"),
    ("second", Where.GATE, text.SECOND, text.CLOUD, "Words: the gate’s second model against cloud"),
    ("photo-device", Where.DEVICE, photo.MODEL, photo.CLOUD, "Photos: device against cloud"),
    ("photo-gate", Where.GATE, photo.MODEL, photo.CLOUD, "Photos: gate against cloud"),
)


@dataclass(frozen=True)
class Square:
    """Counts: first what the device or the gate did, then the cloud."""

    both_pass: int = 0
    pass_doubt: int = 0  # only the cloud doubts: missed by the smaller model
    doubt_pass: int = 0  # only the smaller model doubts: a false alarm, if the cloud is right
    both_doubt: int = 0

    @property
    def all(self) -> int:
        return self.both_pass + self.pass_doubt + self.doubt_pass + self.both_doubt

    @property
    def apart(self) -> quality.Share:
        return quality.Share(self.pass_doubt + self.doubt_pass, self.all)

    def plus(self, doubted: bool, cloud_doubted: bool, number: int) -> Square:
        """With so many more."""
        more = [0, 0, 0, 0]
        more[2 * doubted + cloud_doubted] = number
        return Square(*(a + b for a, b in zip(self.counts, more, strict=True)))

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.both_pass, self.pass_doubt, self.doubt_pass, self.both_doubt


@dataclass(frozen=True)
class Compared:
    """weeks: by their Monday; policies: where the cloud doubts, by what it suspects ("": nothing in particular)."""

    name: str
    label: str
    all: Square
    weeks: list[tuple[date, Square]]
    policies: list[tuple[str, Square]]


def compare(since: datetime) -> list[Compared]:
    """Pairs of which anything was said. Both verdicts are of one revision; a claim that was not believed is none."""
    found = [_compared(*pair, since) for pair in PAIRS]
    return [each for each in found if each.all.all]


def _compared(name: str, where: str, model: str, cloud_model: str, label: str, since: datetime) -> Compared:
    of_words = model in (text.MODEL, text.SECOND)
    same = Q(listing=OuterRef("listing"), revision=OuterRef("revision"))
    same &= Q(photo=None) if of_words else Q(photo=OuterRef("photo"))
    smaller = Verdict.objects.filter(same, where=where, model=model).exclude(detail__has_key="disbelieved")
    doubting = smaller.exclude(decision=VerdictDecision.PASS)
    cloud = Verdict.objects.filter(
        where=Where.CLOUD, model=cloud_model, created_at__gte=since, photo__isnull=of_words
    ).filter(Exists(smaller))
    rows = cloud.annotate(week=TruncWeek("created_at"), doubted=Exists(doubting)).order_by()
    grouped = rows.values_list("week", "doubted", "decision", "policy").annotate(n=Count("pk"))
    return _gathered(name, label, ((at.date(), *rest) for at, *rest in grouped))


def _gathered(name: str, label: str, rows: Iterable[tuple[date, bool, str, str, int]]) -> Compared:
    total, weeks, suspected = Square(), dict[date, Square](), dict[str, Square]()
    for week, doubted, decision, policy, number in rows:
        cloud_doubts = decision != VerdictDecision.PASS
        total = total.plus(doubted, cloud_doubts, number)
        weeks[week] = weeks.get(week, Square()).plus(doubted, cloud_doubts, number)
        if cloud_doubts:
            suspected[policy] = suspected.get(policy, Square()).plus(doubted, cloud_doubts, number)
    by_policy = [
        (policies.name(policy) or policy or "Nothing in particular", square)
        for policy, square in sorted(suspected.items(), key=lambda item: -item[1].all)
    ]
    return Compared(name, label, total, sorted(weeks.items()), by_policy)
