"""How directions in latent space are found along which faces change: unit vectors, float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganface.io.console import Track, untracked

EPSILON = 0.5  # half the distance over which a derivative is taken
SIDE_EFFECTS = 30.0  # weight of what else moves against what is to move, both squared


def jacobian_directions(
    draw: Callable[[Tensor], Tensor], z: Tensor, count: int, track: Track = untracked
) -> tuple[Tensor, Tensor]:
    """The directions along which what is drawn changes most: unit vectors [count, z_dim], and the
    share of all change that each makes, [count], falling.

    They are the leading eigenvectors of E[JᵀJ], where J is the Jacobian of draw by z, by central
    differences at the points z [N, z_dim]. draw: [B, z_dim] -> [B, d]. As in Ramesh, Choi and LeCun
    2018, "A Spectral Regularizer for Unsupervised Disentanglement" (arXiv:1812.01161), for one z.
    """
    z_dim = z.shape[1]
    steps = EPSILON * torch.eye(z_dim)
    total = torch.zeros(z_dim, z_dim, dtype=torch.float64)
    for point in track(z, len(z)):
        ahead, behind = draw(torch.cat([point + steps, point - steps])).double().chunk(2)
        columns = (ahead - behind) / (2 * EPSILON)  # Jᵀ [z_dim, d]
        total += columns @ columns.T / len(z)
    return leading(total, count)


def sefa_directions(weights: Sequence[Tensor], count: int) -> tuple[Tensor, Tensor]:
    """The directions that layers which read z react to most, by their weights [out, z_dim] alone.

    Returns what `jacobian_directions` does: the leading eigenvectors of AᵀA, where A are all these
    weights, below each other. Each layer counts the same, whatever the scale of its weights.
    Shen and Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs" (arXiv:2007.06600).
    """
    total = sum(matrix.T @ matrix / matrix.square().sum() for matrix in map(Tensor.double, weights))
    assert isinstance(total, Tensor)
    return leading(total, count)


def leading(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Unit eigenvectors [count, d] of a symmetric [d, d] with the largest eigenvalues, float32; and
    these eigenvalues as shares of all, float64 [count].

    The sign of each is such that its largest entry is positive.
    """
    values, vectors = torch.linalg.eigh(matrix)
    found = vectors.T.flip(0)[:count]
    signs = found.gather(1, found.abs().argmax(1, keepdim=True)).sign()
    shares = values.flip(0)[:count] / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
    return (found * signs).float(), shares


def conditional(own: Tensor, others: Tensor, weight: float = SIDE_EFFECTS) -> Tensor:
    """A direction that moves one thing and others hardly: a unit vector [d], float32.

    own [d]: the gradient of what is to move; others [M, d]: of all else; each in its own standard
    deviations. It is the d that makes |d - own|² + weight · |others · d|² least,
    scaled. With a weight of infinity it is orthogonal to the others, the conditional manipulation
    of Shen et al. 2020, "InterFaceGAN: Interpreting the Disentangled Face Representation Learned by
    GANs" (arXiv:2005.09635); that gives away more of the own move the more others there are.
    """
    own, others = own.double(), others.double()
    # Woodbury's identity: a system of the number of others, which infinity leaves sound
    inner = others @ others.T + torch.eye(len(others)) / weight
    left = own - others.T @ torch.linalg.lstsq(inner, others @ own).solution
    return (left / left.norm()).float()
