"""α-GAN: an auto-encoder whose pictures a discriminator judges, and whose codes another one does.

D makes G draw sharply, from codes as from z, where a distance alone blurs; C, the discriminator of
codes, has E spread its codes like z, as the VAE's KL does; and the distance ties a picture to its
image, so that G cannot draw a few faces alone. Rosca, Lakshminarayanan, Warde-Farley and Mohamed
2017, "Variational Approaches for Auto-Encoding Generative Adversarial Networks"
(arXiv:1706.04987), algorithm 1 of its second version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganface.config.settings import at_least, setting
from ganface.methods import gan_verdict
from ganface.methods.autoencoder import Autoencoder
from ganface.methods.base import Batch, Footprint, MethodConfig, Panel, TrainState
from ganface.methods.gan import REG_INTERVAL
from ganface.methods.verdict import EARLY, HEALTHY, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from ganface.methods.probe import Probe

ADVICE = "start again with a higher --r1, a lower --lr, or more images"


@dataclass(frozen=True)
class AlphaGanConfig(MethodConfig):
    TITLE = "Method alphagan: as a decoder, against discriminators of images and of codes"

    recon_weight: float = setting(
        50.0, "Weight of the distance of a reconstruction, beside what D and C say.", at_least(0)
    )
    r1: float = setting(0.15, "Weight of R1, D's gradient at reals; for a size of 64.", at_least(0))

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        return {"beta1": 0.5, "beta2": 0.99}


class AlphaGan(Autoencoder):
    name = "alphagan"
    title = "α-GAN"
    networks = ("E", "G", "D", "C")
    averaged = ("E", "G")
    Config = AlphaGanConfig
    metrics = (
        *("loss_D", "loss_C", "loss_G", "loss_recon"),
        *("D_x", "D_Gz", "D_recon", "C_z", "C_code"),
        *("accuracy_real", "accuracy_fake", "grad_E", "grad_G", "grad_D", "grad_C"),
    )
    diagnostics = (*Autoencoder.diagnostics, "pace_D", "pace_G")
    display = "error {loss_recon:.3f}, D(x) {D_x:.2f}, D(G(z)) {D_Gz:.2f}, C(E(x)) {C_code:.2f}"
    panels = (
        Autoencoder.panels[0],
        Panel(
            "how real D finds images",
            {"D_x": "D(x)", "D_Gz": "D(G(z))", "D_recon": "D(G(E(x)))"},
            (0, 1),
        ),
        Panel("how much C takes codes for z", {"C_z": "C(z)", "C_code": "C(E(x))"}, (0, 1)),
        Panel("losses", {"loss_D": "loss_D", "loss_C": "loss_C"}),
        Panel(
            "length of the gradients",
            {"grad_E": "of E", "grad_G": "of G", "grad_D": "of D", "grad_C": "of C"},
            log=True,
        ),
        Autoencoder.panels[2],
    )
    config: AlphaGanConfig

    @property
    def distance(self) -> Callable[[Tensor, Tensor], Tensor]:
        from ganface.losses.reconstruction import l1

        return l1

    @property
    def reg_interval(self) -> int:
        return REG_INTERVAL if self.config.r1 else 0

    def footprint(self) -> Footprint:
        penalties = (("D", 0.5),) if self.config.r1 else ()
        return Footprint((("E", 1), ("G", 2), ("D", 3)), penalties, image_copies=5)

    def noise(self, step: int, count: int) -> dict[str, Tensor]:
        return {"z": self.random_z(step, count)}

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:
        """Update D and C, then E and G."""
        import torch

        from ganface.losses.adversarial import non_saturating_loss_D
        from ganface.methods.parts import descend, frozen

        E, G, D, C = (state.networks[name] for name in self.networks)
        (batch,) = batches
        reals, z = batch.reals, batch.noise["z"]
        with self.compute.autocast():
            codes = E(reals)
            again, fakes = G(codes), G(z)

        # (1) Update D, to tell reals from both kinds of G's images, and C, to tell z from codes
        with self.compute.autocast():
            images = torch.cat([reals.to(fakes.dtype), again, fakes])
            real_logits, again_logits, fake_logits = D(images.detach(), parts=3).float().chunk(3)
            z_logits, code_logits = C(torch.cat([z, codes.float().detach()])).float().chunk(2)
        # Reals count once against each kind, for a tie to be a logit of 0; in the paper once
        loss_D = non_saturating_loss_D(real_logits, fake_logits)
        loss_D = loss_D + non_saturating_loss_D(real_logits, again_logits)
        loss_C = non_saturating_loss_D(z_logits, code_logits)
        (grad_D,) = descend(state, loss_D + self._penalty(D, reals, apply_reg), "D")
        (grad_C,) = descend(state, loss_C, "C")

        # (2) Update E and G, to bring images back, and to have both taken for real. The paper's
        #     -log D + log(1 - D) is -1 times the logit. E hears of D as well, through G
        with frozen(D), frozen(C), self.compute.autocast():
            judged = D(images[len(reals) :], parts=2).float()
            judged_codes = C(codes.float()).float()
        error = self.distance(again.float(), reals)
        loss_G = -(2 * judged.mean() + judged_codes.mean())  # 2: of both kinds of images
        grads = descend(state, self.config.recon_weight * error + loss_G, "E", "G")

        D_logits = torch.stack([real_logits, fake_logits, again_logits]).detach()
        C_logits = torch.stack([z_logits, code_logits]).detach()
        right = torch.stack([D_logits[0] > 0, D_logits[1] < 0]).float().mean(1)
        losses = torch.stack([loss_D, loss_C, loss_G, error]).detach()
        means = D_logits.sigmoid().mean(1), C_logits.sigmoid().mean(1)
        return torch.cat([losses, *means, right, torch.stack([*grads, grad_D, grad_C])])

    def _penalty(self, D: nn.Module, reals: Tensor, apply_reg: bool) -> Tensor | float:
        """R1 on half of the reals, for the REG_INTERVAL updates between two, as `Gan` has it."""
        from ganface.losses.penalties import weight_for, zero_centred

        if not (self.config.r1 and apply_reg):
            return 0.0
        weight = self.config.r1 * REG_INTERVAL * weight_for(reals.shape[-1])
        with self.compute.autocast():
            return weight * zero_centred(D, reals[: (len(reals) + 1) // 2]).mean()

    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        import torch

        from ganface.methods.parts import update_to_weight_ratio

        rate = self.optimizer.lr * self.optimizer.decay_at(state.step)
        paces = [update_to_weight_ratio(state.networks[name], rate) for name in ("D", "G")]
        return torch.cat([super().diagnose(state, probe), torch.stack(paces)])

    def recalibrate(self, state: TrainState, probe: Probe) -> None:
        """G's statistics are those of z, which C has E's codes look like."""
        from ganface.models.ema import recalibrate

        with self.compute.autocast():
            recalibrate(state.ema["E"], probe.calibration_images)
            recalibrate(state.ema["G"], probe.calibration_z)

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        """Of both games the worse."""
        verdict = gan_verdict.judge(lines)
        if verdict == HEALTHY:
            return super().judge(lines)
        # A GAN's advice has flags that this method has not
        return verdict if verdict == EARLY else Verdict(verdict.kind, ADVICE)

    @classmethod
    def relevant(cls, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return gan_verdict.relevant(lines)
