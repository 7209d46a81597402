"""Seeds -> z."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def z_of(seeds: Iterable[int], z_dim: int) -> Tensor:
    """z [len(seeds), z_dim] from N(0, I), each by a generator of its own: one seed, one face."""
    return torch.stack(
        [torch.randn(z_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )
