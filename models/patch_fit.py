"""Some twenty decisions → a sparse patch of listing-text, in seconds: numpy alone.

A logistic regression over the hashed features of the texts, with the published model's logits as offset: it learns only
what the model does not know yet. The L1 norm keeps it sparse, and a quadratic penalty keeps it away from anchors, texts
whose answers must stay as they are. Features count once a text, which is how the graph adds them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models import contract, manifest, patch, runtime, text
from models.patch import Patch, PatchError

Floats = NDArray[np.float32]

LEAST_EXAMPLES = 4  # of texts that the model gets wrong
SUPPORT = 2  # texts that a feature must stand in, where there are as many as LEAST_EXAMPLES of its label
CANDIDATES = 3_000
FEATURES = 1_350  # what 20 KB hold
STEPS = 500
SPARSE = (0.3, 0.1, 0.03)  # weights of the L1 norm, the sparsest first
ENOUGH = 0.95  # of what the densest fit catches
GUARD = 1.0  # weight of an anchor's squared change, to begin with ...
STRICTER = (1, 5, 25, 125)  # ... and so many times more until no anchor moves further than MOVED
MOVED = 0.5  # logits
LONGEST_WINDOWS = 40  # of one anchor


@dataclass(frozen=True)
class Example:
    """A decided text: title first, and the policy it goes against, or "safe"."""

    fields: contract.Fields
    label: str


@dataclass(frozen=True)
class Fitted:
    content: bytes
    patch: Patch
    caught: int  # examples that come out as decided, with the patch
    before: int  # and without
    moved: float  # logits, of the anchor that moves most
    seconds: float


@dataclass(frozen=True)
class Window:
    """What the model reads of a part of a text: its features, sorted, and its logits [P]."""

    ids: NDArray[np.int64]
    logits: Floats


class Reader:
    """The published model, opened up: texts → windows. Raises ModelUnavailable, PatchError."""

    def __init__(self, folder: Path = manifest.PUBLISHED) -> None:
        self.entry: dict[str, Any] = manifest.model(manifest.load(folder), text.MODEL)
        self.labels: list[str] = self.entry["labels"]
        content = runtime.variant_bytes(text.MODEL, "device", folder)
        if not content.endswith(patch.nothing(len(self.labels))):
            raise PatchError("The published model takes no patch. Publish it again.")
        self.session: onnxruntime.InferenceSession = runtime.open_session(patch.opened_up(content))

    def windows(self, fields: contract.Fields, most: int = LONGEST_WINDOWS) -> list[Window]:
        packed = contract.pack(fields)
        found = []
        for begin, end in contract.windows(packed, self.entry["window_bytes"])[:most]:
            bytes_ = np.frombuffer(packed.data[begin:end], np.uint8)
            ids, logits = self.session.run([patch.FEATURES, patch.LOGITS], {"bytes": bytes_})
            found.append(Window(np.unique(ids[ids >= 0]), logits))
        return found


def fit(examples: Sequence[Example], anchors: Sequence[contract.Fields], reader: Reader | None = None) -> Fitted:
    """Raises PatchError with the reason, ModelUnavailable."""
    began = time.perf_counter()
    reader = reader or Reader()
    labels = reader.labels
    for example in examples:
        if example.label not in labels:
            raise PatchError(f"The model knows no policy “{example.label}”.")
    wanted = np.array([labels.index(example.label) for example in examples])
    seen = [
        worst_for(reader.windows(example.fields), int(column)) for example, column in zip(examples, wanted, strict=True)
    ]
    kept = [window for fields in anchors for window in reader.windows(fields)]
    offset = np.stack([window.logits for window in seen]) if seen else np.zeros((0, len(labels)), np.float32)
    wrong = ~right(offset, wanted, reader.entry)
    if wrong.sum() < LEAST_EXAMPLES:
        raise PatchError(
            f"The model gets only {int(wrong.sum())} of these {len(examples)} texts wrong; "
            f"a patch needs {LEAST_EXAMPLES} to learn from."
        )
    ids = candidates([window for window, is_wrong in zip(seen, wrong, strict=True) if is_wrong], wanted[wrong], kept)
    if not len(ids):
        raise PatchError("The texts have no words in common that harmless ones do not have.")
    columns = np.union1d(np.unique(wanted), [labels.index("safe")])
    x, guarded = presence(seen, ids), presence(kept, ids)
    guarded = np.unique(guarded[guarded.any(axis=1)], axis=0)
    found: list[tuple[int, Patch, float]] = []
    for sparse in SPARSE:
        for guard in STRICTER:
            weights = regress(x, offset, wanted, columns, guarded, sparse, GUARD * guard)
            made = quantised(ids, weights, x)
            if made is None:
                break
            moved = largest(guarded, ids, made)
            if moved <= MOVED:
                delta = of_patch(x, ids, made)
                found.append((int(right(offset + delta, wanted, reader.entry).sum()), made, moved))
                break
    if not found:
        raise PatchError("No patch tells these texts from harmless ones: every one would move those too.")
    before, best = int((~wrong).sum()), max(caught for caught, *_ in found)
    if best <= before:
        raise PatchError("No patch decides these texts better without moving harmless ones.")
    enough = before + ENOUGH * (best - before)
    caught, made, moved = next(each for each in found if each[0] >= enough)
    return Fitted(patch.written(made), made, caught, before, moved, time.perf_counter() - began)


def worst_for(windows: list[Window], column: int) -> Window:
    """The window that speaks most for the label."""
    return max(windows, key=lambda window: float(window.logits[column] - window.logits.max()))


def right(logits: Floats, wanted: NDArray[np.int64], entry: dict[str, Any]) -> NDArray[np.bool_]:
    """Whether the model decides as people did: a warning or more where they refused, nothing where they did not."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    safe = entry["labels"].index("safe")
    unsafe = 1 - odds[:, safe] / odds.sum(axis=1)
    points = entry["operating_points"]
    found: NDArray[np.bool_] = np.where(wanted == safe, unsafe < points["unsure"], unsafe >= points["warn"])
    return found


