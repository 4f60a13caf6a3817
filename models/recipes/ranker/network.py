"""ranker in PyTorch: numbers of each candidate → a score; a softmax over the candidates of one moment teaches it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """mean, spread: float32 [features], of the training set; by_hand: float32 [features], added to what is learned.
    What has a weight by hand, or never differs in training, is not read by the layers."""

    def __init__(self, mean: Tensor, spread: Tensor, by_hand: Tensor, read: Tensor, hidden: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.by_hand: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("scale", read.float() / spread)
        self.register_buffer("by_hand", by_hand)
        self.first = nn.Linear(len(mean), hidden)
        self.straight = nn.Linear(len(mean), 1, bias=False)
        self.last = nn.Linear(hidden, 1, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        """float32 [..., features] → [...]"""
        x = (values - self.mean) * self.scale
        learned = self.last(nn.functional.silu(self.first(x))) + self.straight(x)
        found: Tensor = learned.squeeze(-1) + values @ self.by_hand
        return found


def loss(scores: Tensor, there: Tensor, target: Tensor) -> Tensor:
    """scores float32 [n, c], there bool [n, c] (the rest is padding), target int64 [n]: how surprising what was opened
    is among all candidates."""
    return nn.functional.cross_entropy(scores.masked_fill(~there, torch.finfo(scores.dtype).min), target)
