"""MobileNetV2 1.0 (Sandler et al. 2018, arXiv:1801.04381) with its batch norms folded, from the data root's ImageNet
weights, and a head for our policies that also says where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.steps.errors import StepError

WEIGHTS = Path("backbone") / "tf2_mobilenet_v2_1.0_224_ptq.npz"
# (expansion, channels out, stride) of the 17 inverted residual blocks.
BLOCKS = [
    (1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1), (6, 64, 2), (6, 64, 1), (6, 64, 1),
    (6, 64, 1), (6, 96, 1), (6, 96, 1), (6, 96, 1), (6, 160, 2), (6, 160, 1), (6, 160, 1), (6, 320, 1),
]  # fmt: skip
STEM, FEATURES = 32, 1280


class Conv(nn.Module):
    """Convolution with bias; ReLU6 unless `linear`. Stride 2 pads at the bottom and right alone, as TensorFlow does on
    even sizes: symmetric padding shifts what the weights were trained on."""

    def __init__(self, into: int, out: int, size: int, stride: int = 1, groups: int = 1, linear: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, size, stride, padding=0 if stride == 2 else size // 2, groups=groups)
        self.stride, self.linear = stride, linear

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = functional.pad(x, (0, 1, 0, 1))
        found = self.conv(x)
        return found if self.linear else functional.relu6(found)


class Block(nn.Module):
    """Widen, filter each channel, narrow; with a residual where shapes allow."""

    def __init__(self, into: int, expansion: int, out: int, stride: int) -> None:
        super().__init__()
        wide = into * expansion
        self.expand = Conv(into, wide, 1) if expansion > 1 else None
        self.depthwise = Conv(wide, wide, 3, stride, groups=wide)
        self.project = Conv(wide, out, 1, linear=True)
        self.residual = stride == 1 and into == out

    def forward(self, x: Tensor) -> Tensor:
        found = self.project(self.depthwise(self.expand(x) if self.expand else x))
        return x + found if self.residual else found


class Network(nn.Module):
    """x float32 [n, 3, h, w] in -1..1, h and w multiples of 32 → heat float32 [n, labels, h / 32, w / 32].

    The head is one 1x1 convolution: the logits are the mean of the heat, so the heat says which place spoke for what
    (class activation maps: Zhou et al. 2016, arXiv:1512.04150).
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, 3, 2)
        into, blocks = STEM, []
        for expansion, out, stride in BLOCKS:
            blocks.append(Block(into, expansion, out, stride))
            into = out
        self.blocks = nn.ModuleList(blocks)
        self.last = Conv(into, FEATURES, 1)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Conv2d(FEATURES, labels, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def features(self, x: Tensor) -> Tensor:
        """float32 [n, 1280, h / 32, w / 32]."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.last(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(self.features(x)))


def from_imagenet(data: Path, labels: int) -> Network:
    """The network with the data root's weights; the head is new. Raises StepError."""
    path = data / WEIGHTS
    try:
        weights = np.load(path)
    except OSError as error:
        raise StepError(f"The initial weights are not there: {path}") from error
    network = Network(labels)
    parts: dict[str, Conv | None] = {"stem": network.stem, "head": network.last}
    for number, block in enumerate(network.blocks):
        for name in ("expand", "depthwise", "project"):
            parts[f"blocks.{number}.{name}"] = getattr(block, name)
    with torch.no_grad():
        for name, part in parts.items():
            if part is not None:
                part.conv.weight.copy_(torch.from_numpy(weights[f"{name}/weight"]))
                assert part.conv.bias is not None
                part.conv.bias.copy_(torch.from_numpy(weights[f"{name}/bias"]))
    return network
