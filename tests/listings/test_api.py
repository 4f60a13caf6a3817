"""The JSON interface: what it gives, to whom, and how it refuses."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from listings import drafts, limits, policies
from listings.lifecycle import Status
from listings.models import Draft, Listing
from models import manifest

KEY = uuid.UUID("3b6d1c9e-6a53-4f0e-9a55-0c5b4c2f0d11")
DRAFT = f"/api/drafts/{KEY}"


@pytest.fixture
def signed_in(merchant: Any) -> Client:
    client = Client()
    client.force_login(merchant)
    return client


def put(client: Client, body: Any, address: str = DRAFT, **more: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.put(address, data, content_type="application/json", **more)


def assert_refused(answer: Any, status: int, code: str) -> dict[str, str]:
    """Checks the one shape of an error; gives its fields."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    body = answer.json()
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert set(body["error"]) == {"code", "message", "fields"}
    return body["error"]["fields"]


def listing(seller: Any, title: str, **fields: Any) -> Listing:
    values = {
        "seller": seller,
        "description": "Holds a litre and a half.",
        "category": "kitchen",
        "price": Decimal("18.50"),
        "status": Status.PUBLISHED,
        "published_at": timezone.now(),
    }
    return Listing.objects.create(title=title, **(values | fields))


# --- Public data -----------------------------------------------------------------------------------------------------
def test_the_manifest_names_what_a_browser_needs_and_nothing_more(client, db):
    answer = client.get("/api/models/manifest")
    body = answer.json()
    assert set(body) == {"manifest", "runtime", "models", "policies_version"}
    assert body["policies_version"] == policies.version()
    assert body["runtime"]["mjs"].endswith("/ort/ort-wasm-simd-threaded.mjs")
    assert body["runtime"]["wasm"].endswith("/ort/ort-wasm-simd-threaded.wasm")
    published = manifest.load()["models"]["listing-text"]
    model = body["models"]["listing-text"]
    chosen = published["variants"][model["variant"]]
    assert chosen["browser"] is True
    assert model["url"] == f"/static/models/{chosen['file']}"
    assert {name: model[name] for name in ("sha256", "bytes")} == {name: chosen[name] for name in ("sha256", "bytes")}
    assert model["labels"] == published["labels"]
    assert "variants" not in model
    assert "file" not in model


@pytest.mark.parametrize("address", ["/api/models/manifest", "/api/policies"])
def test_public_data_costs_no_bytes_while_it_stays_the_same(client, db, address):
    first = client.get(address)
    assert first.headers["Cache-Control"].startswith("public, max-age=")
    assert "Set-Cookie" not in first.headers
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"If-None-Match": '"another"'}).content == first.content
    head = client.head(address)
    assert (head.status_code, head.headers["ETag"]) == (200, first.headers["ETag"])


def test_the_policies_are_those_of_the_file(client):
    body = client.get("/api/policies").json()
    assert body == json.loads(json.dumps(policies.as_json()))
    assert {"weapons", "drugs"} <= {row["id"] for row in body["policies"]}


def test_a_missing_manifest_is_said_and_not_a_crash(client, db, models_away):
    with models_away():
        assert_refused(client.get("/api/models/manifest"), 503, "models_unavailable")


# --- Drafts ----------------------------------------------------------------------------------------------------------
def test_a_draft_is_made_changed_read_and_deleted(signed_in, merchant):
    assert_refused(signed_in.get(DRAFT), 404, "not_found")
    made = put(signed_in, {"base_version": 0, "data": {"title": "Kettle"}})
    assert made.status_code == 200
    assert {"key": str(KEY), "version": 1, "data": {"title": "Kettle"}}.items() <= made.json().items()
    assert put(signed_in, {"base_version": 1, "data": {"title": "Blue kettle"}}).json()["version"] == 2
    found = signed_in.get(DRAFT)
    assert found.json()["data"] == {"title": "Blue kettle"}
    assert "no-store" in found.headers["Cache-Control"]
    assert Draft.objects.get().owner == merchant
    assert signed_in.delete(DRAFT).status_code == 204
    assert signed_in.delete(DRAFT).status_code == 204
    assert not Draft.objects.exists()


def test_of_two_tabs_the_older_gets_what_stands_there(signed_in):
    put(signed_in, {"base_version": 0, "data": {"title": "one"}})
    put(signed_in, {"base_version": 1, "data": {"title": "two"}})
    for base in (0, 1, 7):
        answer = put(signed_in, {"base_version": base, "data": {"title": "late"}})
        assert_refused(answer, 409, "conflict")
        assert {"key": str(KEY), "version": 2, "data": {"title": "two"}}.items() <= answer.json()["current"].items()


