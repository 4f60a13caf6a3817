"""Queue, case, bulk and undo through the pages; what a merchant and a reporter see."""

from datetime import timedelta

import pytest
from django.utils import timezone

from listings import submission
from listings.lifecycle import Status
from listings.models import Decision, Listing, Notice, PendingDecision, ReviewJob, Verdict
from listings.moderation import appeals, claims, decisions, queue, statements
from tests.conftest import person
from tests.listings.conftest import WORDS

REASON = "Butterfly knives cannot be sold here."


@pytest.fixture
def second(db):
    return person("max", "moderator")


@pytest.fixture
def console(as_user, moderator):
    return as_user(moderator)


def word(case, action, **said):
    return {"action": action, "revision": case.revision} | said


def page(client, path, status=200):
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def test_the_next_case_is_taken_and_the_one_after_follows_by_itself(console, moderator, make_case):
    first, following = make_case("First"), make_case("Following")
    answer = console.post("/moderation/next/?order=oldest")
    assert answer.url == f"/moderation/{first.pk}/?order=oldest"
    first.refresh_from_db()
    assert first.claimed_by == moderator
    answer = console.post(answer.url, word(first, "approve"))
    assert answer.url == f"/moderation/{following.pk}/?order=oldest"
    shown = page(console, answer.url)
    assert "Undo" in shown and "First" in shown
    answer = console.post(answer.url, word(following, "approve"))
    assert answer.url == "/moderation/?order=oldest"


def test_what_the_device_said_like_the_gate_is_folded_and_what_differs_is_not(console, make_case):
    case = make_case("Butterfly knife")
    span = {"field": "title", "start": 0, "end": 9, "weight": 2.0}
    common = {"listing": case.listing, "revision": 1, "model": "listing-text", "version": "5", "policy": "weapons"}
    common |= {"decision": "warn", "evidence": [span]}
    device = Verdict.objects.create(where="device", scores={"weapons": 0.91, "safe": 0.09}, **common)
    Verdict.objects.create(where="gate", scores={"weapons": 0.91001, "safe": 0.08999}, **common)
    folded = page(console, f"/moderation/{case.pk}/")
    assert folded.index("Server gate") < folded.index("The device said the same")
    assert folded.count("<mark") == 2
    for field, value in (("scores", {"weapons": 0.9, "safe": 0.1}), ("evidence", []), ("detail", {"disbelieved": "-"})):
        before = getattr(device, field)
        Verdict.objects.filter(pk=device.pk).delete()
        device.pk, device._state.adding = None, True
        setattr(device, field, value)
        device.save()
        assert "The device said the same" not in page(console, f"/moderation/{case.pk}/"), field
        setattr(device, field, before)


def test_an_appeal_says_once_what_it_is(console, second, merchant, make_case):
    decision = decisions.reject(job=make_case(), moderator=second, policy="weapons", reason=REASON)
    appeals.appeal(decision=decision, person=merchant, text="It is a paper knife, and blunt.")
    case = ReviewJob.objects.get(kind="appeal")
    shown = page(console, f"/moderation/{case.pk}/")
    assert shown.count("The merchant asks for another look") == 1
    assert "It is a paper knife, and blunt." in shown


def test_a_preview_without_a_reason_says_where_it_will_stand(console, make_case):
    case = make_case()
    said = {"job": case.pk, "of": "reject", "policy": "weapons", "reason": ""}
    shown = console.post("/moderation/preview/", said).content.decode()
    assert "Your reason stands here." in shown and "(your reason)" not in shown


def test_a_decision_is_taken_back_from_the_page(console, make_case):
    case = make_case()
    console.post(f"/moderation/{case.pk}/", word(case, "reject", policy="weapons", reason=REASON))
    pending = PendingDecision.objects.get()
    answer = console.post("/moderation/undo/", {"pending": [pending.pk]})
    assert answer.url == f"/moderation/{case.pk}/"
    assert "The case is yours again" in page(console, answer.url)
    console.post(f"/moderation/{case.pk}/", word(case, "reject", policy="weapons", reason=REASON))
    made = PendingDecision.objects.get(state="pending")
    decisions.settle(made.pk)
    answer = console.post("/moderation/undo/", {"pending": [made.pk]}, follow=True)
    assert "Too late" in answer.content.decode()
    assert console.post("/moderation/undo/", {"pending": ["x"]}, follow=True).status_code == 200


