"""user-tower in PyTorch: a history's events → a few vectors of the same space.

Each interest is a weighted mean of the events' own vectors (attention without a product for the values), so that it
lies where queries and listings lie and can be explained by the events that it came from. How much it heeds an event: by
what the event is like, its kind, how many events came after it, and its age.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.towers import DIMENSIONS, KINDS

FAR_BELOW = -1e4


class Network(nn.Module):
    """events: the longest history; options: the recipe's [network]."""

    def __init__(self, events: int, options: dict[str, Any]) -> None:
        super().__init__()
        count = options["interests"]
        self.half_life: float = options["half_life"]
        self.content = nn.Parameter(torch.zeros(count, DIMENSIONS))
        self.like_last = nn.Parameter(torch.zeros(count))
        kinds = torch.zeros(count, len(KINDS))
        kinds[:, KINDS.index("dismissal")] = FAR_BELOW  # what was sent away is no interest; the device ranks it down
        kinds[:, KINDS.index("favourite")] = 0.5  # no data has any: a little more than a view, by our choice
        self.fixed: Tensor
        self.register_buffer("fixed", kinds)
        self.kinds = nn.Parameter(torch.zeros(count, len(KINDS)))
        # Interest h begins with the h-th last event, the last interest with all of them.
        places = torch.zeros(count, events)
        for number in range(count - 1):
            places[number, number] = options["sharpness"]
        self.places = nn.Parameter(places)
        self.weights = nn.Parameter(torch.tensor([1.0] + [0.5] * (count - 1)))

    def forward(self, vectors: Tensor, kinds: Tensor, ages: Tensor, there: Tensor) -> Tensor:
        """vectors float32 [n, t, 128], kinds int64 [n, t], ages float32 [n, t] in days, there bool [n, t]: oldest
        first, padded in front → interests float32 [n, k, 128], unit rows."""
        length = vectors.shape[1]
        logits = torch.einsum("ntd,kd->nkt", vectors, self.content)
        logits = logits + self.like_last[:, None] * torch.einsum("ntd,nd->nt", vectors, vectors[:, -1])[:, None]
        logits = logits + (self.kinds + self.fixed).T[kinds].transpose(1, 2)
        logits = logits + self.places[:, :length].flip(1) - (ages / self.half_life * 0.6931)[:, None]
        weights = logits.masked_fill(~there[:, None], FAR_BELOW * 2).softmax(-1)
        return nn.functional.normalize(weights @ vectors, dim=2, eps=1e-6)

    def scores(self, interests: Tensor, items: Tensor) -> Tensor:
        """Of each history and item, float32 [n, items]: only training and measuring use it; the site ranks."""
        return torch.einsum("nkd,id,k->ni", interests, items, nn.functional.softplus(self.weights))
