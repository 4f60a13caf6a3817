import uuid

import pytest
from django.core.exceptions import ValidationError

from listings import drafts, limits
from listings.models import Draft

KEY = uuid.UUID("3b6d1c9e-6a53-4f0e-9a55-0c5b4c2f0d11")


def test_versions_go_up_and_a_stale_save_meets_what_stands_there(merchant):
    assert drafts.save_draft(merchant, KEY, 0, {"title": "a"}).version == 1
    assert drafts.save_draft(merchant, KEY, 1, {"title": "b"}).version == 2
    for stale in (0, 1, 7):
        with pytest.raises(drafts.DraftConflict) as conflict:
            drafts.save_draft(merchant, KEY, stale, {"title": "stale"})
        assert conflict.value.current.data == {"title": "b"}


def test_what_is_written_here_does_not_go_with_a_delete_elsewhere(merchant):
    drafts.save_draft(merchant, KEY, 0, {"title": "a"})
    drafts.delete_draft(merchant, KEY)
    assert drafts.save_draft(merchant, KEY, 1, {"title": "b"}).data == {"title": "b"}


def test_two_merchants_with_one_key_have_two_drafts(merchant, other_merchant):
    drafts.save_draft(merchant, KEY, 0, {"title": "mine"})
    drafts.save_draft(other_merchant, KEY, 0, {"title": "theirs"})
    assert Draft.objects.get(owner=merchant).data == {"title": "mine"}


@pytest.mark.parametrize(
    "data",
    [
        {"title": "\x00"},
        {"a\x00": 1},
        {"list": [["\x00"]]},
        {"title": "\ud800"},
        {"n": float("nan")},
        {"t": "x" * limits.DRAFT_BYTES},
    ],
)
def test_what_the_database_cannot_hold_is_refused_with_a_sentence(merchant, data):
    with pytest.raises(ValidationError):
        drafts.save_draft(merchant, KEY, 0, data)


def test_a_backslash_u_0000_in_a_text_is_only_text(merchant):
    assert drafts.save_draft(merchant, KEY, 0, {"title": "\\u0000"}).data == {"title": "\\u0000"}


def test_an_account_holds_a_limited_number_of_drafts(merchant, monkeypatch):
    monkeypatch.setattr(limits, "DRAFTS_PER_ACCOUNT", 2)
    for _ in range(2):
        drafts.save_draft(merchant, uuid.uuid4(), 0, {})
    with pytest.raises(ValidationError, match="holds 2 drafts"):
        drafts.save_draft(merchant, uuid.uuid4(), 0, {})
