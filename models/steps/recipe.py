"""A model's recipe.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).resolve().parent.parent / "recipes"


def read(model: str) -> dict[str, Any]:
    """Every choice that the training makes, by section."""
    return tomllib.loads((RECIPES / model.replace("-", "_") / "recipe.toml").read_text(encoding="utf-8"))
