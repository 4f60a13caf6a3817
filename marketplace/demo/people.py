"""The invented people of people.toml. Their password is public: it is `demo`."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password

from listings.models import User

PASSWORD = "demo"  # noqa: S105
JOINED = datetime(2023, 5, 2, 9, 30, tzinfo=UTC)  # of people without a date of their own


class NameTaken(Exception):
    """A name of the demo belongs to somebody who plays another part here."""


def add_people(folder: Path) -> tuple[dict[str, User], int]:
    """All people of the demo by user name, and how many of them are new. Those who are here stay as they are."""
    parts = read(folder)
    here = {user.username: user for user in User.objects.filter(username__in=_names(parts))}
    password = make_password(PASSWORD)  # once for all: hashing is slow on purpose
    added = 0
    for role in User.Role.values:
        for person in parts.get(role, []):
            name = person["username"]
            if name not in here:
                here[name] = _add(role, person, password)
                added += 1
            elif here[name].role != role:
                raise NameTaken(
                    f"The user name {name} is taken by a {here[name].role}; the demo needs it for a {role}."
                )
    return here, added


def read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By role the people of people.toml."""
    return tomllib.loads((folder / "people.toml").read_text("utf-8"))


def _names(parts: dict[str, Any]) -> list[str]:
    return [person["username"] for people in parts.values() for person in people]


def _add(role: str, person: dict[str, Any], password: str) -> User:
    first, _, last = person.get("name", "").partition(" ")
    joined = person.get("joined")
    return User.objects.create(
        username=person["username"],
        password=password,
        role=role,
        first_name=first,
        last_name=last,
        shop_name=person.get("shop_name", ""),
        town=person.get("town", ""),
        about=person.get("about", ""),
        date_joined=datetime.combine(joined, time(10), UTC) if joined else JOINED,
    )
