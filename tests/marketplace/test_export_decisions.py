"""`python -m models export-decisions`: the ground floor asks the site in a process of its own."""

import csv
from urllib.parse import quote

import pytest
from django.db import connection

from listings.models import Listing, ReviewJob
from listings.moderation import decisions
from listings.submission import remember
from marketplace import embedded
from models import __main__ as command
from tests import settings as test_settings


@pytest.fixture
def beside(monkeypatch, transactional_db):
    """Child processes work on the test database."""
    place = quote(str(embedded.socket_dir(test_settings.FOLDER) / "pg"), safe="")
    name = connection.settings_dict["NAME"]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres@{place}/{name}")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "marketplace.settings")


def test_the_command_writes_what_moderators_decided(beside, merchant, moderator, tmp_path, monkeypatch):
    listing = Listing.objects.create(
        seller=merchant, title="Flick knife", description="", category="tools", price=5, status="in_review"
    )
    remember(listing)
    job = ReviewJob.objects.create(listing=listing, revision=1, cause="-")
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason="The blade jumps out by itself.")
    monkeypatch.chdir(tmp_path)
    assert command.main(["export-decisions", "--out", "found.csv"]) == 0
    with open(tmp_path / "found.csv", newline="") as file:
        assert [(row["title"], row["policy"]) for row in csv.DictReader(file)] == [("Flick knife", "weapons")]


def test_what_the_site_refuses_ends_in_an_error(beside, tmp_path, capfd):
    assert command.main(["export-decisions", "--out", str(tmp_path / "a.csv"), "--since", "soon"]) == 2
    said = capfd.readouterr().err
    assert "2026-11-01" in said
    assert "No decisions were exported." in said


def test_without_a_site_it_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "SITE", tmp_path / "manage.py")
    assert command.main(["export-decisions", "--out", str(tmp_path / "a.csv")]) == 2
    assert "where the site is" in capsys.readouterr().err
