"""What goes on in the demo's moderation beside the cases: appeals, reports, samples, second looks, by the site's own
steps and dated back. What is here stays; what its listing no longer allows is left out, and said."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import Appeal, Decision, Listing, Notice, Report, ReviewJob, SecondLook, Strike, User
from listings.moderation import appeals, decisions, quality_jobs, queue, reports, site_statements
from listings.trust import settings
from marketplace import catalogue
from marketplace.demo.dating import dating_back

FILE = "moderation.toml"
ANSWERED_AFTER = timedelta(hours=1)
AFTER_DECISION = timedelta(minutes=20)  # at the soonest, a merchant appeals or somebody looks again
Kind = ReviewJob.Kind


@dataclass(frozen=True)
class Scene:
    users: dict[str, User]
    say: Callable[[str], None]


def add_moderation(folder: Path, users: dict[str, User], say: Callable[[str], None]) -> None:
    """From the folder's moderation.toml, if there is one."""
    _date_outcomes()
    path = folder / FILE
    if not path.is_file():
        return
    scene = Scene(users, say)
    found = tomllib.loads(path.read_text("utf-8"))
    for name, add in (("appeal", _appeal), ("report", _report), ("sample", _sample), ("second", _second_look)):
        for case in found.get(name, []):
            try:
                with transaction.atomic():
                    add(scene, case)
            except ValidationError as error:
                say(f"{name} left out: “{case['listing']}”: {error.messages[0]}")


def _date_outcomes() -> None:
    """Strikes and notices of decisions that were dated back."""
    for strike in Strike.objects.select_related("decision"):
        since = strike.decision.created_at
        if strike.created_at > since:
            expires = since + timedelta(days=settings.value("strike_days"))
            Strike.objects.filter(pk=strike.pk).update(created_at=since, expires_at=expires)
    for pk, since in site_statements.sent_back().values_list("pk", "created_at"):
        Notice.objects.filter(url=reverse("sent-back", args=[pk]), created_at__gt=since).update(created_at=since)
    for pk, since in Decision.objects.values_list("pk", "created_at"):
        Notice.objects.filter(url=reverse("decision", args=[pk]), created_at__gt=since).update(created_at=since)


def _appeal(scene: Scene, case: dict[str, Any]) -> None:
    decision = _rejection(scene, case)
    if decision is None or Appeal.objects.filter(decision=decision).exists():
        return
    at = _at(case, decision)
    appeals.appeal(decision=decision, person=decision.listing.seller, text=case["text"])
    Appeal.objects.filter(decision=decision).update(created_at=at)
    _opened(scene, ReviewJob.objects.get(about=decision, kind=Kind.APPEAL), case, at)


def _report(scene: Scene, case: dict[str, Any]) -> None:
    listing, reporter = _on_sale(scene, case), scene.users[case["reporter"]]
    if listing is None or Report.objects.filter(listing=listing, reporter=reporter).exists():
        return
    found = reports.report(listing=listing, reporter=reporter, address="", policy=case["policy"], text=case["text"])
    assert found.job is not None
    at = _at(case)
    Report.objects.filter(pk=found.pk).update(created_at=at)
    _opened(scene, found.job, case, at)


def _sample(scene: Scene, case: dict[str, Any]) -> None:
    listing = _on_sale(scene, case)
    if listing is None or ReviewJob.objects.filter(listing=listing, kind=Kind.SAMPLE).exists():
        return
    job = queue.open_job(
        listing, revision=listing.revision, kind=Kind.SAMPLE, cause=quality_jobs.SAMPLED_CAUSE, risk=0.0,
        status_before=listing.status,
    )  # fmt: skip
    _opened(scene, job, case, _at(case))


def _second_look(scene: Scene, case: dict[str, Any]) -> None:
    decision = _rejection(scene, case)
    if decision is None or ReviewJob.objects.filter(about=decision, kind=Kind.SECOND).exists():
        return
    first = decision.review_job
    job = queue.open_job(
        decision.listing, revision=first.revision, kind=Kind.SECOND, cause=first.cause, policy=first.policy,
        risk=first.risk, status_before=first.status_before, about=decision,
    )  # fmt: skip
    _opened(scene, job, case, _at(case, decision))


# --- Steps -----------------------------------------------------------------------------------------------------------
def _rejection(scene: Scene, case: dict[str, Any]) -> Decision | None:
    rows = Decision.objects.filter(action=Decision.Action.REJECT, listing__title=case["listing"])
    found = rows.filter(listing__seller__in=scene.users.values()).select_related("listing__seller", "review_job")
    if (decision := found.order_by("pk").first()) is None:
        scene.say(f"“{case['listing']}” was not rejected: nothing to add")
    return decision


def _on_sale(scene: Scene, case: dict[str, Any]) -> Listing | None:
    """What is not, a check or somebody has taken off; then there is nothing to report or to draw."""
    key = catalogue.draft_key(case["listing"])
    return Listing.objects.filter(draft_key=key, seller__in=scene.users.values(), status=Status.PUBLISHED).first()


def _at(case: dict[str, Any], after: Decision | None = None) -> datetime:
    at = timezone.now() - timedelta(hours=case["hours"])
    return max(at, after.created_at + AFTER_DECISION) if after else at


def _opened(scene: Scene, job: ReviewJob, case: dict[str, Any], at: datetime) -> None:
    """Date the job back, and answer it if the case says how."""
    ReviewJob.objects.filter(pk=job.pk).update(created_at=at, rank_at=queue.ranked(at, job.risk))
    said = case.get("answer")
    if not said:
        return
    last = Notice.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    word = decisions.Word(said["action"], said.get("policy", ""), said.get("reason", ""))
    job.refresh_from_db()
    decisions.decide(job=job, moderator=scene.users[said["moderator"]], word=word)
    answered = min(at + ANSWERED_AFTER, timezone.now())
    ReviewJob.objects.filter(pk=job.pk).update(decided_at=answered)
    Notice.objects.filter(pk__gt=last).update(created_at=answered)
    with dating_back():
        Decision.objects.filter(review_job=job).update(created_at=answered)
        SecondLook.objects.filter(review_job=job).update(created_at=answered)
