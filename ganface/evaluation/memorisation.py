"""Are the samples new, or training images again?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganface.evaluation.neighbours import distance_blocks

SIDE = 16  # so small, a copy that came out blurred or a pixel beside is near its original
COMMON = 0.05  # this share of the training images counts as near each other


@dataclass(frozen=True)
class Nearest:
    """The nearest training image of each of N images, mirrored ones among them."""

    distances: Tensor  # float32 [N]: root mean square, in grey levels
    indices: Tensor  # int64 [N]
    mirrored: Tensor  # bool [N]


def thumbnails(images: Tensor) -> Tensor:
    """uint8 [N, 3, S, S] -> float32 [N, 3 · 16 · 16], the means of areas."""
    return adaptive_avg_pool2d(images.float(), SIDE).flatten(1)


def nearest(images: Tensor, training: Tensor, own: Tensor | None = None) -> Nearest:
    """Of `thumbnails` [N, d] among [M, d].

    `own` [N]: the index of each image, where they are training images themselves; they are compared
    with the others.
    """
    plain, plain_indices = _search(images, training, own)
    flipped, flipped_indices = _search(_mirror(images), training, own)
    mirrored = flipped < plain
    return Nearest(
        torch.where(mirrored, flipped, plain),
        torch.where(mirrored, flipped_indices, plain_indices),
        mirrored,
    )


def _mirror(images: Tensor) -> Tensor:
    return images.unflatten(1, (3, SIDE, SIDE)).flip(3).flatten(1)


def _search(images: Tensor, training: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor]:
    found = []
    for rows, distances in distance_blocks(images, training):
        if own is not None:
            distances.scatter_(1, own[rows, None], torch.inf)
        found.append(distances.argmin(1))
    indices = torch.cat(found)
    # Once more, to all digits: a copy is at 0
    return (images - training[indices]).square().mean(1).sqrt(), indices


def near_distance(training: Tensor, own: Tensor) -> float:
    """The distance within which COMMON of the training images, those of `own`, have a neighbour."""
    return nearest(training[own], training, own).distances.quantile(COMMON).item()


def memorised(distances: Tensor, near: float) -> float:
    """The share of samples whose nearest training image is within `near`, the `near_distance`.

    Samples that are as new as training images are to each other come to COMMON: 5 % is chance, far
    more says that G draws training images again.
    """
    return (distances <= near).double().mean().item()
