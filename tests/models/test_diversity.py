"""Our own listings are no templates with slots: they begin differently, none copies another, style does not tell."""

import random
import re
import tomllib
from collections import Counter

import pytest

from models.recipes.listing_text import corpus, diversity
from models.recipes.listing_text.corpus import Example, Frame, Thing
from models.recipes.listing_text.mixture import Mixture
from models.steps.data import read_dicts
from models.steps.recipe import read

RECIPE = read("listing-text")
POLICIES = [label for label in RECIPE["labels"] if label != "safe"]
COLUMNS = ("id", "title", "description", "policy", "kind")
FILES = [*sorted(corpus.EXAMPLES.rglob("*.csv")), corpus.VALIDATION, corpus.ORDINARY]

# Limits lie just beyond what was measured; a figure that passes one asks for other listings, not for another limit.
LEAST_OPENINGS = 0.95  # share of different first three words; 0.97 to 1.00
COMMONEST_OPENING = 0.01  # of a hand's rows; 2 of 480 is the most
NEAR_COPY = 0.6  # Jaccard of character 4-grams; the two most alike reach 0.57
STYLE = {"first": 0.66, "second": 0.66, "validation": 0.74}  # 0.63, 0.64, 0.71
STYLE_UNDISGUISED = {"first": 0.67, "second": 0.70, "validation": 0.81}  # 0.65, 0.67, 0.79
LEAST_KINDS = {"plain": 120, "euphemism": 140, "obfuscated": 90, "hard_negative": 430}  # of each policy

WORDS = ["lamp", "chair", "bicycle", "garden", "bell", "copper", "velvet", "window", "basket", "summer"]


@pytest.fixture(scope="module")
def hands():
    return diversity.hands()


def listing(title, description="", policy="safe", kind=""):
    return Example(title, description, policy, "made-up", "own", kind)


def texts_of(examples):
    return [diversity.text_of(e) for e in examples]


def brute_force(texts, threshold):
    """Every pair compared, to check the search by rarest grams."""
    sets = [diversity.grams(text) for text in texts]
    return {
        (a, b)
        for a in range(len(sets))
        for b in range(a + 1, len(sets))
        if len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= threshold
    }


class TestOurListings:
    def test_every_hand_begins_its_listings_differently(self, hands):
        for hand, examples in hands.items():
            found = diversity.distinct_openings(texts_of(examples))
            assert found.share >= LEAST_OPENINGS, (hand, found)
            assert found.count <= COMMONEST_OPENING * len(examples), (hand, found)

    def test_no_listing_is_a_near_copy_of_another_of_any_hand(self, hands):
        texts = texts_of([e for examples in hands.values() for e in examples])
        assert len(texts) > 10_000
        found = diversity.near_copies(texts, NEAR_COPY)
        assert [(pair.similarity, texts[pair.first], texts[pair.second]) for pair in found] == []

    def test_style_does_not_tell_unsafe_listings_from_safe_ones(self, hands):
        for hand in STYLE:  # the third hand and the ordinary listings are harmless throughout
            examples = hands[hand]
            assert diversity.style_auc(examples) <= STYLE[hand], hand
            plain = [e for e in examples if not diversity.disguised(e)]
            assert diversity.style_auc(plain) <= STYLE_UNDISGUISED[hand], hand

    def test_every_policy_has_every_kind_and_hard_negatives_beside_it(self):
        ours = corpus.own()
        for policy in POLICIES:
            rows = [e for e in ours if e.source.endswith(policy)]
            counts = Counter(e.kind for e in rows)
            assert set(counts) == set(LEAST_KINDS)
            assert all(counts[kind] >= least for kind, least in LEAST_KINDS.items()), (policy, counts)
            assert {e.policy for e in rows} == {policy, "safe"}
        assert sum(e.kind == "ordinary" for e in ours) >= 1700

    def test_the_validation_hand_knows_every_policy_in_every_kind(self):
        counts = Counter((e.policy, e.kind) for e in corpus.validation())
        assert min(counts[policy, kind] for policy in POLICIES for kind in ("plain", "euphemism", "obfuscated")) >= 4
        assert counts["safe", "hard_negative"] == sum(counts.values()) / 2

    def test_ordinary_listings_are_harmless_and_most_have_a_long_description(self, hands):
        for hand in ("third", "ordinary"):
            assert {(e.policy, e.kind) for e in hands[hand]} == {("safe", "ordinary")}
            long = [e for e in hands[hand] if len(e.description.split()) >= 25]
            assert len(long) >= 0.8 * len(hands[hand]) >= 200


