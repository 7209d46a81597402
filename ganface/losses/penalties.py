"""Penalties on the gradient of D with respect to the images, which keep D from being too steep.

They are computed by PyTorch's own kernels, since their gradient is a second derivative, which ours
do not have; in autocast's dtype, but float32 in place of float16, whose range is too narrow: the
scale that a loss is multiplied by does not reach the gradients inside of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from ganface.models.layers import by_plain_kernels, exact

WGAN_GP_WEIGHT = 10.0  # Gulrajani et al. 2017, section 4
REFERENCE_SIDE = 64  # of the images for which the weights of R1 and R2 are meant


def weight_for(side: int) -> float:
    """What the weights of R1 and R2 are multiplied by for images of that side: they grow with the
    number of pixels, as each has less effect: Karras et al. 2020 (arXiv:2006.06676).
    """
    return (side / REFERENCE_SIDE) ** 2


def zero_centred(D: nn.Module, images: Tensor, labels: Tensor | None = None) -> Tensor:
    """‖∇D(x)‖² / 2 at each of the images [B, 3, H, W] in [-1, 1]: float32 [B]. D gives logits [B];
    labels: what it is told of the images, if anything.

    Its mean is R1 for real images, R2 for generated ones: Mescheder, Geiger and Nowozin 2018,
    "Which Training Methods for GANs do actually Converge?" (arXiv:1801.04406), equations 9 and 10.
    With BatchNorm in D, an image changes the logits of its whole batch; the gradient is that of
    their sum.
    """
    return _gradients(D, images, labels).square().sum(1) / 2


def one_centred(
    D: nn.Module, reals: Tensor, fakes: Tensor, mix: Tensor, labels: Tensor | None = None
) -> Tensor:
    """E[(‖∇D(x)‖ - 1)²] for x between reals and fakes [B, 3, H, W], at mix [B] in [0, 1].

    Gulrajani et al. 2017 (arXiv:1704.00028), equation 3.
    """
    images = torch.lerp(_exact(reals), _exact(fakes), mix[:, None, None, None])
    return (_gradients(D, images, labels).norm(dim=1) - 1).square().mean()


def _gradients(D: nn.Module, images: Tensor, labels: Tensor | None) -> Tensor:
    """∇D at each image, through which gradients flow: float32 [B, 3 · H · W]."""
    images = _exact(images).detach().requires_grad_()
    with by_plain_kernels(D), _without_float16(images.device):
        logits = D(images) if labels is None else D(images, labels=labels)
        (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.flatten(1)


def _without_float16(device: torch.device) -> AbstractContextManager[object]:
    half = torch.get_autocast_dtype(device.type) == torch.float16
    return exact(device) if half else nullcontext()


def _exact(images: Tensor) -> Tensor:
    """As float32, if autocast made them less."""
    return images.to(torch.promote_types(images.dtype, torch.float32))
