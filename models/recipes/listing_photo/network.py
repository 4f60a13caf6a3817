"""The device's photo network: dense 3x3 convolutions in one line, which INT8 in WASM runs fast.

No depthwise layers, no branches: with ten convolutions there is nothing that a residual would have to bridge, and
three branches with a batch norm each (RepVGG: Ding et al. 2021, arXiv:2101.03697) took 1.8 times as long to train.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.recipes.listing_photo.shape import LAYERS, PATCH, SPLIT, SPLIT_MOST, SPLIT_SCALE, STEM

Folded = list[tuple[NDArray[np.float32], NDArray[np.float32], int]]  # weight [out, in, k, k], bias [out], stride


class Normed(nn.Module):
    """A convolution and its batch norm, without the activation."""

    def __init__(self, into: int, out: int, size: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, size, stride, 1 if size == 3 else 0, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(self.conv(x))
        return found

    def folded(self) -> tuple[Tensor, Tensor]:
        """weight and bias of the one convolution that does the same in use."""
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return self.conv.weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor


class Network(nn.Module):
    """x float32 [n, 3, 128, 128] in -1..1 → heat float32 [n, labels, 8, 8]; the logits are its mean."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.stem = Normed(3, STEM, PATCH, PATCH)
        widths = [STEM, *(out for out, _ in LAYERS)]
        self.layers = nn.ModuleList(
            Normed(into, out, 3, stride) for into, (out, stride) in zip(widths, LAYERS, strict=False)
        )
        self.drop = nn.Dropout(0.1)
        self.head = nn.Conv2d(widths[-1], labels, 1)
        split = self.layers[SPLIT]
        assert isinstance(split, Normed)
        nn.init.constant_(split.norm.bias, SPLIT_MOST / 2)  # in the middle: what is sent has a sign

    def raw(self, x: Tensor) -> Tensor:
        """float32 [n, *SPLIT_SHAPE]: what may leave the device, before it is brought within 0..6."""
        x = torch.relu_(self.stem(x))
        for layer in self.layers[:SPLIT]:
            x = torch.relu_(layer(x))
        found: Tensor = self.layers[SPLIT](x)
        return found

    def lower(self, x: Tensor) -> Tensor:
        """float32 [n, *SPLIT_SHAPE] in 0..6: what may leave the device."""
        return torch.clamp(self.raw(x), 0, SPLIT_MOST)

    def upper(self, x: Tensor) -> list[Tensor]:
        """What each layer after the split makes of what `lower` gives; the last is float32 [n, 128, 8, 8]."""
        found = []
        for layer in self.layers[SPLIT + 1 :]:
            x = torch.relu(layer(x))
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.drop(self.upper(self.lower(x))[-1]))
        return found

    def folded(self) -> Folded:
        """Every convolution for use, the stem first and the head last, in evaluation mode."""
        with torch.no_grad():
            parts = []
            for layer in (self.stem, *self.layers):
                assert isinstance(layer, Normed)
                parts.append((*layer.folded(), layer.stride))
            assert self.head.bias is not None
            parts.append((self.head.weight, self.head.bias, 1))
            return [(w.float().numpy().copy(), b.float().numpy().copy(), stride) for w, b, stride in parts]


def as_sent(activation: Tensor) -> Tensor:
    """What arrives of an activation that travelled as bytes; the gradient passes as if nothing had been rounded."""
    rounded = torch.round(activation / SPLIT_SCALE) * SPLIT_SCALE
    return activation + (rounded - activation).detach()
