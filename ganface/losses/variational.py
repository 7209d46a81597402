"""The two halves of a VAE's loss: how far codes are from N(0, I), and how unlikely images are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

LEAST_LOG_SIGMA = -6.0  # softly, so that a perfect reconstruction is not infinitely likely


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance), N(0, I)) in nats: [B] of two [B, z_dim].

    Kingma and Welling 2014, "Auto-Encoding Variational Bayes", appendix B.
    """
    return (log_variance.exp() + mean.square() - 1 - log_variance).sum(1) / 2


def optimal_gaussian_nll(error: Tensor) -> Tensor:
    """-log p(x), but for log(2π) / 2, in nats for each number of an image: [] of the mean squared
    error [], which is the variance of p that makes it least. p is a Gaussian about G's image.

    Rybkin, Daniilidis and Levine 2021, "Simple and Effective VAE Training with Calibrated Decoders"
    (arXiv:2006.13202), equation 5.
    """
    error = error.clamp_min(torch.finfo(error.dtype).tiny)  # the log has no derivative at 0
    log_sigma = LEAST_LOG_SIGMA + softplus(error.log() / 2 - LEAST_LOG_SIGMA)
    return log_sigma + error / (2 * (2 * log_sigma).exp())
