"""May this revision be on sale before its heavy checks? Every rule that says no, says why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from models import contract, manifest, photo, text

from .. import contact_details, content, duplicates, live_models, look_alikes, photo_bank, policies
from ..checks import DEFERRED
from ..lifecycle import Status
from ..models import Debt, Listing, OwedCheck, Photo, Verdict, VerdictDecision, Where
from ..moderation import decided_before
from . import cells
from .tiers import Standing, Tier, standing

log = logging.getLogger(__name__)
# Share of a policy from which the words may be about it: so much of the point from which that model is unsure at all.
NOTABLE = 0.04
CANNOT = "The gate could not look at everything."


@dataclass(frozen=True)
class Ruled:
    """grounds: sentences against it; none: it may. gate_clear: models of gate and device had nothing against it."""

    grounds: list[str]
    gate_clear: bool
    risk: float
    standing: Standing

    @property
    def granted(self) -> bool:
        return not self.grounds


@dataclass(frozen=True)
class Load:
    """Debts: unpaid ones of the seller, those begun within a day, unpaid ones of everybody. behind: somebody has waited
    for a check for too long. earlier: the listing was on sale in other words that still owe their checks."""

    of_seller: int
    of_seller_today: int
    of_all: int
    behind: bool
    earlier: bool = False


def rule(listing: Listing, photos: Sequence[Photo], verdicts: Sequence[Verdict], terms: dict[str, float]) -> Ruled:
    """Of a stored revision and the verdicts of device and gate. A model or a photo that cannot be used now speaks
    against it."""
    against = _unless_it_fails(listing, lambda: [*by_gate(photos, verdicts, terms), *by_device(photos, verdicts)])
    known = standing(listing.seller, listing.category, terms)
    upper = cells.measured(listing.category)
    grounds = [
        *against,
        *_by_moderator(listing),
        *by_seller(float(listing.price), known, terms),
        *by_place(cells.shut(upper, terms), photos, verdicts, terms),
        *by_load(_load(listing, terms), known, terms),
    ]
    # A worker looks for these anyway; here only of what would be on sale now, for they search all photos.
    grounds = grounds or _unless_it_fails(listing, lambda: list(_quick_checks(listing, photos)))
    return Ruled(grounds, not against, 1.0 if against else risk(verdicts, upper, terms), known)


def _by_moderator(listing: Listing) -> Iterator[str]:
    if decided_before.find(listing) is not None:
        yield "A moderator has kept it, or the same words, off the market before."


def _unless_it_fails(listing: Listing, find: Callable[[], list[str]]) -> list[str]:
    try:
        with transaction.atomic():
            return find()
    except Exception:  # whatever it is, the listing is kept and checked in full
        log.exception("listing %s: it cannot be told whether it may be on sale", listing.pk)
        return [CANNOT]


def risk(verdicts: Sequence[Verdict], upper: Mapping[str, float], terms: dict[str, float]) -> float:
    """How likely it is at most that a listing that the gate passes with margin is unsafe: as often as such listings of
    its category turned out to be (upper: of its cells), all of it at the margin, and less the farther from it. Raises
    ModelUnavailable."""
    found = [_nearness(v) for v in verdicts if v.where == Where.GATE and v.scores]
    if not found or not upper or not terms["margin"]:
        return 1.0
    return max(upper.values()) * min(1.0, max(found) / terms["margin"])


# --- Rules, of what is known already: no queries, so that a simulation rules as the site does -------------------------
def by_gate(photos: Sequence[Photo], verdicts: Sequence[Verdict], terms: dict[str, float]) -> Iterator[str]:
    """The gate's models pass everything, each with margin: if one might come nearer to its doubt where the other sees
    nothing, twice as many rewritten listings would get past. Raises ModelUnavailable."""
    said = [v for v in verdicts if v.where == Where.GATE]
    words = {v.model for v in said if v.photo is None}
    seen = {v.photo.pk for v in said if v.photo}
    if not {text.MODEL, text.SECOND} <= words or not {each.pk for each in photos} <= seen:
        yield CANNOT
    for v in said:
        where = f"photo {v.photo.position + 1}" if v.photo else "the words"
        if v.decision != VerdictDecision.PASS:
            yield f"The gate does not pass {where} ({v.model}: {v.decision})."
        elif _nearness(v) >= terms["margin"]:
            yield f"The gate passes {where} without margin ({v.model})."


def by_device(photos: Sequence[Photo], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A claim saves nothing by itself. Where there is none, or another one than the gate's, the heavier models look."""
    claims = [v for v in verdicts if v.where == Where.DEVICE]
    claimed = {v.photo.pk if v.photo else None for v in claims if v.model in (text.MODEL, photo.MODEL)}
    if not {None, *(each.pk for each in photos)} <= claimed:
        yield "The device did not check everything."
    if any(v.detail.get("disbelieved") for v in claims):
        yield "What the device claims cannot be believed."
    elif any("differs_from_gate" in v.detail for v in claims):
        yield "The device claims other scores than the gate finds."
    elif any(v.decision != VerdictDecision.PASS for v in claims):
        yield "The device was not sure, or warned."


