"""Coordinates of latent space in which a descent has as far to go one way as another.

Along some directions of z a face changes, squared, hundreds of times as much as along others. Adam
has a rate for each coordinate, but the entries of z are no such directions; the eigenvectors of
E[JᵀJ] are, where J is the Jacobian of what is drawn by z.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganface.latents import rng
from ganface.models.generate import BATCH

PROBES = 2  # of the outputs, at each point


def even_basis(
    outputs_of: Callable[[Tensor], Tensor], latents: Tensor, z_dim: int, error: float, prior: float
) -> Tensor:
    """B [D, D], float32: in coordinates p with z = B p the objective

        log(|outputs_of(z) - target|²) + prior · mean(z²)

    has about the same curvature in every direction, where the squared error is about `error`.

    outputs_of: [N, …] -> [N, d], which a gradient goes through. latents [N, …, z_dim + labels]:
    points like those that will be passed; labels stay, and D is the number of all else. By the
    Gauss-Newton approximation the curvature is 2 E[JᵀJ] / error + 2 · prior / D, with eigenvectors
    V and eigenvalues h; B is V / √h, scaled to a mean length of 1. E[JᵀJ] is that of gradients of
    the outputs' sums with random signs: Hutchinson 1990, "A Stochastic Estimator of the Trace of
    the Influence Matrix for Laplacian Smoothing Splines".
    """
    size = latents[0, ..., :z_dim].numel()
    total = torch.zeros(size, size, dtype=torch.float64)
    parts = latents.split(BATCH)
    for probe in range(PROBES):
        for i, part in enumerate(parts):
            part = part.clone().requires_grad_()
            outputs = outputs_of(part)
            signs = rng.uniform(0, "probes", probe * len(parts) + i, *outputs.shape).round() * 2 - 1
            [slopes] = torch.autograd.grad((outputs * signs.to(outputs.device)).sum(), part)
            slopes = slopes[..., :z_dim].flatten(1).cpu().double()
            total += slopes.T @ slopes
    values, vectors = torch.linalg.eigh(total / (PROBES * len(latents)))
    lengths = (2 * values.clamp(min=0) / error + 2 * prior / size).rsqrt()
    return (vectors * (lengths / lengths.mean())).float()
