"""What a set of model files is, and what is none."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.core.exceptions import ValidationError

from listings import releases, shadow
from listings.models import Release
from models import manifest, patch_check, photo, sets, text
from tests.listings.model_sets.made_up import (
    EARLIER,
    WHY,
    damaged,
    gone,
    no_manifest,
)


def test_what_was_published_before_lies_beside_and_is_whole():
    assert EARLIER in sets.names()
    assert sets.problem_of(EARLIER) == ""
    release = sets.Release(1, files=sets.named(EARLIER).files())
    assert patch_check.flips(release) == [], "it answers here as it did when it was published"
    assert len(patch_check.answered_otherwise(release)) > 5, "and not as the file of today"


def test_every_set_of_the_project_can_be_used_and_has_its_card():
    for name in sets.names():
        assert sets.problem_of(name) == ""
        for model in sets.named(name).models:
            assert (sets.folder_of(name) / f"{model}.md").is_file()


def test_newer_versions_come_first_counted_as_numbers(root, candidate):
    made = [candidate(text.SECOND, version=version) for version in ("9", "10", "9.1")]
    assert sets.names() == [made[1], made[2], made[0]]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "published",
        "../../etc",
        "candidates/../published",
        "candidates/listing-text",
        f"{EARLIER}/",
        "earlier/x-1-00",
    ],
)
def test_a_name_that_is_none_leads_nowhere(name, moderator):
    with pytest.raises(manifest.ModelUnavailable):
        sets.folder_of(name)
    with pytest.raises(ValidationError):
        releases.draft_set(moderator=moderator, name=name, reason=WHY)


def of_other_policies(place):
    found = json.loads((place / manifest.FILE).read_text())
    found["models"][text.MODEL]["labels"][0] = "puppets"
    (place / manifest.FILE).write_text(json.dumps(found))


def no_onnx(place):
    path = next(place.glob("*.onnx"))
    path.write_bytes(b"no model")
    found = json.loads((place / manifest.FILE).read_text())
    for about in found["models"][text.MODEL]["variants"].values():
        about["sha256"] = hashlib.sha256(b"no model").hexdigest()
    (place / manifest.FILE).write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("harm", "why"),
    [(damaged, "damaged"), (gone, "missing"), (no_manifest, "damaged"), (of_other_policies, "policies"),
     (no_onnx, "cannot open")],
)  # fmt: skip
def test_a_set_that_is_not_whole_becomes_no_draft(candidate, root, moderator, harm, why):
    name = candidate(text.MODEL)
    harm(root / name)
    with pytest.raises(ValidationError, match=why):
        releases.draft_set(moderator=moderator, name=name, reason=WHY)
    assert not Release.objects.exists()


def test_towers_are_no_judges_and_a_photo_model_comes_with_its_tail(candidate):
    assert "judges no listing" in sets.problem_of(candidate("query-tower"))
    assert "one goes on where the other ends" in sets.problem_of(candidate(photo.MODEL))
    assert "one goes on where the other ends" in sets.problem_of(candidate(photo.TAIL))
    assert sets.problem_of(candidate(photo.MODEL, photo.TAIL, version="61")) == ""


def test_a_file_that_opens_and_does_not_run_becomes_no_draft(candidate, moderator, monkeypatch):
    name = candidate(text.CLOUD)

    def fails(*rest):
        raise RuntimeError("Invalid input name")

    monkeypatch.setitem(shadow.WORDS, text.CLOUD, fails)
    with pytest.raises(ValidationError, match="does not run here"):
        releases.draft_set(moderator=moderator, name=name, reason=WHY)


def test_two_files_of_one_version_are_not_told_apart_and_refused(candidate):
    published = manifest.model(manifest.load(), text.SECOND)["version"]
    assert "has the version of the published file" in sets.problem_of(candidate(text.SECOND, version=published))
