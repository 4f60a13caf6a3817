import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from listings.lifecycle import Status
from listings.models import Decision, ReviewJob, StatusChange, Verdict
from listings.moderation import decisions, evidence

REASON = "Butterfly knives cannot be sold here."


def test_a_decision_is_recorded_with_who_and_why(make_case, moderator):
    case = make_case()
    decisions.reject(job=case, moderator=moderator, policy="weapons", reason=REASON)
    case.listing.refresh_from_db()
    assert case.listing.status == Status.REJECTED
    assert case.listing.status_note == f"Weapons: {REASON}"
    assert StatusChange.objects.get().actor == moderator
    assert Decision.objects.get().policy == "weapons"


@pytest.mark.django_db(transaction=True)
def test_of_two_moderators_at_the_same_moment_one_decides(make_case, moderator):
    case, results = make_case(), []
    start = threading.Barrier(2)

    def decide(approve: bool) -> None:
        job = ReviewJob.objects.select_related("listing").get(pk=case.pk)
        start.wait()
        try:
            if approve:
                decisions.approve(job=job, moderator=moderator)
            else:
                decisions.reject(job=job, moderator=moderator, policy="weapons", reason=REASON)
            results.append(approve)
        except ValidationError:
            results.append(None)
        connection.close()

    threads = [threading.Thread(target=decide, args=[approve]) for approve in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(None) == 1
    case.listing.refresh_from_db()
    assert case.listing.status == (Status.PUBLISHED if True in results else Status.REJECTED)
    assert Decision.objects.count() == 1


def test_a_listing_edited_after_the_page_was_opened_is_not_decided(make_case, moderator):
    case = make_case()
    type(case.listing).objects.filter(pk=case.listing.pk).update(revision=2)
    with pytest.raises(ValidationError, match="changed or withdrawn"):
        decisions.approve(job=case, moderator=moderator)
    case.refresh_from_db()
    assert case.state == "open", "nothing of the failed decision stays"


def test_nobody_decides_on_their_own_listing_or_without_the_role(make_case, merchant, moderator, shopper):
    case = make_case()
    with pytest.raises(PermissionDenied):
        decisions.approve(job=case, moderator=shopper)
    merchant.role = "moderator"
    merchant.save()
    with pytest.raises(PermissionDenied):
        decisions.approve(job=case, moderator=merchant)


def test_evidence_shows_marks_of_this_revision_and_none_of_a_disbelieved_claim(make_case):
    case = make_case("Shotgun microphone")
    span = {"field": "title", "start": 0, "end": 7, "weight": 3.0}
    common = {"listing": case.listing, "model": "listing-text", "decision": "warn", "policy": "weapons"}
    Verdict.objects.create(revision=1, where="cloud", evidence=[span], scores={"weapons": 0.9, "safe": 0.1}, **common)
    Verdict.objects.create(revision=1, where="device", evidence=[span], detail={"disbelieved": "Forged."}, **common)
    Verdict.objects.create(revision=7, where="cloud", evidence=[span], **common)
    cloud, device = evidence.of_words(case)
    assert cloud.fields == [("Title", "Shotgun microphone", [span])]
    assert cloud.scores == [("Weapons", 0.9), ("Nothing forbidden", 0.1)]
    assert device.fields == []
    assert "Forged." in device.note


def test_evidence_says_when_a_model_knew_too_few_of_the_words(make_case):
    case = make_case("Tisch aus Eiche")
    common = {"listing": case.listing, "revision": 1, "where": "gate", "decision": "unsure"}
    Verdict.objects.create(model="listing-text", detail={"coverage": 0.12}, **common)
    Verdict.objects.create(model="listing-text", policy="weapons", detail={"coverage": 0.9}, **common)
    foreign, doubtful = evidence.of_words(case)
    assert "12%" in foreign.note
    assert doubtful.note == ""


@pytest.mark.parametrize("named", ["listing-text-gate", "contact-details", "listing-text-cloud"])
def test_a_device_cannot_speak_under_the_name_of_one_of_the_servers_checks(named):
    said = {where: evidence.title(Verdict(where=where, model=named, decision="pass")) for where in ("device", "gate")}
    assert said["device"] == "The merchant's device"
    assert said["gate"] != said["device"]