def test_somebody_elses_case_shows_who_and_takes_nothing_of_what_was_written(console, second, make_case):
    case = make_case()
    claims.take(case.pk, second)
    assert "max is at work on this case" in page(console, f"/moderation/{case.pk}/")
    answer = console.post(f"/moderation/{case.pk}/", word(case, "reject", policy="weapons", reason=REASON))
    assert answer.status_code == 409
    ReviewJob.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert "Reject" in page(console, f"/moderation/{case.pk}/")


def test_a_lease_is_renewed_or_the_loss_is_told(console, moderator, second, make_case):
    case = make_case()
    claims.take(case.pk, moderator)
    assert console.post(f"/moderation/{case.pk}/renew/").status_code == 200
    ReviewJob.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    claims.take(case.pk, second)
    lost = console.post(f"/moderation/{case.pk}/renew/")
    assert lost.status_code == 409 and "max has taken this case" in lost.json()["message"]
    decisions.approve(job=case, moderator=second)
    assert "decided" in console.post(f"/moderation/{case.pk}/renew/").json()["message"]
    assert console.post("/moderation/999999/renew/").status_code == 404


@pytest.mark.parametrize("action", ["skip", "release", "take"])
def test_a_case_is_skipped_put_back_or_taken(console, make_case, action):
    case = make_case()
    assert console.post(f"/moderation/{case.pk}/", {"action": action}).status_code == 302


def test_passing_on_needs_a_word_for_the_next(console, make_case):
    case = make_case()
    answer = console.post(f"/moderation/{case.pk}/", {"action": "escalate", "reason": ""})
    assert answer.status_code == 400 and "what the next moderator should know" in answer.content.decode()
    assert (
        console.post(f"/moderation/{case.pk}/", {"action": "escalate", "reason": "Is it antique?"}).status_code == 302
    )
    assert "Passed on" in page(console, "/moderation/?lane=escalated")


def test_the_preview_shows_what_the_merchant_will_read(console, make_case):
    case = make_case()
    said = {"of": "reject", "policy": "weapons", "reason": "<b>Because</b>", "job": case.pk}
    (message,) = console.post("/moderation/preview/", said).json()["messages"]
    assert message["title"] == "“Shotgun microphone” is not allowed here"
    assert "Weapons: <b>Because</b>." in message["paragraphs"]
    shown = console.post(f"/moderation/{case.pk}/", said | {"action": "preview"}).content.decode()
    assert "&lt;b&gt;Because" in shown and "<b>Because" not in shown
    nonsense = {"of": "nonsense", "policy": "x" * 99, "job": case.pk, "photos": "x"}
    assert console.post("/moderation/preview/", nonsense).status_code == 200
    assert console.post("/moderation/preview/", {"job": "x"}).json() == {"messages": []}


@pytest.mark.parametrize("query", ["?lane=x&policy=y&order=z", "?after=nonsense", "?policy=none", "?lane=appeals"])
def test_nonsense_in_the_address_shows_the_queue(console, make_case, query):
    make_case()
    page(console, f"/moderation/{query}")


def test_nothing_unknown_is_done_to_a_case(console, make_case):
    case = make_case()
    for data in (
        {"action": "explode"},
        {},
        {"action": "approve", "revision": "x"},
        {"action": "approve", "revision": "7"},
    ):
        assert console.post(f"/moderation/{case.pk}/", data).status_code == 400
    assert not PendingDecision.objects.exists()


# --- Several at once -------------------------------------------------------------------------------------------------
def test_several_are_decided_together_without_those_left_out_and_taken_back(console, moderator, second, make_case):
    cases = [make_case(f"Knife {number}") for number in range(4)]
    claims.take(cases[3].pk, second)
    chosen = {"job": [case.pk for case in cases], "action": "reject"}
    shown = console.post("/moderation/bulk/", chosen).content.decode()
    assert "Left out: max is at work on it" in shown and not PendingDecision.objects.exists()
    sure = {"sure": "1", "action": "reject", "policy": "weapons", "reason": REASON, "job": [c.pk for c in cases[:2]]}
    revisions = {f"revision-{case.pk}": case.revision for case in cases}
    assert console.post("/moderation/bulk/", sure | revisions).status_code == 302
    assert PendingDecision.objects.filter(state="pending").count() == 2
    assert PendingDecision.objects.values("batch").distinct().count() == 1
    keys = list(PendingDecision.objects.values_list("pk", flat=True))
    console.post("/moderation/undo/", {"pending": keys[:1]})
    decisions.settle_due(timezone.now() + timedelta(minutes=1))
    assert Decision.objects.count() == 1


