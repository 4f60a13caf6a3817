"""The golden photos through the server's side; tests/js/golden_photo.test.mjs holds the browser's to the same file."""

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from models import manifest, photo, runtime

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "listing_photo.json").read_text(encoding="utf-8"))


def test_the_golden_file_belongs_to_the_published_version():
    assert GOLDEN["version"] == manifest.load()["models"][photo.MODEL]["version"]
    assert len(GOLDEN["cases"]) >= 20


def test_photos_that_one_look_clears_are_among_them_and_others_too():
    safe = [case["expected"]["scores"]["safe"] for case in GOLDEN["cases"]]
    assert sum(score > 0.96 for score in safe) >= 2
    assert sum(score < 0.94 for score in safe) >= 10


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_the_server_gives_the_golden_answer(case):
    rgb = np.frombuffer(zlib.decompress(base64.b64decode(case["rgb_zlib"])), np.uint8).reshape(case["shape"])
    entry, session = manifest.load()["models"][photo.MODEL], runtime.session(photo.MODEL, "device")
    scores, heat, activation = session.run(["scores", "heat", "activation"], {"rgb": rgb})
    found = photo.verdict(photo.MODEL, entry, "device", "device", [(photo.WHOLE, (scores, heat))], "", 0.0)
    expected = case["expected"]
    assert (found["decision"], found["policy"]) == (expected["decision"], expected["policy"])
    assert found["scores"] == pytest.approx(expected["scores"], abs=GOLDEN["tolerance"])
    assert int(activation.sum()) == pytest.approx(expected["activation_sum"], rel=1e-3)
