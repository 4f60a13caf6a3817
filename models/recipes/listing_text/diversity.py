"""How varied our own listings are, and how little their style alone tells of the label. Plain numpy.

python -m models.recipes.listing_text.diversity
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.recipes.listing_text import corpus
from models.recipes.listing_text.corpus import Example
from models.steps.metrics import roc_auc

WORDS = re.compile(r"[^\W_]+")
PRICE = re.compile(
    r"[£$€]\s?\d|\d\s?(?:[£$€]|(?:euros?|eur|gbp|quid|usd|bucks|pln|kr|chf|pounds?|zł)\b)", re.IGNORECASE
)
DISGUISE = re.compile(
    r"[a-z][0134578@$!*]+[a-z]|\b[a-z] [a-z] [a-z]\b|[\u0370-\u03ff\u0400-\u04ff\u200b-\u200d]", re.IGNORECASE
)
MARKS = ".,;:!?'\"-/()+&*@#%|_…"
SHORTEST = 12  # characters; below this two texts are alike by chance
FOLDS = 5
RIDGE = 3.0  # so that rare marks weigh little
NEWTON_STEPS = 12


@dataclass(frozen=True)
class Openings:
    """How listings begin. share: different openings per listing."""

    share: float
    commonest: str
    count: int


@dataclass(frozen=True)
class Pair:
    """Two texts, by their places in what was compared, and how much they share, 0..1."""

    first: int
    second: int
    similarity: float


def text_of(example: Example) -> str:
    return f"{example.title} {example.description}".strip()


def words_of(text: str) -> list[str]:
    return WORDS.findall(text.lower())


def disguised(example: Example) -> bool:
    """Whether letters are replaced or spaced out. Harmless rows imitate it, so a fair count leaves out both kinds."""
    return example.kind == "obfuscated" or bool(DISGUISE.search(text_of(example)))


def distinct_openings(texts: Sequence[str], size: int = 3) -> Openings:
    """The share of different openings, and the most frequent; case and punctuation do not count."""
    counts = Counter(" ".join(words_of(text)[:size]) for text in texts)
    if not counts:
        return Openings(1.0, "", 0)
    commonest, count = counts.most_common(1)[0]
    return Openings(len(counts) / len(texts), commonest, count)


def grams(text: str, size: int = 4) -> frozenset[str]:
    """Every run of `size` characters of the words; a shorter text as a whole."""
    line = " ".join(words_of(text))
    return frozenset(line[at : at + size] for at in range(max(len(line) - size + 1, 1))) if line else frozenset()


def near_copies(texts: Sequence[str], threshold: float) -> list[Pair]:
    """All pairs whose character 4-grams overlap by at least the threshold (Jaccard), the most alike first.

    Sets that are alike enough must share one of their rarest grams (prefix filtering: Chaudhuri, Ganti and Kaushik
    2006; the smaller of the two needs fewer: Xiao et al. 2008). Only these are looked up, the small sets first.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"A threshold is above 0 and at most 1, not {threshold}.")
    sets = [grams(text) if len(text) >= SHORTEST else frozenset() for text in texts]
    spread = Counter(gram for found in sets for gram in found)
    index: dict[str, list[int]] = defaultdict(list)
    pairs = []
    for at in sorted((at for at, found in enumerate(sets) if found), key=lambda at: len(sets[at])):
        mine = sets[at]
        rarest = sorted(mine, key=lambda gram: (spread[gram], gram))
        for other in {other for gram in rarest[: _needed(threshold, len(mine))] for other in index[gram]}:
            if len(sets[other]) >= threshold * len(mine):
                shared = len(mine & sets[other])
                similarity = shared / (len(mine) + len(sets[other]) - shared)
                if similarity >= threshold:
                    pairs.append(Pair(min(at, other), max(at, other), similarity))
        for gram in rarest[: _needed(2 * threshold / (1 + threshold), len(mine))]:
            index[gram].append(at)
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def _needed(share: float, size: int) -> int:
    """How many grams to look at when `share` of them must be in the other set; a rounding error may not lose a pair."""
    return size - int(np.ceil(share * size - 1e-9)) + 1


def highest_similarity(texts: Sequence[str], floor: float = 0.3) -> Pair | None:
    """The two texts most alike; None where none reach the floor. High thresholds are tried first, as they are quick."""
    for threshold in [t for t in (0.8, 0.65, 0.5, 0.4) if t > floor] + [floor]:
        if found := near_copies(texts, threshold):
            return found[0]
    return None