def test_together_reads_to_each_merchant_as_one_by_one(console, make_case, other_merchant, no_undo):
    alone, first, other = make_case("Knife alone"), make_case("Knife 1"), make_case("Knife 2")
    Listing.objects.filter(pk=other.listing.pk).update(seller=other_merchant)
    said = {"policy": "weapons", "reason": REASON}
    console.post(f"/moderation/{alone.pk}/", word(alone, "reject", **said))
    several = said | {"job": [first.pk, other.pk], "action": "reject"}
    shown = console.post("/moderation/bulk/", several).content.decode()
    sent = console.post("/moderation/preview/", several | {"of": "reject"}).json()["messages"]
    revisions = {f"revision-{case.pk}": case.revision for case in (first, other)}
    console.post("/moderation/bulk/", several | revisions | {"sure": "1"})
    as_alone = Notice.objects.get(title__contains="alone")
    for case, message in zip((first, other), sent, strict=True):
        title = case.listing.title
        notice = Notice.objects.get(title__contains=title)
        assert notice.person_id == Listing.objects.get(pk=case.listing_id).seller_id
        assert (notice.title, notice.text.split("\n\n")) == (message["title"], message["paragraphs"])
        assert notice.text == as_alone.text.replace("Knife alone", title)
        assert f"<summary>{message['title']}</summary>" in shown and message["paragraphs"][0] in shown
        one, many = (statements.as_row(Decision.objects.get(review_job=each)) for each in (alone, case))
        own = ("statement", "decided_at", "listing", "listing_title", "listing_url", "appeal_until")
        assert many["listing_title"] == title
        assert {name: one[name] for name in one if name not in own} == {
            name: many[name] for name in many if name not in own
        }


def test_a_bulk_decision_without_a_reason_is_refused_with_all_still_chosen(console, make_case):
    case = make_case("Knife")
    said = {"sure": "1", "action": "reject", "policy": "weapons", "reason": "", "job": [case.pk]}
    answer = console.post("/moderation/bulk/", said | {f"revision-{case.pk}": 1})
    assert answer.status_code == 400 and "Write the reason" in answer.content.decode()
    assert f'value="{case.pk}" checked' in answer.content.decode()


@pytest.mark.parametrize("jobs", [[], ["x"], [str(number) for number in range(99)]])
def test_an_empty_or_endless_choice_is_refused(console, make_case, jobs):
    make_case()
    answer = console.post("/moderation/bulk/", {"job": jobs, "action": "approve"}, follow=True)
    assert "notice--error" in answer.content.decode()


# --- Merchants and reporters -----------------------------------------------------------------------------------------
def test_a_merchant_reads_why_and_asks_for_another_look(as_user, merchant, other_merchant, moderator, make_case):
    decision = decisions.reject(job=make_case("Knife"), moderator=moderator, policy="weapons", reason=REASON)
    client = as_user(merchant)
    assert "Notices (1)" in page(client, "/")
    assert REASON in page(client, "/notices/")
    notice = Notice.objects.get()
    assert client.post(f"/notices/{notice.pk}/").url == f"/decisions/{decision.pk}/"
    assert "Notices (" not in page(client, "/")
    assert f"/decisions/{decision.pk}/" in page(client, "/sell/")
    shown = page(client, f"/decisions/{decision.pk}/")
    assert REASON in shown and "Ask for another look" in shown and moderator.username not in shown
    answer = client.post(f"/decisions/{decision.pk}/", {"text": "no"})
    assert answer.status_code == 400 and "ten characters" in answer.content.decode()
    text = "It has no blade at all, it is a comb."
    assert client.post(f"/decisions/{decision.pk}/", {"text": text}).status_code == 302
    assert "looks at it" in page(client, f"/decisions/{decision.pk}/")
    assert client.post(f"/decisions/{decision.pk}/", {"text": text}).status_code == 400
    assert "moderator" not in client.get(f"/decisions/{decision.pk}/statement.json").json()
    page(client, "/decisions/")
    for address in (f"/decisions/{decision.pk}/", f"/decisions/{decision.pk}/statement.json"):
        page(as_user(other_merchant), address, 404)
        assert as_user(moderator).get(address).status_code == 200
    assert as_user(other_merchant).post(f"/notices/{notice.pk}/").status_code == 404


