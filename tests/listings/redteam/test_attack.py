"""The search of the attacker on text: within its budget, the same for the same seed."""

import itertools
import random

import pytest

from listings.redteam import attack
from listings.redteam.edits import Draft
from tests.listings.redteam.cast import OFFER, fake_score


def stubborn_score(fields):
    """Never lets anything through, whatever its score."""
    return fake_score(fields) | {"decision": "block"}


def run(score=fake_score, budget=50, seed=1, listing=OFFER):
    return attack.attack(listing, score, budget, random.Random(seed))


def test_the_same_seed_gives_the_same_attack_and_another_seed_another():
    assert run(seed=4) == run(seed=4)
    tried = {tuple(step.description for step in run(stubborn_score, seed=seed).trajectory) for seed in range(5)}
    assert len(tried) > 1


@pytest.mark.parametrize("seed", range(10))
def test_the_score_never_rises_along_the_trajectory(seed):
    steps = run(stubborn_score, 120, seed).trajectory
    assert len(steps) > 3
    assert all(later.unsafe <= earlier.unsafe for earlier, later in itertools.pairwise(steps))
    assert [step.attempt for step in steps] == sorted({step.attempt for step in steps})


@pytest.mark.parametrize("budget", [1, 2, 3, 10, 77])
def test_the_budget_is_spent_exactly_when_nothing_passes(budget):
    seen = []
    result = run(lambda fields: seen.append(tuple(fields)) or stubborn_score(fields), budget)
    assert len(seen) == result.attempts == budget
    assert len(set(seen)) == budget, "no text is tried twice"
    assert seen[0] == tuple(OFFER.fields()), "the first attempt is the text as it is"
    assert result.passed is None


def test_it_stops_at_the_first_text_that_passes():
    result = run()
    assert result.passed is not None and result.attempts < 50
    last = result.trajectory[-1]
    assert (last.attempt, last.decision) == (result.attempts, "pass")
    assert (last.title, last.description) == (result.passed.title, result.passed.description)
    assert fake_score(result.passed.fields())["decision"] == "pass"
    assert all(step.decision != "pass" for step in result.trajectory[:-1])


def test_a_listing_that_passes_as_it_is_takes_one_attempt():
    result = run(listing=Draft("Oak table", "Sturdy."))
    assert (result.attempts, result.passed.edits) == (1, ())


def test_a_larger_budget_continues_a_smaller_one():
    small, large = run(stubborn_score, 20), run(stubborn_score, 60)
    assert large.trajectory[: len(small.trajectory)] == small.trajectory


def test_it_edits_the_words_that_are_held_against_it():
    steps = run(stubborn_score, 150).trajectory
    assert "cocaine" not in f"{steps[-1].title} {steps[-1].description}".lower()


def test_it_searches_on_where_the_model_names_no_word():
    blank = {"scores": {"safe": 0.9}, "decision": "unsure", "evidence": []}
    result = run(lambda fields: blank | {"decision": "pass" if len(fields[1][1]) > 400 else "unsure"}, 60)
    assert result.passed is not None


def test_a_listing_without_any_word_ends_the_search():
    result = run(stubborn_score, 400, listing=Draft("?", "!"))
    assert result.attempts <= 400
