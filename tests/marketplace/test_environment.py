"""The environment is read once, and nonsense in it ends the program with a plain line."""

import os
import subprocess
import sys

import pytest

from marketplace import environment
from tests.settings import ROOT


@pytest.mark.parametrize("value,expected", [("1", True), ("yes", True), ("0", False), ("OFF", False), ("", True)])
def test_a_flag_is_read(monkeypatch, value, expected):
    monkeypatch.setenv("SWITCH", value)
    assert environment.flag("SWITCH", default=True) is expected


def test_a_flag_refuses_nonsense(monkeypatch):
    monkeypatch.setenv("SWITCH", "ture")
    with pytest.raises(environment.BadEnvironment, match="SWITCH must be 1 or 0, not 'ture'"):
        environment.flag("SWITCH", default=False)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "80a", "٣", "8e3"])
def test_a_number_refuses_what_is_out_of_range(monkeypatch, value):
    monkeypatch.setenv("PORT", value)
    with pytest.raises(environment.BadEnvironment, match="PORT must be a whole number"):
        environment.number("PORT", 8000, low=1, high=65535)


def test_words_drop_blanks(monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", " a.example, ,b.example,")
    assert environment.words("ALLOWED_HOSTS", []) == ["a.example", "b.example"]


def settings_with(**variables: str) -> subprocess.CompletedProcess[str]:
    """What a fresh process says of the settings; DEMO of the test environment is left out."""
    environ = {name: value for name, value in os.environ.items() if name not in {"DEMO", "DJANGO_SETTINGS_MODULE"}}
    code = "from marketplace import settings as s; print(s.DEBUG, s.DEMO, s.DATABASES['default']['ENGINE'])"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ | variables, capture_output=True, text=True, check=False
    )


def test_the_safe_choice_is_the_default():
    assert settings_with().stdout.split() == ["False", "False", "marketplace.embedded_database"]


def test_demo_accounts_come_with_debug_or_on_purpose():
    assert settings_with(DEBUG="1").stdout.split()[:2] == ["True", "True"]
    assert settings_with(DEBUG="0", DEMO="1").stdout.split()[:2] == ["False", "True"]


def test_a_given_database_uses_the_plain_backend():
    given = settings_with(DATABASE_URL="postgresql://someone@localhost/market")
    assert given.stdout.split()[2] == "django.db.backends.postgresql"


@pytest.mark.parametrize(
    "variables,message",
    [
        ({"DEBUG": "maybe"}, "DEBUG must be 1 or 0"),
        ({"PORT": "http"}, "PORT must be a whole number"),
        ({"DATABASE_URL": "sqlite:///x.db"}, "DATABASE_URL must look like postgresql://"),
        ({"DATABASE_URL": "market"}, "DATABASE_URL must look like postgresql://"),
        ({"REDIS_URL": "localhost"}, "REDIS_URL must look like redis://"),
    ],
)
def test_nonsense_fails_with_a_plain_line(variables, message):
    done = settings_with(**variables)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_kept_secret_is_long_private_and_stays(tmp_path):
    from marketplace.settings import kept_secret

    path = tmp_path / "var" / "secret_key"
    first = kept_secret(path)
    assert len(first) >= 50
    assert path.stat().st_mode & 0o077 == 0
    assert kept_secret(path) == first


def test_a_secret_cut_short_by_a_killed_start_is_made_anew(tmp_path):
    from marketplace.settings import kept_secret

    path = tmp_path / "secret_key"
    path.write_text("")
    key = kept_secret(path)
    assert len(key) >= 50
    assert kept_secret(path) == key
