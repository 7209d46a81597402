"""The Fréchet distance of two sets of features, taken for Gaussians."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    mean: Tensor  # float64 [d]
    covariance: Tensor  # float64 [d, d]


def gaussian_of(features: Tensor) -> Gaussian:
    """Mean and unbiased covariance of features [N, d], N at least 2."""
    features = features.double()
    return Gaussian(features.mean(0), torch.cov(features.T).reshape(2 * (features.shape[1],)))


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """|m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½): the squared distance, 0 for equal Gaussians.

    Dowson and Landau 1982, "The Fréchet distance between multivariate normal distributions"; of
    features, Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule" (the FID).
    C_a C_b has the eigenvalues of R C_b R with R = C_a^½, which is symmetric: unlike those of the
    product they are never complex, and what is below 0 is rounding.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    shared = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    apart = (a.mean - b.mean).square().sum()
    spread = a.covariance.trace() + b.covariance.trace()
    return max(0.0, (apart + spread - 2 * shared).item())
