"""Statements of reasons of what is no moderator's decision about one listing: what the checks alone sent back, and a
suspension. The same fields, page, JSON and export as the others (statements.py)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from .. import checks, policies
from ..lifecycle import Status
from ..models import Decision, ReviewJob, StatusChange, Suspension, Verdict
from ..outcome import GRAVE
from . import statements
from .statements import RULES, Statement

NO_MODERATOR = ""


# --- Sent back by the checks -----------------------------------------------------------------------------------------
def sent_back() -> QuerySet[StatusChange]:
    """Status changes by which the checks alone asked for changes: a moderator's come from another state."""
    return StatusChange.objects.filter(source=Status.CHECKING, target=Status.NEEDS_CHANGES)


def sent_back_in_full() -> QuerySet[StatusChange]:
    """With what their statements read: however many there are, so many queries."""
    rows = sent_back().select_related("listing")
    return rows.prefetch_related(*statements.READ, "listing__decisions__review_job")


def of_checks(change: StatusChange) -> Statement:
    """change: one of `sent_back`."""
    doubts = statements.doubts_about(change.listing, change.revision, change.created_at)
    rule = _rule(doubts)
    return Statement(
        what="Changes asked for",
        scope="The listing is not on sale.",
        duration="Until you have made the changes and submitted it again.",
        facts=[change.note, *statements.marked(v for v in doubts if v.model == checks.CONTACT_DETAILS)],
        started_by="Our own checks.",
        automated_detection=statements.detected(doubts) if doubts else "Yes, by our checks.",
        automated_decision="Yes. Our checks decided by themselves; no person has looked at it yet.",
        legal_ground="",
        contractual_ground=f"{rule.name} ({RULES} {policies.version()}): {rule.text}" if rule else "",
        explanation=change.note,
        way_forward="Change what the reason names and submit it again.",
        redress=["Ask for a person to look at it as it is, free of charge.", *statements.OTHER_WAYS],
        made_at=change.created_at,
        moderator=NO_MODERATOR,
        appeal_until=None,
    )


def _rule(doubts: list[Verdict]) -> policies.Rule | None:
    """As outcome.py weighs them: contact details before a listing that is there twice."""
    grave = {verdict.model for verdict in doubts if verdict.decision in GRAVE}
    found = next((name for name in (checks.CONTACT_DETAILS, checks.DUPLICATES) if name in grave), "")
    return policies.rule(found)


def row_of_checks(change: StatusChange) -> dict[str, Any]:
    """One row of the export, by statements.COLUMNS."""
    found = statements.row(of_checks(change), statement=f"check-{change.pk}")
    return found | statements.of_listing(change.listing, change.revision) | _asked_for_a_person(change)


def _asked_for_a_person(change: StatusChange) -> dict[str, Any]:
    since = statements.asked_for_a_person(change.listing, change.revision)
    asked = next((each for each in since if each.created_at >= change.created_at), None)
    if asked is None:
        return {}
    of_this = (change.revision, ReviewJob.Kind.CHECK)
    answers = [
        decision
        for decision in change.listing.decisions.all()
        if (decision.review_job.revision, decision.review_job.kind) == of_this
        and decision.created_at >= asked.created_at
    ]
    last = max(answers, key=lambda decision: decision.pk, default=None)
    return {
        "appeal": asked.created_at.isoformat(),
        "appeal_outcome": last.get_action_display() if last else "",
    }


# --- A suspension ----------------------------------------------------------------------------------------------------
def suspensions() -> QuerySet[Suspension]:
    return Suspension.objects.prefetch_related("strikes__decision__review_job", "strikes__decision__listing__revisions")


def of_suspension(suspension: Suspension) -> Statement:
    strikes = sorted(suspension.strikes.all(), key=lambda strike: strike.pk)
    named = dict.fromkeys(strike.policy for strike in strikes)
    known = [policy for each in named if (policy := policies.get(each))]
    return Statement(
        what="Account suspended",
        scope="Nothing of yours is on sale, and nothing new can be submitted.",
        duration=f"Until {suspension.until:%-d %B %Y}. Then you can put your listings back on sale yourself.",
        facts=[
            f"{len(strikes)} strikes counted at that time, each of a rejection under one of the gravest policies:",
            *(_strike_in_words(strike.decision, strike.policy) for strike in strikes),
        ],
        started_by="The last of these rejections.",
        automated_detection="No. What each rejection began with stands in its own statement.",
        automated_decision="In part. Persons made each of these rejections; that so many at a time suspend an account "
        "is a rule, which the site carried out.",
        legal_ground="; ".join(policy.legal_ground for policy in known),
        contractual_ground=_ground(suspension),
        explanation="Several of your listings broke grave rules within a short time.",
        way_forward="Each of these rejections can be appealed against by itself: if one is taken back, its strike "
        "goes, and the suspension with it if the others do not suffice.",
        redress=_redress(suspension),
        made_at=suspension.created_at,
        moderator=NO_MODERATOR,
        appeal_until=suspension.appeal_until,
    )


def _strike_in_words(decision: Decision, policy: str) -> str:
    said = decision.listing.at(decision.review_job.revision)
    title = said.title if said else decision.listing.title
    return f"“{title}”, {decision.created_at:%-d %B %Y}: {policies.name(policy)}."


def _ground(suspension: Suspension) -> str:
    rule = policies.rule("strikes")
    return f"{rule.name} ({RULES} {suspension.policies_version}): {rule.text}" if rule else ""


def _redress(suspension: Suspension) -> list[str]:
    until = f"{suspension.appeal_until:%-d %B %Y}"
    return [
        f"Ask for another look until {until}, once and free of charge: a moderator who did not make the last of these "
        "decisions looks at everything again.",
        *statements.OTHER_WAYS,
    ]


def row_of_suspension(suspension: Suspension) -> dict[str, Any]:
    """One row of the export, by statements.COLUMNS."""
    return statements.row(of_suspension(suspension), statement=f"suspension-{suspension.pk}") | {
        "appeal": suspension.appealed_at.isoformat() if suspension.appealed_at else "",
        "appeal_outcome": suspension.get_answer_display() if suspension.answer else "",
    }
