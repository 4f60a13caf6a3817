"""Text checks as the server runs them: fields in, a verdict out.

`listing-text` is the device's own model, read at the gate too; `listing-text-gate` is the gate's second one, which no
browser ever sees; `listing-text-cloud` is the worker's.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from models import contract, manifest, runtime, scoring, sets
from models.scoring import Scorer
from models.sets import Release

MODEL, CLOUD, SECOND = sets.TEXT, sets.TEXT_CLOUD, sets.TEXT_GATE
PROVIDER = "cpu"
OCCLUDED_WORDS = 80  # left out one by one, of the part of a text that looks worst: seconds at most, however long it is
LEAST_WEIGHT = 0.05  # logits
NEAR_HEAVIEST = 0.75  # of the heaviest word, where none is heavy: what counts nearly as much is shown beside it
NOISE = 0.4  # of the heaviest word: what moves the model less than that is not shown


def check_text(
    fields: contract.Fields,
    *,
    variant: str = "device",
    where: str = "gate",
    folder: Path = manifest.PUBLISHED,
    release: Release | None = None,
) -> dict[str, Any]:
    """Verdict of design section 5 on named texts, title first. Every window is scored, the worst one counts.

    release: what counts in the place of the published file; its number then stands in the version ("5+p12").

    evidence: UTF-16 offsets in the fields as typed; empty when nothing is held against the text. ms: wall time.
    Raises ModelUnavailable.
    """
    began = time.perf_counter()
    folder = release.folder(MODEL, folder) if release else folder
    entry = manifest.model(manifest.load(folder), MODEL)
    variant_name = manifest.variant_name(entry, variant)
    if release and release.content:
        session = runtime.patched_session(MODEL, variant_name, release.content, folder)
    else:
        session = runtime.session(MODEL, variant_name, folder)
    packed = contract.pack(fields)
    points = entry["operating_points"] | (release.points if release else {})
    results, evidence = scoring.run_windows(session, packed, entry["labels"], entry["window_bytes"])
    found = contract.combine(results, points)
    marks = contract.spans(packed, evidence, entry["labels"], found["policy"], points["evidence_floor"])
    told = verdict(MODEL, entry, variant_name, where, found, marks, packed, began)
    return told | {"version": release.version(entry["version"])} if release else told


def check_text_in_cloud(
    fields: contract.Fields, *, model: str = CLOUD, where: str = "cloud", folder: Path = manifest.PUBLISHED
) -> dict[str, Any]:
    """The verdict of a model that reads word pieces: the worker's, or the gate's second one.

    evidence: by occlusion, where something is held against the text. Raises ModelUnavailable.
    """
    began = time.perf_counter()
    entry = manifest.model(manifest.load(folder), model)
    variant_name = manifest.variant_name(entry, "cloud")
    score = scoring.published(entry, model, variant_name, folder)
    packed = contract.pack(fields)
    points = entry["operating_points"]
    found = contract.combine(score(packed), points)
    marks = occlusion(score, packed, found["policy"], points) if found["policy"] else []
    return verdict(model, entry, variant_name, where, found, marks, packed, began)


def verdict(
    model: str,
    entry: dict[str, Any],
    variant: str,
    where: str,
    found: dict[str, Any],
    marks: list[dict[str, Any]],
    packed: contract.Packed,
    began: float,
) -> dict[str, Any]:
    return {
        "model": model,
        "version": entry["version"],
        "policies_version": entry["policies_version"],
        "variant": variant,
        "where": where,
        "scores": {name: round(score, 6) for name, score in found["scores"].items()},
        "coverage": round(found["coverage"], 6),
        "decision": found["decision"],
        "policy": found["policy"],
        "evidence": marks,
        "ms": round((time.perf_counter() - began) * 1000, 3),
        "provider": PROVIDER,
        "digest": contract.digest(packed),
    }


def occlusion(score: Scorer, packed: contract.Packed, policy: str, points: dict[str, Any]) -> list[dict[str, Any]]:
    """Words without which the text would look safer, as `contract.spans` gives them: weight is the fall of
    logit(policy) - logit(safe) when the word is left out (Zeiler and Fergus 2014, arXiv:1311.2901).

    Of a longer text, the run of OCCLUDED_WORDS that looks worst alone is read in its place.
    """

    def margin(part: contract.Packed) -> float:
        scores = contract.combine(score(part), points)["scores"]
        return float(np.log(max(scores[policy], 1e-9)) - np.log(max(scores["safe"], 1e-9)))

    run, begin, end = contract.words(packed), 0, len(packed.data)
    if len(run) > OCCLUDED_WORDS:
        runs = [run[at : at + OCCLUDED_WORDS] for at in range(0, len(run), OCCLUDED_WORDS)]
        run = max(runs, key=lambda words: margin(contract.only(packed, words[0][0], words[-1][1])))
        begin, end = run[0][0], run[-1][1]
    part = contract.only(packed, begin, end)
    whole = margin(part)
    weighed = [(at, stop, whole - margin(contract.without(part, at - begin, stop - begin))) for at, stop in run]
    # Where several words say the same, none of them is missed much; then the heaviest are shown all the same.
    heaviest = max((weight for *_, weight in weighed), default=0.0)
    floor = min(points["evidence_floor"], max(heaviest * NEAR_HEAVIEST, LEAST_WEIGHT))
    return contract.marked(packed, weighed, max(floor, heaviest * NOISE))
