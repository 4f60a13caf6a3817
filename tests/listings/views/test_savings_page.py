import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings.models import Debt, OwedCheck, ValidationJob, Verdict

ADDRESS = "/moderation/savings/"


@pytest.fixture
def avoided(make_listing):
    """Revisions that were published first and withdrawn before their heavy check, and one that was checked first."""

    def make(number=1):
        for _ in range(number):
            listing = make_listing()
            job = ValidationJob.objects.create(listing=listing, revision=1, category="kitchen", state="dropped")
            OwedCheck.objects.create(job=job, name="words", state="dropped")
            Debt.objects.create(listing=listing, job=job, risk=0.1, state="void", impressions=4)
        listing = make_listing()
        job = ValidationJob.objects.create(listing=listing, revision=1, category="kitchen", state="done")
        OwedCheck.objects.create(job=job, name="words", state="done")
        Verdict.objects.create(
            listing=listing, revision=1, where="cloud", model="listing-text-cloud", decision="pass", ms=3_600_000
        )

    return make


def test_an_empty_site_says_nothing_yet(as_user, moderator):
    answer = as_user(moderator).get(ADDRESS)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing yet" in page
    assert "plots-data" not in page
    assert 'name="server_hour"' in page


def test_the_queue_leads_to_it(as_user, moderator):
    assert f'href="{ADDRESS}"' in as_user(moderator).get("/moderation/").content.decode()


def test_numbers_stand_in_tables_and_the_plot_gets_the_same(as_user, moderator, avoided):
    avoided(3)
    page = as_user(moderator).get(ADDRESS, {"days": 7}).content.decode()
    assert "3 of 4 revisions" in page
    assert '<th scope="row">Avoided</th><td>3</td><td>75.0 %</td>' in page
    assert "0 of 1,497 audits needed" in page
    assert "3.0 h" in page, "three checks avoided at an hour each"
    drawn = json.loads(re.search(r'id="plots-data" type="application/json">(.*?)</script>', page)[1])
    assert drawn["heavy"]["days"][-1] == timezone.localdate().isoformat()
    assert len(drawn["heavy"]["days"]) == 8
    totals = {series["label"]: sum(series["values"]) for series in drawn["heavy"]["series"]}
    assert totals["Avoided"] == 3
    assert sum(totals.values()) == 4
    assert "What a device prevented is not known here" in page


def test_assumptions_stand_in_the_address_and_change_the_bill(as_user, moderator, avoided):
    avoided(2)
    terms = {"days": "90", "server_hour": "8", "cores": "2", "watts": "5", "gigabyte": "0", "target": "5"}
    page = as_user(moderator).get(ADDRESS, terms).content.decode()
    assert '<th scope="row">Checks avoided</th><td>-10.00</td><td>-8.0000</td>' in page
    assert "0 of 59 audits needed" in page
    assert 'value="8"' in page
    assert "days=7&amp;server_hour=8" in page


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("server_hour", "cheap", "Write a number in digits"),
        ("server_hour", "-1", "Choose a number from 0 to 1000."),
        ("server_hour", "", "Choose a number from 0 to 1000."),
        ("cores", "0", "Choose a number from 1 to 1024."),
        ("watts", "nan", "Write a number in digits"),
        ("watts", "1e999", "Write a number in digits"),
        ("gigabyte", "9" * 400, "Write a number in digits"),
        ("target", "0", "Choose a number from 0.01 to 50."),
        ("target", "0\x00", "Write a number in digits"),
        ("days", "8", "Choose 7, 30 or 90 days."),
        ("days", "<b>", "Choose 7, 30 or 90 days."),
    ],
)
def test_what_makes_no_sense_is_said_and_the_default_stands_in(as_user, moderator, avoided, field, value, message):
    avoided()
    answer = as_user(moderator).get(ADDRESS, {field: value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert message in page
    assert "<b>" not in page
    assert "0 of 1,497 audits needed" in page
    assert "in the last 30 days" in page


def test_more_rows_are_no_more_queries(as_user, moderator, avoided):
    client = as_user(moderator)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            client.get(ADDRESS)
        return len(caught)

    avoided()
    client.get(ADDRESS)
    few = queries()
    avoided(12)
    assert queries() == few
