"""pack, windows, decide, combine and spans on their own, without a model."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from models import contract

DECISIONS = json.loads((Path(__file__).parents[1] / "golden" / "decisions.json").read_text(encoding="utf-8"))
POINTS = DECISIONS["points"]


def packed(*texts):
    return contract.pack([(f"f{index}", text) for index, text in enumerate(texts)])


def test_fields_are_joined_by_a_newline_and_there_is_always_one():
    assert packed("a", "b").data == b"a\nb"
    assert packed("a").data == b"a\n"
    assert contract.pack([]).data == b"\n"
    assert packed("a", "b", "c").data == b"a\nb\nc"


def test_every_kind_of_line_end_becomes_a_newline():
    assert packed("a\r\nb\rc\nd", "").data == b"a\nb\nc\nd\n"
    assert packed("a\r\nb", "").start.tolist() == [0, 1, 3, 4]


def test_compatibility_forms_are_folded_and_lead_back_to_what_was_typed():
    found = packed("x ﬁ ½", "")
    assert found.data == "x fi 1⁄2\n".encode()
    assert found.start[2] == found.start[3] == 2
    assert found.end[2] == 3


def test_a_mark_is_composed_with_its_letter_but_letters_are_not_composed_with_letters():
    assert packed("e\u0301", "").data == "é\n".encode()
    assert packed("\u1112\u1161", "").data == "\u1112\u1161\n".encode()


def test_offsets_count_utf16_units():
    found = packed("🚲a", "")
    assert (found.start[4], found.end[4]) == (2, 3)


def test_a_lone_surrogate_becomes_the_replacement_character():
    assert packed("a\ud83db", "").data == "a\ufffdb\n".encode()


def test_the_digest_is_that_of_the_packed_bytes():
    assert contract.digest(packed("a\r\nb", "")) == hashlib.sha256(b"a\nb\n").hexdigest()


@pytest.mark.parametrize("text", ["", "word " * 3000, "x" * 10_000, "é中🚲" * 2500, "a" * 2047, "a" * 2048])
def test_windows_cover_the_text_once_and_never_cut_a_character(text):
    found = packed(text, "")
    ranges = contract.windows(found, 2048)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(found.data)
    for (begin, end), (after, _) in zip(ranges, [*ranges[1:], (len(found.data), 0)], strict=True):
        assert end == after
        assert 0 < end - begin <= 2048
        found.data[begin:end].decode("utf-8")


def test_windows_are_cut_between_words_where_there_are_some():
    found = packed("word " * 3000, "")
    assert all(found.data[end - 1 : end] in (b" ", b"\n") for _, end in contract.windows(found, 2048))


def test_the_last_window_is_no_scrap():
    found = packed("word " * 410, "")
    sizes = [end - begin for begin, end in contract.windows(found, 2048)]
    assert len(sizes) == 2
    assert min(sizes) > 900


@pytest.mark.parametrize("case", DECISIONS["decisions"], ids=lambda case: case["name"])
def test_decide_follows_the_points(case):
    assert contract.decide(case["scores"], case["coverage"], POINTS) == tuple(case["expected"])


@pytest.mark.parametrize("case", DECISIONS["windows"], ids=lambda case: case["name"])
def test_the_worst_window_counts(case):
    found = contract.combine(case["results"], POINTS)
    assert {key: found[key] for key in case["expected"]} == case["expected"]


def marks(found, weights, floor=0.5):
    """Spans when each byte carries the given weight for drugs."""
    evidence = np.zeros((len(found.data), 3), np.float32)
    evidence[:, 0] = weights
    return contract.spans(found, evidence, ["drugs", "weapons", "safe"], "drugs", floor)


def test_words_above_the_floor_are_marked_in_their_field():
    found = packed("old cocaine", "buy cocaine")
    weights = [0.2 if 4 <= at < 11 or 16 <= at < 23 else 0.0 for at in range(len(found.data))]
    assert [(s["field"], s["start"], s["end"]) for s in marks(found, weights)] == [("f0", 4, 11), ("f1", 4, 11)]
    assert marks(found, weights)[0]["weight"] == pytest.approx(1.4, abs=1e-4)
    assert marks(found, weights, floor=1.5) == []


def test_spelled_out_words_are_marked_as_one_but_not_across_fields():
    found = packed("x a n", "a x")
    assert [(s["field"], s["start"], s["end"]) for s in marks(found, 1.0)] == [("f0", 0, 5), ("f1", 0, 3)]


def test_evidence_for_safe_counts_against_a_word():
    found = packed("cocaine", "")
    evidence = np.zeros((len(found.data), 3), np.float32)
    evidence[:7, 0] = 0.2
    evidence[:7, 2] = 0.19
    assert contract.spans(found, evidence, ["drugs", "weapons", "safe"], "drugs", 0.5) == []


def test_no_policy_no_marks():
    found = packed("cocaine", "")
    assert contract.spans(found, np.ones((len(found.data), 3), np.float32), ["drugs", "weapons", "safe"], "", 0.1) == []


def test_only_the_heaviest_marks_are_kept_in_the_order_of_the_text():
    found = packed(" ".join(["ab"] * 60), "")
    weights = np.linspace(1, 2, len(found.data))
    spans = marks(found, weights)
    assert len(spans) == contract.MAX_SPANS
    assert spans == sorted(spans, key=lambda span: span["start"])
    assert spans[0]["start"] == 60


def test_words_that_weigh_little_beside_the_heaviest_are_not_marked():
    found = contract.pack([("title", "xanax with bars")])
    evidence = np.zeros((len(found.data), 3), np.float32)
    evidence[0, 0], evidence[6, 0], evidence[11, 0] = 8.0, 1.0, 2.0
    marked = contract.spans(found, evidence, ["drugs", "weapons", "safe"], "drugs", 0.5)
    assert [span["start"] for span in marked] == [0, 11]
