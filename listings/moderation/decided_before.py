"""What a moderator has kept off the market comes back before a moderator: the checks had missed or doubted it."""

from __future__ import annotations

from django.db.models import Q

from .. import content
from ..models import Decision, Listing, ReviewJob, Revision

LOOKED_AT = 100  # of the seller's last restrictions
RESTRICTIONS = (Decision.Action.REJECT, Decision.Action.CHANGES, Decision.Action.MODIFY)
CLEARED = (Decision.Action.APPROVE, Decision.Action.OVERTURN)


def find(listing: Listing) -> Decision | None:
    """The restriction that still stands over this listing, whatever it says by now; or over another one of its seller's
    in the same words. None where a moderator has approved it since, or an appeal took the decision back."""
    said = Decision.objects.standing().filter(listing=listing, action__in=(*RESTRICTIONS, *CLEARED))
    # Who found nothing in what it said once has not seen what it says now.
    said = said.exclude(Q(past=True) | Q(review_job__kind=ReviewJob.Kind.LEFT), action=Decision.Action.APPROVE)
    last = said.order_by("-pk").first()
    if last is not None:
        return last if last.action in RESTRICTIONS else None
    return _in_the_same_words(listing)


def _in_the_same_words(listing: Listing) -> Decision | None:
    rows = Decision.objects.standing().filter(listing__seller=listing.seller_id, action__in=RESTRICTIONS)
    decisions = list(rows.select_related("review_job").order_by("-pk")[:LOOKED_AT])
    if not decisions:
        return None
    named = Q()
    for decision in decisions:
        named |= Q(listing=decision.listing_id, number=decision.review_job.revision)
    words = {
        (each.listing_id, each.number): content.fingerprint(each.title, each.description)
        for each in Revision.objects.filter(named).only("listing_id", "number", "title", "description")
    }
    own = listing.fingerprint or content.fingerprint(listing.title, listing.description)
    return next((d for d in decisions if words.get((d.listing_id, d.review_job.revision)) == own), None)
