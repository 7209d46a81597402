"""The losses of D and G, each a pure function of D's logits, averaged over the batch.

With D(x) = sigmoid(real_logits) and D(G(z)) = sigmoid(fake_logits), and softplus(a) = log(1 + e^a):
-log D = softplus(-logits) and -log(1 - D) = softplus(logits). In this form nothing overflows, and
no gradient is lost where the sigmoid is flat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

LossFunction = Callable[[Tensor, Tensor], Tensor]  # of real_logits and fake_logits, [B] each


@dataclass(frozen=True)
class Loss:
    """What D minimises, and what G does."""

    D: LossFunction
    G: LossFunction
    threshold: float | None = 0.0  # the logit between real and generated; None: differences count

    def decision_threshold(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor | float:
        """The logit that lies between real and generated.

        Where the loss itself fixes none, it is in the middle of the two means.
        """
        if self.threshold is None:
            return (real_logits.mean() + fake_logits.mean()) / 2
        return self.threshold


def non_saturating_loss_D(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))]; 2 log 2 where D cannot tell.

    Goodfellow et al. 2014, "Generative Adversarial Nets", equation 1.
    """
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def non_saturating_loss_G(_: Tensor, fake_logits: Tensor) -> Tensor:
    """-E[log D(G(z))]; log 2 where D cannot tell.

    Goodfellow et al. 2014, end of section 3: unlike E[log(1 - D(G(z)))], it has a strong gradient
    when D is sure that the images are generated.
    """
    return softplus(-fake_logits).mean()


def saturating_loss_G(_: Tensor, fake_logits: Tensor) -> Tensor:
    """E[log(1 - D(G(z)))]: G's side of the game as Goodfellow et al. 2014 first write it.

    When D is sure, its gradient is gone: the lecture's dead training can be seen with it.
    """
    return -softplus(fake_logits).mean()


def least_squares_loss_D(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """(E[(D(x) - 1)²] + E[D(G(z))²]) / 2, where D is the logit itself.

    Mao et al. 2017, "Least Squares Generative Adversarial Networks" (arXiv:1611.04076), eq. 9.
    """
    return ((real_logits - 1).square().mean() + fake_logits.square().mean()) / 2


def least_squares_loss_G(_: Tensor, fake_logits: Tensor) -> Tensor:
    """E[(D(G(z)) - 1)²] / 2. Mao et al. 2017, equation 9."""
    return (fake_logits - 1).square().mean() / 2


def hinge_loss_D(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))], where D is the logit itself.

    Lim and Ye 2017, "Geometric GAN" (arXiv:1705.02894); Miyato et al. 2018, equation 16.
    """
    return relu(1 - real_logits).mean() + relu(1 + fake_logits).mean()


def linear_loss_G(_: Tensor, fake_logits: Tensor) -> Tensor:
    """-E[D(G(z))], where D is the logit itself: G's side of the hinge and Wasserstein losses."""
    return -fake_logits.mean()


def wasserstein_loss_D(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[D(G(z))] - E[D(x)], where D is the logit itself and must be 1-Lipschitz.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs" (arXiv:1704.00028); its penalty
    is `ganface.losses.penalties.one_centred`.
    """
    return fake_logits.mean() - real_logits.mean()


def relativistic_loss_D(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[softplus(-(D(x) - D(G(z))))], each real image against one generated; log 2 for a tie.

    Jolicoeur-Martineau 2018, "The relativistic discriminator" (arXiv:1807.00734), section 4.1.
    """
    return softplus(fake_logits - real_logits).mean()


def relativistic_loss_G(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[softplus(-(D(G(z)) - D(x)))], likewise."""
    return softplus(real_logits - fake_logits).mean()


LOSSES = {
    "ns": Loss(non_saturating_loss_D, non_saturating_loss_G),
    "saturating": Loss(non_saturating_loss_D, saturating_loss_G),
    "lsgan": Loss(least_squares_loss_D, least_squares_loss_G, threshold=0.5),
    "hinge": Loss(hinge_loss_D, linear_loss_G),
    "wgan-gp": Loss(wasserstein_loss_D, linear_loss_G, threshold=None),
    "rpgan": Loss(relativistic_loss_D, relativistic_loss_G, threshold=None),
}
