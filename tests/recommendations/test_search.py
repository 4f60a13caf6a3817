from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import Listing
from recommendations import dense, keyword, search, vocabulary


def titles(query: str, **filters) -> list[str]:
    return [found.title for found in search.search(query, filters).found]


def test_the_best_match_comes_first_and_nothing_twice(on_sale):
    found = titles("blue enamel kettle")
    assert found[0] == "Blue enamel kettle"
    assert len(found) == len(set(found))


def test_misspelled_words_are_searched_for_corrected_and_it_is_said(on_sale):
    results = search.search("kettel", {})
    assert results.spelled == results.query == "kettle"
    assert "Blue enamel kettle" in [found.title for found in results.found]
    as_typed = search.search("kettel", {}, exact=True)
    assert (as_typed.query, as_typed.spelled) == ("kettel", "")
    assert search.search("kettle", {}).spelled == ""


def test_a_slip_for_a_word_that_no_title_has_is_corrected_if_that_finds_something(make_listing, on_sale):
    make_listing("Mud guard", description="For a bicycle with 28 inch wheels.")
    results = search.search("bicyle", {})
    assert results.spelled == "bicycle"
    assert results.found[0].title == "Mud guard"
    assert search.search("bicyle", {}, exact=True).spelled == ""
    assert search.search("trowsers", {}).spelled == "", "trousers find nothing either"
    nothing_so_dear = search.search("kettle", {"min_price": Decimal(9_000)})
    assert (nothing_so_dear.found, nothing_so_dear.spelled) == ([], "")


@pytest.mark.parametrize(
    ("american", "british"),
    [("gray", "grey"), ("color", "colour"), ("jewelry", "jewellery"), ("tires", "tyres"), ("enameled", "enamelled")],
)
def test_american_and_british_spellings_find_each_other(make_listing, american, british):
    for word in (american, british):
        make_listing(f"Box, {word}")
    make_listing("Quite another thing")
    vocabulary.refresh()
    for word in (american, british):
        assert sorted(titles(word)) == sorted([f"Box, {american}", f"Box, {british}"])
        assert search.search(word, {}).spelled == ""


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("couch", "Corner sofa in green"),
        ("sofa", "Old couch"),
        ("bikes", "Bicycle for a child"),
        ("tv", "Television with remote"),
        ("mobile phone", "Cell phone, unlocked"),
        ("cellphone", "Mobile phone in its box"),
        ("hoover", "Vacuum cleaner, bagless"),
        ("vacuum cleaner", "Hoover, upright"),
        ("diapers", "Cloth nappies, washed"),
        ("flashlight", "Pocket torch"),
        ("sneakers", "Running trainers, size 42"),
        ("notebook computer", "Laptop with charger"),
    ],
)
def test_other_words_for_a_thing_find_it(make_listing, models_away, asked, title):
    make_listing(title, description="In good order.")
    make_listing("Quite another thing", description="In good order.")
    vocabulary.refresh()
    with models_away():
        results = search.search(asked, {})
    assert [found.title for found in results.found] == [title]
    assert results.spelled == ""


def test_a_things_own_name_comes_first_and_phrases_that_mean_another_thing_are_not_found(make_listing, models_away):
    for title in ("Pocket torch", "Blow torch", "Flashlight", "Sofa", "Couch"):
        make_listing(title, description="In good order.")
    vocabulary.refresh()
    with models_away():
        assert titles("flashlight") == ["Flashlight", "Pocket torch"]
        assert titles("blow torch")[0] == "Blow torch"
        assert "Flashlight" not in titles("blow torch")
        assert titles("couch") == ["Couch", "Sofa"]
        assert titles("sofa") == ["Sofa", "Couch"]


def test_words_alone_are_enough_while_the_towers_are_away(on_sale, models_away):
    with models_away():
        assert dense.query_vector("kettle") is None
        assert dense.space() == ""
        assert titles("blue kettle")[0] == "Blue enamel kettle"


@pytest.mark.parametrize("status", [status for status in Status if status != Status.PUBLISHED])
def test_only_what_is_published_is_found(make_listing, status):
    make_listing("Hidden kettle", status=status)
    make_listing("Shown kettle")
    assert titles("kettle") == ["Shown kettle"]


def test_filters_are_complete_whatever_the_best_matches_are(make_listing, monkeypatch):
    monkeypatch.setattr(keyword, "LIMIT", 3)
    for number in range(6):
        make_listing(f"Red kettle {number}", price=Decimal(10))
    make_listing("Kettle, a little red, and other things beside it", price=Decimal(90))
    vocabulary.refresh()
    assert titles("red kettle", min_price=Decimal(50)) == ["Kettle, a little red, and other things beside it"]


def test_results_can_be_sorted_by_price_and_age(make_listing):
    for price in (20, 5, 90):
        make_listing(f"Kettle for {price}", price=Decimal(price))
    assert titles("kettle", sort="price") == ["Kettle for 5", "Kettle for 20", "Kettle for 90"]
    assert titles("kettle", sort="-price") == ["Kettle for 90", "Kettle for 20", "Kettle for 5"]
    assert titles("kettle", sort="newest") == ["Kettle for 90", "Kettle for 5", "Kettle for 20"]


