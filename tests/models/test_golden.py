"""The golden vectors through the server's side. tests/js/golden.test.mjs holds the browser's side to the same file."""

import base64
import json
from pathlib import Path

import pytest

from models import contract, manifest, patch
from models.sets import Release
from models.text import check_text

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "listing_text.json").read_text(encoding="utf-8"))

RELEASE = Release(1, base64.b64decode(GOLDEN["patch"]))


def text_of(text):
    return text if isinstance(text, str) else text["repeat"] * text["times"]


def fields_of(case):
    return [(name, text_of(text)) for name, text in case["fields"]]


def test_the_file_belongs_to_the_published_version_and_holds_enough_cases():
    assert GOLDEN["version"] == manifest.load()["models"]["listing-text"]["version"]
    assert len(GOLDEN["cases"]) >= 60


def test_some_cases_have_a_patch_that_moves_their_answer():
    patched = [case for case in GOLDEN["cases"] if case.get("patched")]
    assert len(patched) >= 90
    moved = [
        case["name"] for case in patched
        if check_text(fields_of(case))["decision"] != case["expected"]["decision"]
    ]  # fmt: skip
    assert len(moved) >= 3


def test_the_site_holds_patches_against_the_same_texts():
    stored = json.loads((manifest.PUBLISHED / patch.GOLDEN).read_text(encoding="utf-8"))
    unpatched = [
        case for case in GOLDEN["cases"] if not case.get("patched") and case["expected"]["packed_bytes"] <= 5_000
    ]
    assert len(unpatched) >= 80
    assert [(each["name"], each["fields"]) for each in stored] == [(each["name"], each["fields"]) for each in unpatched]
    for each, case in zip(stored, unpatched, strict=True):
        assert (each["decision"], each["policy"]) == (case["expected"]["decision"], case["expected"]["policy"])


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_the_server_gives_the_golden_answer(case):
    fields = fields_of(case)
    verdict = check_text(fields, release=RELEASE if case.get("patched") else None)
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