class TestOurFiles:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
    def test_every_row_is_whole_and_labelled(self, path):
        for row in read_dicts(path, COLUMNS):
            assert set(row) == set(COLUMNS), f"{row['id']}: a comma without quotes"
            assert row["title"].strip() == row["title"] != "", row["id"]
            assert row["description"].strip() == row["description"], row["id"]
            assert row["policy"] in RECIPE["labels"], row["id"]
            assert (row["policy"] == "safe") == (row["kind"] in ("hard_negative", "ordinary")), row["id"]

    def test_no_id_and_no_listing_occurs_twice(self):
        rows = [row for path in FILES for row in read_dicts(path, COLUMNS)]
        for key in (
            lambda r: r["id"],
            lambda r: r["title"].lower(),
            lambda r: f"{r['title']}\n{r['description']}".lower(),
        ):
            assert [value for value, count in Counter(map(key, rows)).items() if count > 1] == []

    def test_nobody_can_be_reached_through_a_listing(self):
        address = re.compile(r"https?:|www\.|\w@\w+\.[a-z]{2,}|\b\w+\.(?:com|net|org|co\.uk|onion)\b", re.IGNORECASE)
        phone = re.compile(r"\+\d{6,}|(?<!\d)0\d{9,10}(?!\d)|(?<!\d)\d{10,}(?!\d)|\b0\d{3,4}[ -]\d{3}[ -]?\d{3,4}\b")
        texts = texts_of([*corpus.own(), *corpus.validation()]) + [thing.name for thing in corpus.things()]
        assert [text for text in texts if address.search(text) or phone.search(text)] == []


class TestOurThings:
    def test_every_policy_has_many_and_the_harmless_ones_are_no_fewer(self):
        counts = Counter(thing.policy for thing in corpus.things())
        beside = Counter(thing.near for thing in corpus.things() if thing.policy == "safe")
        for policy in POLICIES:
            assert counts[policy] >= 500, policy
            assert beside[policy] >= 500, policy
        assert counts["safe"] >= sum(counts[policy] for policy in POLICIES)

    def test_no_thing_is_both_forbidden_and_harmless(self):
        forbidden, allowed = {}, set()
        for path in corpus.THINGS.rglob("*.toml"):
            book = tomllib.loads(path.read_text(encoding="utf-8"))
            assert set(book) <= {"forbidden", "allowed"}, path
            for name in corpus.things_in(book.get("forbidden", "")):
                assert forbidden.setdefault(name.lower(), path.stem) == path.stem, name
            allowed |= {name.lower() for name in corpus.things_in(book.get("allowed", ""))}
        assert set(forbidden) & allowed == set()