def test_an_appeal_is_decided_on_its_own_page(as_user, merchant, moderator, second, make_case, no_undo):
    decision = decisions.reject(job=make_case("Knife"), moderator=moderator, policy="weapons", reason=REASON)
    appeals.appeal(decision=decision, person=merchant, text="It has no blade at all, it is a comb.")
    job = ReviewJob.objects.get(kind="appeal")
    shown = page(as_user(second), f"/moderation/{job.pk}/")
    assert "The decision it is against" in shown and "Overturn" in shown and "no blade" in shown
    answer = as_user(second).post(
        f"/moderation/{job.pk}/", word(job, "overturn", reason="You are right: it is a comb.")
    )
    assert answer.status_code == 302
    assert Listing.objects.get().status == Status.PUBLISHED
    assert "Overturned" in page(as_user(merchant), f"/decisions/{decision.pk}/")


def test_whoever_sees_a_listing_can_report_it_signed_in_or_not(client, as_user, shopper, merchant, make_listing):
    listing = make_listing("Kettle")
    address = f"/item/{listing.public_id}/report/"
    assert address in page(client, listing.get_absolute_url())
    assert address not in page(as_user(merchant), listing.get_absolute_url())
    page(client, address)
    answer = client.post(address, {"policy": "", "text": "no"})
    assert answer.status_code == 400 and "ten characters" in answer.content.decode()
    assert client.post(address, {"policy": "weapons", "text": ""}).status_code == 302
    assert as_user(shopper).post(address, {"policy": "", "text": "Stolen from my garden."}).status_code == 302
    assert ReviewJob.objects.get().reports.count() == 2
    assert client.get("/item/nonsense99/report/").status_code == 404


def test_too_many_reports_are_refused_with_a_sentence(as_user, shopper, make_listing, monkeypatch):
    monkeypatch.setattr("listings.trust.settings.value", lambda name: 0)
    answer = as_user(shopper).post(f"/item/{make_listing().public_id}/report/", {"policy": "weapons"})
    assert answer.status_code == 429 and "come back tomorrow" in answer.content.decode()


def test_what_the_checks_sent_back_is_laid_before_a_person(as_user, merchant, make_listing):
    listing = make_listing(status=Status.NEEDS_CHANGES, status_note="Weapons: the words suggest it.")
    client = as_user(merchant)
    assert f"/sell/{listing.public_id}/ask/" in page(client, "/sell/")
    client.post(f"/sell/{listing.public_id}/ask/")
    assert Listing.objects.get().status == Status.IN_REVIEW
    assert "notice--error" in client.post(f"/sell/{listing.public_id}/ask/", follow=True).content.decode()


def test_an_edit_is_shown_word_by_word(console, make_listing, merchant):
    listing = make_listing("Wooden train set, 20 pieces", description=WORDS["description"], category="toys")
    submission.resubmit(listing=listing, seller=merchant, content=WORDS, photos=[], base_edits=1)
    listing.refresh_from_db()
    Listing.objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
    case = queue.open_job(listing, revision=2, cause="-")
    shown = page(console, f"/moderation/{case.pk}/")
    assert "<del>20</del><ins>24</ins>" in shown and "Revision 2" in shown


def test_look_alikes_and_the_sellers_record_stand_beside_a_case(
    console, make_case, make_listing, other_merchant, moderator
):
    decisions.reject(job=make_case("Old knife"), moderator=moderator, policy="weapons", reason=REASON)
    case = make_case("Twin")
    Listing.objects.filter(pk=case.listing.pk).update(fingerprint="f")
    make_listing("Its twin", seller=other_merchant, fingerprint="f")
    shown = page(console, f"/moderation/{case.pk}/")
    assert "Its twin" in shown and "the same words" in shown
    assert "Old knife" in shown and "<dt>Strikes</dt><dd>1</dd>" in shown


def test_a_word_is_kept_when_it_cannot_be_decided(console, make_case, merchant):
    case = make_case()
    Listing.objects.filter(pk=case.listing.pk).update(status=Status.ENDED)
    answer = console.post(f"/moderation/{case.pk}/", word(case, "reject", policy="weapons", reason=REASON))
    assert answer.status_code == 400 and REASON in answer.content.decode()
