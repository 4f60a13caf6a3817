import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings import live_models
from listings.models import ReviewJob, ValidationJob, Verdict
from listings.moderation import appeals, decisions, quality_jobs
from listings.moderation.decisions import Word
from models import manifest
from tests.conftest import person

ADDRESS = "/moderation/quality/"
REASON = "This cannot be sold here, as the rules say."
QUERIES = 27  # of one view of the page, with those of the session


@pytest.fixture
def decided(make_case, make_listing, moderator, merchant, monkeypatch):
    """Cases with verdicts, decided by the real functions: rejected, approved, looked at again, appealed, sampled."""
    entry = manifest.load()["models"]
    # Every decision is looked at again.
    monkeypatch.setattr(quality_jobs._random, "random", lambda: 0.0)
    second = person("noor", "moderator")

    def said(listing, unsafe):
        scores = dict.fromkeys(entry["listing-text"]["labels"], 0.0) | {"weapons": unsafe, "safe": 1 - unsafe}
        found = "warn" if unsafe > 0.8 else "pass"
        for where, model in (("device", "listing-text"), ("gate", "listing-text"), ("cloud", "listing-text-cloud")):
            Verdict.objects.create(
                listing=listing, revision=1, where=where, model=model, version=entry[model]["version"], scores=scores,
                decision=found, policy="weapons" if found == "warn" else "",
            )  # fmt: skip

    def make(number=1):
        for _ in range(number):
            for word, other in (("reject", "reject"), ("reject", "approve"), ("approve", "approve")):
                case = make_case(policy="weapons")
                said(case.listing, 0.9)
                first = decisions.decide(job=case, moderator=moderator, word=Word(word, "weapons", REASON))
                again = ReviewJob.objects.get(about=first, kind="second")
                decisions.decide(job=again, moderator=second, word=Word(other, "weapons", REASON))
                if (word, other) == ("reject", "approve"):
                    appeals.appeal(decision=first, person=merchant, text="This is a harmless thing.")
            listing = make_listing()
            said(listing, 0.02)
            ValidationJob.objects.create(
                listing=listing, revision=1, category="kitchen", state="done", outcome="published",
                finished_at=timezone.now(),
            )  # fmt: skip
        quality_jobs.draw_sample()
        for job in ReviewJob.objects.filter(kind="sample", state="open"):
            decisions.decide(job=job, moderator=moderator, word=Word("approve"))

    return make


def test_an_empty_site_says_what_is_needed(as_user, moderator):
    answer = as_user(moderator).get(ADDRESS)
    page = answer.content.decode()
    assert answer.status_code == 200
    for needed in (
        "No case with a suspected policy was decided",
        "Recall is not known yet.",
        "Nobody answered a case with a known answer",
        "No case was decided twice",
        "There is no pair yet.",
        "Too little data: no model",
        "This version of the model has scored nothing in this period.",
        "Nothing was decided in this period.",
    ):
        assert needed in page
    assert "simulator-data" not in page


def test_the_queue_leads_to_it(as_user, moderator):
    assert f'href="{ADDRESS}"' in as_user(moderator).get("/moderation/").content.decode()


def test_numbers_stand_in_tables(as_user, moderator, decided):
    decided()
    page = as_user(moderator).get(ADDRESS).content.decode()
    assert '<th scope="row">Weapons</th><td>3</td><td>2</td><td>66.7 %</td>' in page
    assert "0 of 1 samples were violations" in page
    assert '<dd class="figure__number">100 %</dd>' in page, "the one sample was none, and nobody reported anything"
    assert "to 100 %: its upper end, for no sample was a violation so far" in page
    assert "1 sample, enough</span>" in page, "all that passed"
    assert "2 of 3 cases decided alike; 95 % interval -" in page
    assert "Approved</a> (weapons) by noor" in page
    row = re.search(r'<th scope="row">Words: device against cloud</th>(.*?)</tr>', page)[1]
    assert row == "<td>4</td><td>1</td><td>0</td><td>0</td><td>3</td><td>0 %</td><td>0 % – 60.2 %</td>"
    assert "new: no weeks before" in page
    assert "1 appeal came in this period; 1 waits for an answer" in page


def test_the_simulator_reckons_a_threshold_of_the_address_without_a_script(as_user, moderator, decided):
    decided()
    page = (
        as_user(moderator).get(ADDRESS, {"model": "device", "policy": "weapons", "threshold": "0.95"}).content.decode()
    )
    row = re.search(r'<th scope="row">Recall of known violations</th>(.*?)</tr>', page)[1]
    assert row == '<td data-out="recall">0 %</td><td data-out="recall">100 %</td>', "simulated beside published"
    row = re.search(r'<th scope="row">Precision</th>(.*?)</tr>', page)[1]
    assert row == '<td data-out="precision">–</td><td data-out="precision">66.7 %</td>'
    row = re.search(r'<th scope="row">Queue: doubted a day</th>(.*?)</tr>', page)[1]
    assert row == '<td data-out="held_a_day">0.0</td><td data-out="held_a_day">3.0</td>'
    row = re.search(r'<th scope="row">Calls saved: the larger model not asked</th>(.*?)</tr>', page)[1]
    assert row == '<td data-out="saved">100 %</td><td data-out="saved">25 %</td>'
    drawn = json.loads(re.search(r'id="simulator-data" type="application/json">(.*?)</script>', page)[1])
    points = manifest.load()["models"]["listing-text"]["operating_points"]
    assert drawn["published"]["weapons"]["unsure"] == points["unsure"]
    assert drawn["rows"]["weapons"] == [[200, 0, 1, 0], [9000, 2, 1, 0]]
    assert 'value="0.95"' in page


def test_the_workers_model_saves_no_calls(as_user, moderator, decided):
    decided()
    page = as_user(moderator).get(ADDRESS, {"model": "cloud"}).content.decode()
    assert "Recall of known violations" in page
    assert "Calls saved: the larger model not asked" not in page


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("threshold", "high", "Write a number in digits"),
        ("threshold", "nan", "Write a number in digits"),
        ("threshold", "1e999", "from 0.01 to 1"),
        ("threshold", "2", "from 0.01 to 1"),
        ("threshold", "-1", "from 0.01 to 1"),
        ("threshold", "0.123456", "from 0.01 to 1"),
        ("threshold", "0.5\x00", "Write a number in digits"),
        ("model", "<b>", "Choose one of the models."),
        ("policy", "kittens", "Choose one of the policies."),
        ("days", "8", "Choose 7, 30 or 90 days."),
    ],
)
def test_what_makes_no_sense_is_said_and_the_default_stands_in(as_user, moderator, decided, field, value, message):
    decided()
    answer = as_user(moderator).get(ADDRESS, {field: value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert message in page
    assert "<b>" not in page
    assert "of the last 30 days" in page
    assert "Recall of known violations" in page


def test_without_the_models_the_rest_of_the_page_stands(as_user, moderator, decided, models_away):
    decided()
    with models_away():
        page = as_user(moderator).get(ADDRESS).content.decode()
    assert "The model manifest is missing" in page
    assert '<th scope="row">Weapons</th><td>3</td><td>2</td>' in page


def test_so_many_queries_and_no_more_with_more_rows(as_user, moderator, decided):
    client = as_user(moderator)

    def queries():
        live_models.forget()  # what is live is read every two seconds
        with CaptureQueriesContext(connection) as caught:
            client.get(ADDRESS)
        return len(caught)

    decided()
    client.get(ADDRESS)
    assert queries() == QUERIES
    decided(5)
    assert queries() == QUERIES
