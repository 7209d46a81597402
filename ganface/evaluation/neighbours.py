"""Distances between two sets of points, a block of rows at a time: memory stays small."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 2**24  # distances held at once: 64 MiB


def distance_blocks(a: Tensor, b: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield (rows, distances [rows, M]) of points [N, d] from points [M, d], float32, in order."""
    size = max(1, BLOCK // len(b))
    # cdist takes differences of squares: around the middle of all, these lose the fewest digits
    middle = b.mean(0)
    b = b - middle
    for start in range(0, len(a), size):
        rows = slice(start, start + size)
        yield rows, torch.cdist(a[rows] - middle, b)


def kth_distance(points: Tensor, k: int) -> Tensor:
    """From each of the points [N, d] to its k-th nearest other one: [N], for N above k."""
    blocks = (block for _, block in distance_blocks(points, points))
    # The nearest of all is the point itself
    return torch.cat([block.kthvalue(k + 1, dim=1).values for block in blocks])


def mean_distance(points: Tensor) -> float:
    """The mean over all pairs of the points [N, d], N at least 2."""
    total = sum(block.double().sum().item() for _, block in distance_blocks(points, points))
    return total / (len(points) * (len(points) - 1))
