"""The network of listing-text in PyTorch, and reading texts for it.

Each word is the sum of its own row and the mean of its n-grams' rows; a convolution lets neighbours change what it
means; every word then adds its share to the logits, and the strongest word adds once more, so that one forbidden word
among hundreds of harmless ones still counts. The graph tells afterwards what each word did for the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.recipes.listing_text.network import Parameters

GRAM, WORD, JOINED = 0, 1, 2
FAR_BELOW = -1e4


@dataclass
class Texts:
    """Features of many texts, one after the other.

    ids int32 [f], owners int32 [f] (word within its text), kinds int8 [f]; starts int64 [texts + 1] into them;
    sizes int32 [texts] (words); known: word-list ids int32 of each text's lettered words.
    """

    ids: NDArray[np.int32]
    owners: NDArray[np.int32]
    kinds: NDArray[np.int8]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int32]
    known: list[NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.sizes)


def read(session: onnxruntime.InferenceSession, packed: Sequence[bytes]) -> Texts:
    """Packed texts through the exported front."""
    ids, owners, kinds, counts, sizes, known = [], [], [], [], [], []
    for data in packed:
        a, b, c, size, words, letters = session.run(
            ["ids", "owners", "kinds", "size", "known", "letters"], {"bytes": np.frombuffer(data, np.uint8)}
        )
        ids.append(a.astype(np.int32))
        owners.append(b.astype(np.int32))
        kinds.append(c.astype(np.int8))
        counts.append(len(a))
        sizes.append(int(size))
        known.append(words[letters > 0].astype(np.int32))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Texts(
        np.concatenate(ids), np.concatenate(owners), np.concatenate(kinds), starts, np.array(sizes, np.int32), known
    )


@dataclass
class Batch:
    """rows int64 [f] (into the table, 0 for none), at int64 [f] (text * width + word), weight float32 [f]; mask bool
    [texts, width] of the words typed: the first stands before the text."""

    rows: Tensor
    at: Tensor
    weight: Tensor
    mask: Tensor


def batch(texts: Texts, index: NDArray[np.int64], row_of: NDArray[np.int32], device: str = "cpu") -> Batch:
    """The chosen texts; row_of int32 [2 ** bits]: id → row of the table, 0 for an id that is not kept."""
    counts = texts.starts[index + 1] - texts.starts[index]
    places = np.repeat(texts.starts[index] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(
        counts.sum()
    )
    width = int(texts.sizes[index].max())
    at = np.repeat(np.arange(len(index)), counts) * width + texts.owners[places]
    kinds = texts.kinds[places]
    grams = np.bincount(at[kinds == GRAM], minlength=len(index) * width)
    weight = np.where(kinds == GRAM, 1 / np.maximum(grams[at], 1), 1.0).astype(np.float32)
    rows = row_of[texts.ids[places]].astype(np.int64)
    there = rows > 0
    place = np.arange(width)
    mask = (place > 0) & (place < texts.sizes[index][:, None])
    tensors = (rows[there], at[there], weight[there], mask)
    return Batch(*(torch.from_numpy(np.ascontiguousarray(each)).to(device) for each in tensors))


class Network(nn.Module):
    """Batch → logits float32 [texts, labels] and each word's share of them [texts, width, labels]."""

    def __init__(self, rows: int, options: dict[str, Any], labels: int) -> None:
        super().__init__()
        self.width, self.hidden, self.labels = options["width"], options["hidden"], labels
        self.norm_words, self.norm_power = options["norm_words"], options["norm_power"]
        self.table = nn.Parameter(torch.randn(rows, self.width) * 0.05)
        self.steps: Tensor | None = None  # float32 [width], of which the table's columns are read as whole multiples
        self.context = nn.Conv1d(self.width, self.hidden, options["kernel"], padding=options["kernel"] // 2)
        self.around = (
            nn.Conv1d(self.hidden, self.hidden, options["kernel"], padding=options["kernel"] // 2)
            if options["deep"]
            else None
        )
        self.whole = nn.Linear(self.width, self.hidden, bias=False)
        self.share = nn.Linear(self.hidden, labels)
        self.peak = nn.Linear(self.hidden, labels)
        self.bias = nn.Parameter(torch.zeros(labels))
        self.drop = nn.Dropout(options["drop"])

    def words(self, b: Batch) -> Tensor:
        texts, width = b.mask.shape
        table = self.table
        vectors = torch.zeros(texts * width, self.width, device=table.device)
        rows = table[b.rows] if self.steps is None else rounded(table[b.rows], self.steps)
        vectors.index_add_(0, b.at, rows * b.weight[:, None])
        return vectors.view(texts, width, self.width)

    def forward(self, b: Batch) -> tuple[Tensor, Tensor]:
        x = self.words(b)
        seen = b.mask[:, :, None].float()
        count = seen.sum(1) + 1
        damped = (count + self.norm_words) ** -self.norm_power
        mean = x.sum(1) * damped
        h = torch.relu(self.context(self.drop(x).transpose(1, 2)) + self.whole(mean)[:, :, None])
        if self.around is not None:
            there = torch.cat([torch.ones_like(seen[:, :1]), seen[:, 1:]], 1)  # what padding says reaches nobody
            h = h * there.transpose(1, 2)
            h = h + torch.relu(self.around(h))
        h = self.drop(h).transpose(1, 2)
        share = self.share(h) * seen * damped[:, None, :]
        peak = torch.where(b.mask[:, :, None], self.peak(h), FAR_BELOW)
        best, where = peak.max(1)
        best = torch.where(best < FAR_BELOW / 2, 0.0, best)  # a text without words
        logits = self.bias + share.sum(1) + best
        shares = share.scatter_add(1, where[:, None, :], best[:, None, :])
        return logits, shares


def rounded(values: Tensor, steps: Tensor) -> Tensor:
    """The nearest whole multiples. Gradients pass as if nothing had been rounded (Bengio et al. 2013,
    arXiv:1308.3432), so that training settles where rounding costs least."""
    return values + (torch.round(values / steps) * steps - values).detach()


def parameters(
    net: Network, rows: NDArray[np.int64], known: NDArray[np.bool_], heat: NDArray[np.float32]
) -> Parameters:
    """The trained network as the graph takes it, float32; each label's logits divided by its temperature."""

    def array(tensor: Tensor | None) -> NDArray[np.float32]:
        assert tensor is not None
        return tensor.detach().cpu().numpy().astype(np.float32)

    table = net.table if net.steps is None else rounded(net.table, net.steps)
    both = np.concatenate([heat, heat])
    dense = {
        "context": array(net.context.weight),
        "whole": array(net.whole.weight).T.copy(),
        "heads": np.concatenate([array(net.share.weight), array(net.peak.weight)]).T / both,
    }
    biases = {
        "context": array(net.context.bias),
        "heads": np.concatenate([array(net.share.bias), array(net.peak.bias)]) / both,
        "logits": array(net.bias) / heat,
    }
    if net.around is not None:
        dense["around"], biases["around"] = array(net.around.weight), array(net.around.bias)
    return Parameters(
        rows, array(table)[1:], dense, biases, known,
        net.norm_words, net.norm_power,
    )  # fmt: skip
