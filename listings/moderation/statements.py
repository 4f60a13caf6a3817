"""What a merchant reads of a decision: a sentence in the listing's status, and the statement of reasons in full.

The statement has what Article 17(3) of the Digital Services Act (Regulation (EU) 2022/2065) asks for: the decision with
its scope and duration, the facts, whether machines detected or decided, the legal and the contractual ground, and
how to have it looked at again.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from .. import content, policies
from ..lifecycle import Status
from ..models import Decision, Listing, ReviewJob, StatusChange, Verdict, VerdictDecision, Where
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
READ = ("listing__verdicts", "listing__revisions", "listing__status_changes")  # what a statement is made of
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
NOTHING_FOLLOWS = "None: the listing had left the market, or says something else now."
WHERE = "Everywhere the site is offered"
OTHER_WAYS = [
    "Or turn to a certified body for out-of-court settlement (Article 21 of the Digital Services Act).",
    "Or to the courts.",
]
PLACEHOLDER = "Your reason stands here."
MARKED_MOST, MARKED_CHARS = 8, 4  # words named in a statement, and the letters or digits that each has at least
SAYS_NOTHING = frozenset({
    "about", "after", "again", "also", "another", "because", "been", "before", "being", "between", "both",
    "could", "does", "each", "even", "every", "from", "have", "here", "into", "just", "like", "made", "make",
    "many", "more", "most", "much", "must", "never", "only", "other", "over", "same", "should", "some", "such",
    "than", "that", "their", "them", "then", "there", "these", "they", "this", "those", "through", "under",
    "until", "upon", "very", "want", "well", "were", "what", "when", "where", "which", "while", "will", "with",
    "within", "without", "would", "your", "yours",
})  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """In words. The fields are those of COLUMNS, without what only staff sees. moderator: who staff reads decided."""

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
    made_at: datetime
    moderator: str
    appeal_until: datetime | None  # None: nothing to appeal against


def note(action: str, policy: str, reason: str, places: Sequence[int] = ()) -> str:
    """What the merchant reads beside the listing's status. places: of photos that may not come back, from 1."""
    known = policies.get(policy)
    said = _sentence(reason.strip()) if reason.strip() else ""
    found = f"{known.name}: {said}" if known and said else said
    if places:
        found += f" {photos_named(places)}: not allowed here, also in other listings."
    return found.strip()


def preview(
    action: str, policy: str, reason: str, places: Sequence[int] = (), *, title: str, past: bool = False
) -> list[str]:
    """The paragraphs of the message that a merchant will get, before it is sent. title: of the listing, as it was
    decided about. past: it had left the market in these words."""
    known = policies.get(policy)
    of_past = {
        Action.REJECT: f"A moderator has looked at what your listing “{title}” said while it was on sale. It was not "
        "allowed.",
        Action.CHANGES: f"A moderator has looked at what your listing “{title}” said while it was on sale. It should "
        "have been changed; nothing follows from that now.",
    }
    begin = {
        Action.APPROVE: f"A moderator has looked at your listing “{title}”. It may be on sale.",
        Action.REJECT: f"A moderator has looked at your listing “{title}”. It cannot be on sale as it is.",
        Action.CHANGES: f"A moderator has looked at your listing “{title}”. It can be on sale once you change it.",
        Action.UPHOLD: f"Another moderator has looked at your listing “{title}” again. The decision stands.",
        Action.OVERTURN: f"Another moderator has looked at “{title}” again. The decision was wrong; it is taken back.",
        Action.MODIFY: f"Another moderator has looked at your listing “{title}” again. The decision is changed.",
    } | (of_past if past else {})
    found = [begin[Action(action)], note(action, policy, reason, places)]
    if known and action in (Action.REJECT, Action.CHANGES, Action.MODIFY):
        found.append(f"Not allowed here: {known.forbids} Fine: {known.allows}")
        found.append(_not_said_yet(known.what_to_do, reason))
    if past and action == Action.REJECT:
        found.append("Your next listings are checked in full first for a time.")
    if action in (Action.REJECT, Action.CHANGES):
        days = f"{settings.value('appeal_days'):.0f} days"
        found.append(f"If you think this is wrong, ask for another look within {days}: another moderator decides.")
    return [paragraph for paragraph in found if paragraph]


def preview_about_suspension(action: str, reason: str) -> list[str]:
    """As `preview`, of the answer to an appeal against a suspension."""
    begin = {
        Action.UPHOLD: "Another moderator has looked at your suspension. It stands.",
        Action.OVERTURN: "Another moderator has looked at your suspension. It was wrong and is lifted: you can put "
        "your listings back on sale.",
    }[Action(action)]
    return [begin, _sentence(reason.strip() or PLACEHOLDER)]


def _not_said_yet(what_to_do: str, reason: str) -> str:
    """ "" where the reason, in the usual words, says it already."""
    return "" if what_to_do in reason else what_to_do


def _sentence(text: str) -> str:
    return text if text[-1] in ".!?" else f"{text}."


def appeal_until(decision: Decision) -> datetime:
    """As it was when the decision was made."""
    return decision.appeal_until or decision.created_at + timedelta(days=settings.value("appeal_days"))


