"""The encoder: D's layers, down to z in place of a logit."""

from __future__ import annotations

from torch import Tensor, nn

from ganface.config.architecture import DcganConfig
from ganface.models.dcgan import DcganNetwork, down_layers


class Encoder(DcganNetwork):
    """E: images [B, 3, size, size] in [-1, 1] -> z [B, z_dim]."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        # [B, 3, size, size] -> [B, channels, 4, 4] -> [B, z_dim, 1, 1]
        layers, channels = down_layers(config)
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, config.z_dim, 4))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).flatten(1)
