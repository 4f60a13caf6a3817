"""The published model through check_text."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from models import contract, manifest
from models.text import check_text

ROOT = Path(__file__).resolve().parents[2]
KEYS = [
    "model",
    "version",
    "policies_version",
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
        ("Glock 19 pistol with two magazines", "weapons", "Glock"),
        ("Cocaine, 5 grams", "drugs", "Cocaine"),
        ("Replica Rolex Submariner, AAA quality", "counterfeit", "Replica"),
        ("Carton of Marlboro cigarettes", "tobacco_alcohol", "cigarettes"),
        ("Elephant ivory tusk, real, from Kenya", "wildlife", "ivory"),
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


def test_every_committed_variant_answers_alike():
    device = check("Glock 19 pistol")
    assert device["variant"] == "int8-pruned"
    for variant in ("fp32", "fp16", "int8", "clustered"):
        other = check("Glock 19 pistol", variant=variant)
        assert (other["variant"], other["policy"]) == (variant, "weapons")
        assert other["scores"]["safe"] == pytest.approx(device["scores"]["safe"], abs=0.1)


def test_a_missing_model_is_reported_plainly(tmp_path):
    with pytest.raises(manifest.ModelUnavailable, match="manifest is missing"):
        check("anything", folder=tmp_path)


def test_the_manifest_names_files_that_are_there_and_whole():
    for entry in manifest.load()["models"].values():
        if "labels" in entry:
            assert entry["operating_points"]["policies"] == [label for label in entry["labels"] if label != "safe"]
        for about in (*entry["variants"].values(), *entry["files"].values()):
            path = manifest.PUBLISHED / about["file"]
            assert path.stem.endswith(f"-{about['sha256'][:8]}")
            if not about.get("committed", True):
                assert about["bytes"] > 10_000_000
                assert not path.exists()
                continue
            content = path.read_bytes()
            assert hashlib.sha256(content).hexdigest() == about["sha256"]
            assert len(content) == about["bytes"]


def test_the_labels_of_every_text_model_are_the_policies_of_the_market():
    rules = tomllib.loads((ROOT / "listings" / "policies.toml").read_text())
    for name, entry in manifest.load()["models"].items():
        if name.startswith("listing-text"):  # a photo tells of few policies: tests/models/test_photo.py
            assert set(entry["operating_points"]["policies"]) == {row["id"] for row in rules["policy"]}
        if "labels" in entry:
            assert entry["policies_version"] == rules["version"]


def test_only_the_devices_models_are_for_browsers():
    entries = manifest.load()["models"]
    browser = {
        (name, variant)
        for name, entry in entries.items()
        for variant, about in entry["variants"].items()
        if about["browser"]
    }
    chosen = {name: entry["published"]["device"] for name, entry in entries.items() if "device" in entry["published"]}
    assert set(chosen) == {"listing-text", "listing-photo", "query-tower", "user-tower"}
    assert browser == set(chosen.items())
    assert set(manifest.browser_subset(manifest.load())["models"]) == set(chosen)


def test_what_a_browser_downloads_keeps_its_budget():
    entry = manifest.load()["models"]["listing-text"]
    browser = [about for about in entry["variants"].values() if about["browser"]]
    assert [about["brotli_bytes"] <= 450_000 for about in browser] == [True]
    assert entry["variants"]["fp32"]["bytes"] < 10_000_000
    towers = [manifest.load()["models"][name]["variants"]["int8"] for name in ("query-tower", "user-tower")]
    assert sum(about["brotli_bytes"] for about in towers) <= 1_300_000
    assert towers[0]["brotli_bytes"] <= 1_000_000


def test_a_claim_and_the_gate_agree_on_the_digest():
    fields = [("title", "a"), ("description", "b\r\nc")]
    assert check_text(fields)["digest"] == contract.digest(contract.pack(fields))
