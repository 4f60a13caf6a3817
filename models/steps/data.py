"""Reading labelled texts and photos."""

from __future__ import annotations

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from models.steps.errors import StepError

TEXT_COLUMNS = ("id", "title", "description", "policy")


@dataclass(frozen=True)
class TextRow:
    """One labelled listing. `source` is "" where the file has no such column."""

    id: str
    title: str
    description: str
    policy: str
    source: str = ""

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [("title", self.title), ("description", self.description)]


def read_dicts(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV or CSV.gz file that must have `columns`. Raises StepError with the file and what is wrong."""
    if not path.is_file():
        raise StepError(f"There is no file {path}.")
    opened = gzip.open if path.suffix == ".gz" else open
    csv.field_size_limit(10_000_000)
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                raise StepError(f"{path} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}.")
            return [{key: value or "" for key, value in row.items() if isinstance(key, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise StepError(f"{path} cannot be read as CSV: {error}") from error


def read_text(path: Path) -> list[TextRow]:
    """Labelled listings of a file with the columns id, title, description and policy."""
    return [
        TextRow(row["id"], row["title"], row["description"], row["policy"], row.get("source", ""))
        for row in read_dicts(path, TEXT_COLUMNS)
    ]


PHOTO_COLUMNS = ("path", "policy")


@dataclass(frozen=True)
class PhotoRow:
    """One labelled photo."""

    path: Path
    policy: str

    @property
    def source(self) -> str:
        """The collection it came from, by the first letters of its file's name: klem, spa_thumbs, vkt …"""
        return self.path.stem.rsplit("_", 1)[0] if "_" in self.path.stem else ""


def read_photos(manifest: Path) -> list[PhotoRow]:
    """Labelled photos of a manifest CSV with the columns path (relative to its folder) and policy. Raises StepError,
    also where a photo is not there."""
    rows = [PhotoRow(manifest.parent / row["path"], row["policy"]) for row in read_dicts(manifest, PHOTO_COLUMNS)]
    if missing := [row.path for row in rows if not row.path.is_file()]:
        raise StepError(f"{manifest} names {len(missing)} photos that are not there, the first is {missing[0]}.")
    return rows
