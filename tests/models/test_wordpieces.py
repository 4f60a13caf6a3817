"""How the server's models read: folded, in word pieces, in windows; with the published files."""

import itertools
import os
import unicodedata

import numpy as np
import pytest

from models import manifest, runtime, scoring, wordpieces
from models.contract import pack
from models.recipes.listing_text import folding
from models.text import CLOUD, SECOND, check_text_in_cloud, occlusion

ENTRY = manifest.load()["models"][CLOUD]
READER = wordpieces.reader(scoring.files_of(ENTRY, manifest.PUBLISHED))


def folded(text):
    return wordpieces.folded(READER.fold, pack([("title", text), ("description", "")]).data).strip()


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("x a n a x 2 mg", "xanax 2 mg"),
        ("С0саіnе, PURE", "cocaine pure"),
        ("fresh ❄️ by the gram", "fresh  snowflake  by the gram"),
        ("Größe 38", "grose 38"),
        ("", ""),
    ],
)
def test_disguises_are_undone_and_pictographs_have_names(typed, read):
    assert folded(typed) == read


def test_a_letter_of_another_script_stays_itself():
    assert folded("кот ж") == unicodedata.normalize("NFKC", folded("кот ж"))
    assert "ж" in folded("кот ж")


@pytest.mark.parametrize(("text", "share"), [("plain words", 1.0), ("漢字", 0.0), ("12 34", 0.0), ("ab漢字", 0.5)])
def test_coverage_is_the_share_of_letters_the_model_can_read(text, share):
    assert wordpieces.coverage(text) == share


@pytest.mark.parametrize(
    ("typed", "share"),
    [
        ("A table, 12 cm", 1.0),
        ("", 1.0),
        ("стол", 0.0),
        ("cосаinе", 1.0),  # Cyrillic letters among Latin ones: a disguise, which folding undoes
        ("table стол", 5 / 9),
    ],
)
def test_words_of_another_script_are_not_read_by_their_look(typed, share):
    assert wordpieces.latin(typed) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("solid oak table from a quiet house, two small scratches on the top", 0.95, 1.0),
        ("verkaufe mein altes fahrrad, guter zustand, abholung in berlin, preis verhandelbar", 0.0, 0.3),
        ("halden h40 kopfhorer", 1.0, 1.0),
    ],
)
def test_the_share_of_known_words_tells_english_from_others_where_there_are_enough(text, least, most):
    assert least <= wordpieces.known(READER.tokenizer.encode(text, add_special_tokens=False)) <= most


@pytest.mark.parametrize("model", [CLOUD, SECOND])
def test_a_text_of_thousands_of_pictographs_is_unsure_and_read_in_small_batches(model, monkeypatch):
    entry = manifest.load()["models"][model]
    session = runtime.session(model, "cloud")
    sizes = []

    class Counted:
        def run(self, names, inputs):
            sizes.append(len(inputs["input_ids"]))
            return session.run(names, inputs)

    score = wordpieces.scorer(Counted(), READER, entry)
    found = score(pack([("title", "Faces"), ("description", "\U0001f61d" * 5000)]))
    assert sum(sizes) == len(found) == len(wordpieces.windows([0] * wordpieces.MOST_PIECES, entry["window_pieces"]))
    assert max(sizes) <= wordpieces.BATCH
    assert {share for _, share in found} == {0.0}, "not read to its end: no pass"


@pytest.mark.parametrize("model", [CLOUD, SECOND])
def test_the_longest_listing_that_a_merchant_may_write_is_read_to_its_end(model):
    """Every field as full as the form lets it be, of many small words."""
    words = "a fine oak table of 1960 by my dad, 82 x 75 cm, to go now as is. "
    fields = [("title", words * 2), ("description", (words * 90)[:5000])]
    fields += [(f"alt{number}", (words * 4)[:200]) for number in range(8)]
    found = check_text_in_cloud([*fields, ("attributes", words * 10)], model=model)
    assert found["coverage"] > 0.6


@pytest.mark.parametrize("length", [0, 1, 95, 96, 97, 200, 1000])
def test_windows_cover_every_piece_and_none_is_too_long(length):
    ids = list(range(length))
    found = wordpieces.windows(ids, 96)
    assert {piece for window in found for piece in window} == set(ids)
    assert max(map(len, found)) <= 96
    for one, other in itertools.pairwise(found):
        assert len(set(one) & set(other)) >= 20, "neighbours share about a quarter, so nothing is cut at an edge"


def test_a_batch_marks_what_is_padding():
    found = wordpieces.batch([[7, 8], [], [9]])
    assert found["input_ids"].tolist() == [[101, 7, 8, 102], [101, 102, 0, 0], [101, 9, 102, 0]]
    assert found["attention_mask"].sum(axis=1).tolist() == [4, 2, 3]


@pytest.mark.parametrize("model", [CLOUD, SECOND])
def test_padding_changes_no_score(model):
    entry = manifest.load()["models"][model]
    session = runtime.session(model, "cloud")
    short, long = [2000, 2001], list(range(2000, 2030))
    alone = session.run(["scores"], wordpieces.batch([short]))[0][0]
    beside = session.run(["scores"], wordpieces.batch([short, long]))[0][0]
    # Activations are quantized by the range of the whole batch, so a little may change.
    assert beside == pytest.approx(alone, abs=0.05)
    assert alone.shape == (len(entry["labels"]),)


