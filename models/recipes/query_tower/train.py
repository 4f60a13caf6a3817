"""Training query-tower: to land where item-tower's own table puts a query, with fewer and narrower rows, and to keep
the products of the graded queries in order. The listings' vectors stand fast, so a batch costs little."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from models.recipes.item_tower import features, sentences
from models.recipes.item_tower import train as item_tower
from models.recipes.item_tower.features import Bags
from models.recipes.item_tower.network import Bag, Towers, unit
from models.recipes.item_tower.train import Material, chosen, joined, material, parts, sampled
from models.recipes.listing_text import student
from models.recipes.listing_text.front import Shape
from models.steps import recipe as recipes
from models.steps import training
from models.towers import cut

Say = Callable[[str], None]
WEIGHTS = "network.npz"
ITEM = "item-tower"
READ_AT_ONCE = 4096


class Network(nn.Module):
    """Rows of `width` numbers, added up and widened: Bag → unit vectors float32 [n, 128].

    step: 0, or that of the whole numbers that the table will be stored in; then they are rounded already here, and the
    gradient goes on as if they were not (Bengio et al. 2013, arXiv:1308.3432).
    """

    def __init__(self, table: NDArray[np.float32], up: NDArray[np.float32], drop: float) -> None:
        super().__init__()
        self.drop, self.step = drop, 0.0
        silent = np.zeros((1, table.shape[1]), np.float32)
        stored = torch.from_numpy(np.concatenate([silent, table]))
        self.table = nn.EmbeddingBag.from_pretrained(stored, freeze=False, mode="sum", padding_idx=0)
        self.up = nn.Parameter(torch.from_numpy(up.copy()))

    def forward(self, bag: Bag) -> Tensor:
        rows, offsets, weights = bag
        if self.training:
            weights = weights * (torch.rand_like(weights) >= self.drop)
        table = self.table.weight
        if self.step:
            table = table + (torch.round(table / self.step) * self.step - table).detach()
        added = F.embedding_bag(rows, table, offsets, mode="sum", per_sample_weights=weights)
        return unit(added @ self.up)


def narrowed(table: NDArray[np.float32], width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The best table [rows, width] and matrix [width, 128] whose product is near `table` (Eckart and Young 1936). The
    matrix only turns, so that an error in any column weighs alike: one step serves them all."""
    left, values, right = np.linalg.svd(table, full_matrices=False)
    return (left[:, :width] * values[:width]).astype(np.float32), right[:width].astype(np.float32)


@torch.no_grad()
def item_vectors(towers: Towers, bag: Bags, found: Material, recipe: dict[str, Any], cache: Path) -> Tensor:
    """float32 [items, 128]."""
    deep = torch.from_numpy(sentences.of_items(found.items, recipe["window_bytes"], recipe["pieces"], cache))
    numbers = np.arange(len(found.items))
    chunks = [numbers[at : at + READ_AT_ONCE] for at in range(0, len(numbers), READ_AT_ONCE)]
    return torch.cat([towers.items(bag.of(chunk), deep[torch.from_numpy(chunk)]) for chunk in chunks])


def train(data_root: Path, out: Path, recipe: dict[str, Any], say: Say, left_out: bool = False) -> dict[str, Any]:
    """Write out/network.npz and out/training.json; item-tower must have been trained beside it. left_out means nothing
    here. Raises StepError."""
    began, options = time.monotonic(), recipe["fit"]
    of_items = recipes.read(ITEM)
    towers, wide = item_tower.load(out.parent / ITEM, of_items)
    found = material(data_root, of_items, say)
    shape = Shape(**recipe["shape"])
    read = features.read([cut(text, of_items["window_bytes"]) for text in found.texts], shape)
    teacher_bag = features.bags(read, wide, shape.bits, grams=True)
    vectors = item_vectors(towers, teacher_bag, found, of_items, out.parent / ITEM)
    kept = most_used(read, len(found.items), found.told, wide, recipe, shape.bits)
    bag = features.bags(read, kept, shape.bits, grams=True)
    table = towers.table.weight.detach().numpy()[1:][np.searchsorted(wide, kept)]
    network = Network(*narrowed(table, recipe["network"]["width"]), options["drop"])
    say(f"{len(kept):,} rows for {len(read):,} texts")
    fit(network, towers, found, (read, bag, teacher_bag), (kept, wide), vectors, recipe, say)
    out.mkdir(parents=True, exist_ok=True)
    narrow = network.table.weight.detach().numpy()[1:]
    steps = np.full(narrow.shape[1], network.step, np.float32)
    np.savez(out / WEIGHTS, rows=kept, table=narrow, up=network.up.detach().numpy(), steps=steps)
    report = {
        "version": recipe["version"],
        "data": str(data_root.resolve()),
        "fit": training.fit_of(out, WEIGHTS),
        "initial": recipe["initial"],
        "rows": {"products": len(found.items), "graded queries": len(found.lists), "clicks": len(found.clicked)},
        "seconds": round(time.monotonic() - began, 1),
    }
    training.write_report(out, report)
    say(json.dumps(report, indent=2))
    return report


