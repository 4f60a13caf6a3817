"""Search and suggestions in the JSON interface."""

import base64

import numpy as np
import pytest

from listings.api import PAGE_SIZE
from listings.lifecycle import Status
from models import towers
from tests.listings.test_api import assert_refused


def test_search_finds_what_is_published_and_nothing_else(client, make_listing):
    shown = make_listing("Blue enamel kettle")
    for status in set(Status) - {Status.PUBLISHED}:
        make_listing("Hidden kettle", status=status)
    make_listing("Teapot")
    body = client.get("/api/search?q=kettles").json()
    assert (body["count"], body["page"], body["pages"]) == (1, 1, 1)
    assert body["items"][0] == {
        "id": shown.public_id,
        "title": "Blue enamel kettle",
        "price": "18.50",
        "currency": "EUR",
        "condition": "good",
        "condition_label": "Good",
        "category": "kitchen",
        "seller": "alice",
        "town": "Ghent",
        "photo": "",
        "url": f"/item/{shown.public_id}/",
        "published_at": body["items"][0]["published_at"],
        "vector": "",
        "score": body["items"][0]["score"],
    }
    assert body["items"][0]["score"] > 0
    assert body["spelled"] == ""


def test_search_filters_sorts_and_pages(client, make_listing):
    for number in range(PAGE_SIZE + 3):
        make_listing(f"Kettle {number}", price=number, category="kitchen" if number % 2 else "garden")
    first = client.get("/api/search?q=kettle&sort=-price").json()
    assert [item["price"] for item in first["items"]][:2] == [f"{PAGE_SIZE + 2}.00", f"{PAGE_SIZE + 1}.00"]
    assert (len(first["items"]), first["count"], first["pages"]) == (PAGE_SIZE, PAGE_SIZE + 3, 2)
    assert len(client.get("/api/search?q=kettle&sort=-price&page=2").json()["items"]) == 3
    assert client.get("/api/search?page=9").json()["items"] == []
    narrow = client.get("/api/search?category=garden&min_price=2&max_price=6&sort=price").json()
    assert [item["price"] for item in narrow["items"]] == ["2.00", "4.00", "6.00"]


def test_a_page_of_search_needs_few_queries(client, make_listing, django_assert_max_num_queries):
    for number in range(PAGE_SIZE):
        make_listing(f"Kettle {number}")
    with django_assert_max_num_queries(7):  # the last one asks which listings owe their checks
        client.get("/api/search")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=%00", "q"),
        ("q=" + "x" * 300, "q"),
        ("category=nothing", "category"),
        ("category=%00", "category"),
        ("min_price=NaN", "min_price"),
        ("max_price=-1", "max_price"),
        ("currency=XXX", "currency"),
        ("sort=random", "sort"),
        ("min_price=50&max_price=10", "min_price"),
        ("page=0", "page"),
        ("page=one", "page"),
        ("page=99999999999999999999", "page"),
    ],
)
def test_a_wrong_filter_is_named(client, db, query, field):
    assert field in assert_refused(client.get(f"/api/search?{query}"), 400, "invalid")


@pytest.mark.parametrize("words", ["%22", "%27%3B--", "%5C", "-", "%F0%9F%AB%96", "%ED%A0%80", "or", "!%26%7C()"])
def test_any_words_can_be_searched_for(client, db, words):
    assert client.get(f"/api/search?q={words}").status_code == 200


def test_items_come_with_their_vectors(client, make_listing, place, monkeypatch):
    place(make_listing("Kettle"), 2)
    body = client.get("/api/search?q=kettle").json()
    sent = np.frombuffer(base64.b64decode(body["items"][0]["vector"]), np.int8)
    assert (sent.shape, sent[2], np.abs(sent).sum()) == ((128,), 127, 127)
    assert body["model_version"] == towers.space()


def test_spelling_and_facets_are_said(client, on_sale):
    body = client.get("/api/search?q=kettel").json()
    assert body["spelled"] == "kettle"
    assert body["count"] == 3
    exact = client.get("/api/search?q=kettel&exact=1").json()
    assert (exact["spelled"], exact["count"]) == ("", 0)
    body = client.get("/api/search?condition=new,good").json()
    assert body["count"] == len(on_sale)
    assert_refused(client.get("/api/search?condition=shiny"), 400, "invalid")


def test_suggestions_are_public_and_short_lived(client, on_sale):
    answer = client.get("/api/search/suggestions?q=cordless dr")
    assert answer.json()["items"][0] == {"kind": "words", "text": "cordless drill", "url": "/?q=cordless+drill"}
    assert "max-age=60" in answer.headers["Cache-Control"]
    assert not answer.cookies


@pytest.mark.parametrize("query", ["q=" + "x" * 300, "q=%00"])
def test_a_beginning_that_makes_no_sense_is_refused(client, db, query):
    assert "q" in assert_refused(client.get(f"/api/search/suggestions?{query}"), 400, "invalid")


def test_no_beginning_is_no_error(client, db):
    assert client.get("/api/search/suggestions").json() == {"items": []}