def style(title: str, description: str) -> list[float]:
    """What can be counted without reading a word."""
    text = f"{title}\n{description}"
    letters = max(sum(c.isalpha() for c in text), 1)
    words = text.split()
    return [
        np.log1p(len(title)), np.log1p(len(title.split())), float(title[:1].isupper()), float(title.isupper()),
        np.log1p(len(description)), np.log1p(len(description.split())), float(description[:1].isupper()),
        float(description[-1:].isalnum()), float(bool(description)), letters / max(len(words), 1),
        sum(c.isupper() for c in text) / letters, sum(c.isdigit() for c in text) / len(text),
        sum(c.isdigit() for c in title), len(PRICE.findall(text)), sum(len(word) == 1 for word in words),
        sum(any(c.isdigit() for c in word) and any(c.isalpha() for c in word) for word in words), text.count("  "),
        sum(unicodedata.category(c) == "So" for c in text), sum(ord(c) > 127 for c in text),
        *(np.log1p(text.count(mark)) for mark in MARKS),
    ]  # fmt: skip


def style_auc(examples: Sequence[Example]) -> float | None:
    """How well style alone tells unsafe rows from safe ones (ROC-AUC; 0.5: not at all); None without both kinds.

    Logistic regression, each fifth scored by the other four; the text alone decides in which fifth it is.
    """
    if not examples:
        return None
    counts = np.array([style(e.title, e.description) for e in examples], float)
    unsafe = np.array([e.policy != "safe" for e in examples])
    folds = np.array([int(corpus.share_of(f"{e.title}\n{e.description}") * FOLDS) for e in examples])
    scores = np.zeros(len(examples))
    for fold in range(FOLDS):
        held = folds == fold
        if not held.any() or len(set(unsafe[~held])) < 2:
            continue
        mean, scale = counts[~held].mean(0), counts[~held].std(0)
        scaled = np.clip((counts - mean) / np.where(scale > 0, scale, 1.0), -4, 4)
        weights = logistic(scaled[~held], unsafe[~held])
        scores[held] = scaled[held] @ weights[1:] + weights[0]
    return roc_auc(unsafe, scores)


def logistic(rows: NDArray[np.float64], wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights of a ridge logistic regression by Newton's method; the first is the constant."""
    rows = np.column_stack([np.ones(len(rows)), rows])
    ridge = np.full(rows.shape[1], RIDGE)
    ridge[0] = 1e-6
    weights = np.zeros(rows.shape[1])
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (chance - wanted) + ridge * weights
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(ridge)
        weights -= np.linalg.solve(curve, slope)
    return weights


def hands() -> dict[str, list[Example]]:
    """Our own listings by who wrote them."""
    found: dict[str, list[Example]] = {"first": [], "second": [], "third": []}
    for example in corpus.own():
        hand = example.source.removeprefix("own-").partition("-")[0]
        found[hand if hand in found else "first"].append(example)
    return {**found, "validation": corpus.validation(), "ordinary": corpus.ordinary()}


def main() -> int:
    """Prints the figures, a row for each hand, then how much style tells in each file."""
    found = hands()
    print("hand         rows  unsafe  openings  commonest opening          highest  style AUC  undisguised")
    for hand, examples in {**found, "all": [e for rows in found.values() for e in rows]}.items():
        texts = [text_of(e) for e in examples]
        openings, pair = distinct_openings(texts), highest_similarity(texts)
        print(
            f"{hand:10} {len(texts):6} {sum(e.policy != 'safe' for e in examples):7} {openings.share:9.3f}"
            f"  {openings.commonest[:22]:22} {openings.count:3} {pair.similarity if pair else 0:8.3f} {told(examples)}"
        )
        if pair:
            print(f"    most alike: {texts[pair.first]!r}\n                {texts[pair.second]!r}")
    print("\nfile                                                                   style AUC  undisguised")
    for source in sorted({e.source for rows in found.values() for e in rows}):
        print(f"{source:70} {told([e for rows in found.values() for e in rows if e.source == source])}")
    return 0


def told(examples: Sequence[Example]) -> str:
    figures = [style_auc(examples), style_auc([e for e in examples if not disguised(e)])]
    return "  ".join("         -" if figure is None else f"{figure:10.3f}" for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
