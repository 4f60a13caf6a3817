"""What every training of a text model does alike: ask a teacher, calibrate, measure with sources left out, report."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.recipes.listing_text import corpus
from models.recipes.listing_text.corpus import Example
from models.steps import metrics
from models.steps import recipe as recipes
from models.steps.data import read_text
from models.steps.errors import StepError

DEV = Path("text") / "dev.csv.gz"
CHALLENGE = Path("text") / "challenge_dev.csv"
WEIGHTS = "network.npz"
TEACHER = "listing-text-cloud"
Say = Callable[[str], None]


def dev_rows(data: Path) -> list[Example]:
    rows = read_text(data / DEV)
    return [Example(row.title, row.description, row.policy, row.source, "market") for row in rows]


def unsafe_score(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """1 - p(safe), float64 [rows]; safe is the last label."""
    return 1 - softmax(logits)[:, -1]


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return found


def least_safe(logits: NDArray[np.float32], owner: NDArray[np.int64]) -> NDArray[np.float32]:
    """The logits of each owner's least safe window, in the order of the owners."""
    order = np.lexsort((softmax(logits)[:, -1], owner))
    return logits[order[np.unique(owner[order], return_index=True)[1]]]


def teacher_says(build: Path, texts: list[tuple[str, str]], labels: list[str], say: Say) -> NDArray[np.float32] | None:
    """The trained cloud model's probabilities float32 [texts, P]; None, and said, where it has not been trained."""
    if not (build / TEACHER / "model.pt").is_file():
        say(f"No trained {TEACHER} in {build}: learning from labels alone")
        return None
    from models.recipes.listing_text_cloud import train as cloud

    recipe = recipes.read(TEACHER)
    if recipe["labels"] != labels:
        raise StepError("Teacher and student have different labels.")
    say(f"Asking {TEACHER} about {len(texts):,} texts")
    return cloud.probabilities(build / TEACHER, texts, recipe, say)


class Titled(Protocol):
    """A labelled text or photo, and what names it in a list."""

    @property
    def policy(self) -> str: ...

    @property
    def title(self) -> str: ...


def calibrated(
    scored: Mapping[str, tuple[Sequence[Titled], NDArray[np.float32]]], recipe: dict[str, Any]
) -> dict[str, Any]:
    """Temperatures by dev, thresholds by dev and our validation listings, and what was measured on those.

    scored: "dev", "own" and "ordinary" → examples and their raw logits.
    """
    from models.steps import calibrate  # needs PyTorch, which those who only publish need not have

    labels = recipe["labels"]
    examples, logits = scored["dev"]
    truth = np.array([labels.index(e.policy) for e in examples])
    heat = calibrate.temperatures(logits, truth, labels.index("safe"))
    pairs = {}
    for name, (rows, raw) in scored.items():
        pairs[name] = (np.array([e.policy != "safe" for e in rows]), unsafe_score(raw / heat))
    points = calibrate.operating_points(pairs["dev"], pairs["own"], pairs["ordinary"], labels, recipe["targets"])
    return {
        "labels": labels,
        "temperatures": [round(float(each), 4) for each in heat],
        "operating_points": points,
        "validation": {"own": told_apart(*pairs["own"])},
        "ordinary": {
            "rows": len(pairs["ordinary"][1]),
            **{name: float((pairs["ordinary"][1] >= points[name]).mean()) for name in ("unsure", "warn")},
            "unsafe_caught": {
                name: float((pairs["own"][1][pairs["own"][0]] >= points[name]).mean()) for name in ("unsure", "warn")
            },
        },
        "failures": failures(scored["own"][0], pairs["own"][1]),
        "left_out": [],
    }


def told_apart(unsafe: NDArray[np.bool_], score: NDArray[np.float64]) -> dict[str, Any]:
    """What a validation set says."""
    return {
        "rows": len(unsafe),
        "unsafe_roc_auc": metrics.roc_auc(unsafe, score),
        "recall_at_fpr_1pct": metrics.recall_at_fpr(unsafe, score, 0.01),
        "recall_at_fpr_5pct": metrics.recall_at_fpr(unsafe, score, 0.05),
        "ece": metrics.expected_calibration_error(unsafe, score),
    }


