"""What the towers promise to those who call them, on the published files."""

import numpy as np
import pytest

from models import manifest, towers
from models.towers import ItemText

TEAPOT = ItemText("Brown Betty style teapot, knitted cosy included", "Kitchen", "Holds one litre, no chips.")
DRILL = ItemText("Cordless drill 18V, blue, two batteries", "Tools", "Charger and case come with it.")


def test_all_towers_are_of_one_space():
    entries = manifest.load()["models"]
    assert {entries[name]["space"] for name in (towers.QUERY, towers.ITEM, towers.USER)} == {towers.space()}


def test_vectors_are_of_unit_length():
    queries = towers.encode_queries(["teapot", "cordless drill with battery"])
    items = towers.encode_items([TEAPOT, DRILL])
    for vectors in (queries, items):
        assert vectors.dtype == np.float32
        assert vectors.shape == (2, towers.DIMENSIONS)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_a_query_lies_nearest_to_what_it_asks_for_and_a_typing_error_moves_it_little():
    right, wrong, drill = towers.encode_queries(["teapot", "teapott", "cordles drill"])
    items = towers.encode_items([TEAPOT, DRILL])
    assert (items @ right).argmax() == 0
    assert (items @ wrong).argmax() == 0
    assert (items @ drill).argmax() == 1
    assert right @ wrong > right @ drill


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "手机"])
def test_what_says_nothing_is_a_zero_vector_or_one_of_unit_length_never_nan(text):
    (vector,) = towers.encode_queries([text])
    length = np.linalg.norm(vector)
    assert np.isfinite(vector).all()
    assert length < 1e-3 or abs(length - 1) < 1e-3


def test_whatever_is_typed_can_be_read():
    odd = ["x" * 100_000, "\ud800", "é" * 99 + "x", "a\0b", "' OR 1=1 --", "🍵" * 80]
    assert np.isfinite(towers.encode_queries(odd)).all()
    assert np.isfinite(towers.encode_items([ItemText(text, text, text) for text in odd])).all()


def test_no_texts_and_no_events_give_no_vectors():
    assert towers.encode_queries([]).shape == (0, towers.DIMENSIONS)
    assert towers.encode_items([]).shape == (0, towers.DIMENSIONS)
    nothing = np.zeros((0, towers.DIMENSIONS), np.float32)
    assert towers.user_interests(nothing, np.zeros(0, np.int64), np.zeros(0, np.float32)).shape == nothing.shape


def test_interests_lie_near_the_last_events_and_far_from_what_was_dismissed():
    items = towers.encode_items([TEAPOT, DRILL])
    view, dismissal = towers.KINDS.index("view"), towers.KINDS.index("dismissal")
    history = items[[1, 0]]  # the drill first, the teapot last
    seen = towers.user_interests(history, np.array([view, view]), np.zeros(2, np.float32))
    assert (seen @ items[0]).max() > 0.95
    sent_away = towers.user_interests(history, np.array([view, dismissal]), np.zeros(2, np.float32))
    np.testing.assert_allclose(sent_away, np.repeat(items[[1]], len(sent_away), 0), atol=1e-2)


def test_an_old_event_counts_less_than_a_new_one():
    items = towers.encode_items([TEAPOT, DRILL])
    kinds = np.full(2, towers.KINDS.index("view"))
    fresh = towers.user_interests(items, kinds, np.array([1, 0], np.float32))
    stale = towers.user_interests(items, kinds, np.array([100, 0], np.float32))
    assert (stale @ items[0]).mean() < (fresh @ items[0]).mean()


def test_more_events_than_are_read_are_no_error():
    events = manifest.load()["models"][towers.USER]["events"] + 5
    vectors = np.repeat(towers.encode_items([TEAPOT]), events, 0)
    found = towers.user_interests(vectors, np.ones(events, np.int64), np.zeros(events, np.float32))
    np.testing.assert_allclose(found, vectors[: len(found)], atol=1e-3)
