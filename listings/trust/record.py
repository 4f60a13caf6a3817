"""Everything that was said and decided about a listing, in one list from the device's claim to the moderator's word.

It is read from rows that the database lets nobody change (migration 0008): verdicts, rulings, status changes,
decisions. A debt's row changes with its state; its moments stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .. import policies
from ..models import Debt, Decision, Listing, Verdict
from .tiers import Tier

SITE = "the site"


@dataclass(frozen=True)
class Line:
    at: datetime
    revision: int
    who: str  # a person, or a model with its version, or the site
    what: str
    why: str = ""
    policies_version: str = ""


def of(listing: Listing) -> list[Line]:
    """The oldest first."""
    found = [*_verdicts(listing), *_rulings(listing), *_debts(listing), *_changes(listing), *_decisions(listing)]
    return sorted(found, key=lambda line: line.at)


def _verdicts(listing: Listing) -> Iterator[Line]:
    for verdict in listing.verdicts.select_related("photo"):
        about = f"photo {verdict.photo.position + 1}" if verdict.photo else "the words"
        named = f": {policies.name(verdict.policy)}" if verdict.policy else ""
        who = " ".join(filter(None, [verdict.model, verdict.version, verdict.variant]))
        yield Line(
            verdict.created_at,
            verdict.revision,
            f"{who} ({verdict.get_where_display().lower()})",
            f"{verdict.get_decision_display()} on {about}{named}",
            _odd(verdict),
            verdict.policies_version,
        )


def _odd(verdict: Verdict) -> str:
    said = [str(verdict.detail.get("disbelieved", ""))]
    if "differs_from_gate" in verdict.detail:
        said.append(f"Differs from the gate by {verdict.detail['differs_from_gate']}.")
    if "other_release" in verdict.detail:
        said.append(f"From before {verdict.detail['other_release']}; held against its own.")
    if "browser" in verdict.detail:
        said.append(f"{verdict.detail['browser']}.")
    return " ".join(filter(None, said))


def _rulings(listing: Listing) -> Iterator[Line]:
    for ruling in listing.rulings.all():
        what = "On sale before its heavy checks" if ruling.granted else "Checked in full first"
        why = " ".join(ruling.grounds) or f"Seller: {Tier(ruling.tier).name.lower()}; the gate passed it with margin."
        yield Line(ruling.created_at, ruling.revision, SITE, what, why, ruling.policies_version)


def _debts(listing: Listing) -> Iterator[Line]:
    for debt in listing.debts.select_related("job"):
        revision = debt.job.revision
        if debt.audit:
            yield Line(debt.opened_at, revision, SITE, "Drawn for an audit")
        if debt.light_at:
            yield Line(debt.light_at, revision, SITE, "Light checks made")
        if debt.called_at:
            why = f"{debt.get_cause_display()}; {debt.impressions} views so far."
            yield Line(debt.called_at, revision, SITE, "Heavy checks called in", why)
        if debt.closed_at:
            made = "Heavy checks made" if debt.state == Debt.State.PAID else "Nothing owed any more"
            yield Line(debt.closed_at, revision, SITE, made)


def _changes(listing: Listing) -> Iterator[Line]:
    for change in listing.status_changes.select_related("actor"):
        who = change.actor.username if change.actor else SITE
        yield Line(change.created_at, change.revision, who, change.get_target_display(), change.note)


def _decisions(listing: Listing) -> Iterator[Line]:
    rows: list[Decision] = list(listing.decisions.select_related("moderator", "review_job"))
    for decision in rows:
        named = f" under: {policies.name(decision.policy)}" if decision.policy else ""
        yield Line(
            decision.created_at,
            decision.review_job.revision,
            decision.moderator.username,
            f"{decision.get_action_display()}{named}",
            decision.reason or decision.review_job.cause,
        )
