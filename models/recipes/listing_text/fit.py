"""Fitting the additive model: weighted multinomial logistic regression on hashed features, by L-BFGS (PyTorch)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from models.contract import Packed, pack

KINDS = ("gram", "word", "pair")


@dataclass
class Batch:
    """Features of many texts. ids int32 [nnz], kinds int8 [nnz], offsets int64 [texts + 1], norm float32 [texts],
    known: word-list ids of each text's words that hold a letter."""

    ids: NDArray[np.int32]
    kinds: NDArray[np.int8]
    offsets: NDArray[np.int64]
    norm: NDArray[np.float32]
    known: list[NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.norm)

    def only(self, mask: NDArray[np.bool_]) -> Batch:
        """The texts for which `mask` is true."""
        sizes = np.diff(self.offsets)
        values = np.repeat(mask, sizes)
        offsets = np.concatenate([[0], np.cumsum(sizes[mask])]).astype(np.int64)
        known = [self.known[index] for index in np.flatnonzero(mask)]
        return Batch(self.ids[values], self.kinds[values], offsets, self.norm[mask], known)


def packed(title: str, description: str) -> Packed:
    return pack([("title", title), ("description", description)])


def featurise(
    session: onnxruntime.InferenceSession, texts: list[bytes], shape: Any, say: Callable[[str], None]
) -> Batch:
    """Run the exported front graph over packed texts."""
    ids, kinds, known, sizes, norm = [], [], [], [], []
    for index, data in enumerate(texts):
        found = session.run(None, {"bytes": np.frombuffer(data, np.uint8)})
        real = found[0] >= 0
        ids.append(found[0][real].astype(np.int32))
        kinds.append(found[1][real].astype(np.int8))
        sizes.append(int(real.sum()))
        norm.append((float(found[2]) + shape.norm_words) ** -shape.norm_power)
        known.append(found[3][found[4] > 0].astype(np.int32))
        if index % 20_000 == 19_999:
            say(f"  {index + 1:,} of {len(texts):,} texts read")
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Batch(np.concatenate(ids), np.concatenate(kinds), offsets, np.array(norm, np.float32), known)


@dataclass
class Fitted:
    """rows int64 [V] sorted ids, weights float32 [V, P] for features of value 1, bias float32 [P], counts int64 [V]."""

    rows: NDArray[np.int64]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    counts: NDArray[np.int64]

    def logits(self, batch: Batch) -> NDArray[np.float32]:
        at = np.searchsorted(self.rows, batch.ids).clip(0, len(self.rows) - 1)
        present = self.rows[at] == batch.ids
        columns = np.where(present, at, len(self.rows))
        padded = np.vstack([self.weights, np.zeros((1, self.weights.shape[1]), np.float32)])
        matrix = sparse(columns, np.ones(len(columns), np.float32), batch.offsets, len(padded))
        sums: NDArray[np.float32] = (matrix @ torch.from_numpy(padded)).numpy()
        return sums * batch.norm[:, None] + self.bias


def sparse(columns: NDArray[Any], values: NDArray[np.float32], offsets: NDArray[np.int64], width: int) -> torch.Tensor:
    return csr(offsets, columns.astype(np.int64), values, (len(offsets) - 1, width))


def csr(
    starts: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float32], size: tuple[int, int]
) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch calls its sparse tensors beta, once a process
        return torch.sparse_csr_tensor(
            torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values), size=size,
            check_invariants=False,
        )  # fmt: skip


def transposed(
    columns: NDArray[Any], values: NDArray[np.float32], offsets: NDArray[np.int64], width: int
) -> torch.Tensor:
    order = np.argsort(columns, kind="stable")
    row_of = np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))[order]
    starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=width))]).astype(np.int64)
    return csr(starts, row_of, values[order], (width, len(offsets) - 1))


def frequent(batch: Batch, origin: NDArray[np.int64], min_count: int, bits: int) -> NDArray[np.int64]:
    """Sorted ids that occur in at least `min_count` different rows (views of one row count once)."""
    owner = np.repeat(origin, np.diff(batch.offsets))
    pairs = np.unique(owner.astype(np.int64) << bits | batch.ids)
    counts = np.bincount(pairs & (2**bits - 1), minlength=2**bits)
    return np.flatnonzero(counts >= min_count)


def fit(
    batch: Batch,
    origin: NDArray[np.int64],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    options: dict[str, Any],
    bits: int,
    say: Callable[[str], None],
) -> Fitted:
    """Minimise the weighted cross-entropy plus an L2 penalty. targets [texts, P] are probabilities, weights [texts].

    A feature's value is the text's norm times the scale of its kind, so that the penalty makes words speak before
    n-grams; the scale is folded into the weights that are returned. The bias is not penalised.
    """
    rows = frequent(batch, origin, options["min_count"], bits)
    at = np.searchsorted(rows, batch.ids).clip(0, len(rows) - 1)
    present = rows[at] == batch.ids
    text_of = np.repeat(np.arange(len(batch)), np.diff(batch.offsets))[present]
    columns = at[present]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(text_of, minlength=len(batch)))]).astype(np.int64)
    scales = np.array([options[kind] for kind in KINDS], np.float32)
    values = batch.norm[text_of] * scales[batch.kinds[present]]
    forward = sparse(columns, values, offsets, len(rows))
    backward = transposed(columns, values, offsets, len(rows))
    counts = np.bincount(columns, minlength=len(rows))
    say(f"  {len(rows):,} features, {len(columns):,} values in {len(batch):,} texts")

    width = targets.shape[1]
    target = torch.from_numpy(targets)
    weight = torch.from_numpy(weights / weights.sum())[:, None]
    table = torch.zeros(len(rows), width)
    bias = torch.zeros(width)
    optimiser = torch.optim.LBFGS(
        [table, bias], max_iter=options["iterations"], history_size=8, line_search_fn="strong_wolfe",
        tolerance_grad=1e-9, tolerance_change=1e-12,
    )  # fmt: skip
    steps = 0

    def closure() -> float:
        nonlocal steps
        logits = forward @ table + bias
        log_p = torch.log_softmax(logits, dim=1)
        loss = -(weight * target * log_p).sum() + options["penalty"] * table.square().sum()
        error = weight * (log_p.exp() - target)
        table.grad = backward @ error + 2 * options["penalty"] * table
        bias.grad = error.sum(dim=0)
        steps += 1
        if steps % 10 == 0:
            say(f"  step {steps}: loss {float(loss):.5f}")
        return float(loss)

    optimiser.step(closure)
    kind_of = np.zeros(len(rows), np.int8)
    kind_of[columns] = batch.kinds[present]
    return Fitted(rows, table.numpy() * scales[kind_of][:, None], bias.numpy().copy(), counts)


def temperature(logits: NDArray[np.float32], unsafe: NDArray[np.bool_], safe: int) -> float:
    """The temperature that minimises the log loss of unsafe against safe, by golden-section search."""

    def loss(log_t: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_t)
        scaled -= scaled.max(axis=1, keepdims=True)
        p_safe = np.exp(scaled[:, safe]) / np.exp(scaled).sum(axis=1)
        p = np.clip(np.where(unsafe, 1 - p_safe, p_safe), 1e-9, 1)
        return float(-np.log(p).mean())

    low, high, ratio = np.log(0.2), np.log(5.0), (5**0.5 - 1) / 2
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loss(a) < loss(b):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2))
