"""What a merchant reads of a decision: a sentence in the listing's status, and the statement of reasons in full.

The statement has what Article 17(3) of the Digital Services Act (Regulation (EU) 2022/2065) asks for: the decision with
its scope and duration, the facts, whether machines detected or decided, the legal and the contractual ground, and
how to have it looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from .. import content, policies
from ..lifecycle import Status
from ..models import Appeal, Decision, ReviewJob, StatusChange, Verdict, VerdictDecision, Where
from ..outcome import photos_named
from ..trust import settings

Action = Decision.Action
RULES = "market rules, version"
# The columns of the export, in the order of Article 17(3).
COLUMNS = (
    "statement", "decided_at", "listing", "listing_title", "listing_url", "revision", "decision", "scope", "territory",
    "duration", "facts", "started_by", "automated_detection", "automated_decision", "legal_ground",
    "contractual_ground", "explanation", "redress", "appeal_until", "appeal", "appeal_outcome", "moderator",
)  # fmt: skip
EFFECTS = {
    Action.REJECT: ("The listing is not on sale.", "Until you change what the reason names and submit it again."),
    Action.CHANGES: ("The listing is not on sale.", "Until you have made the changes and submitted it again."),
    Action.APPROVE: ("None: the listing may be on sale.", ""),
    Action.UPHOLD: ("The earlier decision stands.", "As the earlier decision says."),
    Action.OVERTURN: ("The earlier decision is taken back.", ""),
    Action.MODIFY: ("The earlier decision is replaced by this one.", "Until you have changed and submitted it again."),
}


LEFT_THE_MARKET = (
    "The listing had left the market, or says something else now; what it said while it was on sale was not allowed. "
    "Your next listings are checked in full first for a time."
)


@dataclass(frozen=True)
class Statement:
    """Of one decision, in words. The fields are those of COLUMNS, without what only staff sees."""

    decision: Decision
    what: str
    scope: str
    duration: str
    facts: list[str]
    started_by: str
    automated_detection: str
    automated_decision: str
    legal_ground: str
    contractual_ground: str
    explanation: str
    way_forward: str
    redress: list[str]
    appeal_until: datetime


def note(action: str, policy: str, reason: str, places: Sequence[int] = ()) -> str:
    """What the merchant reads beside the listing's status. places: of photos that may not come back, from 1."""
    known = policies.get(policy)
    said = _sentence(reason.strip()) if reason.strip() else ""
    found = f"{known.name}: {said}" if known and said else said
    if places:
        found += f" {photos_named(places)}: not allowed here, also in other listings."
    return found.strip()


def preview(action: str, policy: str, reason: str, places: Sequence[int] = ()) -> list[str]:
    """The paragraphs of the message that a merchant will get, before it is sent."""
    known = policies.get(policy)
    begin = {
        Action.APPROVE: "A moderator has looked at your listing. It may be on sale.",
        Action.REJECT: "A moderator has looked at your listing. It cannot be on sale as it is.",
        Action.CHANGES: "A moderator has looked at your listing. It can be on sale once you have changed it.",
        Action.UPHOLD: "Another moderator has looked at your listing again. The decision stands.",
        Action.OVERTURN: "Another moderator has looked at it again. The decision was wrong; it is taken back.",
        Action.MODIFY: "Another moderator has looked at your listing again. The decision is changed.",
    }[Action(action)]
    found = [begin, note(action, policy, reason, places)]
    if known and action in (Action.REJECT, Action.CHANGES, Action.MODIFY):
        found += [f"Not allowed here: {known.forbids} Fine: {known.allows}", known.what_to_do]
    if action in (Action.REJECT, Action.CHANGES):
        days = f"{settings.value('appeal_days'):.0f} days"
        found.append(f"If you think this is wrong, ask for another look within {days}: another moderator decides.")
    return [paragraph for paragraph in found if paragraph]


def _sentence(text: str) -> str:
    return text if text[-1] in ".!?" else f"{text}."


def appeal_until(decision: Decision) -> datetime:
    """As it was when the decision was made."""
    return decision.appeal_until or decision.created_at + timedelta(days=settings.value("appeal_days"))


