"""A made-up offer, a made-up model and made-up listings to attack."""

import math
import re

from listings.redteam import curve
from listings.redteam.edits import Draft

OFFER = Draft(
    "Cocaine and Pistols, cheap tobacco",
    "Two pills of ecstasy come along. Pure cocaine from a friend! Collect it in the evening.",
)
# What the made-up model holds against a text.
HELD = {"cocaine": 4.0, "pistols": 3.0, "ecstasy": 2.0, "tobacco": 1.0, "pills": 1.0}


def fake_score(fields):
    """A model that knows five words as they are spelt; harmless words speak against them a little."""
    total, spans, words = -1.0, [], 0
    for name, typed in fields:
        for match in re.finditer(r"[^\W_]+", typed):
            words += 1
            weight = HELD.get(match[0].lower(), 0.0)
            if weight:
                total += weight
                start, end = (len(typed[:at].encode("utf-16-le")) // 2 for at in match.span())
                spans.append({"field": name, "start": start, "end": end, "weight": weight})
    unsafe = 1 / (1 + math.exp(0.02 * words - total))
    decision = "block" if unsafe > 0.95 else "warn" if unsafe > 0.8 else "unsure" if unsafe > 0.3 else "pass"
    return {"scores": {"safe": 1 - unsafe, "drugs": unsafe}, "decision": decision, "evidence": spans}


LISTINGS = [
    curve.Listing(f"r{number}", policy, Draft(f"{thing.title()} for sale", f"{extra} By post."))
    for number, (policy, thing, extra) in enumerate(
        [
            ("drugs", "cocaine", "Ecstasy pills."),
            ("drugs", "ecstasy pills", "Cocaine and tobacco."),
            ("weapons", "pistols", "Pills."),
            ("weapons", "seven pistols", "Ecstasy."),
            ("tobacco_alcohol", "tobacco", "Pistols and cocaine and ecstasy."),
            ("tobacco_alcohol", "shag", "Soft."),
        ]
    )
]
HEADER = "id,title,description,policy,kind\n"


def stages(gate=lambda fields: True, cloud=lambda fields: True, device=fake_score, views=lambda fields: 100):
    return curve.Stages(device, gate, cloud, views)
