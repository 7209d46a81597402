"""A code for each image of a dataset, in place of an encoder."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, embedding

from ganface.dataset.pack import Pack

CHUNK = 100  # images read at once


class Codes(nn.Module):
    """indices int64 [B] -> codes float32 [B, z_dim], one for each image: rows of `weight`."""

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(codes)

    def forward(self, indices: Tensor) -> Tensor:
        return embedding(indices, self.weight)

    @torch.no_grad()
    def into_ball(self) -> None:
        """Shorten, in place, codes that are longer than those from N(0, I) are: √z_dim."""
        radius, lengths = self.weight.shape[1] ** 0.5, self.weight.norm(dim=1, keepdim=True)
        # Those that lie on its surface, but for rounding, are left alone
        self.weight.mul_((radius / lengths).where(lengths > radius * (1 + 1e-5), 1.0))


def principal_codes(pack: Pack, z_dim: int, side: int) -> Tensor:
    """Where each image lies along the first z_dim principal components of all, each divided by its
    standard deviation: float32 [N, z_dim], with mean 0 and, as N(0, I) has, variance 1.

    side: of the images as PCA sees them, reduced; z_dim is at most 3 · side². Of fewer images than
    z_dim, the last numbers are 0.
    """
    numbers = 3 * side**2
    total = torch.zeros(numbers, dtype=torch.float64)
    products = torch.zeros(numbers, numbers, dtype=torch.float64)
    for part in _reduced(pack, side):
        total += part.sum(0)
        products += part.T @ part
    mean = total / len(pack)
    variances, components = torch.linalg.eigh(products / len(pack) - mean.outer(mean))
    variances, components = variances.flip(0)[:z_dim], components.flip(1)[:, :z_dim]
    # Either direction is as good: the largest number is made positive
    signs = components.gather(0, components.abs().argmax(0, keepdim=True)).sign()
    real = variances > 1e-9 * variances[0]
    scaled = components * signs * real / variances.clamp(min=1e-12).sqrt()
    return torch.cat([(part - mean) @ scaled for part in _reduced(pack, side)]).float()


def _reduced(pack: Pack, side: int) -> Iterator[Tensor]:
    """float64 [n, 3 · side²], all images in order."""
    for start in range(0, len(pack), CHUNK):
        images = pack.batch(list(range(start, min(start + CHUNK, len(pack)))))
        yield adaptive_avg_pool2d(images.float(), side).flatten(1).double()
