"""The published photo models through models.photo."""

import json

import numpy as np
import pytest
from PIL import Image

from models import manifest, photo, runtime
from models.steps import reads_photos
from tests.models.photos import drawn

KEYS = [
    "model", "version", "policies_version", "variant", "where", "scores", "decision", "policy", "evidence", "ms",
    "provider", "digest",
]  # fmt: skip


def image(number=0):
    return Image.fromarray(list(reads_photos.golden_images().values())[number])


@pytest.mark.parametrize("check", [photo.check_photo, photo.check_photo_in_cloud])
def test_a_verdict_has_the_agreed_keys_and_is_plain_json(check):
    verdict = check(drawn("safe", 1, (640, 480)), digest="ab" * 32)
    assert list(verdict) == KEYS
    assert json.loads(json.dumps(verdict)) == verdict
    assert sum(verdict["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert verdict["digest"] == "ab" * 32
    assert bool(verdict["evidence"]) == bool(verdict["policy"])


def test_the_labels_are_policies_of_the_market_and_safe():
    for name in (photo.MODEL, photo.TAIL, photo.CLOUD):
        entry = manifest.model(manifest.load(), name)
        assert entry["labels"] == ["drugs", "tobacco_alcohol", "weapons", "safe"]
        assert entry["operating_points"]["policies"] == entry["labels"][:-1]
        assert entry["operating_points"]["unsure"] <= entry["operating_points"]["warn"]


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (17, 9), (1600, 1200)])
def test_a_photo_of_any_shape_is_judged(size):
    grey = Image.new("RGB", size, (128, 128, 128))
    for check in (photo.check_photo, photo.check_photo_in_cloud):
        assert check(grey, digest="")["decision"] in ("pass", "unsure", "warn", "block")


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_a_photo_of_any_mode_is_judged_as_rgb(mode):
    assert photo.pixels(drawn("safe", 2).convert(mode), 256).shape == (80, 96, 3)


def test_pixels_are_shrunk_and_never_enlarged():
    assert photo.pixels(Image.new("RGB", (1000, 500)), 256).shape == (128, 256, 3)
    assert photo.pixels(Image.new("RGB", (100, 50)), 256).shape == (50, 100, 3)
    assert photo.pixels(Image.new("RGB", (3000, 1)), 256).shape == (1, 256, 3)


def test_the_tail_goes_on_from_what_the_device_sends_as_the_manifest_says():
    entry = manifest.model(manifest.load(), photo.MODEL)
    split = next(split for split in entry["splits"] if split["sent"])
    session = runtime.session(photo.MODEL, "device")
    (sent,) = session.run(["activation"], {"rgb": photo.pixels(drawn("weapons", 3, (300, 200)), entry["longest_side"])})
    assert (list(sent.shape), sent.dtype, sent.nbytes) == (split["shape"], np.uint8, split["bytes"])
    assert sent.nbytes <= 8192
    assert manifest.model(manifest.load(), photo.TAIL)["inputs"]["activation"]["shape"] == list(sent.shape)
    verdict = photo.check_activation(sent.tobytes(), digest="cd" * 32)
    assert list(verdict) == KEYS
    assert verdict["model"] == photo.TAIL


@pytest.mark.parametrize("length", [0, 1, 8191, 8193])
def test_an_activation_of_another_length_is_refused(length):
    with pytest.raises(ValueError, match=rf"8,192 bytes, this one {length:,}"):
        photo.check_activation(bytes(length))


def test_the_gravest_part_counts_and_the_map_says_where_it_lies():
    entry = manifest.model(manifest.load(), photo.CLOUD)
    calm, bad = np.array([0, 0, 0.0001, 0.9999], np.float32), np.array([0, 0, 0.9999, 0.0001], np.float32)
    heat = np.zeros((2, 2, 4), np.float32)
    heat[0, 1, 2] = 5
    looks = [(photo.WHOLE, (calm, heat * 0)), ((0.4, 0.0, 0.6, 0.6), (bad, heat))]
    verdict = photo.verdict(photo.CLOUD, entry, "int8", "cloud", looks, "ef", 0.0)
    assert (verdict["decision"], verdict["policy"]) == ("block", "weapons")
    assert verdict["evidence"] == [
        {"photo": "ef", "rows": 2, "columns": 2, "heat": [0, 100, 0, 0], "box": [0.4, 0.0, 0.6, 0.6]}
    ]


def test_a_small_photo_is_read_whole_and_a_large_one_in_parts_too():
    assert list(photo.boxes((150, 900))) == [photo.WHOLE]
    parts = list(photo.boxes((800, 600)))
    assert len(parts) == 6
    assert all(left >= 0 and left + width <= 1.0001 for left, _, width, _ in parts)
    assert photo.cut(Image.new("RGB", (100, 50)), (0.4, 0.4, 0.6, 0.6)).size == (60, 30)


def test_a_missing_file_is_model_unavailable(tmp_path):
    with pytest.raises(manifest.ModelUnavailable):
        photo.check_photo(drawn("safe", 1), digest="", folder=tmp_path)
