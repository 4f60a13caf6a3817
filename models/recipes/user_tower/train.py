"""Training user-tower on what people opened next: interests near it, among all listings of its catalogue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.recipes.item_tower.data import VISITED
from models.recipes.user_tower import histories
from models.recipes.user_tower.histories import Histories
from models.recipes.user_tower.network import Network
from models.steps import training
from models.steps.errors import StepError

Say = Callable[[str], None]
WEIGHTS = "network.npz"


def padded(found: Histories, which: Sequence[int], events: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The network's inputs of some cases: the last `events` of each, padded in front."""
    read = [histories.arrays(found, found.cases[at][0][-events:]) for at in which]
    longest = max(len(kinds) for _, kinds, _ in read)
    vectors = np.zeros((len(read), longest, found.items.shape[1]), np.float32)
    kinds, there = np.zeros((len(read), longest), np.int64), np.zeros((len(read), longest), bool)
    for row, (each, kind, _) in enumerate(read):
        vectors[row, -len(kind) :], kinds[row, -len(kind) :], there[row, -len(kind) :] = each, kind, True
    ages = torch.zeros(kinds.shape)
    return torch.from_numpy(vectors), torch.from_numpy(kinds), ages, torch.from_numpy(there)


def fit(found: Sequence[Histories], recipe: dict[str, Any], say: Say) -> Network:
    options = recipe["fit"]
    torch.manual_seed(recipe["seed"])
    rng = np.random.default_rng(recipe["seed"])
    network = Network(recipe["events"], recipe["network"])
    optimizer = torch.optim.AdamW(network.parameters(), lr=options["rate"], weight_decay=options["decay"])
    batches = [
        (number, chunk) for number, each in enumerate(found) for chunk in range(-(-len(each.cases) // options["batch"]))
    ]
    steps, done, began = options["epochs"] * len(batches), 0, time.monotonic()
    for epoch in range(options["epochs"]):
        order = [rng.permutation(len(each.cases)) for each in found]
        total = 0.0
        for number, chunk in rng.permutation(batches):
            optimizer.param_groups[0]["lr"] = options["rate"] * training.rate_at(done, steps, 0.05)
            each = found[number]
            which = order[number][chunk * options["batch"] : (chunk + 1) * options["batch"]]
            interests = network(*padded(each, which, recipe["events"]))
            target = torch.tensor([each.cases[at][1] for at in which])
            scores = network.scores(interests, torch.from_numpy(each.items))
            loss = F.cross_entropy(scores / options["heat"], target)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total, done = total + loss.item(), done + 1
        say(f"  epoch {epoch + 1}: loss {total / len(batches):.4f}, {time.monotonic() - began:.0f} s")
    return network.eval()


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, left_out: bool = False) -> dict[str, Any]:
    """Write out/network.npz and out/training.json; reads with the published text towers, or those built last.
    left_out means nothing here. Raises StepError."""
    from models.steps import reads_towers

    began = time.monotonic()
    of_items, of_queries = reads_towers.encoders()
    found = [
        histories.read(data / "feed" / name, "train", of_items, of_queries, recipe["fit"]["least"] - 1)
        for name in VISITED
    ]
    say(f"{sum(len(each.cases) for each in found):,} histories")
    network = fit(found, recipe, say)
    out.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    np.savez(out / WEIGHTS, **state)
    report = {
        "version": recipe["version"],
        "data": str(data.resolve()),
        "fit": training.fit_of(out, WEIGHTS),
        "initial": recipe["initial"],
        "rows": {"histories": sum(len(each.cases) for each in found)},
        "seconds": round(time.monotonic() - began, 1),
    }
    training.write_report(out, report)
    say(json.dumps(report, indent=2))
    return report


def load(build: Path) -> dict[str, NDArray[np.float32]]:
    """The trained weights by name. Raises StepError when nothing was trained there."""
    path = build / WEIGHTS
    if not path.is_file():
        raise StepError(f"There is no {WEIGHTS} in {build}. Run: python -m models train user-tower --data DIR")
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}
