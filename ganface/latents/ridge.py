"""Ridge regression, judged by leaving out each point in turn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PENALTIES = tuple(10.0**power for power in range(-6, 3))  # in units of x's mean squared length


@dataclass(frozen=True)
class Ridge:
    """y ≈ x @ weights + offset. All in float64."""

    weights: Tensor  # [d, M]
    offset: Tensor  # [M]
    r2: Tensor  # [M], at most 1: the share of each y's variance that is foretold of points left out

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, d] -> [N, M]."""
        return x.double() @ self.weights + self.offset


def ridge(x: Tensor, y: Tensor) -> Ridge:
    """Fit M targets y [N, M] by x [N, d], N at least 3, each with the penalty that suits it.

    That is the one of PENALTIES with the best R² by leave-one-out cross-validation, which for ridge
    takes one fit: Allen 1974, "The Relationship between Variable Selection and Data Augmentation
    and a Method for Prediction". A constant y has an R² of 0.
    """
    x, y = x.double(), y.double()
    mean_x, mean_y = x.mean(0), y.mean(0)
    # x - mean = U diag(s) Vᵀ: of all penalties the fit is a rescaling in these coordinates
    U, s, V = torch.linalg.svd(x - mean_x, full_matrices=False)
    y = y - mean_y
    inner = U.T @ y
    total = y.square().sum(0)
    scale = s.square().mean()
    fits = []
    for penalty in PENALTIES:
        shrunk = s.square() / (s.square() + penalty * scale)
        # How much of its own y each point's fit is made of; the offset gives each 1/N
        own = (U.square() @ shrunk + 1 / len(x)).clamp(max=1 - 1e-9)
        left_out = (y - U @ (shrunk[:, None] * inner)) / (1 - own)[:, None]
        r2 = torch.where(total > 0, 1 - left_out.square().sum(0) / total, 0)
        fits.append((r2, V.T @ ((s / (s.square() + penalty * scale))[:, None] * inner)))
    r2s = torch.stack([r2 for r2, _ in fits])  # [P, M]
    chosen = r2s.argmax(0)  # [M]
    columns = torch.arange(y.shape[1])
    weights = torch.stack([weights for _, weights in fits])[chosen, :, columns].T
    return Ridge(weights, mean_y - mean_x @ weights, r2s[chosen, columns])
