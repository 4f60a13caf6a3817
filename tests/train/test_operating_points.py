"""Thresholds keep what the recipe promises, also where scores crowd near 1."""

import numpy as np
import pytest

from models.steps import calibrate

pytestmark = pytest.mark.train
LABELS = ["drugs", "safe"]
TARGETS = {"warn_fpr": 0.01, "warn_own_fpr": 0.05, "unsure_fpr": 0.05, "block_precision": 0.99, "coverage": 0.35,
           "evidence_floor": 0.4}  # fmt: skip
RNG = np.random.default_rng(5)


def scored(unsafe, safe):
    return np.r_[np.ones(len(unsafe), bool), np.zeros(len(safe), bool)], np.r_[unsafe, safe].astype(float)


def points(market, own, ordinary):
    return calibrate.operating_points(market, own, ordinary, LABELS, TARGETS)


def test_each_set_keeps_its_share_of_false_alarms():
    market = scored(RNG.beta(8, 2, 500), RNG.beta(1, 9, 2000))
    own = scored(RNG.beta(5, 2, 200), RNG.beta(2, 5, 200))
    ordinary = scored([], RNG.beta(2, 6, 400))
    found = points(market, own, ordinary)
    assert found["unsure"] <= found["warn"] <= found["block"] < 1
    for unsafe, score in (market, ordinary):
        assert (score[~unsafe] >= found["warn"]).mean() <= TARGETS["warn_fpr"]
        assert (score[~unsafe] >= found["unsure"]).mean() <= TARGETS["unsure_fpr"]
    assert (own[1][~own[0]] >= found["warn"]).mean() <= TARGETS["warn_own_fpr"]


def test_ordinary_listings_raise_the_thresholds():
    market, own = scored(RNG.beta(8, 2, 500), RNG.beta(1, 9, 2000)), scored(RNG.beta(5, 2, 99), RNG.beta(1, 9, 99))
    calm, nervous = (points(market, own, scored([], np.full(100, score))) for score in (0.01, 0.9))
    assert nervous["unsure"] > 0.9 > calm["unsure"]


def test_scores_that_crowd_at_one_never_turn_the_order_round():
    crowd = scored(np.full(50, 1.0), np.r_[np.full(50, 1.0), np.zeros(50)])
    found = points(crowd, crowd, scored([], np.full(10, 1.0)))
    assert found["unsure"] <= found["warn"] <= found["block"] == 0.9999


def test_one_wrong_label_at_the_top_does_not_forbid_blocking():
    market = scored(np.linspace(0.8, 0.99, 1000), np.r_[0.995, np.full(999, 0.1)])
    found = points(market, scored([0.9], [0.1]), scored([], [0.1]))
    assert found["block"] < 0.9
