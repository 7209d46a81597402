"""A VAE: an auto-encoder whose codes are drawn with noise, so that what lies between them decodes
as well, and are drawn towards N(0, I), so that z from there may draw faces.

For each image E gives the mean of a code and the log of its variance. Kingma and Welling 2014,
"Auto-Encoding Variational Bayes" (arXiv:1312.6114). How exact G must be is not set but measured:
Rybkin, Daniilidis and Levine 2021, "Simple and Effective VAE Training with Calibrated Decoders"
(arXiv:2006.13202), section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganface.config.settings import at_least, setting
from ganface.methods.autoencoder import Autoencoder, ReconstructingConfig
from ganface.methods.base import Batch, Panel, Sheet, TrainState
from ganface.methods.verdict import HEALTHY, Verdict, with_figures

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganface.methods.probe import Probe

NOTHING = 0.1  # nats that a code says of its image: what is no more than chance

CODES_SAY_NOTHING = Verdict(
    "codes say nothing of their images",
    "G draws the mean image whatever the code; start again with a smaller --beta",
)


@dataclass(frozen=True)
class VaeConfig(ReconstructingConfig):
    TITLE = "Method vae: as the decoder of a variational auto-encoder"

    beta: float = setting(
        1.0,
        "Weight of the codes' distance from N(0, I). With more z draws better, and all is blurred.",
        at_least(0),
    )


class Vae(Autoencoder):
    name = "vae"
    title = "VAE"
    networks = ("E", "log_variance", "G")
    averaged = networks
    Config = VaeConfig
    metrics = ("loss", "loss_recon", "KL", "grad_E", "grad_log_variance", "grad_G")
    display = "loss {loss:.4f}, error {loss_recon:.4f}, KL {KL:.1f}"
    panels = (
        Autoencoder.panels[0],
        Panel("nats that a code says of its image", {"KL": "KL"}),
        Panel("length of E's and G's gradients", {"grad_E": "of E", "grad_G": "of G"}, log=True),
        Autoencoder.panels[2],
    )

    @property
    def distance(self) -> Callable[[Tensor, Tensor], Tensor]:
        from ganface.losses.reconstruction import l2

        return l2

    def noise(self, step: int, count: int) -> dict[str, Tensor]:
        """code [count, z_dim] from N(0, I): each code's noise, in standard deviations."""
        from ganface.latents import rng

        return {"code": rng.normal(self.seed, "code", step, count, self.architecture.z_dim)}

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:  # noqa: ARG002
        """Update E, its two heads, and G together: -log p(x | z) + beta · KL(q(z | x), N(0, I))."""
        import torch

        from ganface.losses.variational import gaussian_kl, optimal_gaussian_nll
        from ganface.methods.parts import descend

        E, log_variance_of, G = (state.networks[name] for name in self.networks)
        (batch,) = batches
        with self.compute.autocast():
            mean, log_variance = posterior(E, log_variance_of, batch.reals)
            images = G(noisy(mean, log_variance, batch.noise["code"]))
        error = self.distance(images.float(), batch.reals)
        KL = gaussian_kl(mean, log_variance).mean()
        # Both in nats for each of the image's numbers: their sums, which the bound asks for, would
        # be out of fp16's range
        loss = optimal_gaussian_nll(error) + self.config.beta * KL / batch.reals[0].numel()
        metrics = torch.stack([loss, error, KL]).detach()
        return torch.cat([metrics, torch.stack(descend(state, loss, *self.networks))])

    def codes(self, state: TrainState, probe: Probe) -> tuple[Tensor, ...]:
        """With their noise, as G is given them."""
        E, log_variance_of, _ = (state.ema[name] for name in self.averaged)
        both = zip(probe.calibration_images, probe.calibration_z, strict=True)
        return tuple(noisy(*posterior(E, log_variance_of, x), noise) for x, noise in both)

    def pictures(self, state: TrainState, probe: Probe) -> dict[str, Sheet]:
        """Reconstructions, and faces of codes from the Gaussian that fits those of the images."""
        import torch

        from ganface.methods.parts import faces_like

        with torch.inference_mode():
            codes = torch.cat(self.codes(state, probe))
        fitted = faces_like(codes, state.ema["G"], self.seed)
        return {**super().pictures(state, probe), "fitted": fitted}

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        verdict = super().judge(lines)
        found = with_figures(("KL",), lines)
        if verdict == HEALTHY and found and found[-1]["KL"] < NOTHING:
            return CODES_SAY_NOTHING
        return verdict


def posterior(E: Any, log_variance_of: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the log of the variance of q(z | x): float32 [B, z_dim] each.

    E: an Encoder; log_variance_of: a LogVariance.
    """
    features = E.features(images)
    return E.head(features).float(), log_variance_of(features).float()


def noisy(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Codes [B, z_dim] drawn from q(z | x), by noise from N(0, I)."""
    return mean + (log_variance / 2).exp() * noise
