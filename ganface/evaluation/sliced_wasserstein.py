"""The sliced Wasserstein distance of patches, a figure for each scale of detail.

Karras et al. 2018, "Progressive Growing of GANs for Improved Quality, Stability, and Variation",
section 5. Unlike there, the number of patches and of directions is bounded, for the sake of time.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganface.losses.pyramid import COARSEST, laplacian_pyramid

SIDE = 7  # of a patch
PATCHES_PER_IMAGE = 128
PATCHES = 2**16  # of all images
DIRECTIONS = 128


def scales(size: int) -> list[int]:
    """The sides of the pyramid's levels, from `size` down to COARSEST."""
    return [size] if size < 2 * COARSEST else [size, *scales(size // 2)]


def patches_of(images: Tensor, per_image: int) -> Tensor:
    """uint8 [N, 3, S, S] -> patches of every level [N, len(scales(S)), per_image, 3 · 7 · 7].

    The places are seeded: the same for equal N and S.
    """
    generator = torch.Generator().manual_seed(0)
    count, device = len(images), images.device
    image = torch.arange(count, device=device).view(-1, 1, 1, 1)
    offsets = torch.arange(SIDE, device=device)
    levels = []
    for level in laplacian_pyramid(images.float()):
        places = level.shape[-1] - SIDE + 1
        top, left = torch.randint(places, (2, count, per_image, 1, 1), generator=generator).to(
            device
        )
        rows, columns = top + offsets.view(-1, 1), left + offsets  # [N, P, 7, 1], [N, P, 1, 7]
        patches = level.movedim(1, -1)[image, rows, columns]  # [N, P, 7, 7, 3]
        levels.append(patches.movedim(-1, 2).flatten(2))
    return torch.stack(levels, 1)


def patches_per_image(count: int) -> int:
    """How many to take of each of `count` images."""
    return max(1, min(PATCHES_PER_IMAGE, PATCHES // count))


def project(patches: Tensor) -> Tensor:
    """Patches of one level [N, P, 147] -> along each direction, in order: [DIRECTIONS, N · P].

    Each colour's mean and spread are made 0 and 1 first, as in the paper: what is compared is the
    shape of detail, not its strength.
    """
    points = patches.flatten(0, 1).unflatten(1, (3, -1))  # [N · P, 3, 49]
    points = points - points.mean((0, 2), keepdim=True)
    points = points / points.std((0, 2), keepdim=True).clamp(min=1e-8)
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(DIRECTIONS, 3 * SIDE**2, generator=generator)
    directions = (directions / directions.norm(dim=1, keepdim=True)).to(points.device)
    return (directions @ points.flatten(1).T).sort(1).values


def sliced_wasserstein(a: Tensor, b: Tensor) -> Tensor:
    """1,000 times the mean distance between two sets, both from `project`, of equally many patches.

    Returns float32 []. In one dimension, the Wasserstein distance is the mean distance of equal
    ranks.
    """
    return 1000 * (a - b).abs().mean()
