"""The same texts through onnxruntime-web (WASM, in node): how far its answers lie from the native ones."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

from models import contract, runtime
from models.steps.errors import StepError
from models.steps.golden_cases import cases, text_of

SCRIPT = Path(__file__).with_name("wasm_run.mjs")
ROOT = Path(__file__).resolve().parents[2]


def unavailable() -> str:
    """Why the comparison cannot run here; "" when it can."""
    if not shutil.which("node"):
        return "node is not installed"
    if not (ROOT / "node_modules" / "onnxruntime-web").is_dir():
        return "onnxruntime-web is not installed (npm ci)"
    return ""


def difference(model: Path, window_bytes: int) -> float:
    """The greatest absolute difference of any output (scores, evidence, coverage) over the golden texts' windows.

    Raises StepError when node fails.
    """
    windows = []
    for fields in cases().values():
        packed = contract.pack([(name, text_of(text)) for name, text in fields])
        windows += [packed.data[begin:end] for begin, end in contract.windows(packed, window_bytes)[:4]]
    job = {"model": str(model.resolve()), "windows": [base64.b64encode(window).decode() for window in windows]}
    done = subprocess.run(
        ["node", str(SCRIPT)], input=json.dumps(job), capture_output=True, text=True, cwd=ROOT, timeout=300, check=False
    )
    if done.returncode:
        raise StepError(f"The comparison with WASM failed: {done.stderr.strip()[-500:]}")
    session = runtime.open_session(model.read_bytes())
    worst = 0.0
    for window, answer in zip(windows, json.loads(done.stdout), strict=True):
        native = session.run(["scores", "evidence", "coverage"], {"bytes": np.frombuffer(window, np.uint8)})
        for name, value in zip(("scores", "evidence", "coverage"), native, strict=True):
            other = np.frombuffer(base64.b64decode(answer[name]), np.float32)
            worst = max(worst, float(np.abs(other - np.ravel(value)).max(initial=0.0)))
    return worst
