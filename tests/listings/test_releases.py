"""The life of a release: fitted, in its shadow, live, rolled back; and what must not get through."""

import hashlib
import json
import shutil
import threading
from datetime import timedelta

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from listings import claims, content, gate, live_models, releases, shadow, submission, tasks
from listings.lifecycle import Status
from listings.models import Listing, Release, ReleaseChange, RemovedPhoto, ReviewJob, ShadowLook
from listings.moderation import decisions, thresholds
from models import manifest, patch, patch_check, patch_fit, text
from tests.conftest import person
from tests.listings.conftest import WORDS
from tests.models.decided import HARMLESS, PARAPHRASES, REJECTED, fields_of

WHY = "Laughing gas for balloons came up again and again."
PARAPHRASE = {"title": PARAPHRASES[2][0], "description": PARAPHRASES[2][1]}


@pytest.fixture(autouse=True)
def nothing_kept():
    live_models.forget()
    yield
    live_models.forget()


@pytest.fixture
def other_moderator(db):
    return person("max", "moderator")


@pytest.fixture
def sellers(db):
    return [person(f"seller{number}", "merchant", shop_name=f"Shop {number}") for number in range(4)]


@pytest.fixture
def decide(moderator, make_listing):
    def make(words, seller, *, policy="drugs", by=None):
        """A listing that the gate judged and a moderator decided; no policy: approved."""
        listing = make_listing(
            words[0], description=words[1], seller=seller, status=Status.IN_REVIEW, published_at=None
        )
        said = gate.device_look(content.fields_of(listing))
        said.listing, said.revision = listing, 1
        said.save()
        job = ReviewJob.objects.create(listing=listing, revision=1, cause="Reported.", policy=policy)
        if policy:
            return decisions.reject(
                job=job, moderator=by or moderator, policy=policy, reason="Laughing gas for balloons."
            )
        return decisions.approve(job=job, moderator=by or moderator)

    return make


@pytest.fixture
def decided(decide, sellers, make_listing):
    for words in HARMLESS[:10]:
        make_listing(words[0], description=words[1])
    return [decide(words, sellers[number % 4]) for number, words in enumerate(REJECTED)]


FITTED = {}  # what the first fit made: the same decisions make the same patch, and fitting takes seconds


@pytest.fixture
def draft(decided, moderator):
    chosen = releases.wrong_decisions()
    if not FITTED:
        made = releases.fit(moderator=moderator, decisions=[each.decision.pk for each in chosen], reason=WHY)
        FITTED.update(patch=bytes(made.patch), figures=made.figures)
        return made
    made = releases._draft(moderator, WHY, live_models.read_live(), FITTED["patch"], {}, FITTED["figures"])
    made.examples.set([each.decision for each in chosen])
    return made


@pytest.fixture
def in_shadow(draft, moderator):
    releases.start_shadow(release=draft, moderator=moderator, reason=WHY)
    shadow.compare_stored(draft.pk)
    return draft


@pytest.fixture
def live(in_shadow, other_moderator):
    releases.publish(release=in_shadow, moderator=other_moderator, reason=WHY)
    return in_shadow


def state_of(release):
    return Release.objects.get(pk=release.pk).state


def say(**words):
    return gate.device_look(fields_of((words["title"], words["description"])))


def test_the_last_wrong_decisions_are_offered_and_the_right_ones_not(decided, decide, sellers):
    decide(("Cocaine, 5 grams, pure", ""), sellers[0])  # the model knew that
    found = releases.wrong_decisions()
    assert len(found) == 19, "one of the twenty is warned of already"
    assert {each.label for each in found} == {"drugs"}
    assert releases.wrong_decisions("weapons") == []
    Listing.objects.filter(pk=found[0].decision.listing_id).update(revision=2)
    assert len(releases.wrong_decisions()) == 18, "the text is another one by now"


