"""Reports: somebody who sees a listing says that it breaks a rule. Each leads to a look, never to a penalty.

Reports are counted by a keyed digest of their sender: of the account, or, signed out, of the address and the day, which
tells nobody's address afterwards. Moderators see which account reported, the seller does not.
"""

from __future__ import annotations

import re
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .. import limits, policies
from ..lifecycle import Status
from ..models import Debt, Decision, Listing, Report, ReviewJob, User
from ..trust import debts, settings
from . import notices, queue

ONE_SENDER = 730_186  # the first key of the advisory lock
OTHER_CHARS = 10  # of a report under no policy
WITHIN = timedelta(days=1)
MOST_RISK = 0.7  # however many report it: what a check is sure of goes first
NEW_WORDS = 5  # that no report had when a moderator approved it: so many may tell something new
ANSWERED = (
    "A moderator has looked at this listing after an earlier report, and found nothing forbidden in it. If you think "
    "that this is wrong, report it again once the listing has changed, or turn to a court."
)


class TooMany(Exception):
    """This sender reports more than a day allows."""


def sender_of(reporter: User | None, address: str) -> str:
    """Hex digest of 64 characters that tells whether two reports came from one sender, today, and nothing else."""
    who = f"account {reporter.pk}" if reporter else f"address {address} {timezone.localdate()}"
    return salted_hmac("listings.report", who, algorithm="sha256").hexdigest()


def report(*, listing: Listing, reporter: User | None, address: str, policy: str, text: str) -> Report:
    """Keep a report and open a review job, or join the open one; the listing stays where it is. The same sender's
    second report of a revision is the first. What a moderator has answered already is answered at once. Raises TooMany,
    ValidationError by field."""
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
        _one_at_a_time(sender)
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
        if earlier := _answered_before(found):
            found.job = earlier.review_job
            found.save(update_fields=["job"])
            _tell(found, f"Thank you. {ANSWERED}")
            return found
        found.job = _job(listing, policy)
        found.save(update_fields=["job"])
        _say(found.job)
        if debt := Debt.objects.filter(listing=listing, state=Debt.State.OPEN).first():
            debts.call_in(debt, Debt.Cause.REPORT)
    return found


def _one_at_a_time(sender: str) -> None:
    """Until the transaction ends: of two reports of a sender at once, the second counts the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [ONE_SENDER, int(sender[:7], 16)])


def _answered_before(report: Report) -> Decision | None:
    """The last approval of these words after somebody had reported them, unless this report names a policy that none of
    those did, or says something new: of ten accounts that repeat each other, one is looked at."""
    approved = Decision.objects.filter(
        listing=report.listing_id, review_job__revision=report.revision, action=Decision.Action.APPROVE
    )
    last = approved.exclude(review_job__kind=ReviewJob.Kind.LEFT).order_by("-created_at", "-pk").first()
    if last is None:
        return None
    # An edit takes reports along: the words that somebody judged them by are those of the job.
    before = Report.objects.filter(listing=report.listing_id, created_at__lt=last.created_at)
    read = list(before.filter(job__revision=report.revision).exclude(job__state=ReviewJob.State.OPEN))
    if report.policy not in {each.policy for each in read}:
        return None
    said = _words(report.text).difference(*(_words(each.text) for each in read))
    return None if len(said) >= NEW_WORDS else last


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def is_answered(report: Report) -> bool:
    """A moderator has looked at what it says; nobody does again."""
    return report.job is not None and report.job.state != ReviewJob.State.OPEN


def _job(listing: Listing, policy: str) -> ReviewJob:
    """The open job that reports of this listing belong to, or a new one."""
    waiting = ReviewJob.objects.filter(listing=listing, kind=ReviewJob.Kind.REPORT, state=ReviewJob.State.OPEN).first()
    if waiting is not None:
        return waiting
    return queue.open_job(
        listing, revision=listing.revision, kind=ReviewJob.Kind.REPORT, cause="Reported.", policy=policy,
        status_before=listing.status,
    )  # fmt: skip


def _say(job: ReviewJob) -> None:
    """The job's cause, anew: how many reports of what. What they say stands in the reports alone: the seller reads the
    cause, and is not to know who wrote. Ten people make it more urgent than one, within bounds."""
    named = [policies.name(each) or "something else" for each in job.reports.values_list("policy", flat=True)]
    counted = ", ".join(f"{name} ({named.count(name)})" for name in dict.fromkeys(named))
    job.cause = f"{len(named)} report{'s' if len(named) > 1 else ''}: {counted}."
    job.risk = max(job.risk, min(MOST_RISK, queue.LEAST_RISK[ReviewJob.Kind.REPORT] + 0.05 * len(named)))
    job.rank_at = queue.ranked(job.created_at, job.risk)
    job.save(update_fields=["cause", "risk", "rank_at"])


def last(listing_id: int) -> int:
    """Key of the listing's last report; 0 without any."""
    return Report.objects.filter(listing=listing_id).order_by("-pk").values_list("pk", flat=True).first() or 0


