"""Changes to what D sees, real and generated alike, so that it cannot learn the images by heart.

Gradients flow through them to G, and G does not learn to draw them: Zhao et al. 2020,
"Differentiable Augmentation for Data-Efficient GAN Training" (arXiv:2006.10738). How often they are
done can follow from how far D overfits: Karras et al. 2020, "Training Generative Adversarial
Networks with Limited Data" (arXiv:2006.06676).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

AUGMENT_NOISE = 10  # random numbers for each image: whether, then how, for colour, place and hole
CHANGES = 9  # numbers that say how an image is changed; all 0 but the last two: not at all
SHIFT = 1 / 8  # of the side, at most
HOLE = 1 / 2  # of the side

RIGHT = 0.87  # the share of images that D may get right before augment_p grows
IMAGES_TO_FULL = 300_000  # after which augment_p could have grown from 0 to 1
MOST = 0.8  # at most; where all images are changed, G draws changed ones as well


def random_changes(noise: Tensor, side: int) -> Tensor:
    """What `augment` is to do to images of side × side, each change with a die.

    noise: float32 [..., AUGMENT_NOISE], uniform in [0, 1). Returns float32 [..., 2, CHANGES]: the
    dice, and the changes that are made where the die is less than augment_p. They are for the CPU
    to compute ahead: on a GPU each operation, however small, costs some microseconds.
    """
    colour, brightness, saturation, contrast, place, dx, dy, hole, x, y = noise.unbind(-1)
    brightness, saturation, contrast = brightness - 0.5, 2 * saturation, contrast + 0.5
    reach = round(side * SHIFT)
    dx, dy = (((2 * reach + 1) * d).floor() - reach for d in (dx, dy))
    always = torch.full_like(colour, -1)
    dice = [colour] * 4 + [place] * 2 + [hole, always, always]
    # Brightness is added, a pixel's distance from grey is multiplied by saturation, then that from
    # the image's mean by contrast. The three are one linear function of pixel, grey, mean and 1.
    changes = [
        *(contrast * saturation - 1, contrast * (1 - saturation), 1 - contrast, brightness),
        *(dy, dx),
        *(torch.full_like(hole, side * HOLE / 2), side * y, side * x),
    ]
    return torch.stack([torch.stack(dice, -1), torch.stack(changes, -1)], -2)


def augment(images: Tensor, changes: Tensor, p: Tensor) -> Tensor:
    """Each image with new colours, at another place, with a hole: each with probability `p`.

    images: [B, 3, S, S] in [-1, 1]; changes: float32 [B, 2, CHANGES], of `random_changes`; p:
    float32 [] in [0, 1]. The colours may leave [-1, 1]. Returns the dtype of the images, in
    channels_last.
    """
    dice, wanted = changes.unbind(1)
    colours, shift, reach, centre = (wanted * (dice < p)).split((4, 2, 1, 2), 1)
    pixels = torch.arange(images.shape[-1], device=images.device)
    images = Colour.apply(images.contiguous(), colours.to(images.dtype))
    images = _shift(images, shift, pixels) * _outside(reach, centre, pixels)
    return images.contiguous(memory_format=torch.channels_last)


class Colour(torch.autograd.Function):
    """images [B, 3, S, S] plus weights [B, 4] times: the pixel, its grey, the image's mean, 1.

    But for the last it is a symmetric linear map, so its gradient is the same map, which takes half
    as many operations as what autograd would make of it. The weights get none.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, weights: Tensor) -> Tensor:
        more, of_grey, of_mean, add = weights[:, :, None, None, None].unbind(1)
        ctx.save_for_backward(more, of_grey, of_mean)
        return _mixed(images, more, of_grey, of_mean, add)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        more, of_grey, of_mean = ctx.saved_tensors
        return _mixed(gradient, more, of_grey, of_mean), None


def _mixed(
    images: Tensor, more: Tensor, of_grey: Tensor, of_mean: Tensor, add: Tensor | float = 0.0
) -> Tensor:
    grey, mean = images.mean(1, keepdim=True), images.mean((1, 2, 3), keepdim=True)
    rest = torch.addcmul(of_mean * mean + add, of_grey, grey)
    return torch.addcmul(rest, images, 1 + more)


def _shift(images: Tensor, shift: Tensor, pixels: Tensor) -> Tensor:
    """Move each image by whole pixels, [B, 2]: down and right; 0, which is grey, comes in at the
    borders.

    As products with matrices of zeros and ones: exact, and unlike indexing fast to differentiate.
    """
    moves = (pixels[:, None] - pixels == shift[:, :, None, None]).to(images.dtype)
    down, right = moves.unbind(1)  # [B, S, S] each
    images = (images.flatten(1, 2) @ right.mT).view(images.shape)
    return down[:, None] @ images


def _outside(reach: Tensor, centre: Tensor, pixels: Tensor) -> Tensor:
    """Whether a pixel lies at least `reach` [B, 1] from the `centre` [B, 2], down or right: bool
    [B, 1, S, S]."""
    down, right = ((pixels - centre[:, :, None]).abs() >= reach[:, :, None]).unbind(1)
    return down[:, None, :, None] | right[:, None, None, :]


def adapt(augment_p: Tensor, right: Tensor, images: int) -> None:
    """Raise `augment_p`, in place, if D gets too much right, and else lower it, within 0 and MOST.

    Whether D knows its images by heart or is merely ahead of G, it is given a harder task.
    right: float32 [], the share of an update's real and generated images that D tells apart, which
    is what r_t of Karras et al. 2020, equation 1, looks at; images: how many it learned from.
    """
    direction = torch.sign(right - RIGHT)
    augment_p.add_(direction, alpha=images / IMAGES_TO_FULL).clamp_(0, MOST)
