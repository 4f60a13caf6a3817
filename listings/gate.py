"""The server's own run of the device's model: milliseconds, on every submit and edit."""

import logging

from models import manifest, text

from . import policies
from .content import Fields
from .models import Verdict, Where

log = logging.getLogger(__name__)


def run_gate(fields: Fields) -> Verdict | None:
    """An unsaved Verdict of the device variant; None when the model cannot be used now (the worker will ask again)."""
    try:
        return text_verdict(fields, variant="device", where=Where.GATE)
    except manifest.ModelUnavailable as error:
        log.warning("the gate could not run: %s", error)
        return None


def text_verdict(fields: Fields, *, variant: str, where: str) -> Verdict:
    """Raises ModelUnavailable."""
    found = text.check_text(fields, variant=variant, where=where)
    coverage = found.pop("coverage")
    return Verdict(**found, policies_version=policies.version(), detail={"coverage": coverage})


def tolerance() -> float:
    """How far two runs of one file may differ (browsers and native code add up in another order)."""
    try:
        return float(manifest.load()["models"][text.MODEL]["tolerance"])
    except (manifest.ModelUnavailable, KeyError):
        return 1e-4
