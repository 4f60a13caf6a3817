"""How a photo stands on a page: the sizes it comes in, its colour until it is there, and room kept for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import reverse

from ..models import Photo

register = template.Library()


@dataclass(frozen=True)
class Place:
    """A box that shows photos. `sides`: (media condition, length of its longer side as CSS has it), the last always."""

    sides: tuple[tuple[str, str], ...]
    cropped: bool = True  # the photo fills the box; else it stands whole in it
    small: bool = True  # before its renditions are made, the small WebP is enough


PLACES = {
    "tile": Place((("(max-width: 30rem)", "calc(50vw - 1.4rem)"), ("", "18rem"))),
    "row": Place((("", "7rem"),)),
    "queue": Place((("", "3.5rem"),)),
    "pick": Place((("", "4.5rem"),)),
    "gallery": Place(
        (("(min-width: 1240px)", "41rem"), ("(min-width: 900px)", "54vw"), ("", "calc(100vw - 2rem)")),
        cropped=False,
        small=False,
    ),
    "case": Place((("", "min(34rem, 100vw - 2rem)"),), cropped=False, small=False),
}


@register.inclusion_tag("listings/_photo.html")
def photo(shown: Photo, place: str, alt: str = "", lazy: bool = True) -> dict[str, Any]:
    """A `<picture>` of the photo for one of PLACES. `alt` stays empty where words beside it say the same."""
    at = PLACES[place]
    return {
        "photo": shown,
        "alt": alt,
        "lazy": lazy,
        "src": shown.thumb_url if at.small else shown.url,
        "webp": _srcset(shown, "webp"),
        "jpeg": _srcset(shown, "jpeg"),
        "sizes": _sizes(shown, at),
        "fit": "slice" if at.cropped else "meet",  # the SVG's words for cover and contain
    }


def _srcset(shown: Photo, kind: str) -> str:
    return ", ".join(f"{reverse('media', args=[made[kind]])} {made['width']}w" for made in shown.renditions)


def _sizes(shown: Photo, at: Place) -> str:
    """How wide the photo is drawn: a cropped landscape wider than its box, a whole portrait narrower."""
    ratio = shown.width / shown.height
    factor = max(1.0, ratio) if at.cropped else min(1.0, ratio)
    sides = at.sides if factor == 1 else [(when, f"calc({factor:.2f} * {side})") for when, side in at.sides]
    return ", ".join(f"{when} {side}".strip() for when, side in sides)
