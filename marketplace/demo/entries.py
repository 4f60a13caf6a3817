"""One listing of the demo: sent in like any other, with what its merchant's device would say, checked, dated back."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from listings import checks, selling, submission, validation
from listings import content as words
from listings import outcome as outcomes
from listings.lifecycle import Status
from listings.models import Debt, Listing, OwedCheck, ReviewJob, StatusChange, User, ValidationJob, Verdict, Where
from listings.moderation import decisions
from listings.trust import debts
from marketplace.demo.dating import dating_back
from models import text

SPREAD = timedelta(days=40)  # of the catalogue's dates before now
RECENT = timedelta(days=3)  # of what waits for somebody
OWING = timedelta(days=1)  # what was on sale at once since then still owes its heavy checks
PAID_AFTER = timedelta(minutes=20)  # earlier ones were paid by idle workers so long after
SHOWN_TO_A_PERSON = "Laid before a moderator by the demo data. What the checks said of it stands in the case."
STEPS = {
    Status.IN_REVIEW: Status.IN_REVIEW,
    Status.NEEDS_CHANGES: Status.NEEDS_CHANGES,
    Status.REJECTED: Status.IN_REVIEW,
}


@dataclass(frozen=True)
class Entry:
    key: uuid.UUID  # the same in every run
    seller: User
    content: dict[str, Any]  # cleaned, as submission.submit takes it
    status: Status = Status.PUBLISHED
    policy: str = ""
    reason: str = ""
    moderator: User | None = None
    photos: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Entered:
    listing: Listing
    wanted: Status
    scores: list[str]  # what each check said, for the report

    @property
    def as_wanted(self) -> bool:
        return self.listing.status == self.wanted


def enter(entry: Entry) -> Entered:
    """Send the listing in with the claim on its words, check it and bring it to the wanted status, by the ways a
    listing can go.

    A listing that ought to be on sale and that a check stops stays where the check put it. Raises ModelUnavailable.
    """
    when = moment(entry)
    with transaction.atomic():
        listing = submission.submit(
            seller=entry.seller,
            content=entry.content,
            photos=[],
            claim=_claim(entry),
            draft_key=entry.key,
            paced=False,
        )
        job = ValidationJob.objects.get(listing=listing)
        debt = Debt.objects.filter(job=job).first()
        if debt and entry.status == Status.PUBLISHED and when > timezone.now() - OWING:
            for light in job.checks.filter(name__in=checks.LIGHT):
                validation.run(light.pk)
        else:
            if debt:
                debts.call_in(debt, Debt.Cause.IDLE)
            _check(entry, listing, job)
        listing.refresh_from_db()
        _go_on(entry, listing)
        listing.refresh_from_db()
        _date_back(listing, when)
        said = list(listing.verdicts.all())
    return Entered(listing, entry.status, [_line(verdict) for verdict in said])


def _claim(entry: Entry) -> str:
    """What the browser of its merchant sends along: the same file says the same there."""
    content = entry.content
    fields = words.text_fields(
        title=content["title"],
        description=content["description"],
        category=content["category"],
        attributes=content["attributes"],
        alts=[],
    )
    return json.dumps(text.check_text(fields, where=Where.DEVICE))


def _check(entry: Entry, listing: Listing, job: ValidationJob) -> None:
    """All checks at once, and where the demo wants it so, another outcome."""
    found = list(listing.verdicts.all())
    verdicts = validation.check(listing)
    outcome = outcomes.decide_outcome([*found, *verdicts])
    target = STEPS.get(entry.status)
    if target and outcome.status != target:
        note = entry.reason if target == Status.NEEDS_CHANGES else outcomes.IN_REVIEW_NOTE
        outcome = outcomes.Outcome(target, note, SHOWN_TO_A_PERSON, entry.policy)
    job.checks.update(state=OwedCheck.State.DONE, finished_at=timezone.now())
    validation.settle(job, verdicts, outcome)


def _go_on(entry: Entry, listing: Listing) -> None:
    """What people did after the check."""
    if entry.status == Status.REJECTED and entry.moderator:
        job = ReviewJob.objects.get(listing=listing, state=ReviewJob.State.OPEN)
        decisions.reject(job=job, moderator=entry.moderator, policy=entry.policy, reason=entry.reason)
    elif entry.status == Status.PAUSED and listing.status == Status.PUBLISHED:
        selling.pause(listing=listing, seller=entry.seller)
    elif entry.status == Status.ENDED and listing.status == Status.PUBLISHED:
        selling.end(listing=listing, seller=entry.seller)


def moment(entry: Entry) -> datetime:
    """A moment of its own for each listing, the same in every run on one day."""
    share = random.Random(entry.key.int).random()
    reach = RECENT if entry.status in (Status.IN_REVIEW, Status.NEEDS_CHANGES) else SPREAD
    return timezone.now() - timedelta(hours=2) - share * (reach - timedelta(hours=2))


def _date_back(listing: Listing, when: datetime) -> None:
    """As if it had stood here a while: two seconds lie between hand-in and verdict, an hour until a person came."""
    checked, decided = when + timedelta(seconds=2), when + timedelta(hours=1)
    debt = Debt.objects.filter(listing=listing).first()
    paid = when + PAID_AFTER if debt else checked
    steps = list(listing.status_changes.all())
    with dating_back():
        for number, step in enumerate(steps):
            StatusChange.objects.filter(pk=step.pk).update(created_at=[when, checked, decided][min(number, 2)])
        Verdict.objects.filter(listing=listing).update(created_at=when)
        Verdict.objects.filter(listing=listing, where=Where.CLOUD).update(created_at=checked)
        Verdict.objects.filter(listing=listing, where=Where.CLOUD, model=text.CLOUD).update(created_at=paid)
        listing.rulings.update(created_at=when)
        listing.decisions.update(created_at=decided)
    if debt:
        Debt.objects.filter(pk=debt.pk).update(opened_at=when, light_at=checked)
        Debt.objects.filter(pk=debt.pk, closed_at__isnull=False).update(called_at=paid, closed_at=paid)
    OwedCheck.objects.filter(job__listing=listing, finished_at__isnull=False).update(finished_at=checked)
    jobs = ValidationJob.objects.filter(listing=listing)
    jobs.update(created_at=when)
    jobs.filter(finished_at__isnull=False).update(finished_at=paid)
    ReviewJob.objects.filter(listing=listing).update(created_at=checked)
    ReviewJob.objects.filter(listing=listing, decided_at__isnull=False).update(decided_at=decided)
    last = [when, checked, decided][min(len(steps), 3) - 1]
    published = checked if listing.published_at else None
    Listing.objects.filter(pk=listing.pk).update(created_at=when, updated_at=last, published_at=published)


def _line(verdict: Verdict) -> str:
    name = f"{verdict.where} {verdict.model}"
    if not verdict.scores:
        return f"{name}: {verdict.decision}"
    worst = sorted(((score, label) for label, score in verdict.scores.items() if label != "safe"), reverse=True)[:2]
    shown = ", ".join(f"{label} {score:.2f}" for score, label in worst)
    return f"{name}: {verdict.decision} ({shown}, safe {verdict.scores.get('safe', 0):.2f})"
