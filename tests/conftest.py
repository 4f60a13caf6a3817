"""The small cast, and the real stack for tests that need more than one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests import settings as test_settings
from tests.stack import Stack

PASSWORD = "a long enough word 7"


def person(username: str, role: str, **more: Any) -> Any:
    return get_user_model().objects.create_user(username, password=PASSWORD, role=role, **more)


@pytest.fixture(autouse=True)
def trust_is_looked_up_anew() -> None:
    """A process keeps settings for two seconds, and a client of Redis; the next test has others."""
    from listings import live_models
    from listings.trust import settings, totals

    settings.forget()
    totals.forget()
    live_models.forget()


@pytest.fixture(autouse=True)
def no_second_look_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of decisions opens a second job; in tests only where the share is set to all."""
    from listings.moderation import quality_jobs

    monkeypatch.setattr(quality_jobs._random, "random", lambda: 0.999_999)


@pytest.fixture
def merchant(db: None) -> Any:
    return person("alice", "merchant", shop_name="Alice's Attic", town="Ghent")


@pytest.fixture
def other_merchant(db: None) -> Any:
    return person("bob", "merchant", shop_name="Bob's Bikes", town="Lyon")


@pytest.fixture
def shopper(db: None) -> Any:
    return person("carol", "shopper")


@pytest.fixture
def moderator(db: None) -> Any:
    return person("mona", "moderator")


@pytest.fixture(scope="session")
def collected_static() -> None:
    """Static files under hashed names, as `make run` serves them."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    for command in (["-m", "marketplace.assets"], ["manage.py", "collectstatic", "--no-input", "--verbosity", "0"]):
        subprocess.run([sys.executable, *command], cwd=test_settings.ROOT, env=environment, check=True)


@pytest.fixture(scope="session")
def stack(django_db_setup: None, django_db_blocker: Any, collected_static: None) -> Iterator[Stack]:
    """gunicorn, a Celery worker, beat and Redis over the test database, started once."""
    from django.db import connection

    with django_db_blocker.unblock():
        database = connection.settings_dict["NAME"]
    stack = Stack(test_settings.FOLDER, test_settings.SITE_FOLDER, database)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def site(stack: Stack, transactional_db: None) -> Iterator[Stack]:
    """The running site with an empty database. What a test stores through the ORM is there for all processes."""
    stack.restore()
    yield stack
    stack.settle()