def ranked(query: str, vector) -> list[search.Candidate]:
    known = vocabulary.current()
    asked = keyword.ask(query, known)
    candidates = [
        search.Candidate(*row)
        for row in Listing.objects.annotate(matched=keyword.matched(asked)).values_list(*search.COLUMNS)
    ]
    return search.ranked(search.measured(candidates, asked, vector, known))


def test_a_listing_without_any_of_the_words_is_found_by_its_vector(on_sale, place):
    vector = place(on_sale["Over-ear headphones, new pads"], 3)
    place(on_sale["Drill bits, steel, 13 pieces"], 5)
    first, *others = ranked("stereo earphones", vector)
    assert first.title == "Over-ear headphones, new pads"
    assert first.is_near
    assert not any(other.is_near for other in others)


def test_between_two_with_the_same_words_the_nearer_vector_wins(make_listing, place):
    far, near = make_listing("Red kettle"), make_listing("Red kettle")
    place(far, 1)
    vector = place(near, 2)
    assert [found.pk for found in ranked("red kettle", vector)] == [near.pk, far.pk]


def candidate(pk: int, score: float, is_near: bool) -> search.Candidate:
    return search.Candidate(pk, "Thing", "toys", Decimal(1), "EUR", "good", timezone.now(), 0.0, score, is_near)


def test_what_is_offered_besides_is_a_page_at_most_and_above_a_floor():
    floor = search.settings()["floors"]["perhaps"]
    found = [candidate(1, 9.0, True), candidate(2, 2.0, True)]
    far = [candidate(pk, floor - 0.1, False) for pk in range(200, 300)]
    near = [candidate(pk, floor, False) for pk in range(100, 104)]
    few = search.Results("lamp", "", found, [], near + far)
    assert few.perhaps == near and few.shown == found + near
    many = search.Results("lamp", "", found, [], near * 20 + far)
    assert len(many.perhaps) == search.PERHAPS
    assert len(few.in_order) == len(found + near + far), "what is measured goes on deeper"


def test_words_in_a_description_alone_are_offered_besides_where_the_thing_is_another_one(make_listing, place):
    lamp = make_listing("Bedside lamp", description="With a linen shade.")
    shade = make_listing("Linen shade", description="For a bedside lamp.")
    drill = make_listing("Cordless drill", description="With a lamp that points where the bit goes.")
    vocabulary.refresh()
    vector = place(lamp, 1)
    place(shade, 1)
    place(drill, 2)
    found = {each.pk: each for each in ranked("lamp", vector)}
    assert found[lamp.pk].is_near and found[shade.pk].is_near
    assert not found[drill.pk].is_near
    rest = search.Results("lamp", "", [], [], [found[drill.pk]])
    assert rest.perhaps == [found[drill.pk]], "its description has the word"
    Listing.objects.filter(pk=lamp.pk).update(title="Bedside light")
    found = {each.pk: each for each in ranked("lamp", vector)}
    assert found[drill.pk].is_near, "no title has it"


def test_vectors_of_another_space_are_not_compared(on_sale, place):
    vector = place(on_sale["Over-ear headphones, new pads"], 3, space="0")
    assert not any(found.is_near for found in ranked("stereo earphones", vector))


def test_what_is_like_the_best_ones_gains(make_listing, place):
    best, alike, other = make_listing("Enamel kettle"), make_listing("Enamel pot"), make_listing("Enamel pot")
    for listing, axis in ((best, 1), (alike, 1), (other, 2)):
        place(listing, axis)
    assert [found.pk for found in ranked("enamel kettle", None)] == [best.pk, alike.pk, other.pk]


def test_what_lies_near_the_best_ones_is_a_candidate_whatever_its_words(make_listing, place, monkeypatch):
    """Neither its words nor the query's vector find it: only that what was found by words lies there."""
    kettle, pot, drill = make_listing("Enamel kettle"), make_listing("Teapot"), make_listing("Drill")
    place(kettle, 1)
    place(pot, 1)
    elsewhere = place(drill, 2)
    monkeypatch.setattr(search, "NEAREST", 1)
    monkeypatch.setattr(search, "WIDER", 2)
    known = vocabulary.current()
    pool = search.gathered(Listing.objects.published(), keyword.ask("kettle", known), elsewhere, known)
    assert {each.pk for each in pool.candidates} == {kettle.pk, pot.pk, drill.pk}
    assert len(pool.values) == len(pool.vectors) == 3


def test_without_vectors_words_alone_decide(on_sale):
    known = vocabulary.current()
    vector = np.eye(1, 128, dtype=np.float32)[0]
    pool = search.gathered(Listing.objects.published(), keyword.ask("kettle", known), vector, known)
    assert {each.title for each in pool.candidates} == {title for title in on_sale if "ettle" in title}


def test_an_item_withdrawn_between_ranking_and_page_is_left_out(on_sale):
    from recommendations.views.browse import in_full

    results = search.search("kettle", {})
    gone = results.found[0].pk
    Listing.objects.move(gone, source=Status.PUBLISHED, target=Status.PAUSED)
    shown = in_full(results.found)
    assert len(shown) == len(results.found) - 1
    assert gone not in [listing.pk for listing in shown]


def test_the_weights_name_every_measure_and_nothing_else():
    assert set(search.settings()["weights"]) == {*search.MEASURES, search.LIKENESS}
    assert set(search.settings()["floors"]) == {"words", "cosine", "cosine_share", "perhaps"}
