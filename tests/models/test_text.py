"""The published model through check_text."""

import hashlib
import json

import pytest

from models import contract, manifest
from models.text import check_text

KEYS = [
    "model",
    "version",
    "variant",
    "where",
    "scores",
    "coverage",
    "decision",
    "policy",
    "evidence",
    "ms",
    "provider",
    "digest",
]


def check(title, description="", **options):
    return check_text([("title", title), ("description", description)], **options)


def test_a_verdict_has_the_agreed_keys_and_is_plain_json():
    verdict = check("Old oak table", "Six chairs go with it.")
    assert list(verdict) == KEYS
    assert json.loads(json.dumps(verdict)) == verdict
    assert sum(verdict["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert verdict["digest"] == hashlib.sha256(b"Old oak table\nSix chairs go with it.").hexdigest()
    assert verdict["ms"] > 0


def test_a_harmless_listing_passes_without_marks():
    verdict = check("Solid oak dining table with six chairs", "Some scratches, collection only.")
    assert (verdict["decision"], verdict["policy"], verdict["evidence"]) == ("pass", "", [])


@pytest.mark.parametrize(
    ("title", "policy", "word"),
    [
        ("Glock 19 pistol with two magazines", "weapons", "pistol"),
        ("Cocaine, 5 grams", "drugs", "Cocaine"),
        ("Replica Rolex Submariner", "counterfeit", "Replica"),
        ("Carton of Marlboro cigarettes", "tobacco_alcohol", "cigarettes"),
        ("Elephant ivory tusk, carved", "wildlife", "ivory"),
    ],
)
def test_an_unsafe_listing_is_warned_of_and_the_word_is_marked(title, policy, word):
    verdict = check(title, "Collection only.")
    assert verdict["decision"] in ("warn", "block")
    assert verdict["policy"] == policy
    assert any(word in title[mark["start"] : mark["end"]] for mark in verdict["evidence"] if mark["field"] == "title")


@pytest.mark.parametrize(
    "title", ["Продаю горный велосипед", "出售二手山地自行车", "qzxv wkjh bgfd pplk zzxq vvbn", ""]
)
def test_text_the_model_cannot_read_never_passes(title):
    assert check(title)["decision"] != "pass"


def test_a_word_hidden_deep_in_a_long_text_is_found():
    long = "A nice old lamp in working order. " * 150
    verdict = check("Box of lamps", long + "Heroin and cocaine, five grams, pistol and ammo. " * 3)
    assert verdict["decision"] in ("warn", "block", "unsure")
    assert max(mark["start"] for mark in verdict["evidence"]) > len(long) - 1


def test_the_cloud_variant_answers_alike():
    device, cloud = check("Glock 19 pistol"), check("Glock 19 pistol", variant="cloud", where="cloud")
    assert (device["variant"], cloud["variant"], cloud["where"]) == ("int8", "fp32", "cloud")
    assert cloud["scores"]["safe"] == pytest.approx(device["scores"]["safe"], abs=0.1)


def test_a_missing_model_is_reported_plainly(tmp_path):
    with pytest.raises(manifest.ModelUnavailable, match="manifest is missing"):
        check("anything", folder=tmp_path)


def test_the_manifest_names_files_that_are_there_and_whole():
    for entry in manifest.load()["models"].values():
        assert entry["operating_points"]["policies"] == [label for label in entry["labels"] if label != "safe"]
        for about in entry["variants"].values():
            content = (manifest.PUBLISHED / about["file"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == about["sha256"]
            assert len(content) == about["bytes"]
            assert about["file"].endswith(f"-{about['sha256'][:8]}.onnx")


def test_what_a_browser_downloads_keeps_its_budget():
    entry = manifest.load()["models"]["listing-text"]
    browser = [about for about in entry["variants"].values() if about["browser"]]
    assert [about["brotli_bytes"] <= 500_000 for about in browser] == [True]
    assert entry["variants"]["fp32"]["bytes"] < 10_000_000


def test_a_claim_and_the_gate_agree_on_the_digest():
    fields = [("title", "a"), ("description", "b\r\nc")]
    assert check_text(fields)["digest"] == contract.digest(contract.pack(fields))