@pytest.mark.parametrize("model", [CLOUD, SECOND])
@pytest.mark.parametrize(
    ("title", "description", "policy"),
    [
        ("Glock 19 pistol with two magazines", "Face to face only.", "weapons"),
        ("C0caine, 5 gr4ms, pure", "Next day post.", "drugs"),
        ("Carton of Marlboro cigarettes", "Duty free, sealed.", "tobacco_alcohol"),
    ],
)
def test_the_servers_models_see_what_is_plainly_unsafe(model, title, description, policy):
    found = check_text_in_cloud([("title", title), ("description", description)], model=model)
    assert found["decision"] in ("warn", "block")
    assert found["policy"] == policy
    assert found["where"] == "cloud"
    assert found["evidence"], "words are marked by occlusion"
    assert found["policies_version"]


@pytest.mark.parametrize("model", [CLOUD, SECOND])
def test_the_servers_models_leave_harmless_listings_alone(model):
    fields = [("title", "Oak dining table with four chairs"), ("description", "Light scratches, you collect.")]
    found = check_text_in_cloud(fields, model=model)
    assert (found["decision"], found["policy"], found["evidence"]) == ("pass", "", [])


def test_another_script_is_unsure_and_never_a_pass():
    found = check_text_in_cloud([("title", "木製の机"), ("description", "きれいです")])
    assert found["decision"] != "pass"


def test_an_unsafe_thing_at_the_end_of_a_long_text_is_found():
    calm = "Solid oak table from a house without smokers, two small scratches on the top. " * 40
    fields = [("title", "Oak table"), ("description", calm + "Also cocaine, 5 grams, pure, posted discreetly.")]
    assert check_text_in_cloud(fields)["policy"] == "drugs"
    assert check_text_in_cloud([("title", "Oak table"), ("description", calm)])["decision"] == "pass"


def test_evidence_of_the_larger_model_points_at_the_words_that_moved_it():
    text = "Oak box. Inside are a pistol and two tea towels."
    found = check_text_in_cloud([("title", "Box from the attic"), ("description", text)])
    marked = [text[s["start"] : s["end"]] for s in found["evidence"] if s["field"] == "description"]
    assert "pistol" in marked
    heaviest = max(found["evidence"], key=lambda span: span["weight"])
    assert text[heaviest["start"] : heaviest["end"]] == "pistol"


@pytest.mark.parametrize("at", [0, 300, 700])
def test_evidence_is_found_anywhere_in_a_long_text_and_costs_a_bounded_number_of_looks(at, monkeypatch):
    calm = ("Solid oak table from a house without smokers, two small scratches on the top. " * 60).split()[:750]
    text = " ".join([*calm[:at], "Pure", "cocaine", "by", "post.", *calm[at:]])
    fields = [("title", "Oak table"), ("description", text)]
    looks = []
    published = scoring.published

    def counted(*given):
        score = published(*given)
        return lambda packed: looks.append(len(packed.data)) or score(packed)

    monkeypatch.setattr(scoring, "published", counted)
    found = check_text_in_cloud(fields)
    marked = [text[s["start"] : s["end"]] for s in found["evidence"] if s["field"] == "description"]
    assert found["policy"] == "drugs"
    assert "cocaine" in marked
    assert len(looks) <= 1 + 10 + 1 + 80
    assert sum(looks[11:]) < 81 * 700, "a word is left out of its own part of the text"


def test_words_that_move_the_model_far_less_than_the_heaviest_are_not_marked():
    """A made-up model with a heavy word, a middling one and a light one, all above the floor."""
    weights = {b"heavy": 5.0, b"middling": 2.5, b"light": 1.0}

    def score(packed):
        total = sum(weight for word, weight in weights.items() if word in packed.data)
        return [({"drugs": 1 / (1 + np.exp(-total)), "safe": 1 / (1 + np.exp(total))}, 1.0)]

    packed = pack([("title", "heavy middling light none"), ("description", "")])
    points = {"policies": ["drugs"], "block": 0.9, "warn": 0.5, "unsure": 0.3, "coverage": 0.3, "evidence_floor": 0.5}
    found = [span["start"] for span in occlusion(score, packed, "drugs", points)]
    assert found == [0, len("heavy ")]


def test_a_damaged_tokenizer_makes_the_model_unavailable(tmp_path):
    with pytest.raises(manifest.ModelUnavailable, match="tokenizer"):
        wordpieces.read_tokenizer(b"{not json")


@pytest.mark.parametrize(("model", "variant"), [("listing-text", "device"), (SECOND, "cloud"), (CLOUD, "cloud")])
def test_every_published_text_model_is_scored_by_one_call(model, variant):
    entry = manifest.load()["models"][model]
    files = scoring.files_of(entry, manifest.PUBLISHED)
    ((scores, share),) = scoring.scorer(runtime.session(model, variant), entry, files)(pack([("title", "Old pistol")]))
    assert sum(scores.values()) == pytest.approx(1, abs=1e-3)
    assert 0 <= share <= 1


def test_the_two_server_models_read_through_one_reader():
    entries = manifest.load()["models"]
    assert entries[CLOUD]["files"] == entries[SECOND]["files"]
    for model in (CLOUD, SECOND):
        scoring.published(entries[model], model, "cloud")
    assert len([key for key in scoring._readers if key[0] == os.getpid()]) == 1


def test_pictographs_begin_where_the_folding_graph_says():
    """Nothing that runs may import the recipes, so the number stands in both."""
    assert wordpieces.FIRST_PICTURE == folding.FIRST_PICTURE
