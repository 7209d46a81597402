"""Features of images with nothing to download: by convolutions whose weights are drawn by chance.

Random networks tell sets of images apart as well as trained ones do where the images are unlike
those that the trained ones know (Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for
Generative Models", section 4). The figures compare with others made by the same NAME alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d, pad

NAME = "random convolutions 1"  # another number for whatever changes a feature
CHANNELS = (6, 8, 12, 20)
DIM = 5 * sum(CHANNELS)


class RandomFeatures(nn.Module):
    """uint8 images [N, 3, S, S], S at least 16 -> float32 [N, DIM], where the network is.

    Four layers of 3 × 3 convolutions see structures of 3, 8, 18 and 38 pixels. What counts of each
    channel is the mean over each quarter of the image, and the standard deviation over the whole:
    what is where, roughly, and how much of it. Their number is the same for any S.
    """

    weight_0: Tensor

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)  # on the CPU: the same bits for all devices
        channels = 3
        for layer, more in enumerate(CHANNELS):
            weight = torch.randn(more, channels, 3, 3, generator=generator)
            # Flat areas count half: brightness would drown out everything else
            weight -= weight.mean((1, 2, 3), keepdim=True) / 2
            weight *= 2**0.5 / weight.flatten(1).norm(dim=1)[:, None, None, None]
            self.register_buffer(f"weight_{layer}", weight)
            channels = more

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        x = images.to(self.weight_0.device).float()
        x = x / 12.75 - 10  # of a scale at which Fréchet distances read like FIDs
        features = []
        for layer in self.layers(x):
            features += [adaptive_avg_pool2d(layer, 2).flatten(1), layer.std((2, 3))]
        return torch.cat(features, 1)

    def layers(self, x: Tensor) -> Iterator[Tensor]:
        """What each layer makes of images [N, 3, S, S] in [-10, 10]: [N, C, S, S], S / 2, …"""
        for weight in self.buffers():
            x = conv2d(pad(x, (1, 1, 1, 1), mode="reflect"), weight).relu()
            yield x
            x = avg_pool2d(x, 2)
