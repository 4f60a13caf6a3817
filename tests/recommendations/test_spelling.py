import pytest

from models import towers
from recommendations import spelling, vocabulary
from recommendations.spelling import corrected, freely
from tests.recommendations.conftest import TITLES


@pytest.fixture(scope="module")
def known():
    return vocabulary.count([*TITLES, "Head lamp", "Round head bolt", "Hand drill", "Small hand drill"])


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("kettel", "kettle"),
        ("enamle ketle", "enamel kettle"),
        ("headfones", "headphones"),
        ("cordles dril", "cordless drill"),
        ("Blue KETTEL!", "Blue kettle!"),
        ("rustoleum paint", "rust oleum paint"),
    ],
)
def test_mistyped_words_become_words_of_the_catalogue(known, typed, expected):
    assert corrected(typed, known) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "kettle",
        "drills",  # a plural of a known word
        "PFSS9PKY",  # a model code
        "WH-1000XM4",
        "50",
        "3/4",
        "hos",  # too short to be sure
        "typewriter",  # nothing in the catalogue is near
        "house",  # English, if nobody sells one: no slip for "hose"
        "котел",
        "テスト",
        "!!!",
        "",
    ],
)
def test_what_is_known_or_unlike_all_words_is_left_alone(known, typed):
    assert corrected(typed, known) == typed


@pytest.mark.parametrize("typed", ["bicyle", "bycicle", "bycycle", "biycle", "bicycel"])
def test_a_word_of_a_title_is_found_through_every_common_slip(typed):
    assert corrected(typed, vocabulary.count([*TITLES, "Bicycle pump"])) == "bicycle"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("bicyle", "bicycle"),  # English, in no title
        ("byciclle", "bicycle"),
        ("headfonss", "headphones"),
        ("trowsers", "trousers"),
        ("zeppelin", "zeppelin"),
        ("xxxxxxxxxx", "xxxxxxxxxx"),
        ("PFSS9PKY", "PFSS9PKY"),
    ],
)
def test_what_finds_nothing_is_corrected_more_freely(known, typed, expected):
    assert freely(typed, known) == expected


def test_without_the_towers_only_the_catalogues_words_are_known(known, models_away):
    towers.common_words.cache_clear()
    spelling._by_length.cache_clear()
    with models_away():
        assert freely("headfonss", known) == "headphones"
        assert freely("trowsers", known) == "trowsers"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("head phones", "headphones"),
        ("Blue Head Phones", "Blue headphones"),
        ("lap top", "laptop"),  # one of the two is in no title, and the whole is English
        ("head lamp", "head lamp"),  # titles write it apart
        ("hand drill", "hand drill"),
        ("hose in", "hose in"),
        ("3 4", "3 4"),
    ],
)
def test_words_written_apart_become_one_where_titles_write_one(known, typed, expected):
    assert corrected(typed, known) == expected


def test_a_word_that_titles_write_apart_is_taken_apart():
    bells = vocabulary.count(["Door bell, brass", "Door bell, wireless"])
    assert corrected("doorbell", bells) == "door bell"
    assert corrected("doorbell", vocabulary.count([*bells.words, "Doorbell"])) == "doorbell"


def test_neighbours_decide_between_two_words(known):
    assert corrected("hend drill", known).split()[0] == "hand"
    assert corrected("round haed bolt", known) == "round head bolt"


def test_frequent_words_win_where_both_are_as_near():
    often = vocabulary.count(["lamp shade"] * 30 + ["lamb stew"])
    assert corrected("lamx", often) == "lamp"


def test_a_measure_written_in_one_is_corrected_in_its_word(known):
    assert corrected("8-peices", known) == "8-pieces"


def test_nothing_is_corrected_without_a_vocabulary():
    assert corrected("kettel", vocabulary.EMPTY) == "kettel"


def test_a_very_long_query_is_read_in_part_and_quickly(known):
    assert len(corrected("kettel " * 5_000, known)) <= 2_100


def test_an_english_word_that_is_not_on_sale_is_no_mistake(known):
    sweets = vocabulary.count([*TITLES, "Toffee tin, round"])
    assert corrected("coffee grinder", sweets) == "coffee grinder"
    assert corrected("tofee tin", sweets) == "toffee tin"
