"""Categories and the details each one asks for, read once from `categories.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

SOURCE = Path(__file__).with_name("categories.toml")
TEXT_CHARS = 60  # a text detail without a `max` of its own


@dataclass(frozen=True)
class Attribute:
    id: str
    label: str
    kind: str  # text, choice or number
    required: bool = False
    choices: tuple[str, ...] = ()
    unit: str = ""
    min: float | None = None
    max: float | None = None  # of a number; of a text: characters

    @property
    def needed(self) -> str:
        return f"{self.label}: this detail is needed."

    def clean(self, raw: object) -> str:
        """The value as stored; "" for none. Raises ValidationError."""
        text = str(raw if raw is not None else "").replace("\r\n", "\n")
        if not text.strip():
            if self.required:
                raise ValidationError(self.needed)
            return ""
        if "\x00" in text:
            raise ValidationError(f"{self.label}: take the null character out.")
        match self.kind:
            case "choice":
                if text not in self.choices:
                    raise ValidationError(f"{self.label}: choose one of the list.")
                return text
            case "number":
                return self._clean_number(text.strip())
            case _:
                limit = int(self.max or TEXT_CHARS)
                if len(text) > limit:
                    raise ValidationError(f"{self.label}: at most {limit} characters; this has {len(text)}.")
                return text

    def _clean_number(self, text: str) -> str:
        try:
            number = Decimal(text.replace(",", "."))
        except InvalidOperation:
            number = Decimal("NaN")
        # Without the bound on the exponent, 1e-5000000 would be a text of five million characters.
        if not number.is_finite() or len(text) > 20 or not -6 <= number.adjusted() <= 12:
            raise ValidationError(f"{self.label}: write a number in digits, such as 12.5.")
        if self.min is not None and number < Decimal(str(self.min)):
            raise ValidationError(f"{self.label}: at least {self.min:g}.")
        if self.max is not None and number > Decimal(str(self.max)):
            raise ValidationError(f"{self.label}: at most {self.max:g}.")
        return f"{number:f}"

    def display(self, value: str) -> str:
        return f"{value} {self.unit}" if self.unit else value


@dataclass(frozen=True)
class Category:
    id: str
    name: str
    blurb: str
    attributes: tuple[Attribute, ...] = field(default=())


@cache
def _by_id() -> dict[str, Category]:
    rows = tomllib.loads(SOURCE.read_text("utf-8"))["category"]
    return {row["id"]: _category(row) for row in rows}


def _category(row: dict[str, Any]) -> Category:
    attributes = tuple(
        Attribute(**(entry | {"choices": tuple(entry.get("choices", ()))})) for entry in row.get("attribute", ())
    )
    return Category(row["id"], row["name"], row["blurb"], attributes)


def all() -> list[Category]:
    return list(_by_id().values())


def get(category_id: str) -> Category | None:
    return _by_id().get(category_id)


def clean_attributes(category_id: str, raw: dict[str, Any]) -> dict[str, str]:
    """{attribute id: value} without empty ones, in the category's order.

    Raises ValidationError keyed by attribute id. Names that the category does not know are left out.
    """
    category = get(category_id)
    if category is None:
        raise ValidationError({"category": "Choose a category of the list."})
    cleaned: dict[str, str] = {}
    errors: dict[str, Any] = {}
    for attribute in category.attributes:
        try:
            if value := attribute.clean(raw.get(attribute.id)):
                cleaned[attribute.id] = value
        except ValidationError as error:
            errors[attribute.id] = error
    if errors:
        raise ValidationError(errors)
    return cleaned


def labelled(category_id: str, attributes: dict[str, str]) -> list[tuple[str, str]]:
    """(label, value with its unit) of what is filled in."""
    category = get(category_id)
    if category is None:
        return []
    return [(a.label, a.display(attributes[a.id])) for a in category.attributes if attributes.get(a.id)]
