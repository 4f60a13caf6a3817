"""What the server makes of a photo that it never sees: MobileNetV2's upper half behind the device's lower layers."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.recipes.listing_photo.pool import DEPTHS, SPLIT
from models.recipes.listing_photo.shape import SPLIT_MOST
from models.recipes.listing_photo_cloud.backbone import Conv
from models.recipes.listing_photo_cloud.backbone import Network as Whole

WIDE = 96
BELOW = DEPTHS[SPLIT][0] + 1  # blocks of listing-photo-cloud that the device's lower layers stand for


class Network(nn.Module):
    """x float32 [n, *SPLIT_SHAPE], an activation as it was sent → heat float32 [n, labels, 4, 4]; the logits are its
    mean.

    The device was taught to send what listing-photo-cloud has at this depth, each channel by its mean and deviation:
    `scaled` takes that back. `mended` adds what can be told from the neighbourhood of what the device got wrong. From
    there on the layers are listing-photo-cloud's own, trained further.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        whole = Whole(labels)
        channels = DEPTHS[SPLIT][1][0]
        self.scaled = Conv(channels, channels, 1, linear=True)
        self.widened, self.mended = Conv(channels, WIDE, 3), Conv(WIDE, channels, 3, linear=True)
        self.blocks = whole.blocks[BELOW:]
        self.last, self.drop, self.head = whole.last, whole.drop, whole.head

    def bridged(self, x: Tensor) -> Tensor:
        """float32 [n, 32, 16, 16]: features as listing-photo-cloud has them."""
        x = self.scaled(x)
        found: Tensor = x + self.mended(self.widened(x))
        return found

    def forward(self, x: Tensor) -> Tensor:
        x = self.bridged(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.drop(self.last(x)))


def from_cloud(whole: Whole, labels: int, mean: NDArray[np.float32], spread: NDArray[np.float32]) -> Network:
    """The upper layers are listing-photo-cloud's. mean, spread float32 [32]: of its features at the split."""
    network = Network(labels)
    network.blocks.load_state_dict(whole.blocks[BELOW:].state_dict())
    network.last.load_state_dict(whole.last.state_dict())
    network.head.load_state_dict(whole.head.state_dict())
    deviation, middle = torch.from_numpy(spread), torch.from_numpy(mean)
    scaled, widened, mended = network.scaled.conv, network.widened.conv, network.mended.conv
    assert scaled.bias is not None and widened.bias is not None and mended.bias is not None
    with torch.no_grad():
        scaled.weight.copy_(torch.diag(deviation)[:, :, None, None])
        scaled.bias.copy_(middle - SPLIT_MOST / 2 * deviation)
        nn.init.kaiming_normal_(widened.weight, nonlinearity="relu")
        for zero in (widened.bias, mended.weight, mended.bias):
            nn.init.zeros_(zero)
    return network
