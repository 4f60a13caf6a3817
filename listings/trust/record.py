"""Everything that was said and decided about a listing, in one list from the device's claim to the answer to an appeal.

It is read from rows that the database lets nobody change (migrations 0008 and 0009): verdicts, rulings, status changes,
decisions, what happened to jobs. A debt's and a strike's row changes with its state; its moments stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .. import policies
from ..models import Appeal, Debt, Decision, JobEvent, Listing, SecondLook, Strike, Suspension, Verdict
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
    found = [
        *_verdicts(listing), *_rulings(listing), *_debts(listing), *_changes(listing), *_reports(listing),
        *_events(listing), *_decisions(listing), *_appeals(listing), *_second_looks(listing), *_strikes(listing),
    ]  # fmt: skip
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
        if debt.left_at:
            yield Line(debt.left_at, revision, SITE, "No longer on sale in these words; its checks are owed still")
        if debt.closed_at:
            paid = debt.state == Debt.State.PAID
            made = "Heavy checks made" if paid else "Nothing owed any more: nobody had seen it"
            yield Line(debt.closed_at, revision, SITE, made)


def _changes(listing: Listing) -> Iterator[Line]:
    for change in listing.status_changes.select_related("actor"):
        who = change.actor.username if change.actor else SITE
        yield Line(change.created_at, change.revision, who, change.get_target_display(), change.note)


def _reports(listing: Listing) -> Iterator[Line]:
    for report in listing.reports.select_related("reporter"):
        who = report.reporter.username if report.reporter else "somebody signed out"
        what = f"Reported: {policies.name(report.policy) or 'something else'}"
        yield Line(report.created_at, report.revision, who, what, report.text)


def _events(listing: Listing) -> Iterator[Line]:
    rows = JobEvent.objects.filter(job__listing=listing).select_related("job", "actor")
    for event in rows:
        who = event.actor.username if event.actor else SITE
        yield Line(
            event.created_at, event.job.revision, who, f"Case {event.job_id}: {event.get_kind_display()}", event.note
        )


def _appeals(listing: Listing) -> Iterator[Line]:
    for appeal in Appeal.objects.filter(decision__listing=listing).select_related("decision__review_job"):
        revision = appeal.decision.review_job.revision
        yield Line(appeal.created_at, revision, listing.seller.username, "Asked for another look", appeal.text)


def _second_looks(listing: Listing) -> Iterator[Line]:
    rows = SecondLook.objects.filter(about__listing=listing).select_related("moderator", "review_job")
    for look in rows:
        what = f"{look.review_job.get_kind_display()}: {look.get_action_display()}"
        yield Line(look.created_at, look.review_job.revision, look.moderator.username, what, look.reason)


def _strikes(listing: Listing) -> Iterator[Line]:
    for strike in Strike.objects.filter(decision__listing=listing).select_related("decision__review_job"):
        revision = strike.decision.review_job.revision
        yield Line(strike.created_at, revision, SITE, f"A strike until {strike.expires_at:%-d %B %Y}")
        if strike.revoked_at:
            yield Line(strike.revoked_at, revision, SITE, "The strike is taken back")
    for found in Suspension.objects.filter(decision__listing=listing).select_related("decision__review_job"):
        yield from _suspension(found, found.decision.review_job.revision, listing.seller.username)


def _suspension(found: Suspension, revision: int, seller: str) -> Iterator[Line]:
    yield Line(found.created_at, revision, SITE, f"The account is suspended until {found.until:%-d %B %Y}")
    if found.appealed_at:
        what = "Asked for another look at the suspension"
        yield Line(found.appealed_at, revision, seller, what, found.appeal_text)
    if found.answered_at and found.answered_by:
        what = f"The suspension: {found.get_answer_display().lower()}"
        yield Line(found.answered_at, revision, found.answered_by.username, what, found.answer_reason)
    if found.lifted_at:
        yield Line(found.lifted_at, revision, SITE, "The suspension is lifted")


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
