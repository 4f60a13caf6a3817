"""Words, thresholds and harms for tests of model files beside the published ones."""

from __future__ import annotations

from models import manifest, patch_check, text

WHY = "Trained with the decisions of November."
EARLIER = "earlier/listing-text-4-006407c5"
CALM = [("title", "Brass table lamp with linen shade"), ("description", "From the 1960s, rewired last year.")]
DRUGS = [("title", "Cocaine, 5 grams, pure"), ("description", "")]
RELABELLED = b"\x32\x04test"  # ModelProto.doc_string: another file of the same answers


def wary(points):
    """Operating points that hold nearly everything."""
    return points | {"unsure": 0.000001, "warn": 0.000002, "block": 0.9999}


def blind(points):
    return points | {"unsure": 0.999998, "warn": 0.999999, "block": 1.0, "coverage": 0.0}


def damaged(place):
    next(place.glob("listing-*.onnx")).write_bytes(b"something else")


def gone(place):
    next(place.glob("listing-*.onnx")).unlink()


def no_manifest(place):
    (place / manifest.FILE).write_text("{")


def told(answer, folder):
    return text.check_text(patch_check.golden_fields(answer), folder=folder)
