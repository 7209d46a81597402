"""How much fine detail images have: what a blur takes away."""

from __future__ import annotations

import torch
from torch import Tensor

FINE = 0.25  # cycles per pixel; the finest that pixels can hold is 0.5 along each axis


def fine_power(images: Tensor) -> Tensor:
    """Of [N, 3, S, S], numbers from 0 to 255, the power of the grey images in frequencies of FINE
    and above: the mean square, over the pixels, of what these contribute, in grey levels. float32
    [N]."""
    side = images.shape[-1]
    along = torch.fft.fftfreq(side, device=images.device)
    fine = torch.hypot(along[:, None], along) >= FINE
    waves = torch.fft.fft2(images.float().mean(1), norm="forward")
    return waves.abs().square()[:, fine].sum(1)  # by Parseval's theorem
