"""Plays the plan: each act at its time or, when the site is slower than that, as soon as the one before is done."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime

from listings.models import Decision, JobEvent, SecondLook, Strike
from marketplace.demo.replay import merchants, moderators, script, shoppers
from marketplace.demo.replay.script import Act, Do
from marketplace.demo.replay.stage import Stage

ACTS: dict[Do, Callable[[Stage, random.Random], None]] = {
    Do.SUBMIT: merchants.submit,
    Do.EDIT: merchants.edit,
    Do.WITHDRAW: merchants.withdraw,
    Do.ANSWER: merchants.answer,
    Do.LOOK: shoppers.look,
    Do.REPORT: shoppers.report,
    Do.WORK: moderators.work,
    Do.DRAW: moderators.draw,
}
LATE = 60.0  # seconds behind the plan that are worth a word in the summary


def play(stage: Stage, acts: list[Act], speed: float) -> float:
    """speed: replayed seconds in a second. Returns by how many seconds the last act came late. Only pauses are
    shortened: whatever takes time on the site takes its time here."""
    began, late = time.monotonic(), 0.0
    for act in acts:
        due = began + act.minute * 60 / speed
        late = max(0.0, time.monotonic() - due)
        time.sleep(max(0.0, due - time.monotonic()))
        stage.minute = act.minute
        ACTS[act.do](stage, random.Random(act.luck))
        waits = moderators.waiting()
        if waits > stage.most[0]:
            stage.most = waits, act.minute
    return late


def summary(stage: Stage, began: datetime, waited: int, late: float) -> list[str]:
    """waited: cases that waited when the day began."""
    lines = [f"{number:>7,} {what}" for what, number in stage.tally.items() if number]
    lines += [
        f"{number:>7,} {what}"
        for what, number in (
            ("strikes given", Strike.objects.filter(created_at__gte=began).count()),
            ("appeals answered", Decision.objects.filter(created_at__gte=began, about__isnull=False).count()),
            ("second looks and known answers given", SecondLook.objects.filter(created_at__gte=began).count()),
            ("leases lost to somebody else", JobEvent.objects.filter(created_at__gte=began, kind="lost").count()),
        )
    ]
    most, when = stage.most
    lines.append(
        f"{waited:,} cases waited at the beginning, {max(most, waited):,} at most (at {script.clock(when)}), "
        f"{moderators.waiting():,} wait now."
    )
    if late > LATE:
        lines.append(f"The site was slower than this day: it ended {late:.0f} seconds late.")
    return lines
