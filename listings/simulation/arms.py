"""The four markets that are compared. They differ in who looks at a draft, and in what may be sold before the heavy
checks."""

from __future__ import annotations

from dataclasses import dataclass

from models import photo as photo_model
from models import text


@dataclass(frozen=True)
class Arm:
    """drafting: the models for words and photo that warn while the merchant writes, if any; on_device: where they run.
    gate: the server looks first. debts: what the gate passes may owe its heavy checks. claims: the device's claim goes
    with the submit, and the rules want one."""

    name: str
    drafting: tuple[str, str] | None = None
    on_device: bool = False
    gate: bool = False
    debts: bool = False
    claims: bool = False


CLOUD_PER_PAUSE = Arm("cloud_per_pause", drafting=(text.CLOUD, photo_model.CLOUD))
CLOUD_AT_SUBMIT = Arm("cloud_at_submit")
SERVER_GATE = Arm("server_gate", gate=True, debts=True)
HYBRID = Arm("hybrid", drafting=(text.MODEL, photo_model.MODEL), on_device=True, gate=True, debts=True, claims=True)
ARMS = (CLOUD_PER_PAUSE, CLOUD_AT_SUBMIT, SERVER_GATE, HYBRID)
