"""DCGAN: Radford, Metz and Chintala 2015, "Unsupervised Representation Learning with Deep
Convolutional Generative Adversarial Networks" (arXiv:1511.06434).

The paper's networks are for 64 × 64; a size of 32 takes one layer out of each, 128 adds one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganface.config import check_size
from ganface.models.convolutions import Double, Gather, Halve, Spread


def _doublings(size: int) -> int:
    """How often 4 × 4 is doubled to reach `size`. Raises UserError for a size not in SIZES."""
    check_size(size)
    return (size // 4).bit_length() - 1


class Generator(nn.Module):
    """G: z [B, z_dim] -> images [B, 3, size, size] in [-1, 1]."""

    def __init__(self, size: int, z_dim: int, width: int) -> None:
        super().__init__()
        self.size, self.z_dim, self.width = size, z_dim, width
        channels = width * 2 ** (_doublings(size) - 1)
        # z [B, z_dim, 1, 1] -> [B, channels, 4, 4]
        layers: list[nn.Module] = [
            Spread(z_dim, channels),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        # Each layer doubles the side and halves the channels: ... -> [B, width, size/2, size/2]
        while channels > width:
            layers += [
                Double(channels, channels // 2),
                nn.BatchNorm2d(channels // 2),
                nn.ReLU(inplace=True),
            ]
            channels //= 2
        # -> [B, 3, size, size]
        layers += [Double(width, 3), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z[:, :, None, None])


class Discriminator(nn.Module):
    """D: images [B, 3, size, size] in [-1, 1] -> logits [B]. D(x) is their sigmoid."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        # [B, 3, size, size] -> [B, width, size/2, size/2]
        layers: list[nn.Module] = [
            Halve(3, width),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        # Each layer halves the side and doubles the channels, down to 4 × 4
        channels = width
        for _ in range(_doublings(size) - 1):
            layers += [
                Halve(channels, channels * 2),
                nn.BatchNorm2d(channels * 2),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            channels *= 2
        # [B, channels, 4, 4] -> [B, 1, 1, 1]
        layers.append(Gather(channels))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).flatten()


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """The paper's start: convolutions from N(0, 0.02), BatchNorm's scales from N(1, 0.02)."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=generator)
            nn.init.zeros_(module.bias)
