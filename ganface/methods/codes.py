"""The generator alone, by supervision: each image has a code, and G learns to draw it from that.

Everything hangs on where codes come from. Random ones do not work: images that are alike have codes
that are not. Those of a PCA do better, and those that are learned together with G best:
Bojanowski, Joulin, Lopez-Paz and Szlam 2018, "Optimizing the Latent Space of Generative Networks"
(arXiv:1707.05776), which begins with PCA and keeps codes in a ball.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, cast

from ganface.config.architecture import DcganConfig
from ganface.config.settings import a_rate, setting
from ganface.errors import UserError
from ganface.methods.autoencoder import ReconstructingConfig
from ganface.methods.base import Batch, Footprint, Method, Panel, Sheet, TrainState
from ganface.methods.verdict import (
    EARLY,
    FACES_BY,
    HEALTHY,
    Verdict,
    newest_and_those_with,
    with_figures,
)

if TYPE_CHECKING:
    from torch import Tensor

    from ganface.dataset.pack import Pack
    from ganface.methods.probe import Probe
    from ganface.models.codes import Codes

COARSE = 16  # pixels a side of what PCA sees of an image
ERRORS = ("error_seen", "error_of_mean")
WINDOW = 3  # diagnostics of which the median counts
GHOSTS = 0.5  # of the mean image's error: what is left where codes say little of their images

CODES_SAY_LITTLE = Verdict(
    "codes say little of their images",
    "G draws ghosts near the mean image, for images that are alike have codes that are not; "
    "start again with --codes pca or learned, or with more --steps",
)


@dataclass(frozen=True)
class CodesConfig(ReconstructingConfig):
    TITLE = "Method codes: from a code for each image, by supervision"

    codes: Literal["random", "pca", "learned"] = setting(
        "learned",
        "Where each image's code comes from: chance, the principal components of all images, or "
        "those as a start and then learned like G.",
    )
    lr_codes: float = setting(0.01, "Learning rate of learned codes.", a_rate)

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """A code cannot stand for an image and its mirror image both."""
        return {**super().defaults(given), "flip": False}

    def check(self, architecture: DcganConfig) -> None:
        if self.codes != "random" and architecture.z_dim > 3 * COARSE**2:
            raise UserError(
                f"--codes {self.codes}: PCA gives codes of {3 * COARSE**2} numbers at most; "
                "give a smaller --z-dim"
            )


class FromCodes(Method):
    name = "codes"
    title = "Generator alone"
    networks = ("G",)
    Config = CodesConfig
    metrics = ("loss_recon", "grad_codes", "grad_G")
    diagnostics = (*ERRORS, "diversity", "diversity_reals")
    display = "loss_recon {loss_recon:.4f}"
    panels = (
        Panel(
            "mean squared error",
            {"error_seen": "of what G draws of its images", "error_of_mean": "of the mean image"},
            log=True,
        ),
        Panel("loss", {"loss_recon": "over all scales of detail"}, log=True),
        Panel(
            "how unlike each other faces are",
            {"diversity": "from random codes", "diversity_reals": "real"},
        ),
    )
    config: CodesConfig

    @property
    def learned(self) -> bool:
        return self.config.codes == "learned"

    def build(self) -> TrainState:
        from ganface.methods.parts import initial_state

        return initial_state(self)

    def prepare(self, state: TrainState, pack: Pack) -> None:
        from ganface.latents import rng
        from ganface.methods.parts import adam
        from ganface.models.codes import Codes, principal_codes

        z_dim = self.architecture.z_dim
        if self.config.codes == "random":
            start = rng.normal(self.seed, "codes", 0, len(pack), z_dim)
        else:
            start = principal_codes(pack, z_dim, COARSE)
        codes = Codes(start).to(self.compute.device).requires_grad_(self.learned)
        state.networks["codes"] = codes
        if self.learned:
            codes.into_ball()
            state.optimizers["codes"] = adam(codes, self.optimizer, self.compute)

    def footprint(self) -> Footprint:
        z_dim = self.architecture.z_dim
        # Adam has two moments for each number that is learned
        return Footprint((("G", 1),), (), 4, 3 * z_dim if self.learned else z_dim)

    def rates(self) -> dict[str, float]:
        of_codes = {"codes": self.config.lr_codes} if self.learned else {}
        return {**super().rates(), **of_codes}

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:  # noqa: ARG002
        """Update G, and learned codes, by the distance of G(an image's code) from the image."""
        import torch

        from ganface.losses.reconstruction import laplacian_l1
        from ganface.methods.parts import descend

        G, codes = state.networks["G"], cast("Codes", state.networks["codes"])
        (batch,) = batches
        with self.compute.autocast():
            images = G(codes(batch.indices))
        loss = laplacian_l1(images.float(), batch.reals)
        if self.learned:
            grad_codes, grad_G = descend(state, loss, "codes", "G")
            codes.into_ball()
        else:
            (grad_G,) = descend(state, loss, "G")
            grad_codes = torch.zeros_like(grad_G)
        return torch.stack([loss.detach(), grad_codes, grad_G])

    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        import torch

        from ganface.losses.reconstruction import l2
        from ganface.methods.parts import diversity, observed

        G, codes = state.networks["G"], state.networks["codes"]
        with torch.no_grad(), observed(G), self.compute.autocast():
            error = l2(G(codes(probe.seen_indices)).float(), probe.seen)
            of_mean = l2(probe.seen.mean(0), probe.seen)
            return torch.stack([error, of_mean, diversity(G(probe.z)), diversity(probe.seen)])

    def recalibrate(self, state: TrainState, probe: Probe) -> None:
        """On codes of images."""
        import torch

        from ganface.models.ema import recalibrate

        with self.compute.autocast(), torch.no_grad():
            recalibrate(state.ema["G"], self._calibration_codes(state, probe))

    def _calibration_codes(self, state: TrainState, probe: Probe) -> tuple[Tensor, ...]:
        codes = state.networks["codes"]
        return tuple(codes(indices) for indices in probe.calibration_indices)

    def pictures(self, state: TrainState, probe: Probe) -> dict[str, Sheet]:
        """Images and what G draws from their codes; and faces from the Gaussian that fits codes."""
        import torch

        from ganface.methods.parts import SHOWN, beside_originals, faces_like

        G, codes, shown = state.ema["G"], state.networks["codes"], 4 * SHOWN
        with torch.inference_mode():
            again = G(codes(probe.seen_indices[:shown]))
            known = torch.cat(self._calibration_codes(state, probe))
        return {
            "reconstructions": beside_originals(probe.seen[:shown], again),
            "fitted": faces_like(known, G, self.seed),
        }

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        found = with_figures(ERRORS, lines)[-WINDOW:]
        if not lines or lines[-1]["step"] < FACES_BY or len(found) < WINDOW:
            return EARLY
        error, of_mean = (median(line[name] for line in found) for name in ERRORS)
        return CODES_SAY_LITTLE if error > GHOSTS * of_mean else HEALTHY

    @classmethod
    def relevant(cls, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return newest_and_those_with(("step",), (ERRORS,), lines[-10 * WINDOW :])
