"""What moderators do: take a case, and decide it by what is really so, but for their mistakes; some skip, some walk
away with a case in hand, some take a decision back."""

from __future__ import annotations

import random

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q

from listings import policies
from listings.models import Decision, ReviewJob, User
from listings.moderation import claims, decisions, quality_jobs, queue
from listings.moderation.decisions import Word
from marketplace.demo.replay.merchants import said
from marketplace.demo.replay.script import SAFE
from marketplace.demo.replay.stage import Care, Stage, person, short
from marketplace.demo.replay.truth import CONTACT

Action, Kind = Decision.Action, ReviewJob.Kind
CONTACT_REASON = "The description tells shoppers how to reach you past the site. Please take that out."
WHAT = {
    Action.APPROVE: "approves", Action.REJECT: "rejects", Action.CHANGES: "asks for changes to",
    Action.UPHOLD: "upholds the decision about", Action.OVERTURN: "overturns the decision about",
    Action.MODIFY: "changes the decision about",
}  # fmt: skip


def work(stage: Stage, rng: random.Random) -> None:
    """One case, the most urgent that the script knows the truth of and no visitor has made."""
    name = rng.choice(stage.moderators)
    moderator = person(name)
    # Whoever walked away does not come back to that case: somebody else takes it when the lease is over.
    rows = queue.for_moderator(moderator).filter(stage.touchable("listing__")).exclude(claimed_by=moderator)
    # Nor is a case taken that a visitor has had in hand: they may come back to it.
    rows = rows.filter(Q(claimed_by=None) | Q(claimed_by__username__in=stage.moderators))
    job = rows.select_related("listing__seller", "about", "claimed_by").first()
    if job is None:
        stage.tally["moments without a case"] += 1
        return
    before = job.claimed_by
    try:
        claims.take(job.pk, moderator)
        if before is not None:
            stage.tell(name, f"takes over {short(job.listing.title)}: the lease of {before.username} was over")
            stage.tally["leases that ran out"] += 1
        _handle(stage, job, moderator, rng)
    except (ValidationError, PermissionDenied) as error:
        stage.tell(name, f"cannot decide {short(job.listing.title)}: {said(error)}")


def _handle(stage: Stage, job: ReviewJob, moderator: User, rng: random.Random) -> None:
    """A case in hand. Raises ValidationError, PermissionDenied."""
    habits, name, title, luck = stage.habits, moderator.username, short(job.listing.title), rng.random()
    if luck < habits.walks_away:
        stage.tell(name, f"takes {title} and walks away")
        stage.tally["cases left lying"] += 1
        return
    if (luck := luck - habits.walks_away) < habits.skips:
        claims.skip(job.pk, moderator)
        stage.tell(name, f"skips {title}")
        stage.tally["skipped"] += 1
        return
    if (luck := luck - habits.skips) < habits.passes_on and not (job.is_blind or job.escalated):
        claims.escalate(job.pk, moderator, "I know too little about such things. Please look at it.")
        stage.tell(name, f"passes {title} on")
        stage.tally["passed on"] += 1
        return
    care = habits.care[stage.moderators.index(name) % len(habits.care)]
    right = right_word(stage, job)
    word = mistaken(right, job, care, habits.looks_wrong_again, rng)
    pending = decisions.propose(job=job, moderator=moderator, word=word, revision=job.revision)
    if rng.random() < habits.undoes and decisions.undo([pending], moderator):
        stage.tell(name, f"{WHAT[Action(word.action)]} {title}, and takes it back")
        stage.tally["taken back"] += 1
        word = right
        decisions.propose(job=job, moderator=moderator, word=word, revision=job.revision)
    ground = f": {policies.name(word.policy)}" if word.policy else ""
    wrong = "" if word.action == right.action else " (wrongly)"
    stage.tell(name, f"{WHAT[Action(word.action)]} {title}{ground}{wrong}{KINDS.get(Kind(job.kind), '')}")
    stage.tally[f"decided, {Kind(job.kind).value}"] += 1
    stage.tally["decided wrongly"] += bool(wrong)


KINDS = {
    Kind.REPORT: " [reported]", Kind.APPEAL: " [appeal]", Kind.SAMPLE: " [sample]", Kind.SECOND: " [second look]",
    Kind.GOLDEN: " [known answer]", Kind.SELLER: " [suspension]",
}  # fmt: skip


def right_word(stage: Stage, job: ReviewJob) -> Word:
    """What somebody would say who knows everything."""
    kept = job.listing.at(job.revision)
    title, text = (kept.title, kept.description) if kept else (job.listing.title, job.listing.description)
    policy = stage.truths.of(job.listing.draft_key, title, text)
    if job.kind == Kind.SELLER:
        if policy == SAFE:
            return Word(Action.OVERTURN, reason="We have read it again: the last rejection was wrong. We are sorry.")
        return Word(Action.UPHOLD, reason="We have read it again: each of the rejections is right.")
    if job.kind == Kind.APPEAL:
        assert job.about is not None
        return _about_an_appeal(job.about, policy)
    if policy == SAFE:
        return Word(Action.APPROVE)
    if policy == CONTACT:
        return Word(Action.CHANGES, reason=CONTACT_REASON)
    return Word(Action.REJECT, policy, reason_of(policy))


def _about_an_appeal(earlier: Decision, policy: str) -> Word:
    if policy == SAFE:
        return Word(Action.OVERTURN, reason="We have read it again: nothing about it is forbidden. We are sorry.")
    if policy in (CONTACT, earlier.policy):
        return Word(Action.UPHOLD, earlier.policy, reason="We have read it again, and the decision is right.")
    return Word(Action.MODIFY, policy, f"Not what we said, but this: {reason_of(policy)}")


def mistaken(right: Word, job: ReviewJob, care: Care, looks_wrong_again: float, rng: random.Random) -> Word:
    """The right word, or the mistake that is made in its place."""
    if job.kind == Kind.APPEAL and right.action == Action.OVERTURN and rng.random() < looks_wrong_again:
        assert job.about is not None
        return Word(Action.UPHOLD, job.about.policy, reason="We have read it again, and the decision is right.")
    if right.action == Action.REJECT and rng.random() < care.missed:
        return Word(Action.APPROVE)
    if right.action == Action.APPROVE and rng.random() < care.harsh:
        policy = job.policy or rng.choice([each.id for each in policies.all()])
        return Word(Action.REJECT, policy, reason_of(policy))
    return right


def reason_of(policy: str) -> str:
    found = policies.get(policy)
    return f"{found.merchant_text} {found.what_to_do}" if found else "It breaks the rules of the market."


def draw(stage: Stage, rng: random.Random) -> None:
    """What a task does all day; a replayed day is shorter than its intervals."""
    samples, known = quality_jobs.draw_sample(), quality_jobs.draw_golden()
    stage.tally["samples drawn"] += samples
    stage.tally["known answers mixed in"] += known
    if samples or known:
        stage.tell("the site", f"draws {samples} to sample and {known} with a known answer")


def waiting() -> int:
    """Cases in the queue, of anybody."""
    return queue.open_jobs().count()
