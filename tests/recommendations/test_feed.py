"""Recommendations in the JSON interface, over the real database."""

import base64
import json
from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import Listing
from models import towers
from recommendations import counting, ranking, remembered, retrieval, standing
from recommendations.items import item
from recommendations.models import ItemVector
from tests.listings.test_api import assert_refused

URL = "/api/recommendations"


def along(*axes: int) -> str:
    """What a device sends: a vector between these axes."""
    vector = np.zeros(128, np.int8)
    vector[list(axes)] = 127 / len(axes) ** 0.5
    return base64.b64encode(vector.tobytes()).decode()


@pytest.fixture
def ask(client):
    def send(*vectors, limit=60, version=None, **more):
        body = {"model_version": towers.space() if version is None else version, "vectors": vectors, "limit": limit}
        return client.post(URL, body | more, content_type="application/json")

    return send


@pytest.fixture
def market(make_listing, place):
    """Kettles along axis 3, drills along axis 4; named by kind and number."""
    found = {}
    for kind, axis in (("Kettle", 3), ("Drill", 4)):
        for number in range(4):
            found[f"{kind} {number}"] = listing = make_listing(f"{kind} {number}")
            place(listing, axis)
    standing.refresh()
    return found


def titles(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [each["title"] for each in answer.json()["items"]]


def test_a_missing_body_is_named_as_the_body(client, db):
    answer = client.post(URL, "", content_type="application/json")
    assert assert_refused(answer, 400, "invalid") == {"body": "Send a JSON object."}


def test_what_is_near_comes_first(ask, market):
    answer = ask(along(4))
    assert {title.split()[0] for title in titles(answer)[: ranking.TWINS]} == {"Drill"}
    assert len(titles(answer)) == len(set(titles(answer))) == len(market)
    assert (answer.json()["source"], answer.json()["model_version"]) == ("nearest", towers.space())
    scores = [each["score"] for each in answer.json()["items"]]
    assert scores == sorted(scores, reverse=True)


def test_an_item_has_the_same_shape_as_in_search(ask, market):
    (first,) = ask(along(3), limit=1).json()["items"]
    listing = Listing.objects.get(public_id=first["id"])
    like = json.loads(json.dumps(item(listing), default=lambda time: time.isoformat()))
    assert first == like | {"vector": first["vector"], "score": first["score"]}
    assert np.frombuffer(base64.b64decode(first["vector"]), np.int8)[3] == 127


def test_every_interest_is_heard(ask, market):
    assert {title.split()[0] for title in titles(ask(along(3), along(4), limit=6))} == {"Kettle", "Drill"}


@pytest.mark.parametrize("version", ["", "0", "other", "9" * 20])
def test_another_space_gives_popular_and_new_in_the_same_shape(ask, market, version):
    counting.count_view(market["Drill 2"].pk, timezone.localdate(), 50)
    standing.refresh()
    answer = ask(along(3), version=version)
    assert answer.json()["source"] == "popular"
    assert titles(answer)[0] == "Drill 2"
    assert set(titles(answer)) == set(market)
    assert answer.json()["items"][0].keys() == ask(along(3)).json()["items"][0].keys()


@pytest.mark.parametrize("vectors", [[], [base64.b64encode(bytes(128)).decode()]])
def test_no_vector_gives_popular_and_new(ask, market, vectors):
    assert ask(*vectors).json()["source"] == "popular"


def test_an_empty_body_is_a_request_for_popular_and_new(client, market):
    answer = client.post(URL, {}, content_type="application/json")
    assert (answer.json()["source"], len(titles(answer))) == ("popular", len(market))


def test_new_listings_are_there_before_anybody_counted_them(ask, make_listing):
    make_listing("Old", published_at=timezone.now() - timedelta(days=3))
    make_listing("New")
    assert titles(ask()) == ["New", "Old"]


def test_an_empty_market_has_nothing(ask, db):
    assert ask(along(3)).json()["items"] == []


@pytest.mark.parametrize("limit", [0, -1, 201, 10**6, 10**30, 1.5, "20", None, True])
def test_limits_out_of_range_are_refused(ask, db, limit):
    assert "limit" in assert_refused(ask(limit=limit), 400, "invalid")


@pytest.mark.parametrize(
    "vectors",
    [
        ["AAAA"],
        [base64.b64encode(bytes(127)).decode()],
        [base64.b64encode(bytes(129)).decode()],
        ["x" * 172],
        ["é" * 172],
        [along(1), "not base64!"],
        [along(1)] * 17,
        [along(1)] * 300,
        [1.0] * 128,
        [[0.5] * 128],
        [None],
        "AAAA",
        {},
    ],
)
def test_vectors_that_cannot_be_read_are_refused(ask, db, vectors):
    assert "vectors" in assert_refused(ask(vectors=vectors), 400, "invalid")


def test_ten_thousand_vectors_are_refused_before_they_are_read(ask, db):
    assert_refused(ask(*[along(1)] * 10_000), 413, "too_large")


@pytest.mark.parametrize("body", ["", "[]", "{", '{"vectors": NaN}', '{"limit": Infinity}', '"text"', "\ud800"])
def test_bodies_that_cannot_be_read_are_refused(client, db, body):
    answer = client.post(URL, body.encode("utf-8", "surrogatepass"), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"]


def test_a_get_is_refused(client, db):
    assert_refused(client.get(URL), 405, "method_not_allowed")


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PUBLISHED}))
def test_what_is_not_published_now_is_never_shown(ask, market, status):
    ask(along(3), limit=200)  # everything is remembered by the process
    ask(limit=200)
    Listing.objects.filter(pk=market["Kettle 1"].pk).update(status=status)
    for answer in (ask(along(3), limit=200), ask(limit=200)):
        assert set(titles(answer)) == set(market) - {"Kettle 1"}


