"""What a rejection does to other listings: photos on the market that look like those removed are held against the bank
once more, and whatever else its seller owes leaves the market until it is checked.

It comes after the rejection's own transaction, for it locks other listings, and of two moderators each could hold the
one that the other needs. A row of the outbox, written with the decision and deleted when this is done, sees to it that
a process which dies in between loses nothing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from .. import photo_bank
from ..models import Decision, FollowUp
from ..trust import debts

log = logging.getLogger(__name__)
AGAIN_AFTER = timedelta(minutes=1)
BATCH = 50


def owe(decision: Decision) -> None:
    """Within the decision's transaction."""
    FollowUp.objects.create(decision=decision, due_at=timezone.now() + AGAIN_AFTER)
    transaction.on_commit(partial(make, decision.pk), robust=True)


def make(decision_id: int) -> bool:
    """Safe to repeat. False when it was done before."""
    found = FollowUp.objects.filter(decision=decision_id).select_related("decision__listing").first()
    if found is None:
        return False
    photo_bank.look_again(found.decision)
    debts.call_in_all_of(found.decision.listing.seller_id)
    found.delete()
    return True


def make_due() -> int:
    """Those that were left over; how many were made. One that fails holds up no other, and comes again."""
    made = 0
    due = FollowUp.objects.filter(due_at__lte=timezone.now()).order_by("due_at", "pk")
    for pk, decision in due.values_list("pk", "decision_id")[:BATCH]:
        FollowUp.objects.filter(pk=pk).update(due_at=timezone.now() + AGAIN_AFTER)
        try:
            made += make(decision)
        except Exception:
            log.exception("what follows from decision %s could not be done", decision)
    return made
