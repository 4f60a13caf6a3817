"""Pages that the device's re-ranker is fitted to."""

import gzip
import json
import subprocess
from io import StringIO

import pytest
from django.core.management import call_command

from recommendations import feed_quality, rerank_examples
from recommendations.feed_quality import Case, Event
from tests.recommendations.histories import TITLES
from tests.settings import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def files(collection, tmp_path):
    """A folder with the examples of one set, as the command writes them."""
    out = tmp_path / "out"
    call_command("rerank_examples", "--data", str(collection), "--out", str(out), stdout=StringIO(), stderr=StringIO())
    return out


def rows(path):
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def test_a_moment_is_the_page_and_the_history_as_the_device_has_them(collection, files):
    found = rows(files / f"{collection.name}.dev.jsonl.gz")
    first = found[0]
    assert set(first) == {"set", "stale", "asked", "events", "interests", "items", "target"}
    assert {item["title"] for item in first["items"]} == set(TITLES.values()), "a market of six fits a page"
    assert first["events"][0]["item"]["title"] == "Garden hose"
    by_id = {item["id"]: item["title"] for item in first["items"]}
    assert by_id[first["target"]] == "Brass desk lamp"


def test_a_page_that_misses_events_was_asked_for_without_them(collection):
    case = Case([Event("search", "kettle"), Event("view", "hose")], "lamp")
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        found = list(rerank_examples.of_cases("set", [case], [], ids, 5, 1))
    assert [moment["stale"] for moment in found] == [0, 1], "never without all"
    fresh, stale = found
    assert [event["is_new"] for event in fresh["events"]] == [False, False]
    assert [event["is_new"] for event in stale["events"]] == [False, True]
    assert stale["asked"] != fresh["asked"] == fresh["interests"]
    assert stale["interests"] == fresh["interests"], "what the device knows by now"


def test_the_weights_are_fitted_to_them(collection, files):
    done = subprocess.run(
        ["node", "models/recipes/reranker/fit.mjs", str(files)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert f"{collection.name}, up to date" in done.stdout
    assert "server" in done.stdout
