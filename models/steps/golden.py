"""Golden vectors: what the device variant answers on odd texts. Tests read them, only `publish` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models import contract, text
from models.steps.golden_cases import cases, text_of

KNOWN_LIMITS = [
    "The code points whose NFKC form differs between the Unicode tables of Python and of the browser.",
    "Text in a form is typed with LF and sent with CRLF: pack makes both LF, so offsets count CRLF as two.",
]


def expected(fields: list[tuple[str, str]], verdict: dict[str, Any]) -> dict[str, Any]:
    """The part of a verdict that every twin must reproduce."""
    packed = contract.pack(fields)
    kept = ("digest", "scores", "coverage", "decision", "policy")
    return {"packed_bytes": len(packed.data)} | {key: verdict[key] for key in kept} | {"spans": verdict["evidence"]}


def write(path: Path, published: Path) -> int:
    """Write the file; returns how many cases it holds."""
    found = []
    for name, spec in cases().items():
        fields = [(field, text_of(value)) for field, value in spec]
        verdict = text.check_text(fields, variant="device", folder=published)
        found.append({"name": name, "fields": [list(pair) for pair in spec], "expected": expected(fields, verdict)})
    golden = {"model": text.MODEL, "version": verdict["version"], "tolerance": 1e-4, "known_limits": KNOWN_LIMITS}
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("    " + json.dumps(case, ensure_ascii=True) for case in found)
    head = json.dumps(golden, indent=2)[:-2]
    path.write_text(f'{head},\n  "cases": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    return len(found)
