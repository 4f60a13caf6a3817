import pytest

from recommendations.words import (
    AMERICAN,
    APART,
    BRITISH,
    JOINING,
    LOOSE,
    SYNONYM,
    SYNONYMS,
    TOLD,
    Other,
    others,
    spellings,
    stem,
    stems,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/2-in. Drills", ["1/2", "in", "drills"]),
        ("8ft x 3.5in", ["8", "ft", "x", "3.5", "in"]),
        ("Wood/Metal", ["wood", "metal"]),
        ("Café Übergröße", ["cafe", "ubergroße"]),
        ("２０cm", ["20", "cm"]),
        ("テスト 日本語", ["テスト", "日本語"]),
        ("!!! -- &|()", []),
        ("", []),
    ],
)
def test_texts_are_read_word_by_word(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("kettles", "kettle"),
        ("brushes", "brush"),
        ("batteries", "battery"),
        ("glass", "glass"),
        ("bus", "bus"),
        ("us", "us"),
        ("boxes", "box"),
        ("inches", "in"),
        ("gallons", "gal"),
        ("feet", "ft"),
        ("50", "50"),
    ],
)
def test_a_stem_is_without_the_plural_and_units_have_one_sign(word, expected):
    assert stem(word) == expected


def test_a_unit_is_the_same_however_it_is_written():
    assert stems("12 inch") == stems("12in.") == stems("12 inches")


def test_american_and_british_forms_are_one_and_none_is_both():
    assert stem("colors") == stem("colour") == "colour"
    assert spellings("colors") == ("colors", "color", "colour")
    assert spellings("kettle") == ("kettle",)
    assert len(AMERICAN) == len(BRITISH)
    assert not set(AMERICAN) & set(BRITISH)
    assert all(stem(british) == british for british in AMERICAN), "a plural, or a unit"


def test_other_words_for_the_same_thing_stand_for_a_word_or_a_phrase():
    assert others(stems("old couch")) == {"couch": (Other(("sofa",), SYNONYM), Other(("settee",), SYNONYM))}
    phone = others(stems("cell phones"))
    assert phone["cell"] == phone["phone"]
    assert Other(("mobile", "phone"), SYNONYM) in phone["cell"]
    assert others(stems("phone")) == others(stems("cell")) == {}
    assert others(stems("torch")) == {"torch": (Other(("flashlight",), LOOSE),)}
    assert others(stems("tiki torches")) == {}
    assert ("jump", "lead") in [phrase for phrase, _ in others(stems("jumper cable"))["jumper"]]


def test_a_phrase_stands_in_one_group_and_joins_nothing():
    groups = TOLD["synonyms"]["groups"]
    phrases = [tuple(stems(text)) for group in groups for text in group]
    assert 40 <= len(groups) <= 80
    assert len(phrases) == len(set(phrases))
    for phrase in (*SYNONYMS, *APART):
        # The database leaves out such words: what is left of the phrase would mean more.
        assert 1 <= len(phrase) <= 3
        assert not JOINING & set(phrase)
