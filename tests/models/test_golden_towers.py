"""The published towers answer as they did when they were published; tests/js/golden_towers.test.mjs holds WASM to the
same files."""

import json
from pathlib import Path

import numpy as np

from models import manifest, towers

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def golden(name, model):
    found = json.loads((GOLDEN / name).read_text())
    assert found["version"] == manifest.load()["models"][model]["version"]
    return found


def test_golden_queries():
    found = golden("query_tower.json", towers.QUERY)
    vectors = towers.encode_queries([case["query"] for case in found["cases"]])
    np.testing.assert_allclose(vectors, [case["vector"] for case in found["cases"]], atol=found["tolerance"])


def test_golden_histories():
    found = golden("user_tower.json", towers.USER)
    assert len(found["cases"]) >= 4
    for case in found["cases"]:
        vectors = np.array(case["vectors"], np.float32).reshape(case["length"], towers.DIMENSIONS)
        kinds, ages = np.array(case["kinds"], np.int64), np.array(case["ages"], np.float32)
        interests = towers.user_interests(vectors, kinds, ages)
        expected = np.array(case["interests"]).reshape(interests.shape)
        np.testing.assert_allclose(interests, expected, atol=found["tolerance"])