def test_drafts_belong_to_one_merchant(signed_in, other_merchant):
    put(signed_in, {"base_version": 0, "data": {"title": "mine"}})
    other = Client()
    other.force_login(other_merchant)
    assert_refused(other.get(DRAFT), 404, "not_found")
    assert other.delete(DRAFT).status_code == 204
    assert put(other, {"base_version": 0, "data": {}}).status_code == 200
    assert signed_in.get(DRAFT).json()["data"] == {"title": "mine"}


def test_without_a_session_there_is_an_answer_in_json_and_no_redirect(client, db):
    for answer in (client.get(DRAFT), put(client, {"base_version": 0, "data": {}}), client.delete(DRAFT)):
        assert_refused(answer, 401, "sign_in_needed")
    assert_refused(client.get("/api/listings/abc/status"), 401, "sign_in_needed")


def test_only_merchants_have_drafts(client, shopper, moderator):
    for user in (shopper, moderator):
        client.force_login(user)
        assert_refused(client.get(DRAFT), 403, "forbidden")
        assert_refused(put(client, {"base_version": 0, "data": {}}), 403, "forbidden")


def test_a_closed_account_is_signed_out(signed_in, merchant):
    merchant.is_active = False
    merchant.save()
    assert_refused(signed_in.get(DRAFT), 401, "sign_in_needed")


def test_changes_need_the_token_of_the_page(merchant):
    client = Client(enforce_csrf_checks=True)
    client.force_login(merchant)
    assert_refused(put(client, {"base_version": 0, "data": {}}), 403, "csrf")
    assert_refused(client.delete(DRAFT), 403, "csrf")
    client.get("/accounts/settings/")
    token = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert put(client, {"base_version": 0, "data": {}}, headers=token).status_code == 200
    assert client.delete(DRAFT, headers=token).status_code == 204


def nested(depth: int, inner: bytes = b"1") -> bytes:
    return b'{"base_version": 0, "data": {"a": ' + b"[" * depth + inner + b"]" * depth + b"}}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe{}",
        b'{"base_version": 0, "data": {"a": NaN}}',
        b'{"base_version": 0, "data": {"a": Infinity}}',
        b'{"base_version": 0, "data": {"a": 1e999}}',
        b'{"base_version": 0, "data": {"a": "\\ud800"}}',
        b'{"base_version": 0, "data": {"\\udfff": 1}}',
        b'{"base_version": 0, "data": {"a": "\\u0000"}}',
        b'{"base_version": 0, "data": {"\\u0000": ""}}',
        b'{"base_version": 0, "data": {"a": ' + b"9" * 5000 + b"}}",
        nested(40),
        nested(300),
        nested(990),
        nested(200_000),
        b'{"base_version": 0, "data": {"a": ' + b'{"a": ' * 500 + b"1" + b"}" * 500 + b"}}",
        b'{"base_version": 0, "data": {"a": "' + b"x" * (limits.DRAFT_BYTES + 1) + b'"}}',
    ],
)
def test_a_body_that_cannot_be_stored_is_refused(signed_in, body):
    answer = put(signed_in, body)
    assert answer.status_code == 400
    assert_refused(answer, 400, answer.json()["error"]["code"])
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": {}}, "base_version"),
        ({"base_version": 0}, "data"),
        ({"base_version": "0", "data": {}}, "base_version"),
        ({"base_version": True, "data": {}}, "base_version"),
        ({"base_version": 1.5, "data": {}}, "base_version"),
        ({"base_version": -1, "data": {}}, "base_version"),
        ({"base_version": 2**40, "data": {}}, "base_version"),
        ({"base_version": 0, "data": []}, "data"),
        ({"base_version": 0, "data": "text"}, "data"),
    ],
)
def test_a_wrong_field_is_named(signed_in, body, field):
    assert list(assert_refused(put(signed_in, body), 400, "invalid")) == [field]


@pytest.mark.parametrize("size", [700_000, 3_000_000])
def test_a_body_that_is_far_too_large_is_refused(signed_in, size):
    assert_refused(put(signed_in, {"base_version": 0, "data": {"a": "x" * size}}), 413, "too_large")


def test_a_key_that_is_no_uuid_is_refused(signed_in):
    assert list(assert_refused(put(signed_in, {}, "/api/drafts/kettle"), 400, "invalid")) != []


def test_an_account_holds_a_bounded_number_of_drafts(signed_in, merchant):
    for _ in range(limits.DRAFTS_PER_ACCOUNT):
        drafts.save_draft(merchant, uuid.uuid4(), 0, {})
    answer = put(signed_in, {"base_version": 0, "data": {}})
    assert_refused(answer, 400, "invalid")
    assert "Delete one" in answer.json()["error"]["message"]


