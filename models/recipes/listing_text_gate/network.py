"""The network of listing-text-gate: vectors of word pieces and of neighbours in pairs, a hidden layer over their means.

The hidden layer reads, at each piece, the mean of the vectors near it and the mean of the whole text. What it finds is
pooled twice: by attention, a softmax over a learned scalar, and by maximum, so that a forbidden sentence among harmless
ones still counts. Places are not learned: a text may be cut into windows anywhere.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.recipes.listing_text_cloud import backbone
from models.recipes.listing_text_cloud.pairs import pair_ids

FAR_BELOW = -1e4


class Network(nn.Module):
    """input_ids, attention_mask int64 [n, t] → logits float32 [n, labels].

    words: initial vectors float32 [vocabulary, width]. options: the recipe's [network].
    """

    def __init__(self, words: Tensor, options: dict[str, Any], labels: int) -> None:
        super().__init__()
        width, hidden, heads = words.shape[1], options["hidden"], options["heads"]
        self.reach: Tensor
        self.register_buffer("reach", torch.tensor(options["reach"]))
        self.words = nn.Embedding.from_pretrained(words.clone(), freeze=False)
        self.pairs = nn.Embedding(options["pairs"], width)
        self.near = nn.Linear(width, hidden)
        self.whole = nn.Linear(width, hidden, bias=False)
        self.heed = nn.Linear(hidden, heads, bias=False)
        self.head = nn.Linear(hidden * (heads + 1), labels)
        self.drop, self.drop_pieces = nn.Dropout(options["drop"]), options["drop_pieces"]
        for silent in (self.pairs, self.heed, self.head):
            nn.init.zeros_(silent.weight)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        seen = attention_mask.float()
        kept = seen * self.some(seen) if self.training else seen
        both = nn.functional.pad(kept[:, :-1] * kept[:, 1:], (0, 1))
        pairs = nn.functional.pad(self.pairs(pair_ids(input_ids, self.pairs.num_embeddings)), (0, 0, 0, 1))
        x = self.words(input_ids) * kept[:, :, None] + pairs * both[:, :, None]
        count = (kept + both)[:, :, None]
        place = torch.arange(x.shape[1], device=x.device)
        close = ((place[:, None] - place).abs() <= self.reach).float()
        near = close @ x / (close @ count).clamp(min=1)
        whole = x.sum(1, keepdim=True) / count.sum(1, keepdim=True)
        h = torch.relu(self.near(self.drop(near)) + self.whole(self.drop(whole)))
        unseen = ((1 - seen) * FAR_BELOW)[:, :, None]
        heeded = ((self.heed(h) + unseen).softmax(1).transpose(1, 2) @ h).flatten(1)
        most = (h + unseen).amax(1)
        return self.head(self.drop(torch.cat([heeded, most], 1)))

    def some(self, seen: Tensor) -> Tensor:
        """1 for the pieces that training reads this time, 0 for the others; the first is always read."""
        kept = torch.rand_like(seen) >= self.drop_pieces
        kept[:, 0] = True
        return kept.float()


def initial_words(width: int, size: float) -> Tensor:
    """MiniLM's vectors of its word pieces by their first principal components, float32 [vocabulary, width], scaled to a
    standard deviation of `size`. Raises StepError when the weights are not installed."""
    from safetensors.torch import load_file

    vectors = load_file(str(backbone.folder() / "model.safetensors"))["embeddings.word_embeddings.weight"].float()
    vectors = vectors - vectors.mean(0)
    _, axes = torch.linalg.eigh(vectors.T @ vectors)  # in the order of rising spread
    found = vectors @ axes.flip(1)[:, :width]
    return found * (size / found.std())
