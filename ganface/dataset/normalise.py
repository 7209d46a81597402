"""Images as the networks see them."""

from __future__ import annotations

import torch
from torch import Tensor


def normalise(images: Tensor, flips: Tensor) -> Tensor:
    """Mirrored where `flips` says so, float32 in [-1, 1], channels_last.

    images: uint8 [B, 3, H, W]; flips: bool [B].
    """
    images = torch.where(flips[:, None, None, None], images.flip(3), images)
    reals = images.to(torch.float32, memory_format=torch.channels_last)
    return reals.div_(127.5).sub_(1)
