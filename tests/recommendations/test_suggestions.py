import pytest

from listings.lifecycle import Status
from recommendations import vocabulary
from recommendations.suggestions import suggest


def texts(typed: str, kind: str = "words") -> list[str]:
    return [found.text for found in suggest(typed) if found.kind == kind]


def test_the_last_word_is_completed(on_sale):
    assert texts("cor")[0] == "cordless"
    assert texts("cordless dr") == ["cordless drill"]


def test_after_a_whole_word_come_its_neighbours(on_sale):
    assert texts("cordless ") == ["cordless drill"]
    assert "enamel kettle" in texts("enamel")


def test_completions_find_something(on_sale):
    assert texts("cordless k") == [], "no title has cordless and a word with k"


def test_categories_and_titles_are_offered_too(on_sale):
    assert "Kitchen" in texts("kit", "category")
    assert set(texts("enamel ket", "listing")) == {"Blue enamel kettle", "Red enamel kettle, whistling"}


def test_a_shop_is_offered_by_its_name(on_sale, merchant):
    assert [(each.text, each.url) for each in suggest("alice's a") if each.kind == "shop"] == [
        ("Alice's Attic", "/seller/alice/")
    ]


def test_titles_are_offered_in_either_spelling(on_sale):
    assert texts("gray primer", "listing") == ["Rust Oleum primer, grey"]


def test_a_mistyped_word_is_offered_corrected(on_sale):
    assert texts("headfones") == ["headphones"]


def test_words_of_unpublished_listings_are_never_offered(make_listing):
    make_listing("Secret shotgun", status=Status.IN_REVIEW)
    vocabulary.refresh()
    assert suggest("shotg") == []


@pytest.mark.parametrize("typed", ["", "k", " ", "!!", "'", "a & b:*", "\\'", "日", "1", "k" * 200, "or ", "😀😀"])
def test_any_beginning_is_answered(on_sale, typed):
    assert isinstance(suggest(typed), list)


def test_a_signs_only_end_is_not_offered(on_sale):
    assert all(text.split()[-1] not in {"in", "x", "ft", "with"} for text in texts("garden hose "))