def answer(job: ReviewJob, decision: Decision, seen: int | None = None) -> list[Report]:
    """Whoever reported with an account hears what came of it (Article 16(5)). The reports that nobody has read (after
    `seen`) are given back: of what stays on sale they are still to be looked at."""
    open_ones = Q(job__state=ReviewJob.State.OPEN, job__listing=job.listing_id)
    rows = list(Report.objects.filter(Q(job=job) | open_ones).select_related("reporter", "listing"))
    unread = [] if decision.is_restriction or seen is None else [each for each in rows if each.pk > seen]
    said = "It is not on sale any more." if decision.is_restriction else "Nothing forbidden was found in it."
    for each in rows:
        if each not in unread:
            _tell(each, f"Thank you. A moderator has looked at it. {said} If you think that this is wrong, answer with "
                        "another report once the listing has changed, or turn to a court.")  # fmt: skip
    return unread


def carry_on(job: ReviewJob, unread: list[Report]) -> ReviewJob | None:
    """What came in while a moderator decided is a question of its own."""
    if not unread:
        return None
    found = _job(job.listing, unread[0].policy)
    Report.objects.filter(pk__in=[each.pk for each in unread]).update(job=found)
    _say(found)
    return found


def ended(listing: Listing) -> None:
    """The listing left the market before anybody looked: whoever reported it hears so."""
    waiting = Report.objects.filter(listing=listing, job__state=ReviewJob.State.OPEN, job__kind=ReviewJob.Kind.REPORT)
    for each in waiting.select_related("reporter", "listing"):
        _tell(each, "The listing has left the market before a moderator looked at it. If it comes back, one will.")


def put_off(listing: Listing) -> None:
    """The checks sent it back to its merchant before anybody looked: while it is not on sale nobody is offered the
    reports, so nothing waits in the queue. `come_back` opens them again."""
    ended(listing)
    waiting = ReviewJob.objects.filter(listing=listing, kind=ReviewJob.Kind.REPORT, state=ReviewJob.State.OPEN)
    waiting.update(state=ReviewJob.State.WITHDRAWN, decided_at=timezone.now(), claimed_by=None, claimed_until=None)


def come_back(listing: Listing) -> ReviewJob | None:
    """A listing that is listed again: reports of it that nobody answered are looked at now."""
    unanswered = Report.objects.filter(listing=listing, job__state=ReviewJob.State.WITHDRAWN, job__kind="report")
    decided = Decision.objects.filter(listing=listing, created_at__gte=OuterRef("created_at"))
    waiting = list(unanswered.filter(~Exists(decided)))
    if not waiting:
        return None
    found = _job(listing, waiting[0].policy)
    Report.objects.filter(pk__in=[each.pk for each in waiting]).update(job=found)
    _say(found)
    return found


def _tell(report: Report, text: str) -> None:
    if report.reporter is not None:
        title = f"Your report of “{report.listing.title}”"
        notices.tell(report.reporter, title, text, report.listing.get_absolute_url())
