"""Figures of merit against values worked out by hand."""

import numpy as np
import pytest

from models.steps import metrics

UNSAFE = np.array([True, True, False, True, False, False])
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.1])


def test_auc_counts_pairs():
    assert metrics.roc_auc(UNSAFE, SCORE) == pytest.approx(8 / 9)


def test_auc_counts_ties_half():
    assert metrics.roc_auc(np.array([True, False]), np.array([0.5, 0.5])) == 0.5
    assert metrics.roc_auc(np.array([True, True]), np.array([0.5, 0.5])) is None


def test_average_precision():
    assert metrics.average_precision(UNSAFE, SCORE) == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_recall_at_a_false_positive_rate():
    assert metrics.recall_at_fpr(UNSAFE, SCORE, 0.01) == pytest.approx(2 / 3)
    assert metrics.recall_at_fpr(UNSAFE, SCORE, 0.34) == 1.0
    assert metrics.recall_at_fpr(np.array([True, False]), np.array([0.5, 0.5]), 0.01) == 0.0


def test_the_threshold_keeps_the_promised_rate():
    safe = np.linspace(0, 1, 1001)
    threshold = metrics.threshold_at_fpr(np.zeros(1001, bool), safe, 0.01)
    assert (safe >= threshold).mean() <= 0.01 < (safe >= threshold - 0.002).mean()


def test_calibration_error_is_the_distance_of_score_and_share():
    assert metrics.expected_calibration_error(np.array([True, False]), np.array([0.5, 0.5])) == pytest.approx(0.0)
    assert metrics.expected_calibration_error(np.array([False] * 4), np.array([1.0] * 4)) == pytest.approx(1.0)


def test_a_class_without_rows_is_none():
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]])
    found = metrics.per_policy(["drugs", "safe", "adult"], np.array([0, 1, 1]), scores)
    assert found["adult"] is None
    assert found["drugs"] == {
        "n": 1, "precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "ap": 1.0, "roc_auc": 1.0,
        "recall_at_fpr_1pct": 1.0, "recall_at_fpr_5pct": 1.0,
    }  # fmt: skip


def test_precision_at_a_prevalence_is_what_a_moderator_would_see():
    unsafe = np.array([True] * 10 + [False] * 100)
    warned = np.array([True] * 9 + [False] + [True] * 2 + [False] * 98)
    expected = 0.9 * 0.01 / (0.9 * 0.01 + 0.02 * 0.99)
    assert metrics.precision_at_prevalence(unsafe, warned, 0.01) == pytest.approx(expected)
    assert metrics.precision_at_prevalence(unsafe, np.zeros(110, bool), 0.01) is None


def test_a_bootstrap_interval_holds_the_figure_and_narrows_with_more_rows():
    rng = np.random.default_rng(0)

    def interval(count):
        unsafe = np.arange(count) % 2 == 0
        score = rng.normal(size=count) + unsafe
        low, high = metrics.bootstrap(unsafe, score, metrics.roc_auc)
        assert low <= metrics.roc_auc(unsafe, score) <= high
        return high - low

    assert interval(2000) < interval(60)
    assert metrics.bootstrap(np.ones(4, bool), np.ones(4), metrics.roc_auc) is None
