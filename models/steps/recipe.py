"""A model's recipe.toml, and the labels, which are the policies of the market."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).resolve().parent.parent / "recipes"
POLICIES = RECIPES.parents[1] / "listings" / "policies.toml"
SAFE = "safe"


def read(model: str) -> dict[str, Any]:
    """Every choice that the training makes, by section; `labels`: the ids of the policies in alphabetical order, then
    safe."""
    path = RECIPES / model.replace("-", "_") / "recipe.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) | {"labels": labels(policies())}


def policies() -> dict[str, Any]:
    """The market's rules, as `listings/policies.toml` holds them."""
    return tomllib.loads(POLICIES.read_text(encoding="utf-8"))


def labels(rules: dict[str, Any]) -> list[str]:
    return [*sorted(row["id"] for row in rules["policy"]), SAFE]
