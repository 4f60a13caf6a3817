"""MiniLM's vectors of listings, its mean over word pieces at unit length: what the item tower builds on, unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import wordpieces
from models.recipes.listing_text_cloud import backbone
from models.recipes.listing_text_cloud import train as cloud
from models.towers import ItemText, packed_item
from models.wordpieces import Reader

BATCH = 128
Vectors = NDArray[np.float32]


def encoder() -> backbone.Classifier:
    """The sentence model. Raises StepError when its weights are not installed."""
    return backbone.pretrained(2, {"drop": 0.0, "pairs": 1}).eval()


def mean(model: backbone.Classifier, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """float32 [n, 384], unit rows."""
    x = model.norm(model.words(input_ids) + model.places.weight[: input_ids.shape[1]] + model.kinds.weight[0])
    bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -1e4
    for layer in model.layers:
        x = layer(x, bias)
    seen = attention_mask[:, :, None].to(x.dtype)
    return torch.nn.functional.normalize(((x * seen).sum(1) / seen.sum(1)).float(), dim=1)


def of_items(items: Sequence[ItemText], window_bytes: int, pieces: int, cache: Path) -> Vectors:
    """float32 [items, 384], kept in the folder `cache` by what they are of."""
    texts = [packed_item(item, window_bytes).tobytes() for item in items]
    name = hashlib.sha256(b"\0".join([*texts, str(pieces).encode()])).hexdigest()[:16]
    path = cache / f"sentences-{name}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, embedded(cloud.reader(), texts, pieces).astype(np.float16))
    found: Vectors = np.load(path).astype(np.float32)
    return found


@torch.no_grad()
def embedded(reader: Reader, texts: Sequence[bytes], pieces: int) -> Vectors:
    model = encoder()
    ids = [row[:pieces] for row in reader.pieces(list(texts))]
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    found = np.zeros((len(ids), backbone.WIDTH), np.float32)
    with torch.autocast("cpu", torch.bfloat16):
        for at in range(0, len(order), BATCH):
            chunk = order[at : at + BATCH]
            feed = wordpieces.batch([ids[index] for index in chunk])
            found[chunk] = mean(
                model, *(torch.from_numpy(feed[name]) for name in ("input_ids", "attention_mask"))
            ).numpy()
    return found
