"""What visits leave behind: counts without persons."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from recommendations import counting, remembered
from recommendations.models import CoVisit, ListingViews, QueryClick, RememberedQuery

DAY = date(2026, 3, 1)


@pytest.fixture
def visit(client):
    """Open a listing's page, from one of our own pages or another."""

    def go(listing, origin="", **headers):
        referer = {"HTTP_REFERER": f"http://testserver{origin}" if origin.startswith("/") else origin} if origin else {}
        more = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        answer = client.get(listing.get_absolute_url(), **referer, **more)
        assert answer.status_code == 200
        return answer

    return go


def views() -> int:
    return sum(ListingViews.objects.values_list("count", flat=True))


def test_a_view_is_counted_by_the_day(visit, make_listing):
    kettle = make_listing()
    visit(kettle)
    visit(kettle)
    row = ListingViews.objects.get()
    assert (row.listing, row.count) == (kettle, 2)
    assert type(row.day) is date
    assert not QueryClick.objects.exists() and not CoVisit.objects.exists()


def test_no_column_says_who_or_when(db):
    columns = {
        field.name for model in (ListingViews, QueryClick, CoVisit, RememberedQuery) for field in model._meta.fields
    }
    assert columns == {
        *("id", "listing", "day", "count", "query", "before", "after"),
        *("digest", "text", "vector", "model_version", "days", "last_day"),
    }


@pytest.mark.parametrize("page", ["/?q=Enamel++Kettle", "/c/kitchen/?q=enamel%20kettle&page=2"])
def test_a_listing_opened_from_a_search_is_counted_for_the_query(visit, make_listing, page):
    kettle = make_listing()
    visit(kettle, page)
    click = QueryClick.objects.get()
    assert (click.listing, click.count) == (kettle, 1)
    assert click.query.digest == counting.digest("enamel kettle")
    assert click.query.text == "", "the words of a query are not kept until it comes on other days, too"


def test_a_listing_opened_from_another_is_a_step(visit, make_listing):
    kettle, teapot = make_listing(), make_listing("Teapot")
    for _ in range(2):
        visit(teapot, kettle.get_absolute_url())
    visit(kettle, kettle.get_absolute_url())
    step = CoVisit.objects.get()
    assert (step.before, step.after, step.count) == (kettle, teapot, 2)
    assert views() == 3


@pytest.mark.parametrize(
    "origin",
    [
        "http://elsewhere.example/?q=kettle",
        "http://testserver.example/?q=kettle",
        "http://[broken/?q=kettle",
        "/?q=",
        "/sell/?q=kettle",
        "/nowhere/?q=kettle",
        "/item/0000000000/",
    ],
)
def test_other_pages_count_as_a_view_only(visit, make_listing, origin):
    visit(make_listing(), origin)
    assert views() == 1
    assert not RememberedQuery.objects.exists() and not CoVisit.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"user_agent": "Mozilla/5.0 (compatible; Examplebot/2.1; +http://example.com/bot.html)"},
    ],
)
def test_machines_are_not_counted(visit, make_listing, headers):
    visit(make_listing(), "/?q=kettle", **headers)
    assert views() == 0 and not QueryClick.objects.exists()


def test_neither_the_seller_nor_a_head_request_nor_a_hidden_listing_counts(as_user, merchant, make_listing):
    kettle, hidden = make_listing(), make_listing("Hidden", status="paused")
    owner = as_user(merchant)
    assert owner.get(kettle.get_absolute_url()).status_code == 200
    assert owner.get(hidden.get_absolute_url()).status_code == 200
    assert Client().head(kettle.get_absolute_url()).status_code == 200
    assert views() == 0


def test_a_page_is_shown_even_if_nothing_can_be_counted(visit, make_listing):
    kettle = make_listing()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recommendations_listingviews RENAME TO gone")
    assert b"Blue enamel kettle" in visit(kettle, "/?q=kettle").content
    assert not QueryClick.objects.exists(), "all of a visit is counted, or nothing"


def test_a_query_is_remembered_in_words_once_it_came_on_several_days(make_listing):
    kettle = make_listing()
    for day in range(settings.REMEMBERED_QUERY_DAYS):
        assert not RememberedQuery.objects.exclude(text="").exists()
        for _ in range(5):
            counting.count_click("enamel kettle", kettle.pk, DAY + timedelta(days=day))
    row = RememberedQuery.objects.get()
    assert (row.text, row.days) == ("enamel kettle", settings.REMEMBERED_QUERY_DAYS)
    assert QueryClick.objects.get().count == 5 * settings.REMEMBERED_QUERY_DAYS


def test_only_remembered_queries_get_a_vector(make_listing):
    kettle = make_listing()
    for day in range(settings.REMEMBERED_QUERY_DAYS):
        counting.count_click("enamel kettle", kettle.pk, DAY + timedelta(days=day))
    counting.count_click("something rare", kettle.pk, DAY)
    assert remembered.sweep() == 1
    assert remembered.sweep() == 0
    rare, known = RememberedQuery.objects.order_by("text")
    assert rare.vector is None
    assert sum(x * x for x in known.vector) == pytest.approx(1, abs=0.01)


def test_a_deleted_listing_takes_its_counts_along(make_listing):
    kettle, teapot = make_listing(), make_listing("Teapot")
    counting.count_view(kettle.pk, DAY)
    counting.count_step(kettle.pk, teapot.pk)
    counting.count_click("kettle", kettle.pk, DAY)
    kettle.delete()
    assert not ListingViews.objects.exists() and not CoVisit.objects.exists() and not QueryClick.objects.exists()