def candidates(wrong: list[Window], wanted: NDArray[np.int64], anchors: list[Window]) -> NDArray[np.int64]:
    """Sorted ids worth a weight: they stand in several of the texts of a label that the model gets wrong, more often
    than among the anchors, and no two share a slot."""
    common = Counter(int(number) for window in anchors for number in window.ids)
    found: Counter[int] = Counter()
    for column in np.unique(wanted):
        own = [window for window, each in zip(wrong, wanted, strict=True) if each == column]
        counts = Counter(int(number) for window in own for number in window.ids)
        least = SUPPORT if len(own) >= LEAST_EXAMPLES else 1
        for number, times in counts.items():
            rarity = common[number] / max(len(anchors), 1)
            if times >= least and times / len(own) > 3 * rarity:
                found[number] = max(found[number], times)
    slots: dict[int, int] = {}
    for number, _ in sorted(found.items(), key=lambda each: (-each[1], common[each[0]], each[0])):
        slots.setdefault(number % patch.SLOTS, number)
        if len(slots) == CANDIDATES:
            break
    return np.array(sorted(slots.values()), np.int64)


def presence(windows: list[Window], ids: NDArray[np.int64]) -> Floats:
    """float32 [windows, K]: 1 where a feature stands in a window."""
    found = np.zeros((len(windows), len(ids)), np.float32)
    for row, window in enumerate(windows):
        found[row, np.flatnonzero(np.isin(ids, window.ids, assume_unique=True))] = 1
    return found


def regress(
    x: Floats, offset: Floats, wanted: NDArray[np.int64], columns: NDArray[np.int64], anchors: Floats,
    sparse: float, guard: float,
) -> Floats:  # fmt: skip
    """Weights float32 [K, P] by accelerated proximal gradient (Beck and Teboulle 2009, doi:10.1137/080716542); only the
    labels of the examples, and safe, get any."""
    # Features that always stand together, such as a rare word's n-grams, are one to the fit and share its weight: none
    # of them alone says much, so that another word with one of them is not taken for it.
    both, group_of, members = np.unique(np.concatenate([x, anchors]), axis=1, return_inverse=True, return_counts=True)
    examples, kept = both[: len(x)], both[len(x) :]
    still = np.float32(guard) * (kept.T @ kept)
    hard = np.eye(offset.shape[1], dtype=np.float32)[wanted][:, columns]
    weights = np.zeros((both.shape[1], len(columns)), np.float32)
    ahead, momentum = weights, 1.0
    step = np.float32(1 / (steepness(examples) / 2 + guard * steepness(kept)))
    for _ in range(STEPS):
        logits = offset.copy()
        logits[:, columns] += examples @ ahead
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        odds = (odds / odds.sum(axis=1, keepdims=True))[:, columns]
        moved = ahead - step * (examples.T @ (odds - hard) + still @ ahead)
        after = np.sign(moved) * np.maximum(np.abs(moved) - step * np.float32(sparse), 0)
        further = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = after + np.float32((momentum - 1) / further) * (after - weights)
        weights, momentum = after, further
    found = np.zeros((x.shape[1], offset.shape[1]), np.float32)
    found[:, columns] = (weights / members[:, None].astype(np.float32))[group_of.reshape(-1)]
    return found


def steepness(x: Floats, rounds: int = 12) -> float:
    """The largest eigenvalue of x'x, a little more than that."""
    if not len(x):
        return 0.0
    vector = np.ones(x.shape[1], np.float32)
    for _ in range(rounds):
        vector = x.T @ (x @ vector)
        size = float(np.linalg.norm(vector))
        if not size:
            return 0.0
        vector /= np.float32(size)
    return size * 1.1


def quantised(ids: NDArray[np.int64], weights: Floats, x: Floats) -> Patch | None:
    """In steps of a 127th of the largest weight; what is rounded to nothing goes, and what is too much, the least used
    first."""
    largest_weight = float(np.abs(weights).max(initial=0))
    if not largest_weight:
        return None
    scale = largest_weight / 127
    rows = np.rint(weights / scale).astype(np.int8)
    used = np.abs(rows.astype(np.int32)).max(axis=1) * x.sum(axis=0)
    order = np.argsort(-used, kind="stable")[:FEATURES]
    keep = np.sort(order[used[order] > 0])
    return Patch(ids[keep].astype(np.int32), rows[keep], float(np.float32(scale)))


def of_patch(x: Floats, ids: NDArray[np.int64], made: Patch) -> Floats:
    """What the patch adds to the logits, float32 [windows, P]."""
    found: Floats = x[:, np.searchsorted(ids, made.ids)] @ made.weights
    return found


def largest(x: Floats, ids: NDArray[np.int64], made: Patch) -> float:
    return float(np.abs(of_patch(x, ids, made)).max(initial=0))
