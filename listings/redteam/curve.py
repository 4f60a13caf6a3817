"""How far a dishonest seller gets: shares of unsafe listings past each stage, by the attempts that it took."""

from __future__ import annotations

import csv
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from listings import gate, live_models
from listings import outcome as outcomes
from listings.content import Fields
from listings.redteam import attack, ruled
from listings.redteam.attack import PASS, Score
from listings.redteam.edits import Draft
from models import manifest, text

ROOT = Path(__file__).resolve().parents[2]
LISTINGS = ROOT / "models" / "recipes" / "listing_text" / "validation" / "listings.csv"
COLUMNS = ("id", "title", "description", "policy")
SAFE = "safe"
GATE_MODELS = 2  # the public file and the one that nobody outside has seen
SHA_CHARS = 12
STEPS = (1, 2, 5)  # budgets of the curve, times powers of ten

Progress = Callable[[int, int], None]


class RedteamError(Exception):
    """The attack cannot be run or compared. The message says what to do."""


@dataclass(frozen=True)
class Listing:
    id: str
    policy: str
    draft: Draft


@dataclass(frozen=True)
class Stages:
    """What a listing has to get past. The attacker sees the answers of `device` alone. views: how many it may have
    before the heavy checks, having got past the gate (ruled.py)."""

    device: Score
    gate: Callable[[Fields], bool]
    cloud: Callable[[Fields], bool]
    views: Callable[[Fields], int]


@dataclass(frozen=True)
class Outcome:
    """attempts: the one with which the device said pass; None when none did. published: past all checks. views: that it
    may have before the heavy ones."""

    policy: str
    attempts: int | None
    past_gate: bool = False
    published: bool = False
    edits: tuple[str, ...] = ()
    views: int = 0


# --- The stages as the site runs them --------------------------------------------------------------------------------


def real_stages() -> Stages:
    return Stages(
        device=lambda fields: text.check_text(fields, variant="device"),
        gate=past_gate,
        cloud=past_cloud,
        views=ruled.views,
    )


@live_models.published_alone()
def past_gate(fields: Fields) -> bool:
    """What a submit would hear. A gate that lacks a model says nothing of how far an attacker gets: it is refused."""
    verdicts = gate.run_gate(fields)
    if len(verdicts) < GATE_MODELS:
        raise RedteamError(
            f"The gate ran {len(verdicts)} of its {GATE_MODELS} models. Restore their files from git, or publish them."
        )
    grave = any(verdict.decision in outcomes.GRAVE for verdict in verdicts)
    return not grave and outcomes.unsettled(verdicts) is None


@live_models.published_alone()
def past_cloud(fields: Fields) -> bool:
    return bool(gate.heavy_look(fields).decision == PASS)


def versions() -> dict[str, dict[str, str]]:
    """Those of the text models. Raises ModelUnavailable."""
    return versions_of(((text.MODEL, "device"), (text.SECOND, "cloud"), (text.CLOUD, "cloud")))


