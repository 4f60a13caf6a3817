"""Training both text towers together: queries to land beside the products that people judged or opened.

Four kinds of queries in every batch. Graded ones bring a list: products that were graded and the best of BM25; the
distribution to learn joins the two, for only six products of a query were ever graded. Clicked ones bring one product.
Parts of titles, drawn anew, bring the title's product, and teach words that no query had. And what is said in few
words, of all kinds of goods, is taught by MiniLM: to like the listings of the batch as MiniLM does (relational
distillation: Park et al. 2019, arXiv:1904.05068).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from models.recipes.item_tower import bm25, data, features, sentences
from models.recipes.item_tower.features import Bags
from models.recipes.item_tower.network import Towers
from models.recipes.listing_text import student
from models.recipes.listing_text.front import Shape
from models.steps import training
from models.steps.errors import StepError
from models.towers import ItemText, cut

Say = Callable[[str], None]
WEIGHTS = "network.pt"
Integers = NDArray[np.int64]


@dataclass
class Listed:
    """A query's products: numbers int64 [n], wanted float32 [n] (logits); the first `good` are relevant."""

    query: int
    items: Integers
    wanted: NDArray[np.float32]
    good: int


@dataclass
class Material:
    """Everything numbered: texts are the items' titles, then the queries, then what MiniLM teaches from `told` on."""

    items: list[ItemText]
    texts: list[str]
    lists: list[Listed]
    clicked: Integers  # [pairs, 2] numbers of text and item
    told: int


def material(data_root: Path, recipe: dict[str, Any], say: Say) -> Material:
    """Raises StepError."""
    fit, catalogues = recipe["fit"], data.catalogues(data_root)
    items = [item for each in catalogues for item in each.products.values()]
    items += [ItemText(title) for title in data.broad(data_root, fit["broad"], recipe["seed"])]
    texts = [item.title for item in items]
    lists: list[Listed] = []
    pairs: list[tuple[int, int]] = []
    first = 0
    for each in catalogues:
        number = {product: first + at for at, product in enumerate(each.products)}
        found = bm25.index([item.title for item in each.products.values()])
        for query, grades in each.queries.items():
            made = listed(
                len(texts), query, {number[p]: g for p, g in grades.items() if p in number}, found, first, fit
            )
            if made:
                lists.append(made)
                texts.append(query)
        known = {text: len(texts) + at for at, text in enumerate(sorted({query for query, _ in each.clicked}))}
        texts += known
        pairs += [(known[query], number[product]) for query, product in each.clicked if product in number]
        first += len(each.products)
    told = len(texts)
    texts += spoken([*texts, *data.needs(data_root)], fit["told"], np.random.default_rng(recipe["seed"]))
    say(f"{len(items):,} products, {len(lists):,} graded queries, {len(pairs):,} clicks")
    return Material(items, texts, lists, np.array(pairs, np.int64).reshape(-1, 2), told)


