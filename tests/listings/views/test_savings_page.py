import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings.models import Debt, Decision, OwedCheck, ReviewJob, ValidationJob, Verdict
from listings.trust import intervals

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
    assert "0 of the 1,497 audits needed" in page
    assert "3.0 h" in page, "three checks avoided at an hour each"
    drawn = json.loads(re.search(r'id="plots-data" type="application/json">(.*?)</script>', page)[1])
    assert drawn["heavy"]["days"][-1] == timezone.localdate().isoformat()
    assert len(drawn["heavy"]["days"]) == 8
    totals = {series["label"]: sum(series["values"]) for series in drawn["heavy"]["series"]}
    assert totals["Avoided"] == 3
    assert sum(totals.values()) == 4
    assert "What a device prevented is not known here" in page


def test_a_few_views_are_shown_as_a_count_with_their_interval(as_user, moderator, avoided):
    avoided(3)
    page = as_user(moderator).get(ADDRESS).content.decode()
    assert '<dd class="figure__number">0 of 12</dd>' in page
    upper = f"{10_000 * intervals.share_interval(0, 3)[1]:.1f}"  # three listings, four views each
    assert f"views while checks were owed; 0.0 per 10,000, 95 % interval 0.0 to {upper}" in page
    assert "3 revisions were on sale before their heavy checks and had 12 views meanwhile." in page


def test_one_view_is_no_views(as_user, moderator, avoided):
    avoided(1)
    debt = Debt.objects.get()
    Debt.objects.update(impressions=1)
    case = ReviewJob.objects.create(listing=debt.listing, revision=1, cause="?", state="decided")
    Decision.objects.create(review_job=case, listing=debt.listing, moderator=moderator, action="reject")
    page = as_user(moderator).get(ADDRESS).content.decode()
    assert (
        "1 revision was on sale before its heavy checks and had 1 view meanwhile. 1 of them was rejected later" in page
    )
    assert '<dd class="figure__number">1 of 1</dd><dd class="small muted">view while checks were owed' in page


def test_downloads_that_cost_more_than_was_saved_are_said_to(as_user, moderator, avoided):
    avoided(1)
    Verdict.objects.create(
        listing=Debt.objects.get().listing, revision=1, where="device", model="listing-text", decision="pass"
    )
    Verdict.objects.create(
        listing=Debt.objects.get().listing, revision=1, where="gate", model="listing-text", decision="pass"
    )
    page = as_user(moderator).get(ADDRESS, {"server_hour": "0", "gigabyte": "1000"}).content.decode()
    bill = page[page.index("By the assumptions below") :]
    assert re.search(r"<td>10.00 less than without</td><td>[0-9.]+ more than without</td>", bill)
    assert "-" not in re.search(r"Downloads to devices</th>(.*?)</tr>", bill)[1]


def test_assumptions_stand_in_the_address_and_change_the_bill(as_user, moderator, avoided):
    avoided(2)
    terms = {"days": "90", "server_hour": "8", "cores": "2", "watts": "5", "gigabyte": "0", "target": "5"}
    page = as_user(moderator).get(ADDRESS, terms).content.decode()
    assert '<th scope="row">Checks avoided</th><td>10.00 saved</td><td>8.0000 saved</td>' in page
    assert "0 of the 59 audits needed" in page
    assert "<td>10.00 less than without</td><td>8.0000 less than without</td>" in page
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
    assert "0 of the 1,497 audits needed" in page
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
