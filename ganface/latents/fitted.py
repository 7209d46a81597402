"""Draws that are like given points, as far as their mean and covariance go."""

from __future__ import annotations

from torch import Tensor


def fitted(points: Tensor, weights: Tensor) -> Tensor:
    """Draws [F, d] from the Gaussian with mean and covariance of `points` [N, d].

    weights: [F, N] from N(0, 1). Sums of points by them have that covariance, which itself would
    take much memory where d is large.
    """
    mean = points.mean(0)
    return mean + weights @ (points - mean) / (len(points) - 1) ** 0.5
