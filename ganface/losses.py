"""Losses as pairs of pure functions of D's logits, averaged over the batch.

With D(x) = sigmoid(real_logits) and D(G(z)) = sigmoid(fake_logits), and softplus(a) = log(1 + e^a):
-log D = softplus(-logits) and -log(1 - D) = softplus(logits). In this form nothing overflows, and
no gradient is lost where the sigmoid is flat.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def non_saturating_loss_D(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))], for logits [B] each; 2 log 2 where D cannot tell.

    Goodfellow et al. 2014, "Generative Adversarial Nets", equation 1.
    """
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def non_saturating_loss_G(fake_logits: Tensor) -> Tensor:
    """-E[log D(G(z))], for logits [B]; log 2 where D cannot tell.

    Goodfellow et al. 2014, end of section 3: unlike E[log(1 - D(G(z)))], it has a strong gradient
    when D is sure that the images are generated.
    """
    return softplus(-fake_logits).mean()