def test_a_patch_goes_from_decisions_to_gate_and_devices_and_back(live, client, moderator):
    assert live.figures["right_after"] > live.figures["right_before"]
    verdict = say(**PARAPHRASE)
    assert verdict.version.endswith(f"+p{live.number}")
    assert (verdict.decision, verdict.policy) == ("block", "drugs")

    answer = client.get("/api/models/manifest")
    told = answer.json()["models"]["listing-text"]["release"]
    assert told["number"] == live.number
    sent = client.get(told["patch"]["url"])
    assert "immutable" in sent["Cache-Control"] and sent.content == bytes(live.patch)
    assert client.get(told["patch"]["url"], headers={"If-None-Match": sent["ETag"]}).status_code == 304
    assert client.get("/api/models/manifest", headers={"If-None-Match": answer["ETag"]}).status_code == 304

    releases.roll_back(moderator=moderator, reason="It warns of birthday balloons.", to=None)
    assert "+p" not in say(**PARAPHRASE).version
    after = client.get("/api/models/manifest", headers={"If-None-Match": answer["ETag"]})
    assert after.status_code == 200 and "release" not in after.json()["models"]["listing-text"]
    steps = list(ReleaseChange.objects.order_by("pk").values_list("target", flat=True))
    assert steps == ["draft", "shadow", "live", "retired"]


def test_the_shadow_counts_and_decides_nothing(in_shadow, merchant, django_capture_on_commit_callbacks):
    seen = shadow.figures(in_shadow)
    assert (seen["approved"], seen["on_approved"], seen["submitted"]) == (10, 0, 0)
    with django_capture_on_commit_callbacks(execute=True):
        listing = submission.submit(seller=merchant, content=WORDS | PARAPHRASE, photos=[])
    assert all("+p" not in verdict.version for verdict in listing.verdicts.all())
    look = ShadowLook.objects.get(listing=listing)
    assert (look.submitted, look.decided, look.would_be) == (True, say(**PARAPHRASE).decision, "block")
    assert shadow.figures(in_shadow)["new_warnings"] == seen["new_warnings"] + 1
    shadow.compare_stored(in_shadow.pk)
    assert ShadowLook.objects.filter(listing=listing).count() == 1, "run twice it counts once"


def test_a_patch_that_would_warn_of_what_moderators_approved_is_not_published(
    in_shadow, decide, sellers, other_moderator
):
    for words in PARAPHRASES:
        decide(words, sellers[0], policy="")
    ShadowLook.objects.all().delete()
    Release.objects.update(compared_at=None)
    shadow.compare_stored(in_shadow.pk)
    in_shadow.refresh_from_db()
    with pytest.raises(ValidationError, match="approved it would warn"):
        releases.publish(release=in_shadow, moderator=other_moderator, reason=WHY)


def test_a_draft_is_not_published_past_its_shadow(draft, moderator, other_moderator):
    with pytest.raises(ValidationError):
        releases.publish(release=draft, moderator=other_moderator, reason=WHY)
    releases.start_shadow(release=draft, moderator=moderator, reason=WHY)
    with pytest.raises(ValidationError, match="stored listings"):
        releases.publish(release=draft, moderator=other_moderator, reason=WHY)


def test_nobody_publishes_what_rests_on_their_own_decisions_alone(in_shadow, moderator, other_moderator):
    with pytest.raises(ValidationError, match="another moderator"):
        releases.publish(release=in_shadow, moderator=moderator, reason=WHY)
    assert state_of(in_shadow) == Release.State.SHADOW


def test_one_sellers_words_are_no_rule_for_everybody(decide, sellers, moderator):
    made = [decide(words, sellers[0]) for words in REJECTED[:8]]
    with pytest.raises(ValidationError, match="3 sellers"):
        releases.fit(moderator=moderator, decisions=[each.pk for each in made], reason=WHY)


def test_nobody_fits_on_their_own_listings(decide, sellers, moderator, other_moderator):
    made = [
        decide(words, (*sellers[:3], moderator)[number % 4], by=other_moderator)
        for number, words in enumerate(REJECTED)
    ]
    with pytest.raises(ValidationError, match="own listings"):
        releases.fit(moderator=moderator, decisions=[each.pk for each in made], reason=WHY)


def test_thresholds_that_flip_a_golden_text_are_refused_with_its_name(moderator):
    with pytest.raises(ValidationError, match=r"golden text “.+” would turn from"):
        releases.draft_points(moderator=moderator, points={"warn": 0.3, "unsure": 0.01}, reason=WHY)
    with pytest.raises(ValidationError, match="must rise"):
        releases.draft_points(moderator=moderator, points={"warn": 0.99, "block": 0.9}, reason=WHY)
    assert not Release.objects.exists()


