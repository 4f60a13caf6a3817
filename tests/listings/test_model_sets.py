"""Model files beside the published ones: tried in the shadow, published, rolled back, and what must not count."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from listings import claims, device_check, gate, live_models, photo_text, releases, second_opinion, shadow, tasks
from listings.lifecycle import Status
from listings.models import Listing, Photo, Release, ReleaseChange, ShadowLook
from listings.moderation import thresholds
from listings.trust import rules
from marketplace import assets, health
from models import manifest, patch_check, photo, runtime, sets, text
from tests.conftest import person
from tests.listings.test_photo_checks import CHAIR, TRIPOD, device_says, opened
from tests.models.decided import HARMLESS

WHY = "Trained with the decisions of November."
EARLIER = "earlier/listing-text-4-006407c5"
CALM = [("title", "Brass table lamp with linen shade"), ("description", "From the 1960s, rewired last year.")]
DRUGS = [("title", "Cocaine, 5 grams, pure"), ("description", "")]
RELABELLED = b"\x32\x04test"  # ModelProto.doc_string: another file of the same answers


def wary(points):
    """Operating points that hold nearly everything."""
    return points | {"unsure": 0.000001, "warn": 0.000002, "block": 0.9999}


def blind(points):
    return points | {"unsure": 0.999998, "warn": 0.999999, "block": 1.0, "coverage": 0.0}


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    live_models.forget()
    return tmp_path


@pytest.fixture
def candidate(root):
    def make(*models, version="60", points=wary, kind=sets.CANDIDATES):
        """A set of files that differ from the published ones by a remark, and by their thresholds."""
        entries, files = {}, {}
        for model in models:
            entry = json.loads(json.dumps(manifest.model(manifest.load(), model)))
            variant = sets.chosen_variant(entry)
            content = RELABELLED + runtime.variant_bytes(model, variant)
            sha256 = hashlib.sha256(content).hexdigest()
            about = entry["variants"][variant] | {
                "file": f"{model}-{variant}-{sha256[:8]}.onnx", "sha256": sha256, "bytes": len(content),
            }  # fmt: skip
            entries[model] = entry | {
                "version": version, "variants": {variant: about},
                "operating_points": points(entry.get("operating_points", {})),
            }  # fmt: skip
            files[about["file"]] = content
            for further in entry.get("files", {}).values():
                files[further["file"]] = (manifest.PUBLISHED / further["file"]).read_bytes()
        name = f"{kind}/{models[0]}-{version}-{sets.digest(entries[models[0]])[:8]}"
        place = root / name
        place.mkdir(parents=True)
        for file, content in files.items():
            (place / file).write_bytes(content)
        (place / manifest.FILE).write_text(json.dumps({"manifest": 1, "models": entries}))
        if text.MODEL in models:
            answers = [
                answer | {key: value for key, value in told(answer, place).items() if key in ("decision", "policy")}
                for answer in patch_check.golden()
            ]
            (place / "listing-text-golden.json").write_text(json.dumps(answers))
        return name

    return make


def told(answer, folder):
    return text.check_text(patch_check.golden_fields(answer), folder=folder)


@pytest.fixture
def other_moderator(db):
    return person("max", "moderator")


@pytest.fixture
def publish(moderator):
    def make(name):
        made = releases.draft_set(moderator=moderator, name=name, reason=WHY)
        releases.start_shadow(release=made, moderator=moderator, reason=WHY)
        shadow.compare_stored(made.pk)
        releases.publish(release=made, moderator=moderator, reason=WHY)
        return made

    return make


# --- A set ------------------------------------------------------------------------------------------------------------
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


def damaged(place):
    next(place.glob("listing-*.onnx")).write_bytes(b"something else")


def gone(place):
    next(place.glob("listing-*.onnx")).unlink()


def no_manifest(place):
    (place / manifest.FILE).write_text("{")


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


# --- Its way ----------------------------------------------------------------------------------------------------------
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


# --- Its shadow -------------------------------------------------------------------------------------------------------
def test_the_shadow_of_a_model_for_photos_looks_at_photos_by_a_worker(
    candidate,
    upload,
    send,
    moderator,
    monkeypatch,
    django_capture_on_commit_callbacks,
):
    stored = send(upload(CHAIR))
    sent = []
    monkeypatch.setattr(tasks, "enqueue_look", sent.append)
    made = releases.draft_set(moderator=moderator, name=candidate(photo.MODEL, photo.TAIL), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    live_models.forget()
    with django_capture_on_commit_callbacks(execute=True):
        listing = send(upload(TRIPOD), title="Aluminium tripod")
    assert sent == [listing.pk] and not ShadowLook.objects.exists()
    tasks.look_in_shadow(listing.pk)
    look = ShadowLook.objects.get()
    assert look.submitted and look.decided in ("pass", "unsure") and look.would_be == "warn"
    Photo.objects.filter(listing=stored).update(file="photos/gone.jpg")
    assert shadow.compare_stored(made.pk)
    assert ShadowLook.objects.get(listing=stored).would_be == "pass", "a photo that is gone is left out"
    assert shadow.figures(made)["new_warnings"] == 1


def test_the_shadow_of_a_model_of_words_is_asked_at_once(candidate, moderator, make_listing, monkeypatch):
    listing = make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    live_models.forget()
    monkeypatch.setattr(tasks, "enqueue_look", None)
    shadow.look_at(listing.pk)
    assert ShadowLook.objects.get().would_be == "warn"


def test_a_stopped_comparison_goes_on_where_it_was(candidate, moderator, make_listing, monkeypatch):
    for words in HARMLESS[:4]:
        make_listing(words[0], description=words[1])
    made = releases.draft_set(moderator=moderator, name=candidate(text.CLOUD, points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    looked, sent, real = [], [], shadow.gravest

    def slow(listing, *releases):
        looked.append(listing.pk)
        if len(looked) == 2:
            monkeypatch.setattr(shadow, "SLICE_SECONDS", 30)
            time.sleep(0.6)
        return real(listing, *releases)

    monkeypatch.setattr(shadow, "gravest", slow)
    monkeypatch.setattr(shadow, "SLICE_SECONDS", 0.5)
    monkeypatch.setattr(tasks, "enqueue_shadow", sent.append)
    tasks.compare_stored(made.pk)
    assert 1 <= len(looked) <= 2 and sent == [made.pk] and Release.objects.get().compared_at is None
    tasks._send_shadow()
    assert sent == [made.pk], "it was sent a moment ago"
    Release.objects.update(compare_due_at=timezone.now())
    for _ in range(2):
        tasks._send_shadow()
    assert sent == [made.pk] * 2, "if that was lost, the sweeper sends it, once"
    monkeypatch.setattr(shadow, "SLICE_SECONDS", 30)
    tasks.compare_stored(made.pk)
    assert sorted(looked) == sorted(Listing.objects.values_list("pk", flat=True)), "none twice"
    Release.objects.update(compare_due_at=timezone.now())
    tasks._send_shadow()
    assert sent == [made.pk] * 2 and shadow.is_compared(Release.objects.get())


def test_one_worker_alone_compares(candidate, moderator, make_listing):
    make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [shadow.LOCK, made.pk])
        assert shadow.compare_stored(made.pk) and not ShadowLook.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [shadow.LOCK, made.pk])
    finally:
        other.close()
    assert shadow.compare_stored(made.pk) and ShadowLook.objects.count() == 1


def test_a_comparison_that_cannot_be_made_says_why(candidate, root, moderator, make_listing):
    make_listing()
    name = candidate(text.MODEL)
    made = releases.draft_set(moderator=moderator, name=name, reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    damaged(root / name)
    assert shadow.compare_stored(made.pk)
    assert "damaged" in Release.objects.get().compare_problem
    with pytest.raises(ValidationError, match="damaged"):
        releases.publish(release=made, moderator=moderator, reason=WHY)


def test_a_model_that_fails_on_everything_is_not_compared(candidate, moderator, make_listing, monkeypatch):
    for words in HARMLESS[:5]:
        make_listing(words[0], description=words[1])
    made = releases.draft_set(moderator=moderator, name=candidate(text.CLOUD), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)

    def fails(*rest):
        raise RuntimeError("Invalid input name")

    monkeypatch.setattr(shadow, "gravest", fails)
    assert shadow.compare_stored(made.pk)
    assert shadow.figures(made)["looked"] == 0
    with pytest.raises(ValidationError, match="failed on 5 of 5 stored listings"):
        releases.publish(release=made, moderator=moderator, reason=WHY)


def test_a_file_that_opens_and_does_not_run_becomes_no_draft(candidate, moderator, monkeypatch):
    name = candidate(text.CLOUD)

    def fails(*rest):
        raise RuntimeError("Invalid input name")

    monkeypatch.setitem(shadow.WORDS, text.CLOUD, fails)
    with pytest.raises(ValidationError, match="does not run here"):
        releases.draft_set(moderator=moderator, name=name, reason=WHY)


def test_a_draft_that_was_in_the_shadow_before_is_compared_anew(candidate, moderator, make_listing):
    make_listing()
    first = releases.draft_set(moderator=moderator, name=candidate(text.SECOND, points=dict), reason=WHY)
    second = releases.draft_set(moderator=moderator, name=candidate(text.SECOND, version="61", points=dict), reason=WHY)
    releases.start_shadow(release=first, moderator=moderator, reason=WHY)
    shadow.compare_stored(first.pk)
    assert releases.start_shadow(release=second, moderator=moderator, reason=WHY) == first
    first.refresh_from_db()
    releases.start_shadow(release=first, moderator=moderator, reason=WHY)
    with pytest.raises(ValidationError, match="not gone over"):
        releases.publish(release=first, moderator=moderator, reason=WHY)


def test_a_rollback_while_it_is_compared_is_not_lost(candidate, publish, moderator, make_listing, monkeypatch):
    make_listing()
    live = publish(candidate(text.CLOUD, points=dict))
    made = releases.draft_set(moderator=moderator, name=candidate(text.SECOND, version="61", points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    real = shadow.gravest

    def meanwhile(*rest):
        if Release.objects.filter(pk=live.pk, state="live").exists():
            Release.objects.filter(pk=live.pk).update(state="retired")
        return real(*rest)

    monkeypatch.setattr(shadow, "gravest", meanwhile)
    assert shadow.compare_stored(made.pk) is False, "it goes on beside what counts now"
    assert shadow.compare_stored(made.pk) is True


def test_thresholds_that_were_published_since_are_not_undone(moderator):
    warn = releases.draft_points(moderator=moderator, points={"warn": 0.8005}, reason=WHY)
    block = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    releases.start_shadow(release=warn, moderator=moderator, reason=WHY)
    shadow.compare_stored(warn.pk)
    releases.publish(release=warn, moderator=moderator, reason=WHY)
    with pytest.raises(ValidationError, match="would also change listing-text"):
        releases.start_shadow(release=block, moderator=moderator, reason=WHY)


def test_a_page_of_the_version_before_an_upgrade_is_believed(db):
    old = text.check_text(CALM, where="device", folder=sets.folder_of(EARLIER))
    found = claims.parse_claim(json.dumps(old), CALM)
    same = claims.same_run(found, CALM, gate.run_gate(CALM))
    claims.compare(found, same, gate.tolerance())
    assert (found.version, found.detail) == ("4", {"other_release": "5"})


def test_one_listing_that_cannot_be_looked_at_holds_up_nothing(candidate, moderator, make_listing, monkeypatch):
    odd, calm = make_listing(), make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL, points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    real = shadow.gravest

    def stumbles(listing, *rest):
        if listing == odd:
            raise ValueError("a photo of its own kind")
        return real(listing, *rest)

    monkeypatch.setattr(shadow, "gravest", stumbles)
    assert shadow.compare_stored(made.pk)
    assert shadow.figures(made)["looked"] == 1 and shadow.is_compared(Release.objects.get())
    assert ShadowLook.objects.get(would_be="").listing == odd and calm.pk != odd.pk


def test_figures_beside_another_deployment_count_for_nothing(candidate, moderator, make_listing, monkeypatch):
    make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL, points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    shadow.compare_stored(made.pk)
    monkeypatch.setattr(sets, "state", lambda release: "another")
    with pytest.raises(ValidationError, match="not gone over"):
        releases.publish(release=made, moderator=moderator, reason=WHY)
    ShadowLook.objects.update(would_be="block")
    shadow.compare_stored(made.pk)
    assert ShadowLook.objects.get().would_be == "pass", "looked at anew"


def test_a_draft_that_would_undo_what_was_published_since_is_drafted_anew(candidate, publish, moderator):
    first, other = candidate(text.MODEL, points=dict), candidate(text.SECOND, version="61", points=dict)
    late = releases.draft_set(moderator=moderator, name=other, reason=WHY)
    points = releases.draft_points(moderator=moderator, points={"warn": 0.8005}, reason=WHY)
    publish(first)
    for each in (late, points):
        with pytest.raises(ValidationError, match="would also change listing-text"):
            releases.start_shadow(release=each, moderator=moderator, reason=WHY)
    assert set(publish(other).files) == {text.MODEL, text.SECOND}


def test_two_files_of_one_version_are_not_told_apart_and_refused(candidate):
    published = manifest.model(manifest.load(), text.SECOND)["version"]
    assert "has the version of the published file" in sets.problem_of(candidate(text.SECOND, version=published))


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


def test_a_model_that_warns_of_what_is_on_sale_is_not_published(candidate, publish, make_listing):
    for words in HARMLESS[:4]:
        make_listing(words[0], description=words[1])
    with pytest.raises(ValidationError, match="on sale or were approved it would warn"):
        publish(candidate(text.MODEL))


def test_nor_one_that_no_longer_sees_what_was_rejected(candidate, publish, make_listing):
    for number in range(3):
        make_listing(f"Cocaine, {number + 4} grams, pure", description="", status=Status.REJECTED)
    with pytest.raises(ValidationError, match="of 3 rejected listings that are warned now it would let 3 pass"):
        publish(candidate(text.MODEL, points=blind))


# --- When it breaks ---------------------------------------------------------------------------------------------------
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


# --- For browsers and moderators --------------------------------------------------------------------------------------
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
