"""What the steps must know of models that read texts; `reads_photos` is its sibling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models import contract, runtime, scoring
from models.contract import pack
from models.steps import classified, golden
from models.steps.data import TextRow, read_text
from models.steps.golden_cases import cases, text_of
from models.steps.rows import RowScorer

SETS = {"dev": Path("text") / "dev.csv.gz", "challenge_dev": Path("text") / "challenge_dev.csv"}
GOLDEN = "listing_text.json"
BY_SOURCE = False  # their figures are measured with a source left out
KIND = classified
WINDOWS = ("window_bytes", "window_pieces")
TIMED = "texts of 400 characters"

rows = read_text
write_golden = golden.write


def row_scorer(content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path) -> RowScorer:
    """What counts of a listing is its worst window."""
    score = scoring.scorer(runtime.open_session(content), entry, files)

    def scores(row: TextRow) -> dict[str, float]:
        found: dict[str, float] = contract.combine(score(pack(row.fields)), entry["operating_points"])["scores"]
        return found

    return scores


def interface(settings: dict[str, Any]) -> dict[str, Any]:
    """The part of the manifest's entry that says how the model is called."""
    labels = settings["labels"]
    scores = {"type": "float32", "about": "probabilities, by label"}
    if "window_bytes" in settings:
        return {
            "window_bytes": settings["window_bytes"],
            "inputs": {"bytes": {"type": "uint8", "shape": ["n"], "about": "one window of packed UTF-8 text"}},
            "outputs": {
                "scores": scores | {"shape": [len(labels)]},
                "evidence": {
                    "type": "float32",
                    "shape": ["n", len(labels)],
                    "about": "logits per byte, where doubtful",
                },
                "coverage": {"type": "float32", "shape": [], "about": "share of letters that are understood"},
            },
        }
    pieces = {"type": "int64", "shape": ["n", "t"]}
    return {
        "window_pieces": settings["window_pieces"],
        "inputs": {"input_ids": pieces | {"about": "word pieces, [CLS] … [SEP], padded with 0"},
                   "attention_mask": pieces | {"about": "1 where there is a piece"}},
        "outputs": {"scores": scores | {"shape": ["n", len(labels)]}},
    }  # fmt: skip


def outputs(entry: dict[str, Any]) -> list[str]:
    """Those that native and WASM must agree on."""
    return ["scores", "evidence", "coverage"]


def golden_file(entry: dict[str, Any]) -> str:
    return GOLDEN


def golden_feeds(entry: dict[str, Any]) -> list[dict[str, np.ndarray[Any, Any]]]:
    """The golden texts' windows, for the comparison with WASM."""
    feeds = []
    for fields in cases().values():
        packed = contract.pack([(name, text_of(text)) for name, text in fields])
        for begin, end in contract.windows(packed, entry["window_bytes"])[:4]:
            feeds.append({"bytes": np.frombuffer(packed.data[begin:end], np.uint8)})
    return feeds


def timed(entry: dict[str, Any], files: dict[str, bytes], published: Path) -> list[dict[str, Any]]:
    """Inputs for timing, see TIMED."""
    return samples_of_length(files, entry, 400)


def samples_of_length(
    files: dict[str, bytes], entry: dict[str, Any], characters: int, count: int = 8
) -> list[dict[str, np.ndarray[Any, Any]]]:
    """Inputs of texts of about `characters`, for timing."""
    text = (
        "Solid oak table from a house without smokers, 180 x 90 cm, two small scratches on the top and one leg that was"
        " glued years ago and has held since. It comes apart for the stairs, the screws are in a bag. "
    )
    long = (text * (characters // len(text) + 1))[: characters - 20]
    packed = [
        pack([("title", f"Dining table, oak {number}"), ("description", long)]).data[:characters]
        for number in range(count)
    ]
    if "window_bytes" in entry:
        return [{"bytes": np.frombuffer(data, np.uint8)} for data in packed]
    from models import wordpieces

    return [wordpieces.batch([ids[: entry["window_pieces"]]]) for ids in wordpieces.reader(files).pieces(packed)]