def of(decision: Decision) -> Statement:
    job = decision.review_job
    known = policies.get(decision.policy)
    scope, duration = EFFECTS[Action(decision.action)]
    if job.kind == ReviewJob.Kind.LEFT and decision.is_restriction:
        scope, duration = LEFT_THE_MARKET, ""
    version = decision.policies_version or policies.version()
    said = Verdict.objects.filter(listing=decision.listing_id, revision=job.revision)
    verdicts = list(said.filter(created_at__lte=decision.created_at))
    doubts = [v for v in verdicts if v.decision != VerdictDecision.PASS and not v.detail.get("disbelieved")]
    return Statement(
        decision=decision,
        what=decision.get_action_display(),
        scope=scope,
        duration=duration,
        facts=_facts(job, doubts),
        started_by=_started_by(job),
        automated_detection=_detected(doubts),
        automated_decision="No. A person decided, with the listing and what the checks said before them.",
        legal_ground=known.legal_ground if known else "",
        contractual_ground=f"{known.name} ({RULES} {version}): {known.forbids}" if known else "",
        explanation=decision.reason,
        way_forward=known.what_to_do if known and decision.action != Action.APPROVE else "",
        redress=_redress(decision),
        appeal_until=appeal_until(decision),
    )


def _facts(job: ReviewJob, doubts: Iterable[Verdict]) -> list[str]:
    """Why a person was asked, and the words and photos that were marked."""
    found = [job.cause]
    words = {title: None for verdict in doubts for title in _marked(verdict)}
    if words:
        found.append("Marked: " + ", ".join(f"“{word}”" for word in list(words)[:12]) + ".")
    return found


def _marked(verdict: Verdict) -> list[str]:
    """The words that a verdict marked, in the fields as they were."""
    revision = verdict.listing.revisions.filter(number=verdict.revision).first()
    if revision is None or verdict.photo_id:
        return []
    fields = dict(content.fields_of_revision(revision))
    found = []
    for span in verdict.evidence:
        text = fields.get(span.get("field", ""))
        if text is not None:
            units = text.encode("utf-16-le")
            found.append(units[2 * span["start"] : 2 * span["end"]].decode("utf-16-le", "ignore"))
    return [word for word in found if word.strip()]


def _started_by(job: ReviewJob) -> str:
    asked = StatusChange.objects.filter(
        listing=job.listing_id, revision=job.revision, source=Status.NEEDS_CHANGES, target=Status.IN_REVIEW
    )
    if job.kind == ReviewJob.Kind.CHECK and asked.exists():
        return "Our own checks had sent it back, and you asked for a person to look."
    return {
        ReviewJob.Kind.CHECK: "Our own checks.",
        ReviewJob.Kind.REPORT: "A report by somebody who saw the listing (Article 16).",
        ReviewJob.Kind.APPEAL: "Your request for another look.",
        ReviewJob.Kind.SAMPLE: "A random sample of what is on sale.",
    }.get(ReviewJob.Kind(job.kind), "Our own checks.")


def _detected(doubts: Sequence[Verdict]) -> str:
    by_machine = sorted({_who(verdict) for verdict in doubts if verdict.where != Where.DEVICE})
    on_device = any(verdict.where == Where.DEVICE for verdict in doubts)
    if not by_machine and not on_device:
        return "No."
    found = f"Yes, by {', '.join(by_machine)}." if by_machine else "Yes, on your device."
    if by_machine and on_device:
        found += " Your own device had warned as well."
    return found


def _who(verdict: Verdict) -> str:
    return f"{verdict.model} {verdict.version}".strip()


def _redress(decision: Decision) -> list[str]:
    found = []
    if decision.is_restriction:
        found.append(
            f"Ask for another look until {appeal_until(decision):%-d %B %Y}, once and free of charge: a moderator who "
            "has not decided about it before looks at everything again."
        )
    return [
        *found,
        "Or turn to a certified body for out-of-court settlement (Article 21 of the Digital Services Act).",
        "Or to the courts.",
    ]


def as_row(decision: Decision) -> dict[str, Any]:
    """One row of the export, by COLUMNS."""
    found = of(decision)
    listing = decision.listing
    kept = listing.revisions.filter(number=decision.review_job.revision).first()
    appeal = Appeal.objects.filter(decision=decision).first()
    answer = decision.answers.first() if appeal else None
    return {
        "statement": decision.pk,
        "decided_at": decision.created_at.isoformat(),
        "listing": listing.public_id,
        "listing_title": kept.title if kept else listing.title,
        "listing_url": reverse("item", args=[listing.public_id]),
        "revision": decision.revision or decision.review_job.revision,
        "decision": found.what,
        "scope": found.scope,
        "territory": "Everywhere the site is offered",
        "duration": found.duration,
        "facts": " ".join(found.facts),
        "started_by": found.started_by,
        "automated_detection": found.automated_detection,
        "automated_decision": found.automated_decision,
        "legal_ground": found.legal_ground,
        "contractual_ground": found.contractual_ground,
        "explanation": found.explanation,
        "redress": " ".join(found.redress),
        "appeal_until": found.appeal_until.isoformat() if decision.is_restriction else "",
        "appeal": appeal.created_at.isoformat() if appeal else "",
        "appeal_outcome": answer.get_action_display() if answer else "",
        "moderator": decision.moderator.username,
    }
