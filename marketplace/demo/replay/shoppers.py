"""What shoppers do: look, which counts as exposure, and report."""

from __future__ import annotations

import random

from django.core.exceptions import ValidationError

from listings import policies
from listings.models import Listing
from listings.moderation import reports
from listings.trust import exposure
from marketplace.demo.replay.merchants import said
from marketplace.demo.replay.script import SAFE
from marketplace.demo.replay.stage import Stage, person, short
from marketplace.demo.replay.truth import CONTACT

A_PAGE = 24
NEWEST = 200  # what most people see
SAYS = (
    "I do not think that this should be here.",
    "My neighbour was offered the same thing at the door.",
    "Please have a look at the description, it is plain enough.",
    "",
)


def look(stage: Stage, rng: random.Random) -> None:
    """A page of what is new and one of anything, as pages count them."""
    who = rng.choice(stage.shoppers)
    newest = list(Listing.objects.published().order_by("-published_at").values_list("pk", flat=True)[:NEWEST])
    page = rng.sample(newest, min(A_PAGE, len(newest)))
    owing = len(exposure.owing(page))
    exposure.shown(page)
    stage.tally["views"] += len(page)
    stage.tally["views of what owes its checks"] += owing
    stage.tell(who, f"looks at {len(page)} listings" + (f", {owing} of which owe their checks" if owing else ""))


def report(stage: Stage, rng: random.Random) -> None:
    """What breaks a rule and is on sale all the same, or, by mistake, something that does not."""
    on_sale = Listing.objects.published().filter(stage.touchable()).select_related("seller").defer("search")
    seen = [(each, stage.truths.of(each.draft_key, each.title, each.description)) for each in on_sale.order_by("-pk")]
    bad = [(each, policy) for each, policy in seen if policy not in (SAFE, CONTACT)]
    if bad and rng.random() >= stage.habits.false_reports:
        listing, policy = rng.choice(bad)
    elif seen:
        listing, policy = rng.choice(seen)[0], rng.choice([each.id for each in policies.all()])
    else:
        return
    who = person(rng.choice(stage.shoppers))
    try:
        reports.report(listing=listing, reporter=who, address="", policy=policy, text=rng.choice(SAYS))
    except (ValidationError, reports.TooMany) as error:
        stage.tell(who.username, f"cannot report {short(listing.title)}: {said(error)}")
        return
    stage.tell(who.username, f"reports {short(listing.title)}: {policies.name(policy)}")
    stage.tally["reports"] += 1
