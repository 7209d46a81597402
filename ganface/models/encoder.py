"""The encoder: D's layers, down to z in place of a logit."""

from __future__ import annotations

from torch import Tensor, nn

from ganface.config.architecture import DcganConfig
from ganface.models.dcgan import DcganNetwork, down_layers


class Encoder(DcganNetwork):
    """E: images [B, 3, size, size] in [-1, 1] -> z [B, z_dim]; of a VAE the mean of z."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        # [B, 3, size, size] -> [B, channels, 4, 4] -> [B, z_dim, 1, 1]
        layers, channels = down_layers(config)
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, config.z_dim, 4))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """[B, channels, 4, 4], from which a VAE's variance is made as well."""
        return self.layers[:-1](images)

    def head(self, features: Tensor) -> Tensor:
        return self.layers[-1](features).flatten(1)


class LogVariance(DcganNetwork):
    """A VAE's second head: E's features [B, channels, 4, 4] -> log of z's variance [B, z_dim]."""

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        _, channels = down_layers(config)
        self.layers = nn.Sequential(nn.Conv2d(channels, config.z_dim, 4))

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features).flatten(1)
