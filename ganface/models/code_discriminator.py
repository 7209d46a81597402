"""C: a discriminator of codes."""

from __future__ import annotations

from torch import Tensor, nn

from ganface.config.architecture import DcganConfig
from ganface.models.dcgan import LEAK, DcganNetwork

UNITS = 750  # of a layer, as in Rosca et al. 2017, appendix A


class CodeDiscriminator(DcganNetwork):
    """C: codes [B, z_dim] -> logits [B], high for z from N(0, I), low for codes of images.

    Without BatchNorm: a code's logit depends on no other code of its batch.
    """

    def __init__(self, config: DcganConfig) -> None:
        super().__init__(config)
        layers: list[nn.Module] = []
        for inputs in (config.z_dim, UNITS):
            layers += [nn.Linear(inputs, UNITS), nn.LeakyReLU(LEAK, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Linear(UNITS, 1))

    def forward(self, codes: Tensor) -> Tensor:
        return self.layers(codes).flatten()
