"""`manage.py` alone is enough: it starts the services it needs and lets go of them."""

import os
import subprocess
import sys

import pytest

from marketplace import embedded
from tests.settings import ROOT
from tests.stack import fetch, free_port, until


@pytest.fixture
def alone(tmp_path):
    """The environment of somebody who set nothing up but the packages."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "DEMO"}
    }
    yield environment | {"VAR_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    assert embedded.stop(tmp_path / "var")


def manage(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_migrate_shell_and_runserver_start_the_database(alone):
    migrated = manage(alone, "migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    code = "from listings.models import Listing; print('listings:', Listing.objects.count())"
    counted = manage(alone, "shell", "-c", code)
    assert "listings: 0" in counted.stdout, counted.stderr

    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", str(port)],
        cwd=ROOT,
        env=alone,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:

        def answers() -> bool:
            try:
                return fetch(f"http://127.0.0.1:{port}/")[0] == 200
            except OSError:
                return False

        until(answers, 60, "runserver shows the market")
        assert fetch(f"http://127.0.0.1:{port}/static/css/site.css")[0] == 200
    finally:
        server.terminate()
        server.wait(20)


def test_a_command_that_needs_no_database_starts_none(alone, tmp_path):
    assert manage(alone, "check").returncode == 0
    assert not (tmp_path / "var" / "postgres").exists()


def test_models_and_migrations_agree(alone):
    done = manage(alone, "makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stdout