class TestOurFrames:
    def test_there_are_hundreds_each_with_a_place_for_the_thing(self):
        frames = corpus.frames()
        assert len(frames) >= 500
        assert len(set(frames)) == len(frames)
        assert all("{}" in frame.title + frame.description for frame in frames)
        assert sum(not frame.description for frame in frames) >= 100

    def test_both_classes_use_the_same_frames_equally_often(self):
        frames, names = corpus.frames(), {"drugs": "xxforbiddenxx", "safe": "xxallowedxx"}
        things = [Thing(name, policy, "drugs") for policy, name in names.items()]
        mixture = Mixture([], things, frames, RECIPE["mixture"], seed=3)
        used = {policy: Counter() for policy in names}
        for _ in range(4000):
            title, description, policy = mixture.framed()
            name = names[policy]
            used[policy][Frame(title.replace(name, "{}"), description.replace(name, "{}"))] += 1
        assert set(used["drugs"]) | set(used["safe"]) <= set(frames)
        assert 0.47 < used["drugs"].total() / 4000 < 0.53
        # Two samples of the same distribution: chi-square with one degree of freedom a frame, within four deviations.
        both = [
            (used["drugs"][frame], used["safe"][frame])
            for frame in frames
            if used["drugs"][frame] + used["safe"][frame]
        ]
        distance = sum((a - b) ** 2 / (a + b) for a, b in both)
        assert distance < len(both) + 4 * (2 * len(both)) ** 0.5

    def test_style_does_not_tell_the_class_of_a_thing_in_its_frame(self):
        mixture = Mixture([], corpus.things(), corpus.frames(), RECIPE["mixture"], seed=5)
        drawn = [mixture.framed() for _ in range(4000)]
        assert diversity.style_auc([listing(*draw) for draw in drawn]) < 0.60  # 0.55


class TestTheFigures:
    def test_an_opening_is_the_first_three_words_whatever_their_case_and_punctuation(self):
        found = diversity.distinct_openings(["Old lamp, red one", "old LAMP: red two", "New lamp"])
        assert (found.share, found.commonest, found.count) == (2 / 3, "old lamp red", 2)
        assert diversity.distinct_openings([]).count == 0

    def test_the_most_alike_pair_is_found(self):
        texts = ["A red bicycle with a bell", "Seven books about the sea", "A blue bicycle with a bell", "Garden chair"]
        pair = diversity.highest_similarity(texts)
        assert (pair.first, pair.second) == (0, 2)
        assert 0.5 < pair.similarity < 1
        assert diversity.highest_similarity(["Garden chair, white", "Seven books of mine"]) is None
        assert diversity.near_copies(["The same text twice", "the same, text: TWICE!"], 1.0)[0].similarity == 1

    @pytest.mark.parametrize("threshold", [0.2, 1 / 3, 0.5, 0.8, 1.0])
    def test_the_search_by_rarest_grams_misses_no_pair(self, threshold):
        rng = random.Random(11)
        texts = [" ".join(rng.choices(WORDS, k=rng.randint(3, 8))) for _ in range(120)]
        found = {(pair.first, pair.second) for pair in diversity.near_copies(texts, threshold)}
        assert found == brute_force(texts, threshold)

    def test_a_threshold_that_every_pair_meets_is_refused(self):
        with pytest.raises(ValueError, match="threshold"):
            diversity.near_copies(["a", "b"], 0)

    def test_style_tells_all_where_only_one_class_shouts_and_nothing_where_both_write_alike(self):
        rng = random.Random(2)
        titles = [" ".join(rng.choices(WORDS, k=rng.randint(3, 8))) for _ in range(400)]
        policies = [rng.choice(("safe", "drugs")) for _ in titles]
        alike = [listing(title, policy=policy) for title, policy in zip(titles, policies, strict=True)]
        loud = [listing(e.title.upper() + "!" if e.policy == "drugs" else e.title, policy=e.policy) for e in alike]
        assert diversity.style_auc(loud) == 1.0
        assert 0.4 < diversity.style_auc(alike) < 0.6

    def test_style_needs_both_classes(self):
        assert diversity.style_auc([]) is None
        assert diversity.style_auc([listing("Lamp"), listing("Chair")]) is None

    @pytest.mark.parametrize("title", ["v4lium strips", "h a s h bar", "cосaine", "pi\u200bstol"])
    def test_disguised_words_are_seen(self, title):
        assert diversity.disguised(listing(title))

    @pytest.mark.parametrize("title", ["Galaxy S22, 128 GB", "Size 38 to 40", "Café table, £20"])
    def test_models_and_prices_are_no_disguise(self, title):
        assert not diversity.disguised(listing(title))
