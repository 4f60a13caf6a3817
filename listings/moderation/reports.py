"""Reports: somebody who sees a listing says that it breaks a rule. Each leads to a look, never to a penalty.

Who reports is kept as a keyed digest: of the account, or, signed out, of the address and the day. It counts reports and
tells nobody apart afterwards.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .. import limits, policies
from ..lifecycle import Status
from ..models import Debt, Decision, Listing, Report, ReviewJob, User
from ..trust import debts, settings
from . import notices, queue

OTHER_CHARS = 10  # of a report under no policy
WITHIN = timedelta(days=1)
SHOWN = 3  # texts in the job's cause


class TooMany(Exception):
    """This sender reports more than a day allows."""


def sender_of(reporter: User | None, address: str) -> str:
    """Hex digest of 64 characters that tells whether two reports came from one sender, today, and nothing else."""
    who = f"account {reporter.pk}" if reporter else f"address {address} {timezone.localdate()}"
    return salted_hmac("listings.report", who, algorithm="sha256").hexdigest()


def report(*, listing: Listing, reporter: User | None, address: str, policy: str, text: str) -> Report:
    """Keep a report and open a review job, or join the open one; the listing stays where it is. The same sender's
    second report of a revision is the first. Raises TooMany, ValidationError by field."""
    text = text.replace("\x00", " ").strip()
    if policy and policies.get(policy) is None:
        raise ValidationError({"policy": "Choose what is wrong with it."})
    if not policy and len(text) < OTHER_CHARS:
        raise ValidationError({"text": "Say what is wrong with it, in ten characters or more."})
    if len(text) > limits.REPORT_CHARS:
        raise ValidationError({"text": f"Say it in {limits.REPORT_CHARS:,} characters or fewer."})
    if reporter is not None and reporter.pk == listing.seller_id:
        raise ValidationError("This is your own listing: edit it, or end it.")
    sender = sender_of(reporter, address)
    with transaction.atomic():
        Listing.objects.hold(listing.pk)
        listing = Listing.objects.get(pk=listing.pk)
        if listing.status != Status.PUBLISHED:
            raise ValidationError("The listing is not on sale any more.")
        same = Report.objects.filter(listing=listing, revision=listing.revision, sender=sender).first()
        if same is not None:
            return same
        lately = Report.objects.filter(sender=sender, created_at__gt=timezone.now() - WITHIN)
        if lately.count() >= settings.value("reports_a_day"):
            raise TooMany("You have sent many reports today. They are being looked at; come back tomorrow.")
        found = Report.objects.create(
            listing=listing, revision=listing.revision, reporter=reporter, sender=sender, policy=policy, text=text
        )
        found.job = _job(listing, policy)
        found.save(update_fields=["job"])
        _say(found.job)
        if debt := Debt.objects.filter(listing=listing, state=Debt.State.OPEN).first():
            debts.call_in(debt, Debt.Cause.REPORT)
    return found


def _job(listing: Listing, policy: str) -> ReviewJob:
    """The open job that reports of this listing belong to; a new one when a moderator has not answered these words."""
    waiting = ReviewJob.objects.filter(listing=listing, kind=ReviewJob.Kind.REPORT, state=ReviewJob.State.OPEN).first()
    if waiting is not None:
        return waiting
    return queue.open_job(
        listing, revision=listing.revision, kind=ReviewJob.Kind.REPORT, cause="Reported.", policy=policy,
        status_before=listing.status,
    )  # fmt: skip


def _say(job: ReviewJob) -> None:
    """The job's cause, anew: how many reports, what they say. Ten people make it more urgent than one, within
    bounds."""
    reports = list(Report.objects.filter(job=job))
    named = [policies.name(each.policy) or "something else" for each in reports]
    counted = ", ".join(f"{name} ({named.count(name)})" for name in dict.fromkeys(named))
    texts = [f"“{each.text}”" for each in reports if each.text][:SHOWN]
    job.cause = f"{len(reports)} report{'s' if len(reports) > 1 else ''}: {counted}. {' '.join(texts)}".strip()
    job.risk = max(job.risk, min(1.0, queue.LEAST_RISK[ReviewJob.Kind.REPORT] + 0.05 * len(reports)))
    job.rank_at = queue.ranked(job.created_at, job.risk)
    job.save(update_fields=["cause", "risk", "rank_at"])


def answer(job: ReviewJob, decision: Decision) -> None:
    """Whoever reported with an account hears what came of it (Article 16(5))."""
    open_ones = Q(job__state=ReviewJob.State.OPEN, job__listing=job.listing_id)
    rows = Report.objects.filter(Q(job=job) | open_ones)
    said = (
        "It is not on sale any more." if decision.is_restriction else "A moderator has found nothing forbidden in it."
    )
    for each in rows.exclude(reporter=None).select_related("reporter", "listing"):
        assert each.reporter is not None
        notices.tell(
            each.reporter,
            f"Your report of “{each.listing.title}”",
            f"Thank you. A moderator has looked at it. {said} If you think that this is wrong, answer with another "
            "report once the listing has changed, or turn to a court.",
            each.listing.get_absolute_url(),
        )
