"""`POST /api/drafts/second-opinion`: an answer for a draft, a clear refusal of anything else, and nothing kept."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pytest
import redis
from django.conf import settings

from listings import second_opinion
from listings.models import Draft, Listing, Verdict
from models import manifest, photo
from tests.listings.test_api import assert_refused

ADDRESS = "/api/drafts/second-opinion"


@pytest.fixture
def signed_in(merchant, as_user):
    return as_user(merchant)


def ask(client: Any, body: bytes, kind: str = "application/octet-stream", **query: str) -> Any:
    parts = "&".join(f"{name}={value}" for name, value in query.items())
    return client.post(f"{ADDRESS}?{parts}", body, content_type=kind, CONTENT_TYPE=kind)  # of an empty body too


def words(*fields: tuple[str, str]) -> bytes:
    return json.dumps({"fields": fields}).encode()


@pytest.fixture
def activation() -> bytes:
    shape = manifest.model(manifest.load(), photo.TAIL)["inputs"]["activation"]["shape"]
    return np.random.default_rng(4).integers(0, 256, int(np.prod(shape)), dtype=np.uint8).tobytes()


@pytest.fixture
def about() -> dict[str, str]:
    return {"model": photo.MODEL, "version": manifest.model(manifest.load(), photo.MODEL)["version"]}


def test_an_activation_gets_the_tails_verdict_and_nothing_is_stored(signed_in, activation, about, caplog):
    caplog.set_level(logging.DEBUG)
    answer = ask(signed_in, activation, **about)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["model"], said["where"], said["digest"]) == (photo.TAIL, "cloud", "")
    assert set(said["scores"]) == {"drugs", "tobacco_alcohol", "weapons", "safe"}
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert not Draft.objects.exists() and not Listing.objects.exists() and not Verdict.objects.exists()


def test_words_get_the_verdict_of_the_workers_model_and_are_in_no_log(signed_in, caplog):
    caplog.set_level(logging.DEBUG)
    body = words(("title", "Butterfly knife, black handle"), ("description", "Balisong xyzzy, and a box of 9mm ammo."))
    said = ask(signed_in, body, "application/json").json()
    assert (said["model"], said["policy"]) == ("listing-text-cloud", "weapons")
    assert said["decision"] in ("warn", "block")
    assert "xyzzy" not in caplog.text
    assert not Draft.objects.exists() and not Verdict.objects.exists()


@pytest.mark.parametrize("length", [0, 1, 7, 65_000])
def test_an_activation_of_another_length_is_refused(signed_in, about, length):
    assert_refused(ask(signed_in, bytes(length), **about), 400, "invalid")


def test_another_version_or_model_is_refused(signed_in, activation, about):
    assert_refused(ask(signed_in, activation, **about | {"version": "0.0"}), 409, "other_version")
    assert_refused(ask(signed_in, activation, **about | {"model": "listing-text"}), 400, "invalid")
    assert_refused(ask(signed_in, activation), 400, "invalid")


@pytest.mark.parametrize("kind", ["text/plain", "image/jpeg", "multipart/form-data; boundary=x", ""])
def test_another_content_type_is_refused(signed_in, activation, about, kind):
    assert_refused(ask(signed_in, activation, kind, **about), 415, "other_content_type")


def test_what_is_huge_is_refused(signed_in, about):
    assert_refused(ask(signed_in, bytes(second_opinion.ACTIVATION_BYTES + 1), **about), 413, "too_large")
    assert_refused(ask(signed_in, bytes(3_000_000), **about), 413, "too_large")
    long = words(("title", "kettle " * 10_000))
    assert_refused(ask(signed_in, long, "application/json"), 413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[]", b"null", b'{"fields": []}', b'{"fields": [["title"]]}', b'{"fields": [["title", 3]]}', b"\xff"),
        *(words(*([("title", "x")] * 9)), words(("t" * 21, "x"))),
    ],
)
def test_words_that_cannot_be_read_are_refused(signed_in, body):
    assert_refused(ask(signed_in, body, "application/json"), 400, "invalid")


def test_only_signed_in_merchants_may_ask(client, shopper, as_user, activation, about):
    assert_refused(ask(client, activation, **about), 401, "sign_in_needed")
    assert_refused(ask(as_user(shopper), activation, **about), 403, "forbidden")


def test_a_missing_model_is_said(signed_in, activation, about, models_away):
    with models_away():
        assert_refused(ask(signed_in, activation, **about), 503, "models_unavailable")


@pytest.mark.site
def test_whoever_asks_faster_than_a_person_waits(site, merchant, as_user):
    with redis.Redis.from_url(settings.REDIS_URL) as counter:
        counter.flushdb()
    client, body = as_user(merchant), words(("title", "Oak table"), ("description", "Solid."))
    answers = [ask(client, body, "application/json").status_code for _ in range(second_opinion.IN_A_ROW + 1)]
    # The ten minutes may end while this runs: then it begins to count anew, and nobody is refused.
    assert answers[:-1] == [200] * second_opinion.IN_A_ROW
    refused = ask(client, body, "application/json")
    assert refused.status_code in (200, 429)
    if refused.status_code == 429:
        assert "ten minutes" in refused.json()["error"]["message"]


def test_while_redis_is_away_each_process_counts_for_itself(merchant, other_merchant, monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    now = [1_000 * second_opinion.WITHIN]
    monkeypatch.setattr(second_opinion.time, "time", lambda: now[0])
    for _ in range(second_opinion.IN_A_ROW):
        second_opinion.count(merchant)
    with pytest.raises(second_opinion.TooManyQuestions, match="ten minutes"):
        second_opinion.count(merchant)
    second_opinion.count(other_merchant)
    now[0] += second_opinion.WITHIN
    second_opinion.count(merchant)
    assert len(second_opinion._asked_here) == 1, "nothing is kept of the time before"


def test_it_is_documented(client):
    operation = client.get("/api/openapi.json").json()["paths"]["/api/drafts/second-opinion"]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/octet-stream", "application/json"}
    assert {"200", "400", "401", "403", "409", "413", "415", "429"} <= set(operation["responses"])
