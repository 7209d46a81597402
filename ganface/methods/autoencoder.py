"""An auto-encoder: E reduces an image to a code z, and G, the decoder, makes the image of it again.

Both learn from the distance between the two pictures. Nobody tells G what a code must look like:
from codes that E gives it draws faces, from codes drawn at random it hardly ever does, which is why
the lecture goes on to the VAE and the GAN. Hinton and Salakhutdinov 2006, "Reducing the
Dimensionality of Data with Neural Networks".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ganface.config.settings import setting
from ganface.methods.base import (
    Batch,
    Footprint,
    Method,
    MethodConfig,
    Panel,
    Sheet,
    TrainState,
)
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

    from ganface.methods.probe import Probe

ERRORS = ("error_seen", "error_held_out")
WINDOW = 3  # diagnostics of which the median counts
BY_HEART = 1.5  # of the error on seen images: what that on others is when E and G know the former

LEARNED_BY_HEART = Verdict(
    "E and G know their images by heart",
    "others come out much worse; add images, or start again with a smaller --z-dim",
)


@dataclass(frozen=True)
class ReconstructingConfig(MethodConfig):
    """Of methods whose G learns to make images again."""

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        """A lone loss that falls allows more than a GAN's two do."""
        return {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "norm": "batch"}


@dataclass(frozen=True)
class AutoencoderConfig(ReconstructingConfig):
    TITLE = "Method autoencoder: as the decoder of an auto-encoder"

    recon: Literal["l1", "l2"] = setting(
        "l1", "Distance between an image and its reconstruction: absolute or squared."
    )


class Autoencoder(Method):
    name = "autoencoder"
    title = "Auto-encoder"
    networks: ClassVar[tuple[str, ...]] = ("E", "G")
    averaged: ClassVar[tuple[str, ...]] = ("E", "G")
    Config: ClassVar[type[MethodConfig]] = AutoencoderConfig
    metrics: ClassVar[tuple[str, ...]] = ("loss_recon", "grad_E", "grad_G")
    diagnostics: ClassVar[tuple[str, ...]] = (*ERRORS, "diversity", "diversity_reals")
    may_be_missing = frozenset({"error_held_out"})
    display = "loss_recon {loss_recon:.4f}"
    panels: ClassVar[tuple[Panel, ...]] = (
        Panel(
            "reconstruction error",
            {
                "loss_recon": "while learning",
                "error_seen": "of images that are learned from",
                "error_held_out": "of images held out",
            },
            log=True,
        ),
        Panel("length of E's and G's gradients", {"grad_E": "of E", "grad_G": "of G"}, log=True),
        Panel(
            "how unlike each other faces are",
            {"diversity": "from random codes", "diversity_reals": "real"},
        ),
    )

    @property
    def distance(self) -> Callable[[Tensor, Tensor], Tensor]:
        from ganface.losses.reconstruction import RECONSTRUCTION

        return RECONSTRUCTION[self.config.recon]

    def build(self) -> TrainState:
        from ganface.methods.parts import initial_state

        return initial_state(self)

    def footprint(self) -> Footprint:
        return Footprint((("E", 1), ("G", 1)), image_copies=2)

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:  # noqa: ARG002
        """Update E and G together, by the distance of G(E(x)) from x."""
        import torch

        from ganface.methods.parts import descend

        E, G = state.networks["E"], state.networks["G"]
        (batch,) = batches
        with self.compute.autocast():
            images = G(E(batch.reals))
        loss = self.distance(images.float(), batch.reals)
        return torch.stack([loss.detach(), *descend(state, loss, "E", "G")])

    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        import torch

        from ganface.methods.parts import diversity, observed

        E, G = state.networks["E"], state.networks["G"]

        def error(images: Tensor) -> Tensor:
            if not len(images):
                return torch.full((), torch.nan, device=self.compute.device)
            return self.distance(G(E(images)).float(), images)

        with torch.no_grad(), observed(E), observed(G), self.compute.autocast():
            errors = error(probe.seen), error(probe.held_out)
            return torch.stack([*errors, diversity(G(probe.z)), diversity(probe.seen)])

    def recalibrate(self, state: TrainState, probe: Probe) -> None:
        """On images: G's statistics are those of codes that E gives."""
        import torch

        from ganface.models.ema import recalibrate

        with self.compute.autocast():
            recalibrate(state.ema["E"], probe.calibration_images)
            with torch.no_grad():
                codes = self.codes(state, probe)
            recalibrate(state.ema["G"], codes)

    def codes(self, state: TrainState, probe: Probe) -> tuple[Tensor, ...]:
        """Those of the probe's images: [B, z_dim] each."""
        return tuple(state.ema["E"](images) for images in probe.calibration_images)

    def pictures(self, state: TrainState, probe: Probe) -> dict[str, Sheet]:
        """Originals, held out if there are any, and below each its reconstruction."""
        import torch

        from ganface.methods.parts import SHOWN, beside_originals

        images = (probe.held_out if len(probe.held_out) >= SHOWN else probe.seen)[: 4 * SHOWN]
        with torch.inference_mode():
            again = state.ema["G"](state.ema["E"](images))
        return {"reconstructions": beside_originals(images, again)}

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        from statistics import median

        both = with_figures(ERRORS, lines)[-WINDOW:]
        if not lines or lines[-1]["step"] < FACES_BY:
            return EARLY
        if len(both) == WINDOW:
            seen, held_out = (median(line[name] for line in both) for name in ERRORS)
            if held_out > BY_HEART * seen:
                return LEARNED_BY_HEART
        return HEALTHY

    @classmethod
    def relevant(cls, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return newest_and_those_with(("step",), (ERRORS,), lines[-10 * WINDOW :])
