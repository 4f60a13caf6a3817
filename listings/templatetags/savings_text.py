"""How shares, times and sizes are written on pages of the staff. None, or a share of nothing, is a dash."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone

register = template.Library()
NONE = "–"


@register.filter
def share_of(number: float, of: float) -> str:
    """`3` of `8` as `37.5 %`."""
    return f"{100 * number / of:.1f} %" if of else NONE


@register.filter
def fine(share: float | None) -> str:
    """A small share with the digits that matter: `0.0024` as `0.24 %`."""
    return NONE if share is None else f"{100 * share:.3g} %"


# Each unit with its milliseconds, and from how many of them on it is used.
UNITS = (("s", 1_000, 1), ("min", 60_000, 1), ("h", 3_600_000, 1), ("days", 86_400_000, 2))


@register.filter
def duration(time: float | timedelta | None) -> str:
    """Milliseconds, or a timedelta, in the unit that a person reads: `59.9 min`, then `1.0 h`; hours until two days
    are full."""
    if time is None:
        return NONE
    ms = time / timedelta(milliseconds=1) if isinstance(time, timedelta) else time
    name, of = "ms", 1
    for unit, size, least in UNITS:
        # As it would be written: never 60.0 min.
        if round(abs(ms) / of, 1) * of < least * size:
            break
        name, of = unit, size
    return f"{ms / of:,.1f} {name}"


@register.filter
def as_ms(seconds: float) -> float:
    return seconds * 1000


@register.filter
def since(moment: datetime) -> str:
    """How long ago it was, as a duration."""
    return duration(timezone.now() - moment)


@register.filter
def size(number: int) -> str:
    """Bytes, in thousands."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:,.1f} {unit}"
    return f"{number} bytes"


@register.filter
def whole(number: int) -> str:
    return f"{number:,}"


@register.filter
def spent(number: float | None, digits: int) -> str:
    """An amount with so many digits after the point; below 0 it is saved."""
    return _in_words(number, digits, "spent", "saved")


@register.filter
def against(number: float | None, digits: int) -> str:
    """Likewise, a balance: what it comes to against a market without trust in the gate."""
    return _in_words(number, digits, "more than without", "less than without")


def _in_words(number: float | None, digits: int, above: str, below: str) -> str:
    if number is None:
        return NONE
    amount = f"{abs(number):,.{digits}f}"
    return amount if not round(number, digits) else f"{amount} {above if number > 0 else below}"
