"""No training text may share a run of eight words with the challenge: it is there to be met for the first time."""

import os
from pathlib import Path

import pytest

from models.recipes.listing_text import corpus
from models.recipes.listing_text.corpus import Example, leaked
from models.steps.data import TextRow, read_text

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("DATA") or ROOT.parent / "shared" / "data")
CHALLENGE = DATA / "text" / "challenge_dev.csv"
HELD_OUT = [TextRow("c1", "Blue vase", "One two three four five six seven eight nine ten.", "safe")]


def example(title, description=""):
    return Example(title, description, "safe", "made-up", "own")


@pytest.mark.parametrize(
    "text",
    [
        "two three four five six seven eight nine",
        "ZERO, one. Two! three FOUR five; six seven (eight) nine",
        "vase one two three four five six seven",
    ],
)
def test_eight_words_in_a_row_are_found_whatever_their_case_and_punctuation(text):
    assert leaked([example("Something else"), example(text)], HELD_OUT) == [(example(text), "c1")]


@pytest.mark.parametrize("text", ["two three four five six seven eight", "one two three four 5 six seven eight nine"])
def test_fewer_words_in_a_row_are_no_leak(text):
    assert leaked([example(text)], HELD_OUT) == []


def test_a_run_may_span_title_and_description():
    assert leaked([example("one two three four", "five six seven eight")], HELD_OUT)


def written():
    """All that we wrote: listings of every hand, things, frames with a thing of no meaning in them."""
    things = [example(thing.name) for thing in corpus.things()]
    frames = [example(f.title.replace("{}", "thing"), f.description.replace("{}", "thing")) for f in corpus.frames()]
    return corpus.own() + corpus.validation() + corpus.ordinary() + things + frames


def test_what_we_wrote_is_read_and_would_be_found():
    """So that the check below cannot pass on nothing."""
    ours = written()
    assert len(ours) > 20_000
    for part in (corpus.own(), corpus.validation(), corpus.ordinary(), ours[-len(corpus.frames()) :]):
        long = next(e for e in part if len(corpus.word_grams(e.description)) > 3)
        assert leaked(ours, [TextRow("x", "", long.description, "safe")])


if CHALLENGE.is_file():  # the data is not part of the project: on a machine without it there is nothing to compare

    def test_nothing_to_learn_from_shares_eight_words_with_the_challenge():
        learned = read_text(DATA / corpus.TRAIN) if (DATA / corpus.TRAIN).is_file() else []
        rows = [Example(r.title, r.description, r.policy, r.source, "market") for r in learned]
        found = leaked(written() + rows, read_text(CHALLENGE))
        assert [(e.source, row) for e, row in found] == []
