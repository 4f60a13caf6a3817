from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from listings import submission
from listings.lifecycle import Status
from listings.models import Decision, JobEvent, Listing, Notice, PendingDecision
from listings.moderation import claims, decisions
from listings.moderation.decisions import Word

LATER = timedelta(minutes=1)


def status(case):
    return Listing.objects.get(pk=case.listing_id).status


def test_a_decision_is_in_force_after_its_time_and_not_before(make_case, moderator, rejecting):
    case = make_case()
    decisions.propose(job=case, moderator=moderator, word=rejecting, revision=1)
    assert decisions.settle_due() == 0
    assert status(case) == Status.IN_REVIEW and not Notice.objects.exists()
    assert decisions.settle_due(timezone.now() + LATER) == 1
    assert status(case) == Status.REJECTED
    assert decisions.settle_due(timezone.now() + LATER) == 0
    assert Decision.objects.get().reason == rejecting.reason


def test_what_is_taken_back_never_was(make_case, moderator, rejecting):
    case = make_case()
    pending = decisions.propose(job=case, moderator=moderator, word=rejecting, revision=1)
    assert decisions.undo([pending], moderator) == [pending]
    assert decisions.settle_due(timezone.now() + LATER) == 0
    assert status(case) == Status.IN_REVIEW and not Decision.objects.exists()
    assert claims.take_next(moderator) == case
    decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1)
    assert list(JobEvent.objects.values_list("kind", flat=True)) == ["taken", "proposed", "undone", "proposed"]


def test_too_late_or_somebody_elses_is_not_taken_back(make_case, moderator, second, rejecting):
    pending = decisions.propose(job=make_case(), moderator=moderator, word=rejecting, revision=1)
    assert decisions.undo([pending], second) == []
    PendingDecision.objects.update(due_at=timezone.now() - LATER)
    assert decisions.undo([pending], moderator) == []
    assert decisions.settle_due() == 1


def test_a_listing_that_was_edited_meanwhile_is_not_decided_and_its_moderator_is_told_once(
    make_case, moderator, merchant, rejecting
):
    case = make_case()
    decisions.propose(job=case, moderator=moderator, word=rejecting, revision=1)
    words = {name: getattr(case.listing, name) for name in ("category", "attributes", "price", "currency", "condition")}
    submission.resubmit(
        listing=case.listing, seller=merchant, photos=[], base_edits=1,
        content=words | {"title": "A kettle after all", "description": "It holds a litre and a half. No knife at all."},
    )  # fmt: skip
    assert decisions.settle_due(timezone.now() + LATER) == 0
    assert status(case) == Status.CHECKING and not Decision.objects.exists()
    (told,) = decisions.untold(moderator)
    assert "changed or withdrawn" in told.failure or "decided this case" in told.failure
    assert decisions.untold(moderator) == []


def test_what_was_seen_must_be_what_is_decided(make_case, moderator, rejecting):
    with pytest.raises(ValidationError, match="changed or withdrawn"):
        decisions.propose(job=make_case(), moderator=moderator, word=rejecting, revision=2)


@pytest.mark.parametrize(
    ("word", "field"),
    [
        (Word("reject", "", "A reason that is long enough."), "policy"),
        (Word("reject", "nonsense", "A reason that is long enough."), "policy"),
        (Word("reject", "weapons", " short  "), "reason"),
        (Word("changes", "", ""), "reason"),
        (Word("approve", "", "x" * 2_001), "reason"),
        (Word("uphold", "", "A reason that is long enough."), "action"),
        (Word("explode", "", "A reason that is long enough."), "action"),
    ],
)
def test_a_word_that_lacks_something_says_what(make_case, moderator, word, field):
    with pytest.raises(ValidationError) as error:
        decisions.propose(job=make_case(), moderator=moderator, word=word, revision=1)
    assert list(error.value.message_dict) == [field]
    assert not PendingDecision.objects.exists()


def test_asking_for_changes_sends_it_back_with_the_reason(make_case, moderator):
    case = make_case()
    decisions.decide(job=case, moderator=moderator, word=Word("changes", "", "Show the maker's mark, please."))
    listing = Listing.objects.get(pk=case.listing_id)
    assert (listing.status, listing.status_note) == (Status.NEEDS_CHANGES, "Show the maker's mark, please.")


def test_a_decision_with_no_time_to_take_it_back_is_in_force_at_once(make_case, moderator, set_to):
    set_to(undo_seconds=0)
    case = make_case()
    assert decisions.propose(job=case, moderator=moderator, word=Word("approve"), revision=1).state == "done"
    assert status(case) == Status.PUBLISHED


def test_one_that_fails_holds_up_no_other_and_is_tried_again(make_case, moderator, rejecting, monkeypatch):
    bad, good = make_case("Bad"), make_case("Good")
    for case in (bad, good):
        decisions.propose(job=case, moderator=moderator, word=rejecting, revision=1)
    real = decisions.decide

    def fail(*, job, **said):
        if job.pk == bad.pk:
            raise OSError(28, "No space left on device")
        return real(job=job, **said)

    monkeypatch.setattr(decisions, "decide", fail)
    later = timezone.now() + LATER
    assert decisions.settle_due(later) == 1
    assert status(good) == Status.REJECTED
    monkeypatch.setattr(decisions, "decide", real)
    assert decisions.settle_due(later) == 0, "not at once"
    assert decisions.settle_due(later + LATER) == 1
    assert status(bad) == Status.REJECTED
