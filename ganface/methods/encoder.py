"""An encoder for a generator that is finished: G stays as it is, and E learns to find z.

Of G's own faces z is known, and E learns it. Of real ones it is not: there E learns from how unlike
G(E(x)) and x are, through G. Together they make the first guess from which `ganface project`
descends: Zhu, Krähenbühl, Shechtman and Efros 2016, "Generative Visual Manipulation on the Natural
Image Manifold" (arXiv:1609.03552), section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganface.config.architecture import DcganConfig
from ganface.config.settings import setting
from ganface.errors import UserError
from ganface.methods.autoencoder import ERRORS, LEARNED_BY_HEART, Autoencoder
from ganface.methods.base import Batch, Footprint, MethodConfig, Panel, TrainState
from ganface.methods.verdict import Verdict

if TYPE_CHECKING:
    from torch import Tensor

    from ganface.methods.probe import Probe

LATENT, PRIOR = 0.1, 0.01  # weights of E's error in z, and of real faces' mean z²

BY_HEART = Verdict(
    "E knows its images by heart", "others come out much worse; add images, or give fewer --steps"
)


@dataclass(frozen=True)
class EncoderConfig(MethodConfig):
    TITLE = "Method encoder: G is a finished one; E learns to find faces in its latent space"

    of: str | None = setting(
        None,
        "The run, checkpoint or snapshot whose G is to have an encoder.",
    )

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """A lone loss that falls allows more than a GAN's two do; G's score stays as it is."""
        return {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "evaluate_every": 0, "steps": 3000}

    def check(self, architecture: DcganConfig) -> None:  # noqa: ARG002
        if self.of is None:
            raise UserError("--method encoder: needs a G that is finished; add --of MODEL")


class EncoderOfG(Autoencoder):
    name = "encoder"
    title = "Encoder"
    networks = ("E",)
    frozen = ("G",)
    averaged = ("E", "G")
    Config = EncoderConfig
    metrics = ("loss", "loss_z", "loss_recon", "grad_E")
    diagnostics = ERRORS
    display = "error {loss_recon:.4f}, of z {loss_z:.3f}"
    panels = (
        Panel(
            "mean squared error of G(E(x))",
            {
                "loss_recon": "while learning",
                "error_seen": "of images that are learned from",
                "error_held_out": "of images held out",
            },
            log=True,
        ),
        Panel("error of z, of G's own faces", {"loss_z": "1: that of a guess of 0"}, log=True),
        Panel("length of E's gradient", {"grad_E": "of E"}, log=True),
    )
    config: EncoderConfig

    def start(self, state: TrainState) -> list[str]:
        """Give `state` the G of --of. Raises UserError if it cannot be had, or does not fit."""
        from ganface.io.run import find_model
        from ganface.models.snapshot import load_generator

        path = find_model(Path(str(self.config.of)))
        G, meta = load_generator(path)
        if G.config.size != self.architecture.size:
            raise UserError(
                f"{path}: draws faces of {G.config.size} pixels, the images have other ones"
            )
        try:
            for network in (state.networks["G"], state.ema["G"]):
                network.load_state_dict(G.state_dict())
        except RuntimeError as error:
            raise UserError(f"{path}: its G is not built as this training's") from error
        return [f"an encoder for G of {path}, step {meta['step']:,}"]

    def footprint(self) -> Footprint:
        return Footprint((("E", 2), ("G", 1)), image_copies=4)

    def noise(self, step: int, count: int) -> dict[str, Tensor]:
        return {"z": self.random_z(step, count)}

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:  # noqa: ARG002
        """Update E, by z of G's faces and by G's faces of real images' codes."""
        import torch

        from ganface.losses.reconstruction import l2
        from ganface.methods.parts import descend

        E, G = state.networks["E"], state.networks["G"]
        (batch,) = batches
        reals, z = batch.reals, batch.noise["z"]
        with self.compute.autocast():
            with torch.no_grad():
                fakes = G(z)
            found, codes = E(torch.cat([fakes, reals.to(fakes.dtype)])).chunk(2)
            again = G(codes)
        of_z, error = l2(found.float(), z), l2(again.float(), reals)
        loss = error + LATENT * of_z + PRIOR * codes.float().square().mean()
        return torch.stack([loss, of_z, error, *descend(state, loss, "E")]).detach()

    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        import torch

        from ganface.losses.reconstruction import l2
        from ganface.methods.parts import observed

        E, G = state.networks["E"], state.networks["G"]

        def error(images: Tensor) -> Tensor:
            if not len(images):
                return torch.full((), torch.nan, device=self.compute.device)
            return l2(G(E(images)).float(), images)

        with torch.no_grad(), observed(E), self.compute.autocast():
            return torch.stack([error(probe.seen), error(probe.held_out)])

    def recalibrate(self, state: TrainState, probe: Probe) -> None:
        """E alone: G's statistics are those that it came with."""
        from ganface.models.ema import recalibrate

        with self.compute.autocast():
            recalibrate(state.ema["E"], probe.calibration_images)

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        verdict = super().judge(lines)
        return BY_HEART if verdict == LEARNED_BY_HEART else verdict
