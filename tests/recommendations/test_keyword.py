import numpy as np
import pytest

from listings.models import Listing
from recommendations import keyword, vocabulary


def titles(query: str, limit: int = keyword.LIMIT) -> list[str]:
    known = vocabulary.current()
    rows = keyword.candidates(Listing.objects.published(), keyword.ask(query, known), known, limit)
    return [listing.title for listing in rows]


def feature(name: str, query: str, titles: list[str], found: list[float] | None = None) -> list[float]:
    known = vocabulary.current()
    values = keyword.features(keyword.ask(query, known), titles, found or [0.0] * len(titles), known)
    return values[:, keyword.FEATURES.index(name)].tolist()


def test_any_word_finds_and_those_with_the_rarest_words_come_first(on_sale):
    assert titles("blue enamel kettle") == [
        "Blue enamel kettle",
        "Red enamel kettle, whistling",
        "Kettle bell, cast iron, 8 kg",
    ]


def test_it_finds_from_the_first_listing_on(make_listing):
    make_listing("Blue enamel kettle")
    assert titles("kettles") == ["Blue enamel kettle"], "nothing has been counted yet"


def test_compounds_numbers_and_accents_are_found_however_they_are_written(make_listing):
    for title in ("Wood/Metal hook", "Hose 8ft long", "Café chair", "Screw 3/8-in."):
        make_listing(title)
    assert titles("metal") == ["Wood/Metal hook"]
    assert titles("8 ft") == titles("8ft") == ["Hose 8ft long"]
    assert titles("cafe") == ["Café chair"]
    assert titles("3/8") == ["Screw 3/8-in."]


def test_a_word_of_the_title_counts_for_more_than_one_of_the_description(make_listing):
    make_listing("Stool", description="Stood beside the piano.")
    make_listing("Piano stool", description="Of oak.")
    make_listing("Piano", description="Upright.")
    vocabulary.refresh()
    assert titles("piano stool") == ["Piano stool", "Stool", "Piano"]


def test_a_very_common_word_does_not_push_the_better_ones_out(make_listing, monkeypatch):
    monkeypatch.setattr(keyword, "ROWS", 5)
    make_listing("White corner shelf")
    for number in range(12):
        make_listing(f"White thing {number}")
    vocabulary.refresh()
    assert titles("white corner shelf", 3)[0] == "White corner shelf"
    assert len(titles("white", 20)) == 13, "alone it still finds"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "!!!",
        "'; DROP TABLE listings_listing; --",
        "a & | ! ( :* <->",
        "\\",
        "'':A",
        "or and not",
        "𝔎ettle 日本語",
        "的",
    ],
)
def test_signs_that_mean_something_to_a_database_are_only_signs(on_sale, query):
    assert isinstance(titles(query), list)


def test_a_query_of_ten_thousand_characters_is_read_in_part(on_sale):
    assert titles("kettle " * 2_000)
    assert len(keyword.ask(" ".join(f"word{number}" for number in range(3_000)), vocabulary.EMPTY).stems) <= 24


def test_bm25_prefers_the_shorter_title_and_the_word_said_twice(on_sale):
    short, long = feature("bm25", "kettle", ["Kettle", "Kettle for the stove and the camp fire and more"])
    assert short > long > 0
    once, twice = feature("bm25", "kettle", ["Kettle red", "Kettle kettle"])
    assert twice > once


def test_bm25_is_the_published_formula(on_sale):
    known = vocabulary.current()
    (found,) = feature("bm25", "enamel kettle", ["Blue enamel kettle"])
    weights = [known.idf("enamel"), known.idf("kettle")]
    length = 1.2 * (0.25 + 0.75 * 3 / known.average_words)
    assert found == pytest.approx(
        sum(weight * 2.2 / (1 + length) for weight in weights) / (2.2 * sum(weights)), rel=1e-5
    )


def test_features_say_what_they_are_named_after(on_sale):
    assert feature("coverage", "blue kettle", ["Blue kettle", "Drill"]) == [1, 0]
    assert feature("numbers", "hose 3/4", ["Hose 3/4 in.", "Hose 1/2 in."]) == [1, 0]
    assert feature("numbers", "hose", ["Hose 3/4 in."]) == [0.5]
    assert feature("no_number", "hose 3/4", ["Hose 3/4 in.", "Hose 1/2 in."]) == [0, 1]
    assert feature("pairs", "enamel kettle", ["Enamel kettle", "Kettle in enamel"]) == [1, 0]
    assert feature("head", "drill bits", ["Steel drill bits, 13 pieces", "Drill with bits"]) == [1, 0]
    assert feature("first", "bosch drill", ["Bosch drill", "Cordless drill"]) == [1, 0]
    assert feature("title_share", "kettle", ["Kettle"]) == [1]
    batteries = ["Battery for kettle", "Kettle, for camping", "Kettle base. Fits any kettle"]
    assert [each > 0 for each in feature("aside", "kettle", batteries)] == [True, False, False]
    assert feature("aside", "battery for kettle", batteries) == [0, 0, 0], "who asks for it means it"
    near, far = feature("grams", "ketle", ["Kettle", "Drill"])
    assert near > 0.5 > far


def test_words_that_only_join_others_count_for_less(on_sale):
    known = vocabulary.EMPTY
    kettle, joining = keyword.ask("kettle with", known).weights
    assert joining == kettle / 2


def test_words_of_the_description_are_seen_apart_from_the_titles(make_listing):
    make_listing("Stool", description="Stood beside the piano.")
    vocabulary.refresh()
    known = vocabulary.current()
    asked = keyword.ask("piano", known)
    (row,) = keyword.candidates(Listing.objects.published(), asked, known)
    assert feature("described", "piano", [row.title], [row.matched]) == [pytest.approx(1)]
    assert feature("coverage", "piano", [row.title], [row.matched]) == [0]


def test_features_are_numbers_whatever_is_asked(on_sale):
    known = vocabulary.current()
    for query in ("", "!!!", "2", "kettle " * 50, "日本語"):
        values = keyword.features(keyword.ask(query, known), ["", "!!!", "Blue kettle"], [0.0] * 3, known)
        assert values.shape == (3, len(keyword.FEATURES))
        assert np.isfinite(values).all()