def spoken(texts: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """At most so many different short texts: one to four words in a row of these."""
    found: set[str] = set()
    for _ in range(4 * count):
        if len(found) == count:
            break
        words = bm25.words(texts[rng.integers(len(texts))])
        size = int(rng.choice(4, p=(0.35, 0.35, 0.2, 0.1))) + 1
        begin = int(rng.integers(max(1, len(words) - size + 1)))
        found.add(" ".join(words[begin : begin + size]))
    return sorted(found)


def listed(
    text: int, query: str, grades: dict[int, int], found: bm25.Index, first: int, fit: dict[str, Any]
) -> Listed | None:
    """None for a query without a relevant product. first: the number of the catalogue's first product."""
    good = [item for item, grade in grades.items() if grade >= 1]
    if not good:
        return None
    score, _ = bm25.scores(found, query)
    score = score / max(float(score.max()), 1e-6)
    best = np.argsort(-score, kind="stable")[: fit["candidates"]]
    rest = [int(at) + first for at in best if score[at] > 0 and int(at) + first not in good]
    items = np.array(good + rest, np.int64)
    grade = np.array([grades.get(int(item), 1 if item in good else None) for item in items], object)
    told = np.array([0.0 if g is None else fit["grade"] * (g / 2 if g else -0.5) for g in grade], np.float32)
    return Listed(text, items, fit["keyword"] * score[items - first] + told, len(good))


def parts(texts: student.Texts, bag: Bags, words: Integers, chosen: Integers, rng: np.random.Generator) -> Bags:
    """A part of each chosen text as a query: one to five of its words, in a row or here and there. words int64 [f]: the
    word each row of the bag belongs to, within its text."""
    counts = bag.starts[chosen + 1] - bag.starts[chosen]
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
    places = np.repeat(bag.starts[chosen] - offsets, counts) + np.arange(counts.sum())
    owner, word = np.repeat(np.arange(len(chosen)), counts), words[places]
    size = np.maximum(texts.sizes[chosen] - 1, 1)  # the first word stands before the text
    wanted = rng.integers(1, 6, len(chosen))
    begin = 1 + (rng.random(len(chosen)) * np.maximum(1, size - wanted + 1)).astype(int)
    lot = rng.random((len(chosen), 64))
    lot[:, 0] = 2.0
    lot[np.arange(64)[None] > size[:, None]] = 2.0
    drawn = np.sort(lot, axis=1)[np.arange(len(chosen)), np.minimum(wanted, np.minimum(size, 63)) - 1]
    in_row = (word >= begin[owner]) & (word < begin[owner] + wanted[owner])
    anywhere = lot[owner, np.minimum(word, 63)] <= drawn[owner]
    kept = np.where((rng.random(len(chosen)) < 0.5)[owner], in_row, anywhere)
    rows = np.bincount(owner[kept], minlength=len(chosen))
    return Bags(
        bag.rows[places[kept]], bag.weights[places[kept]], np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
    )


def joined(a: Bags, b: Bags) -> Bags:
    return Bags(
        np.concatenate([a.rows, b.rows]), np.concatenate([a.weights, b.weights]),
        np.concatenate([a.starts, b.starts[1:] + a.starts[-1]]),
    )  # fmt: skip


def chosen(bag: Bags, index: Integers) -> Bags:
    rows, offsets, weights = bag.of(index)
    return Bags(rows.numpy().astype(np.int32), weights.numpy(), np.append(offsets.numpy(), len(rows)))


def sampled(lists: list[Listed], which: Integers, size: int, rng: np.random.Generator) -> tuple[Integers, torch.Tensor]:
    """Of each list `size` products, up to four relevant ones among them: numbers [lists, size] and what is wanted."""
    items, wanted = np.zeros((len(which), size), np.int64), np.full((len(which), size), -1e4, np.float32)
    for at, number in enumerate(which):
        each = lists[number]
        good = rng.permutation(each.good)[:4]
        rest = each.good + rng.permutation(len(each.items) - each.good)[: size - len(good)]
        taken = np.concatenate([good, rest]).astype(np.int64)
        items[at], wanted[at, : len(taken)] = each.items[np.resize(taken, size)], each.wanted[taken]
    return items, torch.from_numpy(wanted)


def fit(found: Material, recipe: dict[str, Any], cache: Path, say: Say) -> tuple[Towers, Integers]:
    """The trained towers, and the sorted ids of the features in their table."""
    options, steps = recipe["fit"], recipe["fit"]["steps"]
    rng = np.random.default_rng(recipe["seed"])
    torch.manual_seed(recipe["seed"])
    deep = torch.from_numpy(sentences.of_items(found.items, recipe["window_bytes"], recipe["pieces"], cache))
    told = [ItemText(text) for text in found.texts[found.told :]]
    said = torch.from_numpy(sentences.of_items(told, recipe["window_bytes"], recipe["pieces"], cache))
    shape = Shape(**recipe["shape"])
    read = features.read([cut(text, recipe["window_bytes"]) for text in found.texts], shape)
    say(f"Read {len(read):,} texts")
    counts = np.ones(len(read), np.float32)
    counts[len(found.items) : found.told] = options["query_counts"]
    counts[found.told :] = options["told_counts"]
    size, gram_share = recipe["network"]["rows"], recipe["network"]["gram_share"]
    kept = np.sort(features.most_seen(read, counts, shape.bits, size, gram_share))
    bag = features.bags(read, kept, shape.bits, grams=True)
    words = features.words_of(read, kept, shape.bits)
    towers = Towers(len(kept), recipe["network"])
    deep_ones = [*towers.inner.parameters(), *towers.outer.parameters()]
    groups = [
        {"params": [towers.table.weight, towers.mix], "lr": options["rate"], "weight_decay": 0.0},
        {"params": deep_ones, "lr": options["rate_deep"]},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
    rates = [group["lr"] for group in optimizer.param_groups]
    began, total = time.monotonic(), 0.0
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (step + 1) / options["warm_up"]) * max(0.02, 1 - step / steps)
        which = rng.integers(0, len(found.lists), options["lists"])
        items, wanted = sampled(found.lists, which, options["list_size"], rng)
        pairs = found.clicked[rng.integers(0, len(found.clicked), options["clicked"] if len(found.clicked) else 0)]
        titles = rng.integers(0, len(found.items), options["parts"])
        from_minilm = rng.integers(0, len(told), options["told_batch"])
        asked = np.concatenate(
            [found.told + from_minilm, np.array([found.lists[number].query for number in which]), pairs[:, 0]]
        )
        queries = joined(chosen(bag, asked), parts(read, bag, words, titles, rng))
        one = np.concatenate([pairs[:, 1], titles])
        unique, at = np.unique(np.concatenate([items.ravel(), one]), return_inverse=True)
        vectors = towers.items(bag.of(unique), deep[torch.from_numpy(unique)])
        every = towers.queries(queries.of(np.arange(len(asked) + len(titles)))) @ vectors.T / options["heat"]
        likes, logits = every[: len(from_minilm)], every[len(from_minilm) :]
        teacher = said[torch.from_numpy(from_minilm)] @ deep[torch.from_numpy(unique)].T / options["told_heat"]
        taught = -(teacher.softmax(1) * likes.log_softmax(1)).sum(1).mean()
        target = torch.zeros(len(which), len(unique)).scatter_add_(
            1, torch.from_numpy(at[: items.size].reshape(items.shape)), wanted.softmax(1)
        )
        graded = -(target * logits[: len(which)].log_softmax(1)).sum(1).mean()
        loss = graded + options["told_share"] * taught
        loss = loss + options["one_share"] * F.cross_entropy(logits[len(which) :], torch.from_numpy(at[items.size :]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(loss.detach())
        if (step + 1) % 200 == 0 or step + 1 == steps:
            say(
                f"  step {step + 1} of {steps}: loss {total / ((step % 200) + 1):.3f}, {time.monotonic() - began:.0f} s"
            )
            total = 0.0
    return towers.eval(), kept


def train(data_root: Path, out: Path, recipe: dict[str, Any], say: Say, left_out: bool = False) -> dict[str, Any]:
    """Write out/network.pt and out/training.json. left_out means nothing here. Raises StepError."""
    began = time.monotonic()
    found = material(data_root, recipe, say)
    towers, kept = fit(found, recipe, out, say)
    out.mkdir(parents=True, exist_ok=True)
    torch.save({"state": towers.state_dict(), "kept": torch.from_numpy(kept)}, out / WEIGHTS)
    report = {
        "version": recipe["version"],
        "data": str(data_root.resolve()),
        "fit": training.fit_of(out, WEIGHTS),
        "initial": recipe["initial"],
        "rows": {
            "products": len(found.items),
            "graded queries": len(found.lists),
            "clicks": len(found.clicked),
            "short texts of MiniLM": len(found.texts) - found.told,
        },
        "seconds": round(time.monotonic() - began, 1),
    }
    training.write_report(out, report)
    say(json.dumps(report, indent=2))
    return report


def load(build: Path, recipe: dict[str, Any]) -> tuple[Towers, Integers]:
    """The trained towers and the sorted ids of their features. Raises StepError when nothing was trained there."""
    path = build / WEIGHTS
    if not path.is_file():
        raise StepError(f"There is no {WEIGHTS} in {build}. Run: python -m models train item-tower --data DIR")
    stored = torch.load(path, weights_only=True)
    towers = Towers(len(stored["kept"]), recipe["network"])
    towers.load_state_dict(stored["state"])
    return towers.eval(), stored["kept"].numpy()
