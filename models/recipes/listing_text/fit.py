"""Fitting listing-text: with every feature, then with the rows that it may keep, then with these rounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.recipes.listing_text.pool import Pool
from models.recipes.listing_text.student import GRAM, Network, Texts, batch

Say = Callable[[str], None]
Watch = Callable[[Network, NDArray[np.int32]], str]


def frequent(texts: Texts, size: int, least: int) -> NDArray[np.int64]:
    """Sorted ids met at least `least` times."""
    return np.flatnonzero(np.bincount(texts.ids, minlength=size) >= least)


def row_of(rows: NDArray[np.int64], size: int) -> NDArray[np.int32]:
    """int32 [size]: id → its row of the table, 1 and up; 0 for what is not kept."""
    found = np.zeros(size, np.int32)
    found[rows] = np.arange(1, len(rows) + 1)
    return found


def fit(
    network: Network,
    rows: NDArray[np.int64],
    pool: Pool,
    options: dict[str, Any],
    size: int,
    seed: int,
    say: Say,
    watch: Watch | None = None,
    masks: dict[str, torch.Tensor] | None = None,
) -> None:
    """Train `network` in place over the whole pool `epochs` times with Adam. masks: what is 0 there stays pruned.

    Where there is a teacher, the loss is the cross-entropy to its probabilities (Hinton et al. 2015, arXiv:1503.02531)
    and, by (1 - `teacher`), that to the label. Batches hold texts of like length; the rate falls to nothing.
    """
    lookup = row_of(rows, size)
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    labels = network.labels
    order = np.argsort(pool.texts.sizes, kind="stable")
    chunks = [order[at : at + options["batch"]] for at in range(0, len(order), options["batch"])]
    rest = [p for name, p in network.named_parameters() if name != "table"]
    rate = options["rate"]
    optimiser = torch.optim.Adam(
        [{"params": [network.table], "scale": options["table_rate"]}, {"params": rest, "scale": 1.0}]
    )
    steps, step, began = options["epochs"] * len(chunks), 0, time.monotonic()
    for epoch in range(options["epochs"]):
        losses = []
        for chunk in rng.permutation(len(chunks)):
            index = chunks[chunk]
            for group in optimiser.param_groups:
                group["lr"] = rate * group["scale"] * min(1.0, (step + 1) / 100) * (1 - step / steps)
            network.train()
            logits, _ = network(batch(pool.texts, index, lookup))
            target, weight = targets(pool, index, labels, options)
            loss = -(weight[:, None] * target * torch.log_softmax(logits, 1)).sum() / len(index)
            optimiser.zero_grad()
            loss.backward()
            assert network.table.grad is not None
            network.table.grad[0] = 0  # what is not kept stays silent
            optimiser.step()
            for name, mask in (masks or {}).items():
                network.get_parameter(name).data.mul_(mask)
            losses.append(loss.item())
            step += 1
        said = watch(network, lookup) if watch else ""
        say(f"  epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.monotonic() - began:.0f} s {said}")
    network.eval()


def targets(
    pool: Pool, index: NDArray[np.int64], labels: int, options: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities float32 [n, P] to learn, and how much each text weighs."""
    label = pool.label[index]
    hard = np.full((len(index), labels), options["smoothing"] / labels, np.float32)
    known = label >= 0
    hard[np.flatnonzero(known), label[known]] += 1 - options["smoothing"]
    if pool.teacher is None:
        return torch.from_numpy(hard), torch.from_numpy(known.astype(np.float32))
    share = np.where(known, options["teacher"], 1.0).astype(np.float32)[:, None]
    return torch.from_numpy(share * pool.teacher[index] + (1 - share) * hard), torch.ones(len(index))


def masks_of(network: Network, share: float) -> dict[str, torch.Tensor]:
    """1 for what stays when the `share` of smallest weights of each matrix goes (Zhu and Gupta 2017,
    arXiv:1710.01878)."""
    found = {}
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            size = parameter.detach().abs()
            limit = np.quantile(size[1:].numpy() if name == "table" else size.numpy(), share)
            found[name] = (size >= limit).float()
    return found


def worth(network: Network, rows: NDArray[np.int64], texts: Texts, size: int) -> NDArray[np.float32]:
    """How much each row moves the words it stands in: its length times the root of the summed squares of its weights
    there (an n-gram is one of many in a word's mean, a word's own row stands by itself)."""
    length = network.table.detach()[1:].norm(dim=1).numpy()
    squares = np.zeros(size)
    for text in range(0, len(texts), 20_000):
        begin, end = texts.starts[text], texts.starts[min(text + 20_000, len(texts))]
        kinds, owners = texts.kinds[begin:end], texts.owners[begin:end].astype(np.int64)
        counts = np.diff(texts.starts[text : min(text + 20_000, len(texts)) + 1])
        word = np.repeat(np.arange(len(counts)), counts) * int(texts.sizes.max()) + owners
        grams = np.bincount(word[kinds == GRAM], minlength=int(word.max(initial=0)) + 1)
        weight = np.where(kinds == GRAM, 1 / np.maximum(grams[word], 1), 1.0)
        squares += np.bincount(texts.ids[begin:end], weights=weight**2, minlength=size)
    found: NDArray[np.float32] = (length * np.sqrt(squares[rows])).astype(np.float32)
    return found


def smaller(network: Network, keep: NDArray[np.int64], options: dict[str, Any]) -> Network:
    """The same network with the given rows of its table alone (0-based, sorted)."""
    state = {name: value.clone() for name, value in network.state_dict().items()}
    state["table"] = torch.cat([torch.zeros(1, network.width), state["table"][1:][torch.from_numpy(keep)]])
    found = Network(len(keep) + 1, options, network.labels)
    found.load_state_dict(state)
    return found


def coarse(network: Network, share: float, options: dict[str, Any]) -> Network:
    """The same network, its table read in steps of `share` of each column's standard deviation, larger where INT8 could
    not count that far."""
    found = smaller(network, np.arange(len(network.table) - 1), options)
    table = found.table.detach()[1:]
    found.steps = torch.maximum(share * table.std(dim=0, correction=0), table.abs().amax(0) / 127).clamp_min(1e-6)
    return found


@torch.no_grad()
def logits_of(network: Network, texts: Texts, lookup: NDArray[np.int32], size: int = 256) -> NDArray[np.float32]:
    """float32 [texts, P], in the texts' order."""
    network.eval()
    found = np.zeros((len(texts), network.labels), np.float32)
    order = np.argsort(texts.sizes, kind="stable")
    for at in range(0, len(order), size):
        index = order[at : at + size]
        found[index] = network(batch(texts, index, lookup))[0].numpy()
    return found
