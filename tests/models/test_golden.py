"""The golden vectors through the server's side. tests/js/golden.test.mjs holds the browser's side to the same file."""

import json
from pathlib import Path

import pytest

from models import contract, manifest
from models.text import check_text

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "listing_text.json").read_text(encoding="utf-8"))


def text_of(text):
    return text if isinstance(text, str) else text["repeat"] * text["times"]


def test_the_file_belongs_to_the_published_version_and_holds_enough_cases():
    assert GOLDEN["version"] == manifest.load()["models"]["listing-text"]["version"]
    assert len(GOLDEN["cases"]) >= 60


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_the_server_gives_the_golden_answer(case):
    fields = [(name, text_of(text)) for name, text in case["fields"]]
    verdict = check_text(fields)
    expected = case["expected"]
    near = lambda value: pytest.approx(value, abs=GOLDEN["tolerance"])  # noqa: E731
    assert len(contract.pack(fields).data) == expected["packed_bytes"]
    assert verdict["digest"] == expected["digest"]
    assert (verdict["decision"], verdict["policy"]) == (expected["decision"], expected["policy"])
    assert verdict["coverage"] == near(expected["coverage"])
    assert verdict["scores"] == {label: near(score) for label, score in expected["scores"].items()}
    places = [(span["field"], span["start"], span["end"]) for span in expected["spans"]]
    assert [(span["field"], span["start"], span["end"]) for span in verdict["evidence"]] == places
    for found, wanted in zip(verdict["evidence"], expected["spans"], strict=True):
        assert found["weight"] == near(wanted["weight"])
