"""Changes to what D sees, real and generated alike, so that it cannot learn the images by heart.

Gradients flow through them to G, and G does not learn to draw them: Zhao et al. 2020,
"Differentiable Augmentation for Data-Efficient GAN Training" (arXiv:2006.10738). How often they are
done can follow from how far D overfits: Karras et al. 2020, "Training Generative Adversarial
Networks with Limited Data" (arXiv:2006.06676).
"""

from __future__ import annotations

import torch
from torch import Tensor

AUGMENT_NOISE = 10  # random numbers for each image: whether, then how, for colour, place and hole
SHIFT = 1 / 8  # of the side, at most
HOLE = 1 / 2  # of the side

RIGHT = 0.87  # the share of images that D may get right before augment_p grows
IMAGES_TO_FULL = 300_000  # after which augment_p could have grown from 0 to 1
MOST = 0.8  # at most; where all images are changed, G draws changed ones as well


def augment(images: Tensor, noise: Tensor, p: Tensor) -> Tensor:
    """Each image with new colours, at another place, with a hole: each with probability `p`.

    images: [B, 3, S, S] in [-1, 1]; noise: float32 [B, AUGMENT_NOISE], uniform in [0, 1);
    p: float32 [] in [0, 1]. The colours may leave [-1, 1]. In autocast what comes out is of its
    dtype, which is what D rounds it to in any case.
    """
    exact = torch.promote_types(images.dtype, torch.float32)
    images = images.to(exact, memory_format=torch.contiguous_format)
    noise = noise[:, :, None, None, None]
    colour, brightness, saturation, contrast, place, dx, dy, hole, x, y = noise.unbind(1)
    images = _colour(images, colour < p, brightness - 0.5, 2 * saturation, contrast + 0.5)
    side = images.shape[-1]
    # Where an image stays, it is moved by 0
    reach = round(side * SHIFT)
    moved = [((2 * reach + 1) * d).floor() - reach for d in (dx, dy)]
    dx, dy = (torch.where(place < p, d, 0) for d in moved)
    images = _shift(images, dx.flatten(), dy.flatten())
    return images * ~(_inside(x, y, side) & (hole < p))


def _colour(
    images: Tensor, which: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor
) -> Tensor:
    """Where `which`: brightness is added, a pixel's distance from grey is multiplied by
    `saturation`, then that from the image's mean by `contrast`. All [B, 1, 1, 1].

    The three are one linear function of the pixel, its grey and the mean: few passes over memory.
    """
    add = torch.where(which, brightness, 0)
    saturation, contrast = (torch.where(which, times, 1) for times in (saturation, contrast))
    grey = images.mean(1, keepdim=True)
    middle = grey.mean((1, 2, 3), keepdim=True)
    rest = contrast * (1 - saturation) * grey + ((1 - contrast) * middle + add)
    return torch.addcmul(rest, images, contrast * saturation)


def _shift(images: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """Move each image by whole pixels, dx and dy [B]; 0, which is grey, comes in at the borders.

    As products with matrices of zeros and ones: exact, but that autocast rounds the images, and
    unlike indexing fast to differentiate.
    """
    pixels = torch.arange(images.shape[-1], device=images.device)
    from_row = (pixels[:, None] - pixels == dy[:, None, None]).to(images.dtype)  # [B, S, S]
    from_column = (pixels - pixels[:, None] == dx[:, None, None]).to(images.dtype)
    return from_row[:, None] @ images @ from_column[:, None]


def _inside(x: Tensor, y: Tensor, side: int) -> Tensor:
    """Whether a pixel lies in a square of HOLE · side around (x, y): bool [B, 1, S, S]."""
    pixels = torch.arange(side, device=x.device)
    reach = side * HOLE / 2
    return ((pixels - side * x).abs() < reach) & ((pixels[:, None] - side * y).abs() < reach)


def adapt(augment_p: Tensor, right: Tensor, images: int) -> None:
    """Raise `augment_p`, in place, if D gets too much right, and else lower it, within 0 and MOST.

    Whether D knows its images by heart or is merely ahead of G, it is given a harder task.
    right: float32 [], the share of an update's real and generated images that D tells apart, which
    is what r_t of Karras et al. 2020, equation 1, looks at; images: how many it learned from.
    """
    direction = torch.sign(right - RIGHT)
    augment_p.add_(direction * images / IMAGES_TO_FULL).clamp_(0, MOST)
