"""What listing-text learns from: our lists, our listings, and the noise put over them."""

import csv
import gzip
import io
import random

import pytest

from models.recipes.listing_text import augment, corpus
from models.recipes.listing_text.corpus import Example
from models.steps import card
from models.steps.errors import StepError
from models.steps.recipe import RECIPES, read

LABELS = read("listing-text")["labels"]


def test_every_policy_has_listings_and_things_of_our_own():
    for found, least in ((corpus.own(), 350), (corpus.things(), 500)):
        counts = {label: sum(one.policy == label for one in found) for label in LABELS}
        assert min(counts.values()) >= least, counts


def test_a_folder_below_the_examples_is_another_hand(tmp_path):
    head = "id,title,description,policy,kind\n"
    (tmp_path / "drugs.csv").write_text(f"{head}a,Hemp rope,,safe,hard_negative\n")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "drugs.csv").write_text(f"{head}b,Hash,9 oz,drugs,plain\n")
    assert [(e.source, e.title, e.policy, e.kind) for e in corpus.own(tmp_path)] == [
        ("own-drugs", "Hemp rope", "safe", "hard_negative"),
        ("own-second-drugs", "Hash", "drugs", "plain"),
    ]


def test_validation_listings_are_not_among_those_to_learn_from():
    learned = {(e.title.lower(), e.description.lower()) for e in corpus.own()}
    for held in (corpus.validation(), corpus.ordinary()):
        assert not learned & {(e.title.lower(), e.description.lower()) for e in held}
    assert {e.policy for e in corpus.validation()} == set(LABELS)


def test_the_frames_say_nothing_and_are_safe_by_themselves():
    found = corpus.neutral()
    assert {e.policy for e in found} == {"safe"}
    assert any(not e.title and not e.description for e in found)
    assert not any("{}" in e.title for e in found)


def test_a_telling_word_is_one_that_no_harmless_thing_shares(tmp_path):
    (tmp_path / "weapons.toml").write_text('forbidden = "gun; Sabre"\nallowed = "glue gun; garden chair"')
    words = corpus.telling_words(tmp_path)
    assert "sabre" in words
    assert not {"gun", "glue", "chair"} & words


def test_a_thing_knows_its_policy_and_a_harmless_one_whose_words_it_shares(tmp_path):
    (tmp_path / "weapons.toml").write_text('forbidden = "gun; Rifle"\nallowed = "glue gun; water\\n pistol"')
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "weapons.toml").write_text('forbidden = "rifle; sabre"')
    found = [(thing.name.lower(), thing.policy, thing.near) for thing in corpus.things(tmp_path)]
    assert sorted(found) == [
        ("glue gun", "safe", "weapons"),
        ("gun", "weapons", "weapons"),
        ("rifle", "weapons", "weapons"),
        ("sabre", "weapons", "weapons"),
        ("water pistol", "safe", "weapons"),
    ]


def test_things_stand_between_semicolons():
    assert corpus.things_in(" a b;\n c ; a b; ") == ["a b", "c"]


def test_the_lists_are_read_the_same_way_each_time():
    assert corpus.things() == corpus.things()
    assert corpus.frames() == corpus.frames()


def test_a_frame_has_a_place_for_the_thing():
    assert corpus.frames()
    assert all("{}" in frame.title + frame.description for frame in corpus.frames())


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


HEAD = "id,title,description,policy,source,decided_at,action\n"


def decided_root(tmp_path, **files):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "train.csv.gz").write_bytes(
        gzip.compress(b"id,title,description,policy\n1,Oak table,Solid,safe\n")
    )
    (tmp_path / "text" / "dev.csv.gz").write_bytes(
        gzip.compress(b"id,title,description,policy\n1,Held out  lamp,Brass,safe\n")
    )
    (tmp_path / "decisions").mkdir()
    for name, rows in files.items():
        content = (HEAD + rows).encode()
        packed = name.endswith("gz")
        path = tmp_path / "decisions" / (f"{name}.csv.gz" if packed else f"{name}.csv")
        path.write_bytes(gzip.compress(content) if packed else content)
    return tmp_path


def test_moderators_decisions_are_a_source_of_their_own(tmp_path):
    root = decided_root(
        tmp_path,
        october="decision-1,Flick knife,Opens by itself,weapons,decisions-check,2026-10-03T08:00:00+00:00,reject\n",
        november_gz="decision-2,Bread knife,Serrated,safe,decisions-report,2026-11-05T08:00:00+00:00,approve\n",
    )
    found = [e for e in corpus.gather(root, read("listing-text")) if e.group == "decided"]
    assert sorted((e.title, e.policy, e.source) for e in found) == [
        ("Bread knife", "safe", "decisions-report"),
        ("Flick knife", "weapons", "decisions-check"),
    ]
    assert corpus.decided(found) == {"rows": 2, "first": "2026-10-03", "last": "2026-11-05"}


def test_without_decisions_nothing_changes_and_the_report_says_so(tmp_path):
    root = decided_root(tmp_path)
    found = corpus.gather(root, read("listing-text"))
    assert corpus.decided(found) is None
    (root / "decisions").rmdir()
    assert corpus.gather(root, read("listing-text")) == found


def test_of_two_decisions_about_one_text_the_later_counts(tmp_path):
    root = decided_root(
        tmp_path,
        b="decision-1,Fog machine,Loud,hacking,decisions-check,2026-10-01T08:00:00+00:00,reject\n",
        a="decision-9,Fog  Machine,loud,safe,decisions-appeal,2026-10-02T08:00:00+00:00,overturn\n",
    )
    assert [(e.title, e.policy) for e in corpus.decisions(root)] == [("Fog  Machine", "safe")]


def test_nothing_is_learned_that_a_model_is_measured_or_chosen_by(tmp_path):
    held = corpus.validation()[0]
    sheet = io.StringIO()
    csv.writer(sheet).writerows(
        [
            ["decision-1", "HELD OUT lamp", "brass", "safe", "decisions-check", "2026-10-01", "approve"],
            ["decision-2", held.title, held.description, held.policy, "decisions-check", "2026-10-01", "reject"],
            ["decision-3", "Another lamp", "brass", "safe", "decisions-check", "2026-10-01", "approve"],
        ]
    )
    assert [e.title for e in corpus.decisions(decided_root(tmp_path, a=sheet.getvalue()))] == ["Another lamp"]


def test_a_decision_under_a_policy_that_the_recipe_does_not_know_is_refused(tmp_path):
    root = decided_root(tmp_path, a="decision-1,Kite,Red,kites,decisions-check,2026-10-01,reject\n")
    with pytest.raises(StepError, match="kites"):
        corpus.gather(root, read("listing-text"))


def test_the_card_says_how_many_decisions_and_from_when():
    found = {"rows": 1204, "first": "2026-10-03", "last": "2026-11-05"}
    assert card.decisions_line({"decisions": found}) == (
        "Of moderators' decisions 1,204, from 2026-10-03 to 2026-11-05."
    )
    assert card.decisions_line({"decisions": None}) == card.decisions_line({})
    for model in ("listing_text", "listing_text_cloud", "listing_text_gate"):
        assert "{decisions}" in (RECIPES / model / "card.md").read_text()
