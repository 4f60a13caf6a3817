"""How amounts and marked words are written on a page."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF "}


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """`1240` and `EUR` as `€1,240`; cents only where there are any."""
    digits = 0 if amount == amount.to_integral_value() else 2
    return f"{SYMBOLS.get(currency, currency + ' ')}{amount:,.{digits}f}"


@register.filter
def unlocalize_price(amount: Decimal) -> str:
    return f"{amount:.2f}"


@register.filter
def marked(text: str, spans: list[dict[str, Any]]) -> SafeString:
    """`text` with `<mark>` around each span; `start` and `end` count UTF-16 units, as browsers do."""
    units = text.encode("utf-16-le", "surrogatepass")
    pieces = []
    at = 0
    for span in sorted(spans, key=lambda span: span["start"]):
        start, end = 2 * max(span["start"], at // 2), 2 * min(span["end"], len(units) // 2)
        if start >= end:
            continue
        pieces += [("", _decode(units[at:start]), ""), ('<mark class="hit">', _decode(units[start:end]), "</mark>")]
        at = end
    pieces.append(("", _decode(units[at:]), ""))
    return format_html_join("", "{}{}{}", ((SafeString(a), b, SafeString(c)) for a, b, c in pieces))


def _decode(units: bytes) -> str:
    return units.decode("utf-16-le", "replace")


@register.filter
def status_badge(status: str, label: str) -> SafeString:
    return format_html('<span class="status status--{}">{}</span>', status, label)


@register.filter
def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


@register.filter
def unlocalize_share(share: float) -> str:
    """A number that `<meter>` can read, whatever the locale."""
    return f"{share:.4f}"
