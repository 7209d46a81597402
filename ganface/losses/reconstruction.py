"""How far images that G made again are from their originals, averaged over pixels and batch."""

from __future__ import annotations

from torch import Tensor

from ganface.losses.pyramid import laplacian_pyramid


def l1(images: Tensor, originals: Tensor) -> Tensor:
    """E|x' - x|: the best guess where nothing else is known is the median, so edges stay sharper.

    images, originals: [B, 3, H, W] in [-1, 1].
    """
    return (images - originals).abs().mean()


def l2(images: Tensor, originals: Tensor) -> Tensor:
    """E(x' - x)²: the best guess where nothing else is known is the mean, which is a blur."""
    return (images - originals).square().mean()


def laplacian_l1(images: Tensor, originals: Tensor) -> Tensor:
    """The sum over the levels of a Laplacian pyramid of E|L(x') - L(x)|: fine detail counts as much
    as the rough colours, of which `l1` is nearly all.

    Bojanowski et al. 2018, "Optimizing the Latent Space of Generative Networks"
    (arXiv:1707.05776), section 3.2: there as sums, of which each coarser one counts four times as
    much and has a quarter of the pixels.
    """
    levels = laplacian_pyramid(images - originals)  # a linear map
    return sum((level.abs().mean() for level in levels), images.new_zeros(()))


RECONSTRUCTION = {"l1": l1, "l2": l2}
