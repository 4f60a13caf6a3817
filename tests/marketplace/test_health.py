"""/healthz says that the process answers; /readyz says whether it could serve a merchant now."""

import pytest
from django.db import DatabaseError

from listings import live_models
from marketplace import health
from models import manifest


@pytest.fixture
def all_well(monkeypatch):
    monkeypatch.setattr(health, "CHECKS", dict.fromkeys(("database", "broker", "models"), lambda: None))


def test_healthz_needs_neither_database_nor_broker(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"ok": True}


def test_ready_when_all_parts_answer(client, all_well, db):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ok": True, "parts": {"database": "ok", "broker": "ok", "models": "ok", "release": "ok"}}


@pytest.mark.parametrize(
    "part,error",
    [("database", DatabaseError("at 10.0.0.7")), ("broker", OSError("x")), ("models", manifest.ModelUnavailable("x"))],
)
def test_a_missing_part_is_named_without_its_details(client, all_well, db, monkeypatch, part, error):
    def check():
        raise error

    monkeypatch.setitem(health.CHECKS, part, check)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["ok"] is False
    assert response.json()["parts"][part] == type(error).__name__
    assert "10.0.0.7" not in response.content.decode()


def test_a_release_that_cannot_be_used_is_said_and_takes_no_process_out_of_service(client, all_well, monkeypatch):
    monkeypatch.setattr(live_models, "live", lambda: live_models.Current(problem="Its file is damaged."))
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["parts"]["release"] == "unusable: the published models judge"


def test_health_is_never_cached_and_takes_no_posts(client, all_well, db):
    assert "no-store" in client.get("/readyz").headers["Cache-Control"]
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_the_real_database_check_passes():
    health.database()


def test_the_real_broker_check_fails_without_redis(settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    with pytest.raises(Exception, match="nowhere"):
        health.broker()


def test_the_published_models_load(db):
    health.published_models()
