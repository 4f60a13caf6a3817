"""What the steps must know of the ranker; `reads_towers` is its sibling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models import runtime
from models.recipes.ranker import moments
from models.steps import ranked
from models.steps.errors import StepError

KIND = ranked


def interface(settings: dict[str, Any]) -> dict[str, Any]:
    """The part of the manifest's entry that says how the model is called; `measured` adds the features' names."""
    return {
        "inputs": {"features": {"type": "float32", "shape": ["n", "features"], "about": "of each candidate"}},
        "outputs": {"scores": {"type": "float32", "shape": ["n"], "about": "comparable within one request"}},
        "members": settings["fit"]["members"],
    }


def measured(
    data: Path, content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path
) -> dict[str, dict[str, Any]]:
    """On the dev moments of each set. Fills in the entry's `features`. Raises StepError."""
    found = {name: moments.read(data, name, "dev") for name in moments.SETS}
    (names,) = {tuple(each.names) for each in found.values()}
    entry["features"] = list(names)
    return {name: of_moments(each, content) for name, each in found.items()}


def evaluated(
    path: Path, content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path
) -> dict[str, Any]:
    """Figures on one file that `manage.py ranker_examples` wrote (SET.dev.npz). Raises StepError."""
    name, _, split = path.name.removesuffix(".npz").rpartition(".")
    found = moments.read(path.parent.parent, name, split)
    if found.names != entry["features"]:
        raise StepError(f"{path} has other features than the model reads. Make it anew: manage.py ranker_examples")
    return of_moments(found, content)


def of_moments(found: moments.Moments, content: bytes) -> dict[str, Any]:
    scores = runtime.open_session(content).run(["scores"], {"features": found.values})[0]
    return moments.figures(found, np.asarray(scores))