def most_used(
    read: student.Texts, items: int, told: int, wide: NDArray[np.int64], recipe: dict[str, Any], bits: int
) -> NDArray[np.int64]:
    """Sorted ids of the rows to keep, among those of the wide table."""
    counts = np.ones(len(read), np.float32)
    counts[items:told] = recipe["fit"]["query_counts"]
    counts[told:] = recipe["fit"]["told_counts"]
    best = features.most_seen(read, counts, bits, 2 * len(wide), recipe["network"]["gram_share"])
    return np.sort(best[np.isin(best, wide)][: recipe["network"]["rows"]])


def fit(
    network: Network,
    towers: Towers,
    found: Material,
    texts: tuple[student.Texts, Bags, Bags],
    ids: tuple[NDArray[np.int64], NDArray[np.int64]],
    vectors: Tensor,
    recipe: dict[str, Any],
    say: Say,
) -> None:
    """texts: as read, as bags of the network's rows and of the teacher's; ids: the kept ones of both."""
    options, (read, bag, teacher_bag) = recipe["fit"], texts
    words = [features.words_of(read, each, recipe["shape"]["bits"]) for each in ids]
    torch.manual_seed(recipe["seed"])
    rng = np.random.default_rng(recipe["seed"])
    optimizer = torch.optim.Adam(network.parameters(), lr=options["rate"], betas=(0.9, 0.98))
    clicked = np.unique(found.clicked[:, 0])
    steps, began, total = options["steps"], time.monotonic(), np.zeros(2)
    for step in range(steps):
        if step == max(0, steps - options["rounded"]):
            size = float(network.table.weight[1:].square().mean().sqrt())
            network.step = options["step"] * size
        share = min(1.0, (step + 1) / options["warm_up"]) * max(0.02, 1 - step / steps)
        optimizer.param_groups[0]["lr"] = options["rate"] * share
        which = rng.integers(0, len(found.lists), options["lists"])
        items, wanted = sampled(found.lists, which, options["list_size"], rng)
        more = rng.choice(clicked, options["lists"] // 2) if len(clicked) else clicked
        told = rng.integers(found.told, len(found.texts), options["told_batch"])
        asked = np.concatenate([np.array([found.lists[number].query for number in which]), more, told])
        titles, seed = rng.integers(0, len(found.items), options["parts"]), int(rng.integers(1 << 31))
        drawn, wide = (
            joined(chosen(each, asked), parts(read, each, of, titles, np.random.default_rng(seed)))
            for each, of in zip((bag, teacher_bag), words, strict=True)
        )
        numbers = np.arange(len(asked) + len(titles))
        answer = network(drawn.of(numbers))
        with torch.no_grad():
            there = unit(towers.summed(wide.of(numbers)))
        near = 1 - (answer * there).sum(1).mean()
        logits = (answer[: len(which), None] * vectors[torch.from_numpy(items)]).sum(2) / options["heat"]
        graded = -(wanted.softmax(1) * logits.log_softmax(1)).sum(1).mean()
        optimizer.zero_grad()
        (graded + options["near_share"] * near).backward()
        optimizer.step()
        total += graded.item(), near.item()
        if (step + 1) % 250 == 0:
            lists, apart = total / 250
            spent = time.monotonic() - began
            say(f"  step {step + 1} of {steps}: lists {lists:.3f}, 1 - cosine {apart:.4f}, {spent:.0f} s")
            total[:] = 0
