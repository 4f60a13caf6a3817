"""What the site tells people: on the site at once, and by e-mail from the queue where they gave an address."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings as site
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from ..models import Decision, Notice, ReviewJob, StatusChange, Suspension, User
from . import evidence, statements

log = logging.getLogger(__name__)
BATCH = 100
ATTEMPTS = 8
FIRST_WAIT = timedelta(minutes=2)  # longer than a server may take (EMAIL_TIMEOUT at each step)
Action = Decision.Action
TITLES = {
    Action.APPROVE: "“{title}” may be on sale",
    Action.REJECT: "“{title}” is not allowed here",
    Action.CHANGES: "“{title}” needs changes",
    Action.UPHOLD: "“{title}”: the decision stands",
    Action.OVERTURN: "“{title}”: the decision is taken back",
    Action.MODIFY: "“{title}”: the decision is changed",
}


def tell(person: User, title: str, text: str, url: str = "") -> Notice:
    due = timezone.now() if person.email else None
    return Notice.objects.create(person=person, title=title[:200], text=text, url=url, mail_due_at=due)


def of_decision(decision: Decision, places: Sequence[int] = ()) -> None:
    """To the listing's merchant. places: of photos that may not come back, from 1."""
    seller = User.objects.get(listings=decision.listing_id)
    tell(seller, *message(
        decision.review_job, decision.action, decision.policy, decision.reason, places, past=decision.past
    ), reverse("decision", args=[decision.pk]))  # fmt: skip


def message(
    job: ReviewJob, action: str, policy: str, reason: str, places: Sequence[int] = (), *, past: bool = False
) -> tuple[str, str]:
    """Title and text of what the merchant gets. The one home of both, for the console's previews too."""
    if job.kind == ReviewJob.Kind.SELLER:
        title = "Your suspension is lifted" if action == Action.OVERTURN else "Your suspension stands"
        return title, "\n\n".join(statements.preview_about_suspension(action, reason))
    said, _ = evidence.head(job)
    text = "\n\n".join(statements.preview(action, policy, reason, places, title=said, past=past))
    return TITLES[Action(action)].format(title=said), text


def is_told(job: ReviewJob, action: str) -> bool:
    """Whether the merchant gets a message at all: nobody waits for an approval of what is on sale, or is not any more.
    A blind job reads as if it were the first."""
    return action != Action.APPROVE or job.kind == ReviewJob.Kind.CHECK or job.is_blind


def sent_back(change: StatusChange) -> None:
    """The checks alone ask for changes."""
    listing = change.listing
    text = "\n\n".join([
        f"Our checks have looked at your listing “{listing.title}”. It can be on sale once you have changed it.",
        change.note,
        "No person has looked at it yet. If you think this is wrong, ask for one.",
    ])  # fmt: skip
    title = TITLES[Action.CHANGES].format(title=listing.title)
    tell(listing.seller, title, text, reverse("sent-back", args=[change.pk]))


def suspended(suspension: Suspension) -> None:
    tell(
        suspension.seller,
        "Your account is suspended",
        f"Several of your listings broke grave rules. Until {suspension.until:%-d %B %Y} nothing of yours is on sale, "
        "and nothing new can be submitted. Then you can put your listings back on sale yourself. You can ask for "
        "another look at this once. Each of the decisions can be appealed too; if one is taken back, its strike goes.",
        reverse("suspension", args=[suspension.pk]),
    )


def suspension_answered(suspension: Suspension) -> None:
    job = suspension.decision.looks.get(kind=ReviewJob.Kind.SELLER)
    said = message(job, suspension.answer, "", suspension.answer_reason)
    tell(suspension.seller, *said, reverse("suspension", args=[suspension.pk]))


def suspension_lifted(seller: User) -> None:
    tell(
        seller,
        "Your account is no longer suspended",
        "A decision was taken back. You can put your listings back on sale now.",
        reverse("my-listings"),
    )


def unread(person: User) -> int:
    return Notice.objects.filter(person=person, read_at=None).count()


def mark_read(rows: QuerySet[Notice]) -> None:
    rows.filter(read_at=None).update(read_at=timezone.now())


def mail_due() -> int:
    """Send what is due; how many were sent. What fails is tried again, later each time, and stays on the site in any
    case. Whoever claims a row has it for some minutes, so two workers send it once."""
    rows = Notice.objects.filter(mail_due_at__lte=timezone.now()).select_related("person").order_by("mail_due_at")
    sent = 0
    for notice in rows[:BATCH]:
        again = timezone.now() + FIRST_WAIT * 2**notice.mail_attempts
        mine = Notice.objects.filter(pk=notice.pk, mail_due_at=notice.mail_due_at)
        if mine.update(mail_due_at=again, mail_attempts=notice.mail_attempts + 1) != 1:
            continue
        held = Notice.objects.filter(pk=notice.pk, mail_due_at=again)
        try:
            send_mail(" ".join(notice.title.split()), _letter(notice), site.DEFAULT_FROM_EMAIL, [notice.person.email])
        except (OSError, SMTPException, ValueError) as error:  # the last: a header or an address that cannot be written
            log.warning("notice %s not sent: %s", notice.pk, error)
            if notice.mail_attempts + 1 >= ATTEMPTS:
                held.update(mail_due_at=None)
            continue
        held.update(mail_due_at=None)
        sent += 1
    return sent


def _letter(notice: Notice) -> str:
    where = f"\n\n{site.SITE_URL}{notice.url}" if notice.url else ""
    return f"{notice.text}{where}\n"
