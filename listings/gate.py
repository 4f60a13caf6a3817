"""The server's own first look at a text, on every submit and edit: a few milliseconds.

Two models: the very file that the merchant's browser runs, and a second one that no browser ever gets, of other
features and another training. Whoever takes the public file apart to get past it has not met the other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from models import manifest, text

from .content import Fields
from .models import Verdict, VerdictDecision, Where

log = logging.getLogger(__name__)


def run_gate(fields: Fields) -> list[Verdict]:
    """Unsaved verdicts, the device's model first. A model that cannot be used now is left out: the worker asks
    again."""
    found = []
    for look in (device_look, second_look):
        try:
            found.append(look(fields))
        except manifest.ModelUnavailable as error:
            log.warning("the gate could not run: %s", error)
        except Exception:  # whatever is wrong with a model, the listing is kept and the worker asks again
            log.exception("the gate failed")
    return found


def device_look(fields: Fields) -> Verdict:
    """What the merchant's browser would say. Raises ModelUnavailable."""
    return _verdict(lambda: text.check_text(fields, variant="device", where=Where.GATE))


def second_look(fields: Fields) -> Verdict:
    """The model that is not for browsers. Raises ModelUnavailable."""
    return _verdict(lambda: text.check_text_in_cloud(fields, model=text.SECOND, where=Where.GATE))


def heavy_look(fields: Fields) -> Verdict:
    """The worker's model. Raises ModelUnavailable."""
    return _verdict(lambda: text.check_text_in_cloud(fields, where=Where.CLOUD))


def _verdict(check: Callable[[], dict[str, Any]]) -> Verdict:
    found = check()
    coverage = found.pop("coverage")
    return Verdict(**found, detail={"coverage": coverage})


def unfamiliar(verdict: Verdict) -> bool:
    """Whether a model is unsure because it knows too few of the words (another language, another script): `decide`
    then names no policy."""
    return verdict.decision == VerdictDecision.UNSURE and not verdict.policy


def tolerance() -> float:
    """How far two runs of one file may differ (browsers and native code add up in another order)."""
    try:
        return float(manifest.load()["models"][text.MODEL]["tolerance"])
    except (manifest.ModelUnavailable, KeyError):
        return 1e-4