def flipping_patch():
    """Bytes of a patch by which a golden text about drugs would be harmless."""
    reader = patch_fit.Reader()
    (window,) = reader.windows([("title", "Cocaine, 5 grams, pure"), ("description", "")])
    ids = np.array(sorted({int(number) % patch.SLOTS: int(number) for number in window.ids}.values()), np.int32)
    rows = np.zeros((len(ids), len(reader.labels)), np.int8)
    rows[:, reader.labels.index("safe")] = 127
    return patch.written(patch.Patch(ids, rows, 0.01))


def test_a_patch_that_flips_a_golden_text_becomes_no_draft(moderator):
    with pytest.raises(ValidationError, match=r"golden text “.+” would turn from"):
        releases._draft(moderator, WHY, live_models.read_live(), flipping_patch(), {}, {})
    assert not Release.objects.exists()


def test_nor_is_one_published_that_came_into_the_shadow_another_way(in_shadow, other_moderator, client):
    """As if its row had been written past the draft: it is held against the golden texts once more."""
    made = flipping_patch()
    Release.objects.filter(pk=in_shadow.pk).update(patch=made, patch_sha256=hashlib.sha256(made).hexdigest())
    in_shadow.refresh_from_db()
    with pytest.raises(ValidationError, match=r"golden text “.+” would turn"):
        releases.publish(release=in_shadow, moderator=other_moderator, reason=WHY)
    assert state_of(in_shadow) == "shadow" and live_models.live().release is None
    assert "release" not in client.get("/api/models/manifest").json()["models"]["listing-text"]


def test_only_moderators_and_only_with_a_reason(draft, merchant, moderator):
    with pytest.raises(PermissionDenied):
        releases.start_shadow(release=draft, moderator=merchant, reason=WHY)
    with pytest.raises(ValidationError):
        releases.start_shadow(release=draft, moderator=moderator, reason="because")


def test_a_second_draft_takes_the_place_of_a_shadow(in_shadow, moderator):
    second = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    releases.start_shadow(release=second, moderator=moderator, reason=WHY)
    assert (state_of(in_shadow), state_of(second)) == ("draft", "shadow"), "it may be tried again"


def test_a_rollback_leads_to_the_release_before(live, moderator, other_moderator):
    second = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    assert bytes(second.patch) == bytes(live.patch), "other thresholds stand on what is live"
    releases.start_shadow(release=second, moderator=moderator, reason=WHY)
    shadow.compare_stored(second.pk)
    releases.publish(release=second, moderator=other_moderator, reason=WHY)
    assert (state_of(live), state_of(second)) == ("retired", "live")
    assert releases.before_live() == live
    releases.roll_back(moderator=moderator, reason=WHY, to=live)
    assert (state_of(live), state_of(second)) == ("live", "retired")
    assert live_models.live().release.number == live.number


@pytest.fixture
def second(live, moderator):
    """In its shadow, compared beside the first, which is live."""
    made = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    shadow.compare_stored(made.pk)
    return made


def test_thresholds_bring_no_patch_back_that_was_rolled_back(live, second, moderator, other_moderator):
    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    with pytest.raises(ValidationError, match="would also change listing-text"):
        releases.publish(release=second, moderator=other_moderator, reason=WHY)
    releases.roll_back(moderator=moderator, reason=WHY, to=live)
    releases.publish(release=second, moderator=other_moderator, reason=WHY)
    assert state_of(second) == "live"


def test_a_shadow_is_held_against_what_is_live_by_then(live, moderator, other_moderator):
    """Beside the first its patch changes nothing; beside the published file it does."""
    second = releases._draft(moderator, WHY, live_models.read_live(), FITTED["patch"], {}, FITTED["figures"])
    releases.start_shadow(release=second, moderator=moderator, reason=WHY)
    shadow.compare_stored(second.pk)
    second.refresh_from_db()
    assert shadow.figures(second)["other"] == 0
    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    with pytest.raises(ValidationError, match="not gone over the stored listings"):
        releases.publish(release=second, moderator=other_moderator, reason=WHY)
    assert state_of(second) == "shadow"
    second.refresh_from_db()
    tasks._send_shadow()  # the sweeper sends it again
    shadow.compare_stored(second.pk)
    second.refresh_from_db()
    assert second.compared_with == 0
    assert shadow.figures(second)["looked"] == second.looks.filter(against=0).count() > 0
    assert {look.against for look in second.looks.all()} == {0, live.number}
    releases.publish(release=second, moderator=other_moderator, reason=WHY)
    assert state_of(second) == "live"


