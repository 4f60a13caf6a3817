"""evaluate_history: what the newest events are worth, and what is given away by asking."""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from models import towers
from recommendations import feed, feed_quality, history_quality
from recommendations.feed_quality import Case, Event

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_the_command_says(collection):
    out = StringIO()
    call_command(
        "evaluate_history", "--data", str(collection / "dev"), "--train", str(collection / "train"), "--json",
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    found = json.loads(out.getvalue())
    assert found["cases"] == 4
    assert [row["missing"] for row in found["freshness"]] == [0, 1, 3, 5]
    whole, without = found["freshness"][:2]
    assert (whole["with_history"], without["with_history"]) == (3, 0), "one knows only what is not on sale"
    low, gained, high = without["gain"]["mrr"]
    assert low <= gained <= high
    assert gained == pytest.approx(whole["mrr"] - without["mrr"], abs=2e-4)
    assert [row["amount"] for row in found["noise"]] == list(history_quality.NOISES)
    clean = found["noise"][0]
    assert clean["quality_loss"] == 0
    assert clean["read_back"]["searches"]["guessed"] == 1.0, "the attack works on vectors as they are"


def test_blur_is_as_long_as_said_and_leaves_a_unit_vector():
    vector = np.zeros((1, towers.DIMENSIONS), np.int8)
    vector[0, 0] = 127
    rng = np.random.default_rng(1)
    assert history_quality.blurred(vector, 0.0, rng) is vector
    for amount in (1.0, 3.0):
        many = np.concatenate([history_quality.blurred(vector, amount, rng) for _ in range(400)])
        units = feed.units(many)
        assert np.linalg.norm(many / 127, axis=1) == pytest.approx(1, abs=0.05)
        assert float(units[:, 0].mean()) == pytest.approx(1 / np.sqrt(1 + amount**2), abs=0.05)


def test_the_attack_counts_what_stands_in_the_history_alone():
    known = np.eye(4, towers.DIMENSIONS, dtype=np.float32)
    names = ["a", "b", "c", "d"]
    cases = [
        Case([Event("view", "a"), Event("search", "words"), Event("view", "b")], "d"),
        Case([Event("view", "c")], "d"),
        Case([Event("search", "words")], "d"),
    ]
    sent = [
        np.rint(127 * known[:1]).astype(np.int8),
        np.rint(127 * known[3:]).astype(np.int8),
        np.zeros((0, 128), np.int8),
    ]
    found = history_quality.attacked(sent, cases, names, known, ["c", "a"], is_search=False)
    assert found == {"guessed": pytest.approx(1 / 3, abs=1e-4), "by_chance": pytest.approx(1 / 3, abs=1e-4)}
    assert history_quality.attacked(sent[1:2], cases[1:2], names, known, [], is_search=True) == {}


def test_an_interval_holds_the_mean_and_is_narrower_with_more_cases():
    rng = np.random.default_rng(2)
    few, many = (history_quality.interval(rng.normal(0.3, 1, count), rng) for count in (50, 5_000))
    assert few[0] < few[1] < few[2]
    assert many[0] < 0.3 < many[2]
    assert many[2] - many[0] < few[2] - few[0]


def test_costs_of_other_models_are_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(history_quality, "PATH", tmp_path / "found.json")
    assert history_quality.costs_of_noise() == {}
    row = {"amount": 2.0, "quality_loss": 0.1, "read_back": {"items": {"guessed": 0.4, "by_chance": 0.1}}}
    history_quality.save({"models": history_quality._versions(), "noise": [row]}, "one")
    worse = row | {"quality_loss": 0.3, "read_back": {"items": {"guessed": 0.2, "by_chance": 0.1}}}
    history_quality.save({"models": history_quality._versions(), "noise": [worse]}, "two")
    history_quality.save({"models": {"user-tower": "another"}, "noise": [row | {"quality_loss": 0.9}]}, "three")
    assert history_quality.costs_of_noise() == {2.0: {"quality_loss": 0.3, "guessed": 0.4}}


def test_the_privacy_page_says_what_was_measured(client):
    """With the figures that are committed: they must be of the published models."""
    costs = history_quality.costs_of_noise()
    assert set(costs) == set(history_quality.NOISES)
    page = client.get("/privacy/").content.decode()
    for amount in history_quality.NOISES:
        assert f'name="noise" value="{amount:g}"' in page
    assert f"{costs[0.0]['guessed']:.0%}".replace("%", "\N{NO-BREAK SPACE}%") in page


def test_what_a_device_sends_is_what_is_attacked(collection):
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        device = feed_quality.Device({product: pk for pk, product in ids.items()})
        names = sorted(device.keys, key=device.keys.__getitem__)
        units = feed.units(device.sends([Event("view", "kettle")]))
        assert names[int((units @ device.items.T).argmax(axis=1)[0])] == "kettle"