# --- Status ----------------------------------------------------------------------------------------------------------
def test_a_merchant_follows_the_check_of_a_listing(signed_in, merchant):
    mine = listing(merchant, "Kettle", status=Status.CHECKING, published_at=None)
    address = f"/api/listings/{mine.public_id}/status"
    answer = signed_in.get(address)
    assert answer.json() == {"status": "checking", "label": "Being checked", "note": "", "settled": False}
    assert "no-store" in answer.headers["Cache-Control"]
    Listing.objects.filter(pk=mine.pk).update(status=Status.NEEDS_CHANGES, status_note="Take the number out.")
    expected = {"status": "needs_changes", "label": "Needs changes", "note": "Take the number out.", "settled": True}
    assert signed_in.get(address).json() == expected


def test_nobody_elses_status_can_be_read(signed_in, other_merchant):
    theirs = listing(other_merchant, "Kettle")
    answers = [signed_in.get(f"/api/listings/{name}/status") for name in (theirs.public_id, "nothere234", "%00", "..")]
    assert len({answer.content for answer in answers[:3]}) == 1
    for answer in answers:
        assert_refused(answer, 404, "not_found")


# --- Refusals and documentation --------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/api/nothing", "/api/drafts/", "/api/", "/api/policies/", "/api/listings/a/b/c"])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address_is_answered_in_json(client, db, address, method):
    assert_refused(getattr(client, method)(address), 404, "not_found")


def test_a_wrong_method_is_answered_in_json_with_those_that_work(client, signed_in):
    answer = client.post("/api/policies")
    assert_refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"
    answer = signed_in.post(DRAFT)
    assert_refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "DELETE, GET, PUT"


def test_every_operation_is_documented_with_examples_and_its_errors(client):
    schema = client.get("/api/openapi.json").json()
    operations = {f"{method} {path}": spec for path, found in schema["paths"].items() for method, spec in found.items()}
    assert set(operations) == {
        "get /api/models/manifest",
        "get /api/models/patches/{sha256}",
        "get /api/policies",
        "get /api/search",
        "get /api/search/suggestions",
        "post /api/recommendations",
        "get /api/listings/{public_id}/status",
        "get /api/drafts/{key}",
        "put /api/drafts/{key}",
        "delete /api/drafts/{key}",
        "post /api/photos",
        "delete /api/photos/{pk}",
        "post /api/drafts/second-opinion",
    }
    shapes = schema["components"]["schemas"]
    for name, spec in operations.items():
        assert spec["summary"], name
        if any(word in name for word in ("draft", "status", "photo")):
            assert {"401", "403"} <= set(spec["responses"]), name
            assert spec["security"], name
        for status, response in spec["responses"].items():
            if status in ("400", "401", "403", "404", "413") or (status[0] in "45" and "photos" in name):
                assert response["content"]["application/json"]["example"]["error"]["code"], f"{name} {status}"
    for name in (
        "Error",
        "DraftOut",
        "DraftIn",
        "Conflict",
        "ListingStatus",
        "SearchPage",
        "FeedPage",
        "FeedQuery",
        "PhotoOut",
    ):
        assert shapes[name]["example"], name


def test_the_examples_in_the_documentation_are_true_answers(signed_in, merchant, client, jpeg):
    shapes = client.get("/api/openapi.json").json()["components"]["schemas"]
    shown = listing(merchant, "Kettle")
    put(signed_in, {"base_version": 0, "data": {}})
    true = {
        "DraftOut": signed_in.get(DRAFT).json(),
        "ListingStatus": signed_in.get(f"/api/listings/{shown.public_id}/status").json(),
        "SearchPage": client.get("/api/search").json(),
        "Suggestions": client.get("/api/search/suggestions?q=kettle").json(),
        "PhotoOut": signed_in.post("/api/photos", {"photo": jpeg()}).json(),
        "Error": client.get("/api/nothing").json(),
        "Conflict": put(signed_in, {"base_version": 0, "data": {}}).json(),
    }
    for name, answer in true.items():
        assert set(shapes[name]["example"]) == set(answer), name
    assert set(shapes["SearchPage"]["example"]["items"][0]) == set(true["SearchPage"]["items"][0])


def test_the_documentation_comes_from_this_site_alone(client, db):
    page = client.get(reverse("api-docs"))
    assert page.status_code == 200
    assert reverse("api-docs") == "/api/docs"
    text = page.content.decode()
    assert "http://" not in text
    assert "https://" not in text
    assert "<script>" not in text
