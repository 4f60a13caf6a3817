"""The stream that models are trained on: whatever the label, the same noise."""

import random
from collections import Counter

import pytest

from models.recipes.listing_text import augment, mixture
from models.recipes.listing_text.corpus import Example, Frame, Thing
from models.steps.recipe import read

OPTIONS = read("listing-text")["mixture"]
EXAMPLES = [
    *(
        Example(f"Oak table {n}", f"Sturdy, {n} cm wide, from a calm home.", "safe", "shop", "market")
        for n in range(40)
    ),
    *(Example(f"Pistol {n}", "", "weapons", "ads", "market") for n in range(10)),
    *(Example(f"Own lamp {n}", "Brass, works.", "safe", "own-a", "own") for n in range(10)),
    *(Example(f"Own rifle {n}", "Bolt action.", "weapons", "own-a", "own") for n in range(10)),
    Example("Tea towels", "Six of them.", "safe", "list", "harmless"),
    Example("", "", "safe", "neutral", "neutral"),
]
DECIDED = [
    Example("Bread knife", "Serrated.", "safe", "decisions-report", "decided"),
    Example("Flick knife", "Opens by itself.", "weapons", "decisions-check", "decided"),
]
THINGS = [
    Thing("crossbow", "weapons", "weapons"),
    Thing("bow tie", "safe", "weapons"),
    Thing("teapot", "safe", "drugs"),
]
FRAMES = [Frame("Selling {}", ""), Frame("Attic find", "Among it {}, collect only")]


def drawn(count=4000, seed=1, **changes):
    stream = mixture.Mixture(EXAMPLES, THINGS, FRAMES, OPTIONS | changes, seed)
    return [stream.draw() for _ in range(count)]


def test_an_untouched_text_is_read_as_it_was_written():
    only = {"share": {"market": 1.0, "own": 1.0}, "chance": OPTIONS["chance"] | {"untouched": 1.0}}
    written = {(e.title, e.description) for e in EXAMPLES}
    assert all((draw.title, draw.description) in written for draw in drawn(300, **only))
    changed = drawn(300, **only | {"chance": OPTIONS["chance"] | {"untouched": 0.0}})
    assert not all((draw.title, draw.description) in written for draw in changed)


def test_in_a_lot_every_thing_is_named_and_both_kinds_are_put_into_lots():
    rng = random.Random(3)
    for _ in range(200):
        title, text = augment.bundled("switchblade", "barely used", ["lamp", "two chairs"], rng)
        assert title
        assert "{" not in title
        assert all(part in text for part in ("switchblade", "barely used", "lamp", "two chairs"))
    always = {"chance": dict.fromkeys(OPTIONS["chance"], 0.0) | {"bundled": 1.0}, "share": {"market": 1.0}}
    goods = ("bow tie", "teapot", "tea towels", "own lamp", "oak table")

    def named(draw):
        return sum(draw.description.casefold().count(name) for name in goods)

    in_lots = [draw for draw in drawn(300, **always) if named(draw) >= 2]
    assert len(in_lots) == 300
    assert {draw.policy for draw in in_lots} == {"safe", "weapons"}


def test_a_seed_gives_the_same_stream():
    assert drawn(50) == drawn(50)
    assert drawn(50) != drawn(50, seed=2)


def test_every_origin_is_drawn_by_its_share():
    counts = Counter(draw.origin for draw in drawn())
    for name, share in OPTIONS["share"].items():
        wanted = 0 if name == "decided" else share
        assert counts[name] / 4000 == pytest.approx(wanted, abs=0.03)


def test_decisions_are_drawn_beside_the_rest_and_change_nothing_where_there_are_none():
    others = {name: share for name, share in OPTIONS["share"].items() if name != "decided"}
    assert sum(others.values()) == pytest.approx(1)
    assert drawn(200) == drawn(200, share=others)
    stream = mixture.Mixture(EXAMPLES + DECIDED, THINGS, FRAMES, OPTIONS, 1)
    found = [draw for draw in (stream.draw() for _ in range(4000)) if draw.origin == "decided"]
    assert len(found) / 4000 == pytest.approx(OPTIONS["share"]["decided"] / sum(OPTIONS["share"].values()), abs=0.03)
    assert {draw.policy for draw in found} == {"safe", "weapons"}


def test_things_of_both_kinds_stand_in_the_same_frames_equally_often():
    draws = [draw for draw in drawn(8000) if draw.origin == "thing"]
    assert Counter(draw.policy for draw in draws)["weapons"] / len(draws) == pytest.approx(0.5, abs=0.03)


def test_noise_is_the_same_for_every_label():
    """What the noise does (leaving out, disguising, hiding) is drawn before anybody looks at the label."""
    draws = [draw for draw in drawn(12000) if draw.origin == "own"]
    bare = {policy: [not draw.description for draw in draws if draw.policy == policy] for policy in ("safe", "weapons")}
    shares = [sum(found) / len(found) for found in bare.values()]
    assert shares[0] == pytest.approx(shares[1], abs=0.04)
    assert 0.2 < shares[0] < 0.6


def test_what_a_corpus_lacks_is_not_drawn():
    stream = mixture.Mixture(EXAMPLES[:50], [], [], OPTIONS, 1)
    assert {stream.draw().origin for _ in range(200)} == {"market"}


def test_large_groups_do_not_drown_small_ones():
    items = [(n, "large") for n in range(900)] + [(n, "small") for n in range(900, 909)]
    rng, group = random.Random(0), mixture.Balanced(items, 0.5)
    small = sum(group.draw(rng) >= 900 for _ in range(4000)) / 4000
    assert small == pytest.approx(3 / 33, abs=0.02)


def test_only_long_numbers_change_and_keep_their_length():
    found = mixture.other_digits("9 mm, 45 cm, 1200 EUR, 2024", random.Random(3))
    assert found.startswith("9 mm, 45 cm, ")
    assert len(found) == len("9 mm, 45 cm, 1200 EUR, 2024")
    assert found != "9 mm, 45 cm, 1200 EUR, 2024"
