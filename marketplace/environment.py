"""Three small readers of environment variables. Nonsense fails loudly at start, never quietly later."""

from __future__ import annotations

import os


class BadEnvironment(SystemExit):
    """Ends the program with one plain line: a wrong environment is the operator's to mend, not a crash."""


def text(name: str, default: str = "") -> str:
    """The variable's value, or the default where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off in any case. Raises BadEnvironment for anything else."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadEnvironment(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number from low to high. Raises BadEnvironment for anything else."""
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        raise BadEnvironment(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return int(value)


def address(name: str, schemes: tuple[str, ...], example: str) -> str:
    """A URL with one of the schemes, or "" where it is unset. Raises BadEnvironment for anything else."""
    value = text(name)
    if value and not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise BadEnvironment(f"{name} must look like {example}; it begins with {value[:12]!r}.")
    return value


def words(name: str, default: list[str]) -> list[str]:
    """Comma-separated words, without blanks."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else default
