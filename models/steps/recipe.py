"""A model's recipe.toml, and the labels, which are the policies of the market."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from models.steps.errors import StepError

RECIPES = Path(__file__).resolve().parent.parent / "recipes"
POLICIES = RECIPES.parents[1] / "listings" / "policies.toml"
SAFE = "safe"


def read(model: str) -> dict[str, Any]:
    """Every choice that the training makes, by section; `labels`: the ids of the policies in alphabetical order, then
    safe. A recipe that names `scores` has the labels of these policies alone. Raises StepError for one that the market
    does not have."""
    path = RECIPES / model.replace("-", "_") / "recipe.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    known = labels(policies())
    wanted = {*found.get("scores", known), SAFE}
    if unknown := wanted - set(known):
        raise StepError(f"{path} scores {', '.join(sorted(unknown))}, which listings/policies.toml does not have.")
    return found | {"labels": [label for label in known if label in wanted]}


def policies() -> dict[str, Any]:
    """The market's rules, as `listings/policies.toml` holds them."""
    return tomllib.loads(POLICIES.read_text(encoding="utf-8"))


def labels(rules: dict[str, Any]) -> list[str]:
    return [*sorted(row["id"] for row in rules["policy"]), SAFE]