def versions_of(models: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Version, variant and hash of published models (name, variant). Raises ModelUnavailable."""
    published = manifest.load()
    found = {}
    for name, alias in models:
        entry = manifest.model(published, name)
        variant = manifest.variant_name(entry, alias)
        sha256 = entry["variants"][variant]["sha256"][:SHA_CHARS]
        found[name] = {"version": entry["version"], "variant": variant, "sha256": sha256}
    return found


# --- Listings --------------------------------------------------------------------------------------------------------


def read(path: Path, limit: int | None = None) -> list[Listing]:
    """The unsafe listings of a CSV, or `limit` of them spread evenly over the file. Raises RedteamError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise RedteamError(f"{path} cannot be read ({error.strerror}). Name a CSV file with --listings.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RedteamError(f"{path} is not a CSV file in UTF-8: {error}.") from None
    for number, row in enumerate(rows, start=2):
        if missing := [name for name in COLUMNS if row.get(name) is None]:
            needed = ", ".join(COLUMNS)
            raise RedteamError(f"{path}, row {number}: no {missing[0]}. The columns {needed} are needed in every row.")
    unsafe = [
        Listing(row["id"], row["policy"], Draft(row["title"], row["description"]))
        for row in rows
        if row["policy"] != SAFE
    ]
    if not unsafe:
        raise RedteamError(f"{path} has no unsafe listing to attack with. Add rows whose policy is not “{SAFE}”.")
    count = min(limit or len(unsafe), len(unsafe))
    return [unsafe[place * len(unsafe) // count] for place in range(count)]


def digest(listings: Sequence[Listing]) -> str:
    """Names the listings that were attacked, whatever file they came from."""
    content = "\x1e".join("\x1f".join((x.id, x.policy, x.draft.title, x.draft.description)) for x in listings)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:SHA_CHARS]


# --- The run ---------------------------------------------------------------------------------------------------------


def attack_all(
    listings: Sequence[Listing], stages: Stages, *, budget: int, seed: int, progress: Progress | None = None
) -> list[Outcome]:
    """Each listing has its own dice, from the seed and its id: neither order nor neighbours change its fate."""
    outcomes = []
    for done, listing in enumerate(listings, start=1):
        outcomes.append(outcome(listing, stages, budget, random.Random(f"{seed}:{listing.id}")))
        if progress:
            progress(done, len(listings))
    return outcomes


def outcome(listing: Listing, stages: Stages, budget: int, rng: random.Random) -> Outcome:
    """The first text that the device lets through is submitted, and meets the stages that the attacker cannot see."""
    result = attack.attack(listing.draft, stages.device, budget, rng)
    if result.passed is None:
        return Outcome(listing.policy, None)
    fields = result.passed.fields()
    through = stages.gate(fields)
    published = through and stages.cloud(fields)
    views = stages.views(fields) if through else 0
    return Outcome(listing.policy, result.attempts, through, published, result.passed.edits, views)


def budgets(most: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 … below `most`, and `most`."""
    steps = (step * 10**power for power in range(len(str(most))) for step in STEPS)
    return [*(step for step in steps if step < most), most]


def curve(outcomes: Sequence[Outcome], budget: int) -> list[dict[str, Any]]:
    """A row for each budget, shares of all listings. views: of one unsafe listing before its heavy checks, at most and
    on average; what is published after all of them has no cap."""
    rows = []
    for attempts in budgets(budget):
        within = [o for o in outcomes if o.attempts is not None and o.attempts <= attempts]
        rows.append(
            {
                "attempts": attempts,
                "past_device": share(len(within), len(outcomes)),
                "past_gate": share(sum(o.past_gate for o in within), len(outcomes)),
                "published": share(sum(o.published for o in within), len(outcomes)),
                "views": round(sum(o.views for o in within) / len(outcomes), 2),
            }
        )
    return rows


def share(part: int, whole: int) -> float:
    return round(part / whole, 4)


def by_policy(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Where the walls are low: the same shares for each policy, with the whole budget."""
    found = {}
    for policy in sorted({o.policy for o in outcomes}):
        own = [o for o in outcomes if o.policy == policy]
        found[policy] = {
            "listings": len(own),
            "past_device": share(sum(o.attempts is not None for o in own), len(own)),
            "past_gate": share(sum(o.past_gate for o in own), len(own)),
            "published": share(sum(o.published for o in own), len(own)),
        }
    return found


def won_by(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Which edits it took: of the rewritten listings that got past the device, the share with each edit in it."""
    won = [o for o in outcomes if o.attempts is not None and o.edits]
    counts = Counter(edit for o in won for edit in set(o.edits))
    return {edit: share(count, len(won)) for edit, count in sorted(counts.items(), key=lambda e: (-e[1], e[0]))}


def report(
    listings: Sequence[Listing],
    stages: Stages,
    *,
    budget: int,
    seed: int,
    models: dict[str, Any],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What `--json` prints and `--update` commits."""
    outcomes = attack_all(listings, stages, budget=budget, seed=seed, progress=progress)
    return {
        "seed": seed,
        "budget": budget,
        "listings": len(listings),
        "listings_sha256": digest(listings),
        "models": models,
        "curve": curve(outcomes, budget),
        "by_policy": by_policy(outcomes),
        "won_by": won_by(outcomes),
    }
