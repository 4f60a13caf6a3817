"""How shares, times and sizes are written on the savings page. None, or a share of nothing, is a dash."""

from __future__ import annotations

from django import template

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


@register.filter
def duration(ms: float | None) -> str:
    """Milliseconds in the unit that a person reads."""
    if ms is None:
        return NONE
    for unit, size in (("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if abs(ms) >= size:
            return f"{ms / size:,.1f} {unit}"
    return f"{ms:,.1f} ms"


@register.filter
def as_ms(seconds: float) -> float:
    return seconds * 1000


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
def signed(number: float | None, digits: int) -> str:
    """An amount with so many digits after the point; never -0."""
    return NONE if number is None else f"{round(number, digits) + 0:,.{digits}f}"
