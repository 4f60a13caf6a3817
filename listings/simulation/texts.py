"""Real words and photos: held-back ones where the data lies beside the project, else the project's own."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from listings import limits

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
OWN = ROOT / "models" / "recipes" / "listing_text" / "validation"
SAFE = "safe"
NO_LISTINGS = ("davidson",)  # tweets
LEAST = 20  # of each kind


class NoTexts(Exception):
    """There is nothing to simulate with. The message says what to do."""


@dataclass(frozen=True)
class Case:
    title: str
    description: str
    policy: str


@dataclass(frozen=True)
class Pool:
    """name: where it is from. safe, unsafe: texts. photos: by policy; none at all where there is no data."""

    name: str
    safe: list[Case]
    unsafe: list[Case]
    photos: dict[str, list[Path]]


def pool(data: Path = DATA, own: Path = OWN) -> Pool:
    """Raises NoTexts."""
    held_back = data / "text" / "dev.csv.gz"
    if held_back.exists():
        name, cases = "held-back listings (text/dev, photos/dev)", list(_cases(held_back))
    else:
        name = "the project's own validation listings, text alone"
        cases = [case for path in sorted(own.glob("*.csv")) for case in _cases(path)]
    safe = [case for case in cases if case.policy == SAFE]
    unsafe = [case for case in cases if case.policy != SAFE]
    if min(len(safe), len(unsafe)) < LEAST:
        raise NoTexts(f"Neither {held_back} nor {own} holds enough listings. Restore the second from git.")
    return Pool(name, safe, unsafe, _photos(data / "photos"))


def _cases(path: Path) -> Iterator[Case]:
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            title, description = row["title"].strip(), row["description"].strip()
            if title and row.get("source") not in NO_LISTINGS:
                yield Case(title[: limits.TITLE_CHARS], description[: limits.DESCRIPTION_CHARS], row["policy"])


def _photos(folder: Path) -> dict[str, list[Path]]:
    listed = folder / "dev.csv"
    found: dict[str, list[Path]] = {}
    if listed.exists():
        with listed.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["policy"], []).append(folder / row["path"])
    return found
