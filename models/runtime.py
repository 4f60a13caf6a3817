"""ONNX Runtime sessions for published models: hash checked, one per process, made anew after a fork."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import onnxruntime

from models import manifest as manifests
from models import patch as patches
from models.manifest import ModelUnavailable

__all__ = ["ModelUnavailable", "open_session", "patched_session", "session"]

BUILD = manifests.PUBLISHED.parents[1] / "var" / "models"  # what training leaves behind; not in git
_lock = threading.Lock()
_sessions: dict[tuple[int, str], onnxruntime.InferenceSession] = {}
_patched: dict[tuple[int, str], onnxruntime.InferenceSession] = {}  # the latest few
PATCHED = 3  # kept at a time: the live one, the one in its shadow, and the one being tried


def session(model: str, variant: str, folder: Path = manifests.PUBLISHED) -> onnxruntime.InferenceSession:
    """The session of a published variant ("device" and "cloud" are aliases), kept for the life of this process.

    Keyed by process and content hash: a forked child never uses its parent's session (its thread pool would be gone),
    and a newly published file is picked up. Failures are not kept, so it recovers when the file is back.
    Raises ModelUnavailable when the file is missing, damaged or unreadable.
    """
    entry = manifests.model(manifests.load(folder), model)
    about = entry["variants"][manifests.variant_name(entry, variant)]
    key = (os.getpid(), about["sha256"])
    with _lock:
        if key not in _sessions:
            _sessions[key] = open_session(variant_bytes(model, variant, folder))
        return _sessions[key]


def patched_session(
    model: str, variant: str, content: bytes, folder: Path = manifests.PUBLISHED
) -> onnxruntime.InferenceSession:
    """As `session`, with a patch (models/patch.py) in the file. The latest PATCHED are kept. Raises ModelUnavailable,
    also when the patch is damaged."""
    entry = manifests.model(manifests.load(folder), model)
    about = entry["variants"][manifests.variant_name(entry, variant)]
    key = (os.getpid(), about["sha256"] + hashlib.sha256(content).hexdigest())
    with _lock:
        found = _patched.pop(key, None)
        if found is None:
            labels = len(entry["labels"])
            try:
                patches.read(content, labels)
                found = open_session(patches.patched(variant_bytes(model, variant, folder), content, labels))
            except patches.PatchError as error:
                raise ModelUnavailable(str(error)) from error
        _patched[key] = found  # again the latest
        while len(_patched) > PATCHED:
            del _patched[next(iter(_patched))]
        return found


def variant_bytes(model: str, variant: str, folder: Path = manifests.PUBLISHED, build: Path = BUILD) -> bytes:
    """The file of a published variant. One that is too large to be committed is taken from the build folder, if it was
    rebuilt there and is the same. Raises ModelUnavailable."""
    entry = manifests.model(manifests.load(folder), model)
    name = manifests.variant_name(entry, variant)
    about = entry["variants"][name]
    if about.get("committed", True):
        return checked_bytes(folder / about["file"], about["sha256"])
    path = build / model / f"{name}.onnx"
    if not path.is_file():
        raise ModelUnavailable(
            f"{model} {name} is not committed, for its size. Rebuild it: "
            f"python -m models train {model} --data DIR, then python -m models compress {model}"
        )
    return checked_bytes(path, about["sha256"])


def checked_bytes(path: Path, sha256: str) -> bytes:
    """The file's content, if it is the one the manifest names. Raises ModelUnavailable."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"The model file {path.name} is missing or unreadable. Restore it from git.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelUnavailable(f"The model file {path.name} is damaged (its SHA-256 differs). Restore it from git.")
    return content


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A single-threaded CPU session. Raises ModelUnavailable when ONNX Runtime refuses the file."""
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own undocumented classes
        raise ModelUnavailable(f"ONNX Runtime cannot open the model: {error}") from error


# A child made by fork may inherit the lock in a locked state.
def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _sessions.clear()
    _patched.clear()


os.register_at_fork(after_in_child=_after_fork)