def test_golden_texts_are_asked_again_before_anything_counts(live, second, moderator, monkeypatch):
    def other_texts(release):
        raise ValidationError("It would change the golden text “kettle”.")

    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    with monkeypatch.context() as later:
        later.setattr(live_models, "refuse_flips", other_texts)
        with pytest.raises(ValidationError, match="golden text “kettle”"):
            releases.roll_back(moderator=moderator, reason=WHY, to=live)
        Release.objects.filter(pk=live.pk).update(state="live")  # past this module
        live_models.forget()
        assert live_models.live().release is None
        assert "golden text “kettle”" in live_models.live().problem
    live_models.forget()
    assert live_models.live().release.number == live.number


def test_other_golden_texts_are_asked_anew(live, tmp_path):
    folder = tmp_path / "published"
    shutil.copytree(manifest.PUBLISHED, folder)
    release = live_models.of_row(live)
    assert patch_check.flips(release, folder) == []
    texts = json.loads((folder / patch.GOLDEN).read_text())
    texts[0]["decision"] = "pass" if texts[0]["decision"] == "block" else "block"
    (folder / patch.GOLDEN).write_text(json.dumps(texts))
    assert patch_check.flips(release, folder)


def test_what_somebody_else_published_meanwhile_is_not_rolled_back(live, moderator, as_user):
    with pytest.raises(ValidationError, match=f"p{live.number} is live by now"):
        releases.roll_back(moderator=moderator, reason=WHY, to=None, seen=0)
    with pytest.raises(ValidationError, match="is live already"):
        releases.roll_back(moderator=moderator, reason=WHY, to=live)
    page = as_user(moderator)
    page.post(reverse("moderation-models"), {"action": "back", "live": "0", "reason": WHY})
    assert state_of(live) == "live"
    page.post(reverse("moderation-models"), {"action": "back", "live": live.number, "reason": WHY})
    assert state_of(live) == "retired"


def test_what_was_removed_for_its_photo_is_no_wrong_decision(decided):
    wrong = [each.decision for each in releases.wrong_decisions()]
    assert len(wrong) > 10
    for each in wrong[:3]:
        RemovedPhoto.objects.create(decision=each, sha256="0" * 64, policy="drugs")
    assert [each.decision for each in releases.wrong_decisions()] == wrong[3:]
    assert [each.decision for each in releases.wrong_decisions("drugs")] == wrong[3:]
    assert releases.wrong_decisions("weapons") == []


def test_the_list_of_wrong_decisions_asks_as_often_for_many_as_for_few(decided):
    asked = []
    for most in (2, 15):
        with CaptureQueriesContext(connection) as caught:
            assert len(releases.wrong_decisions(most=most)) == most
        asked.append(len(caught))
    assert asked[0] == asked[1]


def test_the_simulator_counts_what_was_scored_as_now_and_starts_where_the_release_does(
    decided, moderator, other_moderator, merchant, make_listing
):
    made = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    shadow.compare_stored(made.pk)
    releases.publish(release=made, moderator=other_moderator, reason=WHY)
    since = timezone.now() - timedelta(days=1)
    found = thresholds.histogram("device", since)
    assert found.published("drugs")["block"] == 0.9576
    assert found.version.endswith(f"+p{made.number}")
    assert live_models.scored_alike() == (found.version.split("+")[0], found.version)


def test_a_damaged_patch_falls_back_to_the_published_model_and_says_so(live, client, moderator, as_user):
    Release.objects.filter(pk=live.pk).update(patch=b"x" + bytes(live.patch)[1:])
    live_models.forget()
    verdict = say(**PARAPHRASE)
    assert "+p" not in verdict.version and "damaged" in verdict.detail["release_problem"]
    assert "release" not in client.get("/api/models/manifest").json()["models"]["listing-text"]
    assert client.get(reverse("api:model_patch", args=[live.patch_sha256])).status_code == 404
    assert "damaged" in as_user(moderator).get(reverse("moderation-models")).content.decode()


def test_a_release_of_another_model_file_is_not_used(live):
    Release.objects.filter(pk=live.pk).update(model_sha256="0" * 64)
    live_models.forget()
    assert live_models.live().release is None and "another file" in live_models.live().problem


