"""What the server makes of a photo that it never sees: MobileNetV2's upper half behind the device's lower layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.recipes.listing_photo.pool import HINT_BLOCK
from models.recipes.listing_photo.shape import SPLIT_SHAPE
from models.recipes.listing_photo_cloud.backbone import BLOCKS, Conv
from models.recipes.listing_photo_cloud.backbone import Network as Whole

BRIDGE = 96


class Network(nn.Module):
    """x float32 [n, *SPLIT_SHAPE], an activation as it was sent → heat float32 [n, labels, 4, 4]; the logits are its
    mean.

    A bridge of dense convolutions turns the device's features into those that listing-photo-cloud has at this depth;
    from there on the layers are its own, trained further.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        whole = Whole(labels)
        out = BLOCKS[HINT_BLOCK][1]
        self.bridge = nn.ModuleList(
            [Conv(SPLIT_SHAPE[0], BRIDGE, 3), Conv(BRIDGE, BRIDGE, 3), Conv(BRIDGE, out, 3, linear=True)]
        )
        self.blocks = whole.blocks[HINT_BLOCK + 1 :]
        self.last, self.drop, self.head = whole.last, whole.drop, whole.head

    def bridged(self, x: Tensor) -> Tensor:
        """float32 [n, 32, 16, 16]: features as listing-photo-cloud has them."""
        for part in self.bridge:
            x = part(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        x = self.bridged(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.drop(self.last(x)))


def from_cloud(whole: Whole, labels: int) -> Network:
    """The upper layers are listing-photo-cloud's; the bridge is new."""
    network = Network(labels)
    network.blocks.load_state_dict(whole.blocks[HINT_BLOCK + 1 :].state_dict())
    network.last.load_state_dict(whole.last.state_dict())
    network.head.load_state_dict(whole.head.state_dict())
    for part in network.bridge:
        assert isinstance(part, Conv)
        nn.init.kaiming_normal_(part.conv.weight, nonlinearity="relu")
        assert part.conv.bias is not None
        torch.nn.init.zeros_(part.conv.bias)
    return network
