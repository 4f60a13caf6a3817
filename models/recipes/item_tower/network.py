"""Both text towers in PyTorch, trained together.

A text's words, pairs of words and n-grams have rows in one table, added up (fastText: Bojanowski et al. 2017,
arXiv:1607.04606). The query tower is nothing else. The item tower adds the same of the listing to what a small network
makes of MiniLM's vector of it. One table for both, so that a word that no query of the training had still finds itself.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.recipes.listing_text_cloud.backbone import WIDTH as SENTENCE
from models.towers import DIMENSIONS

LEAST = 1e-6  # length below which a text said nothing
Bag = tuple[Tensor, Tensor, Tensor]  # rows, offsets, weights: features.Bags.of


def unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=1, eps=LEAST)


class Towers(nn.Module):
    """rows: of the table; options: the recipe's [network]."""

    def __init__(self, rows: int, options: dict[str, Any]) -> None:
        super().__init__()
        self.drop: float = options["drop"]
        self.table = nn.EmbeddingBag(rows + 1, DIMENSIONS, mode="sum", padding_idx=0)
        nn.init.normal_(self.table.weight, 0, options["spread"])
        with torch.no_grad():
            self.table.weight[0] = 0
        self.inner = nn.Linear(SENTENCE, options["hidden"])
        self.outer = nn.Linear(options["hidden"], DIMENSIONS)
        self.mix = nn.Parameter(torch.tensor(1.0))

    def summed(self, bag: Bag, drop: float = 0.0) -> Tensor:
        """float32 [n, 128], not of unit length. drop: the share of features that are left out."""
        rows, offsets, weights = bag
        if drop:
            weights = weights * (torch.rand_like(weights) >= drop)
        found: Tensor = self.table(rows, offsets, per_sample_weights=weights)
        return found

    def queries(self, bag: Bag) -> Tensor:
        """Unit vectors float32 [n, 128]."""
        return unit(self.summed(bag, self.drop if self.training else 0.0))

    def items(self, bag: Bag, sentences: Tensor) -> Tensor:
        """Unit vectors float32 [n, 128]; sentences float32 [n, 384]: MiniLM's."""
        deep = unit(self.outer(F.gelu(self.inner(sentences))))
        return unit(self.mix * unit(self.summed(bag)) + deep)
