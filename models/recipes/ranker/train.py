"""Training the ranker: which of the candidates of a moment was opened next."""

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

from models.recipes.ranker import moments
from models.recipes.ranker.moments import Moments
from models.recipes.ranker.network import Network, loss
from models.steps import training
from models.steps.errors import StepError

Say = Callable[[str], None]
WEIGHTS = "network.npz"
Pair = tuple[NDArray[np.float32], int]


def pairs_of(found: Sequence[Moments]) -> list[Pair]:
    """Each moment whose answer is among its candidates: their numbers, and its place."""
    return [
        (each.values[each.starts[at] : each.starts[at + 1]], int(each.targets[at]))
        for each in found
        for at in range(len(each))
        if each.targets[at] >= 0
    ]


def padded(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    """values float32 [n, c, features], there bool [n, c], target int64 [n]."""
    most = max(len(values) for values, _ in pairs)
    values = np.zeros((len(pairs), most, pairs[0][0].shape[1]), np.float32)
    there = np.zeros((len(pairs), most), bool)
    for row, (of, _) in enumerate(pairs):
        values[row, : len(of)], there[row, : len(of)] = of, True
    return torch.from_numpy(values), torch.from_numpy(there), torch.tensor([target for _, target in pairs])


def fit(pairs: list[Pair], names: list[str], recipe: dict[str, Any], seed: int, say: Say) -> Network:
    options = recipe["fit"]
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    sample = np.concatenate([pairs[at][0] for at in rng.permutation(len(pairs))[:2_000]])
    by_hand = torch.tensor([float(recipe["by_hand"].get(name, 0.0)) for name in names])
    spread = torch.from_numpy(sample.std(0))
    read = torch.tensor([name not in recipe["by_hand"] for name in names]) & (spread > 1e-4)
    mean = torch.from_numpy(sample.mean(0))
    network = Network(mean, spread.clamp(min=1e-3), by_hand, read, recipe["network"]["hidden"])
    counted = torch.tensor([name.startswith(moments.COUNTED) for name in names])
    order = rng.permutation(len(pairs))
    kept_back = order[: int(options["kept_back"] * len(pairs))]
    order = order[len(kept_back) :]
    optimizer = torch.optim.AdamW(network.parameters(), lr=options["rate"], weight_decay=options["decay"])
    steps, done, began = options["epochs"] * -(-len(order) // options["batch"]), 0, time.monotonic()
    for epoch in range(options["epochs"]):
        rng.shuffle(order)
        total = 0.0
        for at in range(0, len(order), options["batch"]):
            optimizer.param_groups[0]["lr"] = options["rate"] * training.rate_at(done, steps, 0.05)
            values, there, target = padded([pairs[each] for each in order[at : at + options["batch"]]])
            young = torch.from_numpy(rng.random(len(target)) < options["young"])
            values = values.masked_fill(young[:, None, None] & counted, 0.0)
            found = loss(network(values), there, target)
            optimizer.zero_grad()
            found.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total, done = total + found.item() * len(target), done + 1
        if epoch % 4 == 3 or epoch + 1 == options["epochs"]:
            say(
                f"  epoch {epoch + 1}: loss {total / len(order):.4f}, kept back "
                f"{surprise(network, [pairs[each] for each in kept_back]):.4f}, {time.monotonic() - began:.0f} s"
            )
    return network.eval()


@torch.no_grad()
def surprise(network: Network, pairs: list[Pair]) -> float:
    total = 0.0
    for at in range(0, len(pairs), 128):
        values, there, target = padded(pairs[at : at + 128])
        total += loss(network(values), there, target).item() * len(target)
    return total / max(1, len(pairs))


def train(data: Path, out: Path, recipe: dict[str, Any], say: Say, left_out: bool = False) -> dict[str, Any]:
    """Write out/network.npz and out/training.json. data holds ranker/SET.train.npz of `manage.py ranker_examples`.
    left_out means nothing here. Raises StepError."""
    began = time.monotonic()
    found = [moments.read(data, name, "train") for name in moments.SETS]
    names = found[0].names
    if any(each.names != names for each in found):
        raise StepError(f"The sets in {data / moments.FOLDER} have different features: make all of them anew.")
    pairs = pairs_of(found)
    say(f"{len(pairs):,} moments whose answer was a candidate, of {sum(map(len, found)):,}")
    members = [fit(pairs, names, recipe, recipe["seed"] + number, say) for number in range(recipe["fit"]["members"])]
    out.mkdir(parents=True, exist_ok=True)
    stored = {
        f"{number}.{name}": value.detach().numpy()
        for number, member in enumerate(members)
        for name, value in member.state_dict().items()
    }
    np.savez(out / WEIGHTS, names=np.array(names), **stored)
    report = {
        "version": recipe["version"],
        "data": str(data.resolve()),
        "fit": training.fit_of(out, WEIGHTS),
        "initial": recipe["initial"],
        "features": names,
        "rows": {"moments": len(pairs)},
        "seconds": round(time.monotonic() - began, 1),
    }
    training.write_report(out, report)
    say(json.dumps(report, indent=2))
    return report


def load(build: Path) -> list[dict[str, NDArray[np.float32]]]:
    """The trained weights of each member by name. Raises StepError when nothing was trained there."""
    path = build / WEIGHTS
    if not path.is_file():
        raise StepError(f"There is no {WEIGHTS} in {build}. Run: python -m models train ranker --data DIR")
    with np.load(path) as stored:
        count = 1 + max(int(name.split(".")[0]) for name in stored.files if name != "names")
        return [
            {name.partition(".")[2]: stored[name] for name in stored.files if name.startswith(f"{number}.")}
            for number in range(count)
        ]