def failures(rows: Sequence[Titled], score: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Our own validation listings that are scored most wrongly: the eight safest-looking unsafe ones and reverse."""
    missed = sorted((i for i, e in enumerate(rows) if e.policy != "safe"), key=lambda i: score[i])[:8]
    alarms = sorted((i for i, e in enumerate(rows) if e.policy == "safe"), key=lambda i: -score[i])[:8]
    return [
        {"title": rows[i].title, "policy": rows[i].policy, "score": round(float(score[i]), 3)}
        for i in (*missed, *alarms)
    ]


def rate_at(step: int, steps: int, warm_up: float) -> float:
    """Of the learning rate: linear warm-up, multiplied into a half cosine to nothing."""
    return min(1.0, (step + 1) / max(1.0, warm_up * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))


# What is left out in turn, and what is then asked of it.
LEFT_OUT = [
    ("armslist2017", "ordinary firearm ads, recall at 1 % FPR"),
    ("kushy2017", "names of cannabis products, recall at 1 % FPR"),
    ("watchlist", "genuine watches, warned at 1 % FPR elsewhere"),
    ("flipkart", "general goods, warned at 1 % FPR elsewhere"),
    ("own", "our own listings (our lists of things stay): ROC-AUC on our validation listings"),
]


def left_out(
    examples: list[Example],
    calm: list[Example],
    fit_without: Callable[[list[Example]], Callable[[list[Example]], NDArray[np.float64]]],
    say: Say,
) -> list[dict[str, Any]]:
    """Fit without a source, then measure on it: [{name, what, rows, value}]. A source that is not there is skipped, and
    said. calm: harmless rows of dev; those of the other sources set the threshold of 1 % false positives."""
    found = []
    for name, what in LEFT_OUT:
        apart = [e for e in examples if (e.group == "own" if name == "own" else e.source == name)]
        if not apart:
            say(f"  {name} is not in this data: not measured")
            continue
        gone = {id(e) for e in apart}
        score = fit_without([e for e in examples if id(e) not in gone])
        if name == "own":
            rows = corpus.validation()
            value = metrics.roc_auc(np.array([e.policy != "safe" for e in rows]), score(rows))
        else:
            rows = sorted(apart, key=lambda e: corpus.share_of(e.title))[:2000]
            harmless = score([e for e in calm if e.source != name])
            limit = metrics.threshold_at_fpr(np.zeros(len(harmless), bool), harmless, 0.01)
            value = float((score(rows) >= limit).mean())
        found.append({"name": name, "what": what, "rows": len(apart), "value": value})
        say(f"  without {name}: {what}: {value:.4f}")
    return found


def fit_of(folder: Path, weights: str = WEIGHTS) -> str:
    """What names a fit: hex SHA-256 over its weights and those of its pruned siblings (network.npz, network-*.npz).
    Raises StepError when there are none."""
    main = folder / weights
    if not main.is_file():
        raise StepError(f"There is no {weights} in {folder}. Run: python -m models train {folder.name} --data DIR")
    found = hashlib.sha256()
    for path in [main, *sorted(folder.glob(f"{main.stem}-*{main.suffix}"))]:
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def finished(
    report: dict[str, Any],
    recipe: dict[str, Any],
    data: Path,
    out: Path,
    weights: str,
    examples: list[Example],
    texts: int,
    seconds: float,
    say: Say,
) -> dict[str, Any]:
    """`calibrated`'s report with what went in, written to out/training.json. recipe: with `initial` where weights did
    not begin at random. texts: how many were drawn."""
    counts = dict(Counter(e.group for e in examples))
    drawn = {"things": len(corpus.things()), "frames": len(corpus.frames()), "texts drawn": texts}
    report |= {
        "version": recipe["version"],
        "data": str(data.resolve()),
        "fit": fit_of(out, weights),
        "initial": recipe.get("initial", ""),
        "rows": counts | drawn,
        "decisions": corpus.decided(examples),
        "seconds": round(seconds, 1),
    }
    write_report(out, report)
    shown = ("temperatures", "operating_points", "validation", "seconds")
    say(json.dumps({key: report[key] for key in shown}, indent=2))
    return report


def write_report(folder: Path, report: dict[str, Any]) -> None:
    (folder / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


# What the later steps read of it.
REPORTED = ("version", "data", "fit", "initial", "rows", "seconds")
CLASSIFIED = ("temperatures", "operating_points", "validation", "ordinary", "failures", "left_out")  # if it has labels


def read_report(folder: Path) -> dict[str, Any]:
    """What `train` wrote about itself. Raises StepError."""
    try:
        report: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StepError(f"There is no readable training.json in {folder}. Train first.") from error
    wanted = (*REPORTED, *CLASSIFIED) if "labels" in report else REPORTED
    if missing := [name for name in wanted if name not in report]:
        raise StepError(f"training.json in {folder} lacks {', '.join(missing)}: of an older version. Train again.")
    return report
