"""An image as the sum of its details, from fine to coarse."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

COARSEST = 16  # side of the last level
BINOMIAL = (1, 4, 6, 4, 1)  # sixteenths: what a pixel and its neighbours count for in a blur


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """float32 [N, 3, S, S] -> levels of S, S / 2, … and COARSEST a side; the last
    holds what is left.

    Burt and Adelson 1983, "The Laplacian Pyramid as a Compact Image Code".
    """
    levels = []
    while images.shape[-1] >= 2 * COARSEST:
        smaller = _blur(images)[:, :, ::2, ::2]
        levels.append(images - _enlarge(smaller))
        images = smaller
    return [*levels, images]


def _blur(images: Tensor) -> Tensor:
    channels = images.shape[1]
    # Filled in on the device: a CUDA graph cannot hold a copy from the host
    weights = [torch.full((), w / 16, device=images.device) for w in BINOMIAL]
    kernel = torch.stack(weights).repeat(channels, 1, 1, 1)  # [channels, 1, 1, 5]
    images = pad(images, (2, 2, 2, 2), mode="reflect")
    images = conv2d(images, kernel, groups=channels)
    return conv2d(images, kernel.mT, groups=channels)


def _enlarge(images: Tensor) -> Tensor:
    """Twice the side: zeros between the pixels, then blurred, at four times the brightness."""
    count, channels, height, width = images.shape
    spread = images.new_zeros(count, channels, 2 * height, 2 * width)
    spread[:, :, ::2, ::2] = 4 * images
    return _blur(spread)
