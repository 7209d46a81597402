"""Density and coverage: are the samples where the reals are, and are they wherever those are?"""

from __future__ import annotations

import torch
from torch import Tensor

from ganface.evaluation.neighbours import distance_blocks, kth_distance

NEIGHBOURS = 5


def neighbourhoods(reals: Tensor) -> Tensor:
    """How far each of the features [N, d] is from its fifth neighbour: [N], for N above 5."""
    return kth_distance(reals, NEIGHBOURS)


def density_and_coverage(reals: Tensor, radii: Tensor, fakes: Tensor) -> tuple[float, float]:
    """Of features [N, d] and [M, d]. `radii` [N]: the `neighbourhoods` of `reals`.

    Around each real lies a ball that reaches to its fifth neighbour. Density counts the balls that
    a fake lies in, over five: about 1 for fakes like the reals, more where they keep to what is
    common, less where they lie outside. Coverage is the share of balls with a fake in them: about
    1 - 2^-5 = 0.97 for fakes like the reals, and as many.
    Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models".
    """
    hits = 0
    covered = torch.zeros(len(reals), dtype=torch.bool)
    for _, distances in distance_blocks(fakes, reals):
        inside = distances <= radii  # copies of reals that are copies of each other are inside
        hits += int(inside.sum())
        covered |= inside.any(0)
    return hits / (NEIGHBOURS * len(fakes)), covered.double().mean().item()
