"""The device's photo network: dense 3x3 convolutions in one line, which INT8 in WASM runs fast.

While it learns, each is a 3x3 and a 1x1 convolution beside each other, with the input itself where shapes allow, each
with a batch norm of its own; for use the three fold into one 3x3 (RepVGG: Ding et al. 2021, arXiv:2101.03697). So it
trains like a residual network and runs like a plain one.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from torch import Tensor, nn

from models.recipes.listing_photo.shape import LAYERS, PATCH, SPLIT, SPLIT_MOST, SPLIT_SCALE, STEM

Folded = list[tuple[NDArray[np.float32], NDArray[np.float32], int]]  # weight [out, in, k, k], bias [out], stride


class Branches(nn.Module):
    """x [n, into, h, w] → [n, out, h / stride, w / stride], without the activation."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.square = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.square_norm = nn.BatchNorm2d(out)
        self.point = nn.Conv2d(into, out, 1, stride, bias=False)
        self.point_norm = nn.BatchNorm2d(out)
        self.same_norm = nn.BatchNorm2d(out) if stride == 1 and into == out else None

    def forward(self, x: Tensor) -> Tensor:
        found = self.square_norm(self.square(x)) + self.point_norm(self.point(x))
        return found + self.same_norm(x) if self.same_norm is not None else found

    def folded(self) -> tuple[Tensor, Tensor]:
        """weight [out, into, 3, 3] and bias [out] of the one convolution that does the same."""
        weight, bias = scaled(self.square.weight, self.square_norm)
        point, more = scaled(functional.pad(self.point.weight, (1, 1, 1, 1)), self.point_norm)
        weight, bias = weight + point, bias + more
        if self.same_norm is not None:
            same = torch.zeros_like(self.square.weight)
            same[range(len(same)), range(len(same)), 1, 1] = 1
            unchanged, more = scaled(same, self.same_norm)
            weight, bias = weight + unchanged, bias + more
        return weight, bias


def scaled(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A convolution without bias and the batch norm behind it, as one convolution with bias."""
    assert norm.running_mean is not None and norm.running_var is not None
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor


class Network(nn.Module):
    """x float32 [n, 3, 128, 128] in -1..1 → heat float32 [n, labels, 8, 8]; the logits are its mean."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STEM, PATCH, PATCH, bias=False)
        self.stem_norm = nn.BatchNorm2d(STEM)
        widths = [STEM, *(out for out, _ in LAYERS)]
        self.layers = nn.ModuleList(
            Branches(into, out, stride) for into, (out, stride) in zip(widths, LAYERS, strict=False)
        )
        self.drop = nn.Dropout(0.1)
        self.head = nn.Conv2d(widths[-1], labels, 1)

    def lower(self, x: Tensor) -> Tensor:
        """float32 [n, *SPLIT_SHAPE] in 0..6: what may leave the device."""
        x = torch.relu(self.stem_norm(self.stem(x)))
        for layer in self.layers[:SPLIT]:
            x = torch.relu(layer(x))
        return torch.clamp(self.layers[SPLIT](x), 0, SPLIT_MOST)

    def upper(self, x: Tensor) -> Tensor:
        """float32 [n, 128, 8, 8] of what `lower` gives."""
        for layer in self.layers[SPLIT + 1 :]:
            x = torch.relu(layer(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(self.upper(self.lower(x))))

    def folded(self) -> Folded:
        """Every convolution for use, the stem first and the head last, in evaluation mode."""
        with torch.no_grad():
            parts = [(*scaled(self.stem.weight, self.stem_norm), PATCH)]
            for layer in self.layers:
                assert isinstance(layer, Branches)
                parts.append((*layer.folded(), layer.stride))
            assert self.head.bias is not None
            parts.append((self.head.weight, self.head.bias, 1))
            return [
                (weight.float().numpy().copy(), bias.float().numpy().copy(), stride) for weight, bias, stride in parts
            ]


def as_sent(activation: Tensor) -> Tensor:
    """What arrives of an activation that travelled as bytes; the gradient passes as if nothing had been rounded."""
    rounded = torch.round(activation / SPLIT_SCALE) * SPLIT_SCALE
    return activation + (rounded - activation).detach()
