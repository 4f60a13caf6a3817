"""Other model files for browsers and moderators."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from listings import device_check, releases
from marketplace import assets
from models import patch_check, text
from tests.listings.model_sets.made_up import (
    EARLIER,
    WHY,
)


def test_browsers_can_load_the_files_of_every_set(tmp_path):
    assets.lay_out(tmp_path / "laid")
    assert list((tmp_path / "laid" / "models").glob("listing-text-*-a21b9037.onnx"))


def test_what_is_not_laid_out_yet_is_not_started(candidate, moderator, monkeypatch):
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL), reason=WHY)

    def only_published(path):
        if made.files[text.MODEL]["sha256"][:8] in path:
            raise ValueError("Missing staticfiles manifest entry")
        return f"/static/{path}"

    monkeypatch.setattr(device_check, "static", only_published)
    with pytest.raises(ValidationError, match="make run"):
        releases.start_shadow(release=made, moderator=moderator, reason=WHY)


def test_the_page_shows_what_counts_and_what_lies_beside(client, moderator, merchant):
    page = reverse("moderation-models")
    client.force_login(merchant)
    assert client.post(page, {"action": "restore", "set": EARLIER, "reason": WHY}).status_code == 403
    client.force_login(moderator)
    shown = client.get(page).content.decode()
    assert "listing-text 5" in shown and EARLIER in shown and "Roll back to it" in shown
    assert "94.7 %" in shown, "measured on dev"
    refused = client.post(page, {"action": "restore", "set": EARLIER, "reason": "", "live": "0"})
    assert refused.status_code == 400 and "Write why" in refused.content.decode()
    done = client.post(page, {"action": "restore", "set": EARLIER, "reason": WHY, "live": "0"}, follow=True)
    assert "p1 is live: what was published earlier counts again" in done.content.decode()
    assert "listing-text 4+p1" in done.content.decode() and "Counts now" in done.content.decode()
    late = client.post(page, {"action": "restore", "set": EARLIER, "reason": WHY, "live": "0"})
    assert late.status_code == 400
    draft = client.post(page, {"action": "set", "set": "candidates/listing-text-9-00000000", "reason": WHY})
    assert draft.status_code == 400 and "missing" in draft.content.decode()


def test_the_page_shows_a_draft_of_other_files_with_its_golden_texts(client, moderator):
    client.force_login(moderator)
    page = reverse("moderation-models")
    shown = client.post(page, {"action": "set", "set": EARLIER, "reason": WHY}, follow=True).content.decode()
    assert "p1 is a draft with other model files" in shown
    assert f"16 of {len(patch_check.golden())} golden texts are decided otherwise" in shown
