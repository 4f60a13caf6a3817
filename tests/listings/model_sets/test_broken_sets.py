"""A set that breaks, a deployment that changes what lies beside, and pages that were open."""

from __future__ import annotations

import json
import shutil

import pytest
from django.core.exceptions import ValidationError

from listings import claims, gate, live_models, releases
from listings.models import Release
from marketplace import health
from models import manifest, runtime, sets, text
from tests.listings.model_sets.made_up import (
    CALM,
    EARLIER,
    WHY,
    damaged,
    gone,
    no_manifest,
    wary,
)


@pytest.mark.parametrize("harm", [damaged, gone, no_manifest])
def test_a_live_set_that_breaks_leaves_the_gate_at_work(candidate, publish, root, harm, client):
    name = candidate(text.MODEL)
    publish(name)
    harm(root / name)
    runtime._sessions.clear()
    live_models.forget()
    look = gate.device_look(CALM)
    assert look.version == "5" and look.detail["release_problem"]
    assert client.get("/api/models/manifest").status_code in (200, 503)
    if harm is no_manifest:
        assert client.get("/api/models/manifest").json()["models"][text.MODEL]["version"] == "5"


def test_what_is_published_for_good_counts_without_its_set(candidate, publish, root, monkeypatch, tmp_path):
    made = publish(candidate(text.SECOND))
    shutil.rmtree(root / "candidates")
    live_models.forget()
    assert live_models.live().problem
    published = tmp_path / "published"
    published.mkdir()
    entry = manifest.model(manifest.load(), text.SECOND)
    variant = sets.chosen_variant(entry)
    about = entry["variants"][variant] | {"sha256": made.files[text.SECOND]["sha256"]}
    points = wary(entry["operating_points"])
    entry = entry | {"version": "60", "variants": {variant: about, "fp32": about}, "operating_points": points}
    (published / manifest.FILE).write_text(json.dumps({"manifest": 1, "models": {text.SECOND: entry}}))
    assert live_models.of_row(made).folder(text.SECOND, published) == published


def test_a_claim_of_a_page_that_was_open_is_held_against_its_own_file(candidate, publish, moderator):
    def claim(**changes):
        folder = live_models.folder(text.MODEL)
        said = text.check_text(CALM, where="device", folder=folder) | changes
        found = claims.parse_claim(json.dumps(said), CALM)
        same = claims.same_run(found, CALM, gate.run_gate(CALM))
        claims.compare(found, same, gate.tolerance())
        return found

    old = text.check_text(CALM, where="device")
    made = publish(candidate(text.MODEL))
    found = claim(**old)
    assert found.detail == {"other_release": f"60+p{made.number}"}
    assert claim(version=f"60+p{made.number}").detail == {}
    assert "other_release" in claim(version="60").detail, "the file of the release, without its number"
    assert "another version" in claim(version="59").detail["disbelieved"]
    Release.objects.update(files={text.MODEL: made.files[text.MODEL] | {"digest": "gone"}})
    live_models.forget()
    assert claim(version=f"60+p{made.number}").detail == {"other_release": "5"}, "its file is gone: no device's fault"
    Release.objects.update(files=made.files)
    live_models.forget()
    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    assert "another version" in claim(version="61").detail["disbelieved"]
    late = text.check_text(CALM, where="device", release=live_models.of_row(made))
    assert claim(**late).detail == {"other_release": "5"}


def test_monitors_ask_for_the_files_that_count(candidate, publish, root):
    name = candidate(text.SECOND)
    publish(name)
    health.published_models()
    damaged(root / name)
    runtime._sessions.clear()
    live_models.forget()
    health.published_models()
    assert live_models.live().problem and gate.second_look(CALM).version == "3", "the published one is at work"


def test_a_page_of_the_version_before_an_upgrade_is_believed(db):
    old = text.check_text(CALM, where="device", folder=sets.folder_of(EARLIER))
    found = claims.parse_claim(json.dumps(old), CALM)
    same = claims.same_run(found, CALM, gate.run_gate(CALM))
    claims.compare(found, same, gate.tolerance())
    assert (found.version, found.detail) == ("4", {"other_release": "5"})


def test_thresholds_that_were_changed_in_a_set_do_not_count(candidate, publish, root):
    name = candidate(text.SECOND)
    publish(name)
    path = root / name / manifest.FILE
    path.write_text(path.read_text().replace("2e-06", "0.5").replace("0.000002", "0.5"))
    live_models.forget()
    assert "does not hold" in live_models.live().problem
    assert live_models.points(text.SECOND)["warn"] != 0.5


@pytest.mark.parametrize("harm", [damaged, gone])
def test_a_worker_model_that_breaks_leaves_the_published_one_at_work(candidate, publish, root, moderator, harm):
    name = candidate(text.CLOUD)
    made = publish(name)
    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    harm(root / name)
    with pytest.raises(ValidationError, match="cannot be used"):
        releases.roll_back(moderator=moderator, reason=WHY, to=made)
    Release.objects.filter(pk=made.pk).update(state=Release.State.LIVE)
    live_models.forget()
    assert live_models.live().problem and gate.heavy_look(CALM).version == "4"


def test_a_deployment_of_other_words_leaves_a_release_of_other_models_alone(candidate, publish, monkeypatch):
    made = publish(candidate(text.SECOND, points=dict))
    Release.objects.filter(pk=made.pk).update(model_sha256="0" * 64)
    live_models.forget()
    assert gate.second_look(CALM).version == "60"


@pytest.mark.parametrize(("key", "value"), [("labels", ["puppets", "safe"]), ("policies_version", "1999.1")])
def test_a_release_of_other_policies_than_the_published_ones_ends(candidate, publish, monkeypatch, key, value):
    publish(candidate(text.SECOND, points=dict))
    real = manifest.load

    def deployed(folder=manifest.PUBLISHED):
        found = real(folder)
        if folder != manifest.PUBLISHED:
            return found
        entry = found["models"][text.SECOND] | {key: value}
        return found | {"models": found["models"] | {text.SECOND: entry}}

    monkeypatch.setattr(manifest, "load", deployed)
    live_models.forget()
    assert "knows other policies" in live_models.live().problem