def of(decision: Decision) -> Statement:
    job = decision.review_job
    known = policies.get(decision.policy)
    scope, duration = EFFECTS[Action(decision.action)]
    if decision.is_past and decision.is_restriction:
        scope, duration = (NOTHING_FOLLOWS if decision.action == Action.CHANGES else LEFT_THE_MARKET), ""
    version = decision.policies_version or policies.version()
    doubts = doubts_about(decision.listing, job.revision, decision.created_at)
    return Statement(
        what=decision.get_action_display(),
        scope=scope,
        duration=duration,
        facts=_facts(job, doubts),
        started_by=_started_by(decision),
        automated_detection=detected(doubts),
        automated_decision="No. A person decided, with the listing and what the checks said before them.",
        legal_ground=known.legal_ground if known else "",
        contractual_ground=f"{known.name} ({RULES} {version}): {known.forbids}" if known else "",
        explanation=decision.reason,
        way_forward=_not_said_yet(known.what_to_do, decision.reason)
        if known and decision.action != Action.APPROVE
        else "",
        redress=_redress(decision),
        made_at=decision.created_at,
        moderator=decision.moderator.username,
        appeal_until=appeal_until(decision) if decision.is_restriction else None,
    )


def doubts_about(listing: Listing, revision: int, until: datetime) -> list[Verdict]:
    """What the checks, and the device, had against a revision until then."""
    said = (v for v in listing.verdicts.all() if v.revision == revision and v.created_at <= until)
    return [v for v in said if v.decision != VerdictDecision.PASS and not v.detail.get("disbelieved")]


def _facts(job: ReviewJob, doubts: Iterable[Verdict]) -> list[str]:
    """Why a person was asked, and the words and photos that were marked."""
    return [job.cause, *marked(doubts)]


def marked(doubts: Iterable[Verdict]) -> list[str]:
    """The words that weighed most, in a sentence; none where only such are left as explain nothing."""
    weights: dict[str, float] = {}
    for verdict in doubts:
        for word, weight in _marked(verdict):
            weights[word] = max(weight, weights.get(word, weight))
    words = sorted(weights, key=lambda word: -weights[word])[:MARKED_MOST]
    return ["Marked: " + ", ".join(f"“{word}”" for word in words) + "."] if words else []


def _marked(verdict: Verdict) -> list[tuple[str, float]]:
    """The telling words that a verdict marked, in the fields as they were, and their weights."""
    revision = verdict.listing.at(verdict.revision)
    if revision is None or verdict.photo_id:
        return []
    fields = dict(content.fields_of_revision(revision))
    found = []
    for span in verdict.evidence:
        text = fields.get(span.get("field", ""))
        if text is not None:
            units = text.encode("utf-16-le")
            word = units[2 * span["start"] : 2 * span["end"]].decode("utf-16-le", "ignore")
            found.append((word.strip(string.punctuation + string.whitespace + "“”‘’…"), span.get("weight", 0.0)))
    return [(word, weight) for word, weight in found if _tells(word)]


def _tells(word: str) -> bool:
    return sum(map(str.isalnum, word)) >= MARKED_CHARS and word.lower() not in SAYS_NOTHING


def asked_for_a_person(listing: Listing, revision: int) -> list[StatusChange]:
    """Its merchant asked for a person to look at what the checks alone had sent back; the oldest first."""
    way = (Status.NEEDS_CHANGES, Status.IN_REVIEW)
    return [
        change
        for change in listing.status_changes.all()
        if change.revision == revision and (change.source, change.target) == way
    ]


def _started_by(decision: Decision) -> str:
    job = decision.review_job
    if job.kind == ReviewJob.Kind.CHECK and asked_for_a_person(decision.listing, job.revision):
        return "Our own checks had sent it back, and you asked for a person to look."
    return {
        ReviewJob.Kind.CHECK: "Our own checks.",
        ReviewJob.Kind.REPORT: "A report by somebody who saw the listing (Article 16).",
        ReviewJob.Kind.APPEAL: "Your request for another look.",
        ReviewJob.Kind.SAMPLE: "A random sample of what is on sale.",
    }.get(ReviewJob.Kind(job.kind), "Our own checks.")


def detected(doubts: Sequence[Verdict]) -> str:
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
    return [*found, *OTHER_WAYS]


def decided() -> QuerySet[Decision]:
    """With what their statements read: however many there are, so many queries."""
    rows = Decision.objects.select_related("listing", "review_job", "moderator", "appeal")
    return rows.prefetch_related(*READ, "answers")


def as_row(decision: Decision) -> dict[str, Any]:
    """One row of the export, by COLUMNS."""
    revision = decision.revision or decision.review_job.revision
    appeal = getattr(decision, "appeal", None)
    answer = next(iter(decision.answers.all()), None) if appeal else None
    return row(of(decision), statement=str(decision.pk)) | of_listing(decision.listing, revision) | {
        "appeal": appeal.created_at.isoformat() if appeal else "",
        "appeal_outcome": answer.get_action_display() if answer else "",
    }  # fmt: skip


def row(found: Statement, *, statement: str) -> dict[str, Any]:
    """By COLUMNS; about no listing, and without an appeal."""
    said = {
        "statement": statement,
        "decided_at": found.made_at.isoformat(),
        "decision": found.what,
        "territory": WHERE,
        "facts": " ".join(found.facts),
        "redress": " ".join(found.redress),
        "appeal_until": found.appeal_until.isoformat() if found.appeal_until else "",
    }
    return {name: said.get(name, getattr(found, name, "")) for name in COLUMNS}


def of_listing(listing: Listing, revision: int) -> dict[str, Any]:
    """Those of COLUMNS that name a listing, as it was."""
    kept = listing.at(revision)
    return {
        "listing": listing.public_id,
        "listing_title": kept.title if kept else listing.title,
        "listing_url": reverse("item", args=[listing.public_id]),
        "revision": revision,
    }
