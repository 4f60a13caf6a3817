"""A set on its way: drafted, published, rolled back, and what must not get through."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from listings import device_check, gate, live_models, photo_text, releases, second_opinion, shadow
from listings.models import Release, ReleaseChange
from listings.moderation import thresholds
from listings.trust import rules
from models import manifest, patch_check, photo, runtime, sets, text
from tests.listings.model_sets.made_up import (
    CALM,
    DRUGS,
    EARLIER,
    WHY,
)
from tests.listings.test_photo_checks import CHAIR, TRIPOD, device_says, opened


def test_a_new_model_goes_through_its_shadow_to_gate_and_devices_and_back(candidate, publish, client, moderator):
    name = candidate(text.MODEL)
    made = releases.draft_set(moderator=moderator, name=name, reason=WHY)
    before, after = made.figures["models"][text.MODEL]
    assert (before["version"], after["version"]) == ("5", "60")
    assert made.figures["golden_texts"] == len(patch_check.golden()) and made.figures["answered_otherwise"]
    with pytest.raises(ValidationError):
        releases.publish(release=made, moderator=moderator, reason=WHY)
    releases.discard(release=made, moderator=moderator, reason=WHY)

    made = publish(name)
    look = gate.device_look(CALM)
    assert (look.version, look.decision) == (f"60+p{made.number}", "warn")
    told = client.get("/api/models/manifest").json()["models"][text.MODEL]
    assert (told["version"], told["sha256"]) == ("60", made.files[text.MODEL]["sha256"])
    assert told["release"]["number"] == made.number and "patch" not in told["release"]
    assert told["operating_points"]["warn"] == told["release"]["operating_points"]["warn"] == 0.000002
    assert told["url"].endswith(f"{told['sha256'][:8]}.onnx")
    assert live_models.points(text.MODEL)["warn"] == 0.000002
    assert thresholds.histogram("device", timezone.now() - timedelta(days=1)).version == f"60+p{made.number}"

    releases.roll_back(moderator=moderator, reason="It warns of table lamps.", to=None)
    assert (gate.device_look(CALM).version, gate.device_look(CALM).decision) == ("5", "pass")
    assert client.get("/api/models/manifest").json()["models"][text.MODEL]["version"] == "5"
    releases.roll_back(moderator=moderator, reason="It was right after all.", to=made)
    assert gate.device_look(CALM).version == f"60+p{made.number}"


def test_one_click_leads_to_what_was_published_earlier(client, moderator):
    made = releases.restore(moderator=moderator, name=EARLIER, reason="Version 5 misses too much.", seen=0)
    assert gate.device_look(DRUGS).version == f"4+p{made.number}"
    told = client.get("/api/models/manifest").json()["models"][text.MODEL]
    assert (told["version"], told["sha256"][:8]) == ("4", "a21b9037")
    assert list(ReleaseChange.objects.order_by("pk").values_list("target", flat=True)) == ["draft", "live"]
    assert live_models.scored_alike() == ("4", f"4+p{made.number}"), "its verdicts of before count too"
    assert releases.before_live() is None, "the published models counted before"
    with pytest.raises(ValidationError, match="counts already"):
        releases.restore(moderator=moderator, name=EARLIER, reason=WHY)
    releases.roll_back(moderator=moderator, reason=WHY, to=None, seen=made.number)
    assert gate.device_look(DRUGS).version == "5"
    assert live_models.scored_alike() == ("5",)


def test_a_candidate_takes_no_short_way(candidate, moderator):
    name = candidate(text.MODEL)
    with pytest.raises(ValidationError, match="published earlier"):
        releases.restore(moderator=moderator, name=name, reason=WHY)
    assert not Release.objects.exists()


def test_a_restore_that_somebody_overtook_changes_nothing(moderator, candidate, publish):
    shutil.copytree(manifest.PUBLISHED.parent / EARLIER, sets.ROOT / EARLIER)
    live = publish(candidate(text.SECOND, points=dict))
    with pytest.raises(ValidationError, match="somebody else was faster"):
        releases.restore(moderator=moderator, name=EARLIER, reason=WHY, seen=0)
    assert Release.objects.get(state=Release.State.LIVE) == live
    assert Release.objects.count() == 1


def test_what_somebody_rolled_back_from_is_not_offered_as_the_way_back(candidate, publish, moderator):
    first = publish(candidate(text.SECOND, points=dict))
    publish(candidate(text.SECOND, version="61", points=dict))
    assert releases.before_live() == first
    releases.roll_back(moderator=moderator, reason=WHY, to=first)
    assert releases.before_live() is None, "the published models counted before the first"
    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    third = publish(candidate(text.SECOND, version="62", points=dict))
    assert (third.replaced, releases.before_live()) == (0, None), "neither of the two that were rolled back"


def test_thresholds_that_count_already_are_no_draft(moderator):
    now = live_models.points(text.MODEL)
    with pytest.raises(ValidationError, match="that count now"):
        releases.draft_points(
            moderator=moderator, points={name: now[name] for name in ("unsure", "warn", "block")}, reason=WHY
        )


def test_only_moderators_and_only_with_a_reason(merchant, moderator):
    with pytest.raises(PermissionDenied):
        releases.draft_set(moderator=merchant, name=EARLIER, reason=WHY)
    with pytest.raises(PermissionDenied):
        releases.restore(moderator=merchant, name=EARLIER, reason=WHY)
    with pytest.raises(ValidationError, match="Write why"):
        releases.restore(moderator=moderator, name=EARLIER, reason="so")


def test_thresholds_and_other_models_go_on_top_of_what_is_live(candidate, publish, moderator):
    first = publish(candidate(text.MODEL, points=dict))
    second = releases.draft_points(moderator=moderator, points={"warn": 0.8005}, reason=WHY)
    assert second.files == first.files
    releases.start_shadow(release=second, moderator=moderator, reason=WHY)
    shadow.compare_stored(second.pk)
    releases.publish(release=second, moderator=moderator, reason=WHY)
    assert live_models.points(text.MODEL)["warn"] == 0.8005
    assert gate.device_look(CALM).version == f"60+p{second.number}"
    third = publish(candidate(text.SECOND, version="61", points=dict))
    assert (third.points, set(third.files)) == (second.points, {text.MODEL, text.SECOND})
    fourth = releases.draft_set(moderator=moderator, name=candidate(text.MODEL, version="62", points=dict), reason=WHY)
    assert (fourth.points, set(fourth.files)) == ({}, {text.MODEL, text.SECOND}), "thresholds go with their file"


def test_a_model_of_the_gate_and_one_of_the_workers_count_where_they_run(candidate, publish):
    publish(candidate(text.SECOND, text.CLOUD, photo.CLOUD))
    assert {look.model: look.version for look in gate.run_gate(CALM)} == {text.MODEL: "5", text.SECOND: "60"}
    with live_models.published_alone():
        assert {look.version for look in gate.run_gate(CALM)} == {"5", "3"}, "so the red team and the simulation read"
    assert gate.heavy_look(CALM).version == "60"
    assert second_opinion.about_words(CALM)["version"] == "60"
    assert photo_text.judge("Old school atlas", "Atlas").version == "60"
    near = rules._unsure_from(gate.second_look(CALM))
    assert near == 0.000001, "a margin is of the thresholds that decided"


def test_a_photo_model_counts_with_its_tail_and_pages_of_before_are_believed(
    candidate,
    publish,
    client,
    upload,
    send,
    merchant,
):
    chair, tripod = upload(CHAIR), upload(TRIPOD)
    before = [device_says(chair), device_says(tripod)]
    publish(candidate(photo.MODEL, photo.TAIL))
    told = client.get("/api/models/manifest").json()["models"][photo.MODEL]
    assert told["version"] == "60" and told["operating_points"]["warn"] == 0.000002
    folder = live_models.folder(photo.MODEL)
    new = photo.check_photo(opened(CHAIR), digest=tripod.sha256, where="device", folder=folder)
    assert new["version"] == "60"
    listing = send(chair, tripod, photo_claims=json.dumps([before[0], before[1] | {"version": "2"}]))
    assert {v.version for v in listing.verdicts.filter(where="gate", photo__isnull=False)} == {"60"}
    old, unknown = listing.verdicts.filter(where="device").order_by("photo__position")
    assert old.detail == {"other_release": "60"}, "held against its own file, and alike"
    assert "another version" in unknown.detail["disbelieved"]
    with pytest.raises(second_opinion.OtherVersion):
        second_opinion.about_photo(b"x", "3")
    session = runtime.session(photo.MODEL, "device", folder)
    (sent,) = session.run(["activation"], {"rgb": photo.pixels(opened(CHAIR), 512)})
    assert second_opinion.about_photo(sent.tobytes(), "60")["version"] == "60"
    assert dict(device_check.download_sizes())[photo.MODEL] == told["bytes"]


def test_thresholds_that_were_published_since_are_not_undone(moderator):
    warn = releases.draft_points(moderator=moderator, points={"warn": 0.8005}, reason=WHY)
    block = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    releases.start_shadow(release=warn, moderator=moderator, reason=WHY)
    shadow.compare_stored(warn.pk)
    releases.publish(release=warn, moderator=moderator, reason=WHY)
    with pytest.raises(ValidationError, match="would also change listing-text"):
        releases.start_shadow(release=block, moderator=moderator, reason=WHY)


def test_a_draft_that_would_undo_what_was_published_since_is_drafted_anew(candidate, publish, moderator):
    first, other = candidate(text.MODEL, points=dict), candidate(text.SECOND, version="61", points=dict)
    late = releases.draft_set(moderator=moderator, name=other, reason=WHY)
    points = releases.draft_points(moderator=moderator, points={"warn": 0.8005}, reason=WHY)
    publish(first)
    for each in (late, points):
        with pytest.raises(ValidationError, match="would also change listing-text"):
            releases.start_shadow(release=each, moderator=moderator, reason=WHY)
    assert set(publish(other).files) == {text.MODEL, text.SECOND}
