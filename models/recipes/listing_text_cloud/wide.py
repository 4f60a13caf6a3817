"""The wide part: for each word piece and each pair of neighbours a weight by policy, learned by itself.

It is a logistic regression on texts as their sellers wrote them, the network beside it on texts in every disguise. The
two err differently, and their sum is better than either (Cheng et al. 2016, "Wide & Deep Learning for Recommender
Systems", arXiv:1606.07792, which learns both at once; so did version 2, and it gained next to nothing).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models import wordpieces
from models.recipes.listing_text_cloud.pairs import pair_ids


class Wide(nn.Module):
    """input_ids int64 [n, t], seen float32 [n, t] → logits float32 [n, labels], over the root of the text's length."""

    def __init__(self, vocabulary: int, labels: int, pairs: int) -> None:
        super().__init__()
        self.single, self.pairs = nn.Embedding(vocabulary, labels), nn.Embedding(pairs, labels)
        self.bias = nn.Parameter(torch.zeros(labels))
        self.requires_grad_(False)  # `fit` alone writes here
        self.silence()

    def silence(self) -> None:
        for each in self.parameters():
            nn.init.zeros_(each)

    def forward(self, input_ids: Tensor, seen: Tensor) -> Tensor:
        both = seen[:, :-1] * seen[:, 1:]
        pairs = self.pairs(pair_ids(input_ids, self.pairs.num_embeddings)) * both[:, :, None]
        total = (self.single(input_ids) * seen[:, :, None]).sum(1) + pairs.sum(1)
        logits: Tensor = total / seen.sum(1, keepdim=True).sqrt() + self.bias
        return logits


def fit(
    wide: Wide,
    rows: list[list[int]],
    label: NDArray[np.int64],
    weight: NDArray[np.float32],
    ridge: float,
    share: float = 1.0,
) -> float:
    """Fill tables and bias with `share` of a multinomial logistic regression; returns the largest slope of its mean
    loss where it stopped.

    rows: word pieces of texts that fit into a window, at least one. label int64 [n]. weight float32 [n]: how much each
    text counts. ridge: half of it times the sum of squared weights is added to the summed loss. L-BFGS (Liu and Nocedal
    1989).
    """
    vocabulary, labels = wide.single.weight.shape
    features, columns = counted(rows, vocabulary, wide.pairs.num_embeddings)
    turned = features.t().coalesce()
    target, counts = torch.from_numpy(label), torch.from_numpy(weight)
    total = float(counts.sum())
    weights = torch.zeros(len(columns), labels, requires_grad=True)
    bias = torch.zeros(labels, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=300, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        with torch.no_grad():
            log_p = torch.log_softmax(features @ weights + bias, 1)
            loss = -(counts * log_p.gather(1, target[:, None])[:, 0]).sum() + ridge / 2 * weights.square().sum()
            error = (log_p.exp() - nn.functional.one_hot(target, labels)) * counts[:, None]
            weights.grad = (turned @ error + ridge * weights) / total
            bias.grad = error.sum(0) / total
        return loss / total

    optimiser.step(closure)
    closure()
    assert weights.grad is not None and bias.grad is not None
    table = torch.zeros(vocabulary + wide.pairs.num_embeddings, labels)
    table[columns] = share * weights.detach()
    wide.single.weight.data.copy_(table[:vocabulary])
    wide.pairs.weight.data.copy_(table[vocabulary:])
    wide.bias.data.copy_(share * bias.detach())
    return float(max(weights.grad.abs().max(), bias.grad.abs().max()))


def counted(rows: list[list[int]], vocabulary: int, pairs: int) -> tuple[Tensor, Tensor]:
    """What `Wide` reads of each text, as a sparse float32 [n, columns], and the row of both tables, one after the
    other, that each column stands for: those met in the texts."""
    where, which, size = [], [], []
    for at in range(0, len(rows), 512):
        inputs = wordpieces.batch(rows[at : at + 512])
        ids, seen = torch.from_numpy(inputs["input_ids"]), torch.from_numpy(inputs["attention_mask"]).bool()
        both = seen[:, :-1] & seen[:, 1:]
        share = seen.sum(1).float().rsqrt()
        for there, found in ((seen, ids), (both, pair_ids(ids, pairs) + vocabulary)):
            row = there.nonzero()[:, 0]
            where.append(row + at)
            which.append(found[there])
            size.append(share[row])
    columns, column = torch.cat(which).unique(return_inverse=True)
    places = torch.stack([torch.cat(where), column])
    return torch.sparse_coo_tensor(places, torch.cat(size), (len(rows), len(columns))).coalesce(), columns
