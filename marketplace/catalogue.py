"""Listings in a folder: catalogue.csv and its pictures. Read by `manage.py import_catalogue` and `manage.py demo`.

Columns: ref (the row's own name; a second import finds the listing by it), seller, category, title, description, price,
currency, condition, attributes (a JSON object), photos (file names, separated by |).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS

from listings import categories, limits
from listings.forms import ListingForm

FILE = "catalogue.csv"
NEEDED = ("ref", "category", "title", "description", "price", "currency", "condition")
OPTIONAL = ("seller", "attributes", "photos")
TEXT_FIELDS = ("title", "description", "price", "currency", "condition", "category")
NAMESPACE = uuid.UUID("5a1f6d0e-52b1-4a8e-9a52-6a3d0b8f4c11")  # of the draft keys made from refs
REF_CHARS = 200


class CatalogueError(Exception):
    """The file as a whole cannot be used. The message says why and what to do."""


@dataclass(frozen=True)
class Problem:
    line: int
    ref: str
    field: str
    text: str  # what is wrong and what to do

    def __str__(self) -> str:
        return f"line {self.line} ({self.ref or 'no ref'}): {self.field}: {self.text}"


@dataclass
class Row:
    line: int  # in the file, where the row begins
    values: dict[str, str]
    content: dict[str, Any] = field(default_factory=dict)  # cleaned, as submission.submit takes it
    photos: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ref(self) -> str:
        return self.values.get("ref", "")

    def wrong(self, name: str, text: str) -> None:
        self.problems.append(Problem(self.line, self.ref, name, text))


def draft_key(ref: str) -> uuid.UUID:
    """The key that ties a listing to its row: the same for every import."""
    return uuid.uuid5(NAMESPACE, ref)


def read(folder: Path) -> list[Row]:
    """Every row of the folder's catalogue with what is wrong about it. Raises CatalogueError."""
    rows = list(_rows(_text(folder / FILE)))
    if not rows:
        raise CatalogueError(f"{FILE} holds a header and no rows. Add a line for each listing.")
    seen: dict[str, int] = {}
    for row in rows:
        if row.problems:
            continue  # its cells stand under the wrong columns
        _check_ref(row, seen)
        row.content = content_of(row)
        row.photos = _photos(row, folder)
    return rows


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CatalogueError(f"There is no {FILE} in {path.parent}. Name the folder that holds it.") from None
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read: {error.strerror}.") from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CatalogueError(f"{FILE} is in UTF-16. Save it as “CSV UTF-8” and import it again.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogueError(
            f"{FILE} is not in UTF-8 (line {line}). Save it as “CSV UTF-8” and import it again."
        ) from None
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise CatalogueError(f"{FILE} holds a null character (line {line}): it is damaged or not a CSV file.")
    return text


def _rows(text: str) -> Iterator[Row]:
    header = text.split("\n", 1)[0]
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        _check_columns(columns)
        begins = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(begins, columns, cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise CatalogueError(
            f"{FILE} cannot be read at line {reader.line_num}: {error}. Texts with commas, quotes or line breaks stand"
            ' in double quotes, and a quote within them is written twice ("").'
        ) from None


def _check_columns(columns: list[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise CatalogueError(
            f"{FILE} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. Its first line names the"
            f" columns: {', '.join((*NEEDED, *OPTIONAL))}. Found: {', '.join(columns)[:300] or 'nothing'}."
        )
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise CatalogueError(f"{FILE} has the column {twice[0]} twice. Remove one of them.")


def _row(line: int, columns: list[str], cells: list[str]) -> Row:
    row = Row(line, dict(zip(columns, cells, strict=False)))
    row.values["ref"] = row.ref.strip()
    if len(cells) != len(columns):
        row.wrong(
            "columns",
            f"{len(cells)} cells for {len(columns)} columns. Put texts that hold commas between double quotes.",
        )
    return row


def _check_ref(row: Row, seen: dict[str, int]) -> None:
    if not row.ref:
        row.wrong("ref", "Give the row a name of its own, so that a second import finds its listing.")
    elif len(row.ref) > REF_CHARS:
        row.wrong("ref", f"At most {REF_CHARS} characters.")
    elif row.ref in seen:
        row.wrong("ref", f"Line {seen[row.ref]} has the same ref. Give each row its own.")
    else:
        seen[row.ref] = row.line


def content_of(row: Row) -> dict[str, Any]:
    """The row's listing by the rules of the site's own form; {} where the row is wrong."""
    data = {name: row.values.get(name, "") for name in TEXT_FIELDS}
    data |= {name: data[name].strip() for name in TEXT_FIELDS if name not in ("title", "description")}
    for name, value in _attributes(row).items():
        data[f"attr-{data['category']}-{name}"] = value
    form = ListingForm(data)
    if form.is_valid():
        return {name: form.cleaned_data[name] for name in (*TEXT_FIELDS, "attributes")}
    for name, found in form.errors.items():
        for text in map(str, found):
            match name:
                case "category" if data["category"]:
                    known = ", ".join(category.id for category in categories.all())
                    row.wrong(name, f"“{data['category'][:40]}” is no category. Use one of: {known}.")
                case "condition" | "currency" if data[name]:
                    known = ", ".join(value for value, _ in form.fields[name].choices if value)  # type: ignore[attr-defined]
                    row.wrong(name, f"“{data[name][:40]}” is not known. Use one of: {known}.")
                case _ if name == NON_FIELD_ERRORS and form.attribute_errors:
                    continue  # said below, one by one
                case _:
                    row.wrong(name, text)
    for name, texts in form.attribute_errors.items():
        row.wrong(f"attributes.{name}", " ".join(texts))
    return {}


def json_text(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _attributes(row: Row) -> dict[str, str]:
    raw = row.values.get("attributes", "").strip()
    if not raw:
        return {}
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        row.wrong(
            "attributes", 'Write a JSON object such as {"brand": "Halden", "colour": "Black"}, or leave it empty.'
        )
        return {}
    category = categories.get(row.values.get("category", "").strip())
    known = [attribute.id for attribute in category.attributes] if category else list(found)
    cleaned = {}
    for name, value in found.items():
        if name not in known:
            row.wrong("attributes", f"The category has no detail “{name[:40]}”. It has: {', '.join(known) or 'none'}.")
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            cleaned[name] = str(value)
        else:
            row.wrong(f"attributes.{name}", "Write a text or a number.")
    return cleaned


def _photos(row: Row, folder: Path) -> list[Path]:
    """Files named by the row, from the folder or its pictures/; never from elsewhere."""
    names = [name.strip() for name in row.values.get("photos", "").split("|") if name.strip()]
    if len(names) > limits.PHOTOS:
        row.wrong("photos", f"{len(names)} photos; a listing has at most {limits.PHOTOS}.")
        return []
    found = []
    for name in names:
        if name in (".", "..") or "/" in name or "\\" in name:
            row.wrong(
                "photos", f"“{name[:80]}” leads out of the folder. Put the file into it and write its name alone."
            )
            continue
        path = find_photo(name, folder)
        if path is None:
            row.wrong("photos", f"There is no file “{name[:80]}” in {folder.name} or {folder.name}/pictures.")
        else:
            found.append(path)
    return found


def find_photo(name: str, folder: Path) -> Path | None:
    """A plain file of that name within the folder or its pictures/; a link that leads out of it is none."""
    for place in (folder, folder / "pictures"):
        path = (place / name).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            return path
    return None


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