def test_a_changed_listing_is_shown_as_it_is_now(ask, market):
    ask(along(3))
    Listing.objects.filter(pk=market["Kettle 1"].pk).update(title="Kettle, cheaper", updated_at=timezone.now())
    assert "Kettle, cheaper" in titles(ask(along(3)))


def test_a_deleted_listing_is_gone(ask, market):
    ask(along(3))
    market["Kettle 1"].delete()
    assert "Kettle 1" not in titles(ask(along(3)))


def test_items_of_another_space_are_not_compared(ask, market):
    ItemVector.objects.filter(pk=market["Kettle 1"].pk).update(model_version="0")
    retrieval.forget()
    (row,) = [each for each in ask(along(3)).json()["items"] if each["title"] == "Kettle 1"]
    assert row["vector"] == ""


def test_neither_cookie_nor_session_nor_store(ask, as_user, shopper, market):
    client = as_user(shopper)
    body = {"model_version": towers.space(), "vectors": [along(3)]}
    with CaptureQueriesContext(connection) as queries:
        answer = Client.post(client, URL, body, content_type="application/json")
    assert answer.status_code == 200
    statements = [query["sql"].lstrip() for query in queries]
    assert not [sql for sql in statements if "django_session" in sql]
    assert all(sql.startswith(("SELECT", "SET LOCAL", "SAVEPOINT", "RELEASE")) for sql in statements), "nothing is kept"
    assert not answer.cookies and "Cookie" not in answer.headers.get("Vary", "")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_foreign_page_needs_no_token_and_gets_none(market):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(URL, {"vectors": []}, content_type="application/json")
    assert answer.status_code == 200 and not answer.cookies


def test_asking_again_changes_nothing(ask, market):
    first = ask(along(3)).json()
    second = ask(along(3)).json()
    assert [each["id"] for each in first["items"]] == [each["id"] for each in second["items"]]


# --- What visits taught ----------------------------------------------------------------------------------------------
def test_what_others_opened_next_is_a_candidate(ask, market):
    counting.count_step(market["Kettle 0"].pk, market["Drill 3"].pk, 40)
    place = titles(ask(along(3))).index("Drill 3")
    assert place < min(titles(ask(along(3))).index(f"Drill {number}") for number in range(3))


def test_what_others_found_with_a_query_like_this_is_a_candidate(ask, market):
    (vector,) = towers.encode_queries(["enamel kettle"])
    for day in range(3):
        counting.count_click("enamel kettle", market["Drill 1"].pk, timezone.localdate() + timedelta(days=day))
    counting.count_click("enamel kettle for one", market["Drill 2"].pk, timezone.localdate())
    assert remembered.sweep() == 1
    sent = base64.b64encode(np.rint(127 * vector).astype(np.int8)).decode()
    assert titles(ask(sent))[0] == "Drill 1"
    found = retrieval.find(vector[None], towers.space(), 100)
    assert list(found.memory[0]) == [market["Drill 1"].pk], "a query of one day is used for nobody"


# --- Diversity -------------------------------------------------------------------------------------------------------
def test_no_seller_fills_a_page_while_others_have_something(ask, make_listing, other_merchant, place):
    for number in range(30):
        place(make_listing(f"Kettle {number}"), 3)
        if number < 10:
            place(make_listing(f"Bob's {number}", seller=other_merchant), 5)
    sellers = [each["seller"] for each in ask(along(3)).json()["items"]]
    assert "bob" in sellers[: ranking.OF_A_SELLER + 1]
    assert len(sellers) == 40, "nothing is left out"


# --- Events of a device without towers -------------------------------------------------------------------------------
def event(axis: int, kind: str = "view", age: float = 0.0) -> dict:
    return {"kind": kind, "age": age, "vector": along(axis)}


def test_events_with_consent_are_read_by_the_server(ask, market):
    answer = ask(events=[event(3), event(4)], consent=True)
    assert answer.json()["source"] == "nearest"
    assert titles(answer)[0].startswith("Drill"), "the last event tells most"


def test_events_without_consent_are_refused(ask, market):
    assert "events" in assert_refused(ask(events=[event(3)]), 400, "consent_needed")


@pytest.mark.parametrize(
    "events",
    [[event(3, kind="thought")], [event(3, age=-1)], [event(3) | {"vector": "AAAA"}], [event(3)] * 49, [{}], "all"],
)
def test_events_that_cannot_be_read_are_refused(ask, market, events):
    assert "events" in assert_refused(ask(events=events, consent=True), 400, "invalid")


def test_without_the_user_tower_events_give_popular(ask, market, models_away):
    with models_away():
        answer = ask(events=[event(3)], consent=True, version="1")
    assert answer.json()["source"] == "popular"


def test_a_page_takes_few_queries(ask, market, django_assert_max_num_queries):
    ask(along(3))
    with django_assert_max_num_queries(9):
        ask(along(3))


def test_weights_by_hand_are_of_features():
    assert len(ranking.FEATURES) == len(set(ranking.FEATURES))
    assert set(ranking.BY_HAND) <= set(ranking.FEATURES)
