"""Trained tables → ONNX files: fp32, fp16 and int8, each pruned to the rows that the recipe allows it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.recipes.listing_text.network import Shape, Tables, whole
from models.steps.errors import StepError

VARIANTS = ("fp32", "fp16", "int8")


def load_tables(folder: Path) -> dict[str, NDArray[Any]]:
    """rows, weights, bias, counts, known as `train` wrote them. Raises StepError when there are none."""
    path = folder / "tables.npz"
    if not path.is_file():
        raise StepError(f"There are no trained tables in {folder}. Run: python -m models train listing-text --data DIR")
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def pruned(tables: dict[str, NDArray[Any]], size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The `size` rows that move scores most, by spread of the weights times sqrt(count), in the order of their ids.

    Weights are centred: a constant added to every label changes no score, and small numbers quantize better.
    """
    weights = tables["weights"] - tables["weights"].mean(axis=1, keepdims=True)
    worth = np.abs(weights).max(axis=1) * np.sqrt(tables["counts"])
    keep = np.sort(np.argsort(-worth, kind="stable")[:size])
    return tables["rows"][keep], weights[keep].astype(np.float32)


def quantized(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric INT8 with one scale per column: weights ≈ q * scale."""
    scale = np.maximum(np.abs(weights).max(axis=0) / 127, 1e-12).astype(np.float32)
    return np.clip(np.round(weights / scale), -127, 127).astype(np.int8), scale


def variant(tables: dict[str, NDArray[Any]], name: str, shape: Shape, size: int) -> bytes:
    """The ONNX file of one variant."""
    rows, weights = pruned(tables, size)
    scale = None
    kept: NDArray[Any] = weights
    if name == "fp16":
        kept = weights.astype(np.float16)
    elif name == "int8":
        kept, scale = quantized(weights)
    model = whole(shape, Tables(rows, kept, scale, tables["bias"], tables["known"]))
    return bytes(model.SerializeToString(deterministic=True))


def compress(folder: Path, recipe: dict[str, Any], say: Callable[[str], None]) -> None:
    """Write folder/<variant>.onnx for every variant, and folder/built.json, which names the fit they come from.

    Raises StepError when training.json is about another fit: thresholds and figures would be of another model.
    """
    tables = load_tables(folder)
    fit = fit_of(folder)
    refuse_mixed_fits(training_report(folder), fit, "tables.npz")
    for name in VARIANTS:
        content = variant(tables, name, Shape(**recipe["shape"]), recipe["sizes"][name])
        (folder / f"{name}.onnx").write_bytes(content)
        say(f"{name}: {len(content):,} bytes, {min(recipe['sizes'][name], len(tables['rows'])):,} rows")

    (folder / "built.json").write_text(json.dumps({"fit": fit}) + "\n", encoding="utf-8")


def fit_of(folder: Path) -> str:
    """What names a fit: hex SHA-256 of its tables."""
    return hashlib.sha256((folder / "tables.npz").read_bytes()).hexdigest()


def refuse_mixed_fits(trained: dict[str, Any], fit: str | None, what: str) -> None:
    if fit is None or trained.get("fit") != fit:
        raise StepError(
            f"training.json and {what} come from two fits (another run wrote over one of them). "
            "Train again into a folder that no other run uses, then compress."
        )


def built_fit(folder: Path) -> str | None:
    """The fit that the variants in `folder` were built from; None when nobody wrote it down."""
    try:
        found = json.loads((folder / "built.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(found["fit"]) if isinstance(found, dict) and "fit" in found else None


def training_report(folder: Path) -> dict[str, Any]:
    """What `train` wrote about itself. Raises StepError."""
    try:
        report: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StepError(f"There is no readable training.json in {folder}. Train first.") from error
    return report
