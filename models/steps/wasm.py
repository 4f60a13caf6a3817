"""The same inputs through onnxruntime-web (WASM, in node): how far its answers lie from the native ones."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from models import runtime
from models.steps.chromium import as_json
from models.steps.errors import StepError

SCRIPT = Path(__file__).with_name("wasm_run.mjs")
ROOT = Path(__file__).resolve().parents[2]


def unavailable() -> str:
    """Why the comparison cannot run here; "" when it can."""
    if not shutil.which("node"):
        return "node is not installed"
    if not (ROOT / "node_modules" / "onnxruntime-web").is_dir():
        return "onnxruntime-web is not installed (npm ci)"
    return ""


def difference(model: Path, feeds: list[dict[str, Any]], outputs: list[str]) -> float:
    """The greatest absolute difference of any of the outputs over the feeds.

    Raises StepError when node fails.
    """
    job = {
        "model": str(model.resolve()),
        "feeds": [{name: as_json(array) for name, array in feed.items()} for feed in feeds],
        "outputs": outputs,
    }
    done = subprocess.run(
        ["node", str(SCRIPT)], input=json.dumps(job), capture_output=True, text=True, cwd=ROOT, timeout=300, check=False
    )
    if done.returncode:
        raise StepError(f"The comparison with WASM failed: {done.stderr.strip()[-500:]}")
    session = runtime.open_session(model.read_bytes())
    worst = 0.0
    for feed, answer in zip(feeds, json.loads(done.stdout), strict=True):
        for name, value in zip(outputs, session.run(outputs, feed), strict=True):
            other = np.frombuffer(base64.b64decode(answer[name]), np.float32)
            worst = max(worst, float(np.abs(other - np.ravel(value)).max(initial=0.0)))
    return worst
