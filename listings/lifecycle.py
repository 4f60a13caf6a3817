"""The states of a listing and every way out of each.

`ListingQuerySet.move` is alone in changing a status and allows only what stands here.
"""

from django.db import models


class Status(models.TextChoices):
    CHECKING = "checking", "Being checked"
    IN_REVIEW = "in_review", "With a moderator"
    NEEDS_CHANGES = "needs_changes", "Needs changes"
    REJECTED = "rejected", "Not allowed"
    PUBLISHED = "published", "Published"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"


S = Status

# Every edit of text or photos leads back to CHECKING, whatever the state was. ENDED may be reached from everywhere: a
# merchant can always withdraw. What is on sale or paused goes to a moderator when a check that came after has a doubt,
# and an approval puts it back where it was; what somebody reported stays where it is until a moderator has decided.
# Who makes each step, and when, stands in docs/states.md; a test holds the two together.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    S.CHECKING: frozenset({S.CHECKING, S.PUBLISHED, S.PAUSED, S.IN_REVIEW, S.NEEDS_CHANGES, S.ENDED}),
    S.IN_REVIEW: frozenset({S.CHECKING, S.PUBLISHED, S.PAUSED, S.NEEDS_CHANGES, S.REJECTED, S.ENDED}),
    S.NEEDS_CHANGES: frozenset({S.CHECKING, S.IN_REVIEW, S.PUBLISHED, S.PAUSED, S.ENDED}),
    S.REJECTED: frozenset({S.CHECKING, S.PUBLISHED, S.PAUSED, S.NEEDS_CHANGES, S.ENDED}),
    S.PUBLISHED: frozenset({S.CHECKING, S.IN_REVIEW, S.PAUSED, S.NEEDS_CHANGES, S.REJECTED, S.ENDED}),
    S.PAUSED: frozenset({S.CHECKING, S.IN_REVIEW, S.PUBLISHED, S.NEEDS_CHANGES, S.REJECTED, S.ENDED}),
    S.ENDED: frozenset({S.CHECKING}),
}
EDITABLE = frozenset(status for status, targets in TRANSITIONS.items() if S.CHECKING in targets)