def test_a_patch_that_never_was_live_is_not_given_out(in_shadow, client):
    assert client.get(reverse("api:model_patch", args=[in_shadow.patch_sha256])).status_code == 404
    assert client.get(reverse("api:model_patch", args=["0" * 64])).status_code == 404


def claim_of(release):
    fields = fields_of((PARAPHRASE["title"], PARAPHRASE["description"]))
    said = text.check_text(fields, where="device", release=release)
    found = gate.run_gate(fields)
    claim = claims.parse_claim(json.dumps(said), fields)
    claims.compare(claim, claims.same_run(claim, fields, found), gate.tolerance())
    return claim


def test_a_claim_from_before_the_patch_is_held_against_its_own_model(live):
    before = claim_of(None)
    assert "+p" not in before.version
    assert before.detail == {"other_release": f"{before.version}+p{live.number}"}
    assert claim_of(live_models.of_row(live)).detail == {}


def test_a_claim_made_with_a_patch_that_was_rolled_back_is_no_lie(live, moderator):
    releases.roll_back(moderator=moderator, reason=WHY, to=None)
    claim = claim_of(live_models.of_row(live))
    assert set(claim.detail) == {"other_release"}


@pytest.mark.parametrize("version", ["{}+p99", "{}+p0", "{}+p99999999999999", "{}+p-1", "{}+px", "{}+p"])
def test_a_claim_with_an_unknown_patch_is_not_believed_and_breaks_nothing(live, version, merchant):
    fields = fields_of((PARAPHRASE["title"], PARAPHRASE["description"]))
    said = text.check_text(fields, where="device")
    said["version"] = version.format(said["version"])
    listing = submission.submit(seller=merchant, content=WORDS | PARAPHRASE, photos=[], claim=json.dumps(said))
    claim = listing.verdicts.get(where="device")
    assert claim.detail["disbelieved"]
    assert "differs_from_gate" not in claim.detail


def test_the_record_of_steps_is_not_changed(draft):
    step = ReleaseChange.objects.get()
    for tried in (lambda: ReleaseChange.objects.update(reason="another"), step.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            tried()


def test_the_page_leads_from_decisions_to_live_and_back(decided, moderator, other_moderator, as_user):
    page, client, other = reverse("moderation-models"), as_user(moderator), as_user(other_moderator)
    shown = client.get(page).content.decode()
    assert shown.count('name="decision"') == 19
    chosen = [each.decision.pk for each in releases.wrong_decisions()]
    assert client.post(page, {"action": "fit", "decision": chosen, "reason": "short"}).status_code == 400
    assert client.post(page, {"action": "fit", "decision": chosen, "reason": WHY}).status_code == 302
    made = Release.objects.get()
    assert client.post(page, {"action": "shadow", "release": made.number, "reason": WHY}).status_code == 302
    shadow.compare_stored(made.pk)
    refused = client.post(page, {"action": "publish", "release": made.number, "reason": WHY})
    assert refused.status_code == 400 and "another moderator" in refused.content.decode()
    assert other.post(page, {"action": "publish", "release": made.number, "reason": WHY}).status_code == 302
    assert f"+p{made.number}" in client.get(page).content.decode()
    assert client.post(page, {"action": "back", "release": "", "reason": WHY}).status_code == 302
    assert state_of(made) == Release.State.RETIRED
    for odd in ({"action": "publish", "release": "x"}, {"action": "burn"}, {"action": "fit", "decision": ["9" * 30]}):
        assert client.post(page, odd | {"reason": WHY}).status_code == 400


def test_the_page_is_for_moderators(merchant, as_user, client):
    assert as_user(merchant).get(reverse("moderation-models")).status_code == 403
    assert client.get(reverse("moderation-models")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_moderators_who_publish_at_once_one_does(moderator, other_moderator):
    row = releases.draft_points(moderator=moderator, points={"block": 0.9576}, reason=WHY)
    releases.start_shadow(release=row, moderator=moderator, reason=WHY)
    shadow.compare_stored(row.pk)
    together, said = threading.Barrier(2), []

    def publish(by):
        together.wait()
        try:
            releases.publish(release=row, moderator=by, reason=WHY)
            said.append("published")
        except ValidationError as error:
            said.append(error.messages[0])
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=[by]) for by in (moderator, other_moderator)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("published") == 1 and any("somebody else was faster" in each for each in said), said
    assert ReleaseChange.objects.filter(target="live").count() == 1
