"""The four convolutions of a DCGAN, all of 4 × 4 weights, each computed in its fastest way."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import linear

from ganface.models import winograd


class Halve(nn.Conv2d):
    """[B, C, S, S] -> [B, K, S / 2, S / 2]"""

    compiled = False  # whether to use winograd.c

    def __init__(self, C: int, K: int) -> None:
        super().__init__(C, K, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = winograd.halve(x, self.weight) if self.compiled else None
        return super().forward(x) if y is None else y


class Double(nn.ConvTranspose2d):
    """[B, K, S, S] -> [B, C, 2 S, 2 S]"""

    compiled = False

    def __init__(self, K: int, C: int) -> None:
        super().__init__(K, C, 4, stride=2, padding=1, bias=False)

    def forward(self, y: Tensor) -> Tensor:
        x = winograd.double(y, self.weight) if self.compiled else None
        return super().forward(y) if x is None else x


class Gather(nn.Conv2d):
    """[B, C, 4, 4] -> [B, 1, 1, 1]: over a single position a convolution is a matrix product."""

    def __init__(self, C: int) -> None:
        super().__init__(C, 1, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return linear(_flat(x), _flat(self.weight))[:, :, None, None]


class Spread(nn.ConvTranspose2d):
    """[B, K, 1, 1] -> [B, C, 4, 4], likewise."""

    def __init__(self, K: int, C: int) -> None:
        super().__init__(K, C, 4, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        flat = z.flatten(1) @ _flat(self.weight)
        return flat.view(-1, 4, 4, self.out_channels).permute(0, 3, 1, 2)


def _flat(x: Tensor) -> Tensor:
    """[N, C, 4, 4] -> [N, 4 · 4 · C], without a copy if channels_last."""
    return x.permute(0, 2, 3, 1).flatten(1)


def use_compiled(network: nn.Module) -> None:
    """Use the compiled kernels wherever in the network they fit."""
    for module in network.modules():
        if isinstance(module, (Halve, Double)):
            module.compiled = True
