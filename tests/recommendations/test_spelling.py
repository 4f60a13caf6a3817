import pytest

from recommendations import vocabulary
from recommendations.spelling import corrected
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
