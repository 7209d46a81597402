"""Are the samples new, or training images again?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganface.evaluation.neighbours import distance_blocks

SIDE = 16  # so small, a copy that came out blurred or a pixel beside is near its original
FLATTEST = 4  # grey levels: a deviation below is noise, and is not enlarged
COMMON = 0.05  # this share of the training images counts as near each other


@dataclass(frozen=True)
class Nearest:
    """The k nearest training images of each of N images, mirrored ones among them, the nearest
    first. Of `nearest` there is one, and no k."""

    distances: Tensor  # float32 [N, k]: root mean square, in deviations of an image; 0: a copy
    indices: Tensor  # int64 [N, k]
    mirrored: Tensor  # bool [N, k]


def thumbnails(images: Tensor) -> Tensor:
    """[N, 3, S, S] -> float32 [N, 3 · 16 · 16], the means of areas."""
    return adaptive_avg_pool2d(images.float(), SIDE).flatten(1)


def evened(images: Tensor) -> Tensor:
    """`thumbnails` of which each has mean 0 and deviation 1.

    Otherwise all that is pale would be near to all that is pale, and a copy with less contrast far
    from its original.
    """
    small = thumbnails(images)
    small = small - small.mean(1, keepdim=True)
    return small / small.square().mean(1, keepdim=True).sqrt().clamp(min=FLATTEST)


def nearest(images: Tensor, training: Tensor, own: Tensor | None = None) -> Nearest:
    """Of `evened` thumbnails [N, d] among [M, d].

    `own` [N]: the index of each image, where they are training images themselves; they are compared
    with the others.
    """
    found = ranked(images, training, 1, own)
    return Nearest(found.distances[:, 0], found.indices[:, 0], found.mirrored[:, 0])


def ranked(images: Tensor, training: Tensor, k: int, own: Tensor | None = None) -> Nearest:
    """As `nearest`, the k nearest of each; k at most M."""
    flipped = images.unflatten(1, (3, SIDE, SIDE)).flip(3).flatten(1)
    blocks = zip(distance_blocks(images, training), distance_blocks(flipped, training), strict=True)
    indices, mirrored = [], []
    for (rows, plain), (_, turned) in blocks:
        distances = torch.minimum(plain, turned)
        if own is not None:
            distances.scatter_(1, own[rows, None], torch.inf)
        chosen = distances.topk(k, largest=False).indices
        indices.append(chosen)
        mirrored.append(turned.gather(1, chosen) < plain.gather(1, chosen))
    index, mirror = torch.cat(indices), torch.cat(mirrored)
    # Once more, to all digits: a copy is at 0
    others = torch.where(mirror[:, :, None], flipped[:, None], images[:, None]) - training[index]
    return Nearest(others.square().mean(2).sqrt(), index, mirror)


def near_distances(training: Tensor, own: Tensor) -> tuple[float, float]:
    """The distances within which COMMON, and half, of the training images, those of `own`, have a
    neighbour."""
    distances = nearest(training[own], training, own).distances
    return distances.quantile(COMMON).item(), distances.median().item()


def memorised(distances: Tensor, near: float) -> float:
    """The share of samples whose nearest training image is within `near`, of `near_distances`.

    Samples that are as new as training images are to each other come to COMMON: 5 % is chance, far
    more says that G draws training images again.
    """
    return (distances <= near).double().mean().item()
