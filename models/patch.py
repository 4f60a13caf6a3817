"""A patch of listing-text: hashed features and what each adds to the logits, fitted from decisions (`patch_fit`).

The published file ends with three tensors (`IDS`, `ROWS`, `SCALE`) that say: no patch. They are a protobuf message of
their own, which a reader of the file merges with what stands before it. A patch is another such ending: whoever puts it
in the place of the first has the patched model, whose SHA-256 tells whether all went well. `static/js/ml/patch.js` is
the twin of `patched`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IDS, ROWS, SCALE = "patch_ids", "patch_rows", "patch_scale"
FEATURES, LOGITS = "patch_features", "patch_logits"  # tensors inside the graph that `opened_up` lets out
GOLDEN = "listing-text-golden.json"  # texts with their answers, beside the published file
SLOTS = 16_384  # no two ids of a patch have the same remainder
BYTES = 20_000  # of a patch as it lies; compressed on the line it is smaller
LARGEST = 100.0  # logits that a feature may add: far beyond any fit, and far from where sums of float32 end
FLOAT, INT8, INT32, INT64 = 1, 3, 6, 7  # element types of ONNX
VARINT, BYTES_OF = 0, 2  # wire types of protobuf


class PatchError(Exception):
    """Why a patch cannot be used, in a sentence."""


@dataclass(frozen=True)
class Patch:
    """ids: int32 [K], sorted, as the front tells them. rows: int8 [K, P], in steps of `scale` logits."""

    ids: NDArray[np.int32]
    rows: NDArray[np.int8]
    scale: float

    @property
    def weights(self) -> NDArray[np.float32]:
        """float32 [K, P], logits."""
        return self.rows.astype(np.float32) * np.float32(self.scale)


def nothing(labels: int) -> bytes:
    """The ending of a published file: a patch that moves nothing."""
    return _written(np.zeros(1, np.int32), np.zeros((1, labels), np.int8), 0.0)


def written(patch: Patch) -> bytes:
    """The patch as it is sent. Raises PatchError where it would not work."""
    _refuse(patch)
    content = _written(patch.ids, patch.rows, patch.scale)
    if len(content) > BYTES:
        raise PatchError(f"The patch takes {len(content):,} bytes of {BYTES:,}.")
    return content


def read(content: bytes, labels: int) -> Patch:
    """The patch behind its bytes. Raises PatchError unless they are just what `written` makes."""
    try:
        found = {}
        ((_, graph),) = _fields(content)
        for _, tensor in _fields(_bytes(graph)):
            parts = dict(_fields(_bytes(tensor)))  # of the dimensions the last one; they are told by the sizes
            found[_bytes(parts[8]).decode()] = _bytes(parts[9])
        ids = np.frombuffer(found[IDS], np.int32)
        rows = np.frombuffer(found[ROWS], np.int8).reshape(-1, labels)
        (scale,) = np.frombuffer(found[SCALE], np.float32)
    except (ValueError, KeyError, IndexError) as error:
        raise PatchError("The patch is damaged.") from error
    patch = Patch(ids, rows, float(scale))
    if len(content) > BYTES or written(patch) != content:
        raise PatchError("The patch is damaged.")
    return patch


def patched(model: bytes, content: bytes, labels: int) -> bytes:
    """The model's file with a patch in place of none. Raises PatchError when the file takes no patch."""
    ending = nothing(labels)
    if not model.endswith(ending):
        raise PatchError("The published model takes no patch. Publish it again.")
    return model[: -len(ending)] + content


def opened_up(model: bytes) -> bytes:
    """The model's file with two more outputs: every feature id of the text, -1 where there is none (int64 [f]), and the
    logits (float32 [P])."""
    outputs = b"".join(
        _field(12, _field(1, name.encode()) + _field(2, _field(1, _number(1, kind))))
        for name, kind in ((FEATURES, INT64), (LOGITS, FLOAT))
    )
    return model + _field(7, outputs)


def _refuse(patch: Patch) -> None:
    ids, rows = patch.ids, patch.rows
    if not len(ids) or len(ids) != len(rows):
        raise PatchError("The patch holds nothing.")
    if ids.min() < 0 or (np.diff(ids.astype(np.int64)) <= 0).any():
        raise PatchError("The features of the patch are not in order.")
    if len(np.unique(ids % SLOTS)) != len(ids):
        raise PatchError("Two features of the patch share a slot.")
    if not np.isfinite(patch.scale) or patch.scale <= 0:
        raise PatchError("The scale of the patch is no size.")
    if patch.scale * 128 > LARGEST:
        raise PatchError("The patch moves the model further than any text could.")


# --- Protobuf, as much of it as three tensors need --------------------------------------------------------------------
def _written(ids: NDArray[np.int32], rows: NDArray[np.int8], scale: float) -> bytes:
    tensors = (
        _tensor(IDS, INT32, list(ids.shape), ids.astype("<i4").tobytes()),
        _tensor(ROWS, INT8, list(rows.shape), rows.astype("<i1").tobytes()),
        _tensor(SCALE, FLOAT, [1], np.array([scale], "<f4").tobytes()),
    )
    return _field(7, b"".join(_field(5, tensor) for tensor in tensors))


def _tensor(name: str, kind: int, dims: list[int], raw: bytes) -> bytes:
    return b"".join(_number(1, size) for size in dims) + _number(2, kind) + _field(8, name.encode()) + _field(9, raw)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | BYTES_OF) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field's number, its value). Raises ValueError, IndexError for what is no message of numbers and bytes."""
    at = 0
    while at < len(content):
        key, at = varint_at(content, at)
        value, at = varint_at(content, at)
        if key & 7 == VARINT:
            yield key >> 3, value
        elif key & 7 == BYTES_OF and at + value <= len(content):
            yield key >> 3, content[at : at + value]
            at += value
        else:
            raise ValueError("not a message of ours")


def varint_at(content: bytes, at: int) -> tuple[int, int]:
    """A number of a protocol buffer and where it ends. Raises ValueError for one of more than 64 bits, IndexError."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number too large")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes were expected")
    return value
