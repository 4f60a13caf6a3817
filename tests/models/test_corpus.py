"""What listing-text learns from: our lists, our listings, and the noise put over them."""

import random

import pytest

from models.recipes.listing_text import augment, corpus
from models.recipes.listing_text.corpus import Example
from models.steps.errors import StepError
from models.steps.recipe import read

LABELS = read("listing-text")["labels"]


def test_every_policy_has_many_things_and_listings_of_our_own():
    for examples, least in ((corpus.lexicon(), 400), (corpus.own(), 80)):
        counts = {label: sum(e.policy == label for e in examples) for label in LABELS}
        assert min(counts.values()) >= least, counts


def test_our_listings_are_no_copies_of_each_other():
    texts = [(e.title.lower(), e.description.lower()) for e in corpus.own()]
    assert len(set(texts)) == len(texts)


def test_the_frames_say_nothing_and_are_safe_by_themselves():
    found = corpus.neutral()
    assert {e.policy for e in found} == {"safe"}
    assert any(not e.title and not e.description for e in found)
    assert not any("{}" in e.title for e in found)


def test_a_telling_word_is_one_that_no_harmless_thing_shares():
    words = corpus.telling_words()
    assert "tequila" in words
    assert "gun" not in words


def test_the_lists_are_read_the_same_way_each_time():
    assert corpus.lexicon(seed=3) == corpus.lexicon(seed=3)
    assert corpus.things_in(" a b;\n c ; a b; ") == ["a b", "c"]


@pytest.mark.parametrize("disguise", [augment.spaced, augment.dotted, augment.doubled, augment.split, augment.starred])
def test_a_disguise_changes_a_word_but_keeps_its_ends(disguise):
    rng = random.Random(5)
    for _ in range(20):
        found = disguise("cocaine", rng)
        assert found != "cocaine"
        assert (found[0], found[-1]) == ("c", "e")


def test_a_thing_is_hidden_whole_inside_another_listing():
    host = Example("Old lamps", "Three of them, all work, one has a dent.", "safe", "x", "own")
    for seed in range(20):
        title, description = augment.hosted("two pistols", "cheap", host, random.Random(seed))
        assert title == "Old lamps"
        assert "two pistols. cheap" in description


def test_a_data_root_without_text_is_refused(tmp_path):
    with pytest.raises(StepError, match="data root"):
        corpus.gather(tmp_path, read("listing-text"))