def _nearness(verdict: Verdict) -> float:
    """The unsafe score as a share of that from which its model is unsure. Raises ModelUnavailable."""
    return contract.unsafe_score(verdict.scores) / _unsure_from(verdict)


def _unsure_from(verdict: Verdict) -> float:
    """The unsafe score from which on the verdict's model is unsure. Raises ModelUnavailable."""
    published = manifest.model(manifest.load(), verdict.model)
    is_published = verdict.version == published["version"]  # so that the simulation needs no database
    points = published["operating_points"] if is_published else live_models.points(verdict.model)
    return float(min([points["unsure"], *(own.get("unsure", 1.0) for own in points.get("per_policy", {}).values())]))


def by_seller(price: float, known: Standing, terms: dict[str, float]) -> Iterator[str]:
    if known.violation and known.tier == Tier.NEW:
        yield (
            "A listing of this seller was rejected not long ago "
            f"({known.points} of {terms['known_after']:g} in this category since)."
        )
    elif known.tier == Tier.NEW:
        yield f"The seller is new in this category ({known.points} of {terms['known_after']:g})."
    if another_price_level(price, known, terms):
        yield "The price is of another level than this seller’s so far."


def another_price_level(price: float, known: Standing, terms: dict[str, float]) -> bool:
    """Dearer by far than what this seller had checked in this category, or nothing was."""
    return known.dearest is None or price > terms["price_level"] * float(known.dearest)


def by_place(
    closed: Sequence[str], photos: Sequence[Photo], verdicts: Sequence[Verdict], terms: dict[str, float]
) -> Iterator[str]:
    """closed: policies for which the category is not open (cells.py). Raises ModelUnavailable."""
    if not terms["debts"]:
        yield "Everything is checked in full first (setting)."
    if closed:
        yield f"The gate is not measured well enough in this category for: {', '.join(map(policies.name, closed))}."
    if not photos:
        return
    # Of these policies no model sees photos: a hint in the words is enough for a full look.
    hinted = {
        name
        for v in verdicts
        if v.where == Where.GATE and v.photo is None
        for name, share in v.scores.items()
        if share >= NOTABLE * _unsure_from(v) and policies.get(name) and policies.photo_use(name) == policies.NO_MODEL
    }
    if hinted:
        names = ", ".join(sorted(map(policies.name, hinted)))
        yield f"It has photos, and no model for photos knows: {names}."


def debts_allowed(known: Standing, terms: dict[str, float]) -> float:
    """How many listings of a seller may owe their checks at a time: as the setting says until they are trusted, then
    more in the measure in which more of theirs was checked. What owes its checks earns nothing."""
    return terms["seller_debts"] * max(1.0, known.points / terms["trusted_after"])


def by_load(load: Load, known: Standing, terms: dict[str, float]) -> Iterator[str]:
    if load.earlier:
        yield "What it said before was on sale and still owes its checks."
    if load.of_seller >= debts_allowed(known, terms):
        yield "The seller has too many listings that still owe their checks."
    if load.of_seller_today >= terms["seller_day"]:
        yield "The seller had too many of them within a day."
    if load.of_all >= terms["all_debts"]:
        yield "Too many checks are owed by all sellers together."
    if load.behind:
        yield "The workers are behind."


# --- What is known, from the database --------------------------------------------------------------------------------
def _quick_checks(listing: Listing, photos: Sequence[Photo]) -> Iterator[str]:
    if contact_details.find(content.fields_of(listing)):
        yield "The words hold contact details."
    if duplicates.find(listing):
        yield "Another listing has the same words."
    for each in photos:
        if photo_bank.nearest(each):
            yield f"Photo {each.position + 1} looks like one that was removed."
        elif look_alikes.find(listing, each):
            yield f"Photo {each.position + 1} looks like another seller’s."


def _load(listing: Listing, terms: dict[str, float]) -> Load:
    now = timezone.now()
    opened = Debt.objects.filter(state__in=Debt.UNPAID)
    today = Debt.objects.filter(listing__seller=listing.seller_id, opened_at__gte=now - timedelta(days=1))
    return Load(
        of_seller=opened.filter(listing__seller=listing.seller_id).count(),
        of_seller_today=today.count(),
        of_all=opened.count(),
        behind=waiting_since(now - timedelta(minutes=terms["behind"])),
        earlier=opened.filter(listing=listing).exists(),
    )


def waiting_since(long_ago: datetime) -> bool:
    """Whether anybody has waited for a check since then: from the submit, or from when a debt was called in."""
    waited_for = OwedCheck.objects.filter(state=OwedCheck.State.OWED, job__listing__status=Status.CHECKING)
    since = Coalesce("job__debt__called_at", "job__created_at")
    waited_for = waited_for.exclude(due_at=DEFERRED).exclude(job__debt__state=Debt.State.LEFT)
    return waited_for.annotate(since=since).filter(since__lt=long_ago).exists()
