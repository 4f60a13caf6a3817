"""The device network's measures, and where it may be cut. No PyTorch here: `publish` writes them into the manifest."""

from __future__ import annotations

from typing import Any

SIDE, PATCH = 128, 4
STEM = 64
# (channels out, stride) of the 3x3 convolutions after the stem.
LAYERS = [(32, 1), (64, 2), (64, 1), (64, 1), (32, 1), (128, 2), (128, 1), (128, 1)]
SPLIT = 4  # what leaves this layer may be sent to the server
SPLIT_SHAPE = (32, 16, 16)
SPLIT_MOST = 6.0  # its values are kept within 0..6, so that one scale for all photos turns them into bytes
SPLIT_SCALE = SPLIT_MOST / 255
HEAT = (8, 8)
WAYS = 2  # the photo as it is and its mirror image
# A photo that the first look finds less unsafe than this gets no second one: of dev's safe photos 53 in 100, of its
# weapons 0.6; ROC-AUC of weapons there .9722, with two looks always .9723, with one .9689.
CLEAR = 0.05


def splits(labels: int) -> list[dict[str, Any]]:
    """Every place to cut at, from the photo to the last features: {name, shape, bytes, operations_below,
    operations_above, sent}. operations: multiply-adds of one photo, read both ways; half as many where the first look
    clears it. sent: the one that the browser's file gives out and listing-photo-tail begins with; the others are for a
    planner to weigh."""
    side = SIDE // PATCH
    places: list[tuple[str, list[int], int]] = [("photo", [3, SIDE, SIDE], 0)]
    places.append(("stem", [STEM, side, side], side * side * PATCH * PATCH * 3 * STEM))
    into = STEM
    for number, (out, stride) in enumerate(LAYERS):
        side //= stride
        places.append((f"layer{number}", [out, side, side], side * side * 9 * into * out))
        into = out
    head = side * side * into * labels
    total = sum(operations for *_, operations in places) + head
    found, below = [], 0
    for name, shape, operations in places:
        below += operations
        found.append({
            "name": name, "shape": shape, "bytes": shape[0] * shape[1] * shape[2], "operations_below": WAYS * below,
            "operations_above": WAYS * (total - below), "sent": name == f"layer{SPLIT}",
        })  # fmt: skip
    return found
