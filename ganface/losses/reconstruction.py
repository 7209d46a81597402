"""How far images that G made again are from their originals, averaged over pixels and batch."""

from __future__ import annotations

from torch import Tensor


def l1(images: Tensor, originals: Tensor) -> Tensor:
    """E|x' - x|: the best guess where nothing else is known is the median, so edges stay sharper.

    images, originals: [B, 3, H, W] in [-1, 1].
    """
    return (images - originals).abs().mean()


def l2(images: Tensor, originals: Tensor) -> Tensor:
    """E(x' - x)²: the best guess where nothing else is known is the mean, which is a blur."""
    return (images - originals).square().mean()


RECONSTRUCTION = {"l1": l1, "l2": l2}
