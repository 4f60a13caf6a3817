"""The measures of an order, against figures worked out by hand."""

import math

import pytest

from models import rankings

GRADES = {"a": 2, "b": 1, "c": 0}


def test_the_best_order_has_ndcg_1_and_a_worse_one_less():
    assert rankings.ndcg(["a", "b", "c"], GRADES) == 1
    best = 3 + 1 / math.log2(3)
    assert rankings.ndcg(["b", "x", "a"], GRADES) == pytest.approx((1 + 3 / 2) / best)
    assert rankings.ndcg(["x", "y"], GRADES) == 0


def test_only_the_first_ten_count_for_ndcg():
    assert rankings.ndcg(["x"] * 10 + ["a"], GRADES) == 0


def test_recall_counts_what_is_relevant():
    assert rankings.recall(["a", "c"], GRADES) == 0.5
    assert rankings.recall(["x"] * 100 + ["a", "b"], GRADES) == 0


def test_reciprocal_rank_is_of_the_first_relevant():
    assert rankings.reciprocal_rank(["c", "x", "b", "a"], GRADES) == pytest.approx(1 / 3)
    assert rankings.reciprocal_rank(["c"], GRADES) == 0


def test_nothing_relevant_is_no_division_by_zero():
    assert rankings.ndcg(["a"], {"a": 0}) == rankings.recall(["a"], {"a": 0}) == 0
