"""Labelled rows of any kind, and who reads them: the steps treat models of texts and of photos alike, and ask here
where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol


class Row(Protocol):
    @property
    def policy(self) -> str: ...

    @property
    def source(self) -> str: ...


# Probabilities of a row by label.
RowScorer = Callable[[Any], Mapping[str, float]]


def reader(model: str) -> ModuleType:
    """`reads_text`, `reads_photos`, `reads_towers` or `reads_ranker`."""
    from models.steps import reads_photos, reads_ranker, reads_text, reads_towers

    if model == "ranker":
        return reads_ranker
    if model.endswith("-tower"):
        return reads_towers
    return reads_photos if model.startswith("listing-photo") else reads_text
