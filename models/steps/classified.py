"""Publishing a model that sorts listings into policies: its entry, what is measured, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.steps import recipe
from models.steps.card import card
from models.steps.errors import StepError
from models.steps.evaluate import with_intervals
from models.steps.rows import RowScorer

__all__ = ["card", "described", "measured", "refuse_loss", "said"]


def described(settings: dict[str, Any], trained: dict[str, Any], interface: dict[str, Any]) -> dict[str, Any]:
    """The manifest entry without its files. Raises StepError for a model of other policies than the market's."""
    refuse_other_policies(trained["labels"], settings["labels"])
    return {
        "version": trained["version"],
        "policies_version": recipe.policies()["version"],
        "labels": settings["labels"],
        "tolerance": settings["tolerance"],
        "published": settings["published"],
        **interface,
        "operating_points": trained["operating_points"],
    }


def measured(
    reads: Any, data: Path, content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path
) -> dict[str, dict[str, Any]]:
    """Figures of one variant on every held-back set that is there; dev always is."""
    score: RowScorer = reads.row_scorer(content, entry, files, published)
    found = {}
    for name, path in ((name, data / path) for name, path in reads.SETS.items()):
        if name == "dev" or path.is_file():
            found[name] = with_intervals(reads.rows(path), score, entry, by_each_source=reads.BY_SOURCE)
    return found


def said(figures: dict[str, dict[str, Any]]) -> str:
    return ", ".join(f"{key} AUC {found['unsafe_roc_auc']:.4f}" for key, found in figures.items())


def refuse_loss(figures: dict[str, dict[str, dict[str, Any]]], limits: dict[str, Any]) -> None:
    """figures: variant → set → figures."""
    refuse_accuracy_loss({name: found["dev"] for name, found in figures.items()}, limits["auc_loss"])


def refuse_accuracy_loss(measured: dict[str, dict[str, Any]], limit: float) -> None:
    """measured: variant → figures on dev. Raises StepError when a variant's AUC lies more than `limit` below fp32's."""
    for name, figures in measured.items():
        loss = measured["fp32"]["unsafe_roc_auc"] - figures["unsafe_roc_auc"]
        if loss > limit:
            raise StepError(
                f"Not published: {name} loses {loss * 100:.2f} points of AUC, {limit * 100:.1f} are allowed."
            )


def refuse_other_policies(trained: list[str], market: list[str]) -> None:
    """A model's labels are the policies of the market, and safe, in the same order."""
    if trained != market:
        raise StepError(
            f"Not published: the model was trained for {', '.join(trained)}; the market's policies are "
            f"{', '.join(market)} (listings/policies.toml). Train again."
        )
