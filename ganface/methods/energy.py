"""A discriminator alone, which generates by climbing itself: an energy-based model.

The lecture asks whether D can generate. It can, by argmax over x of D(x), if it has learned from
good negatives; and those it makes itself:

(1)  D is fixed. From noise, climb to images that D takes for real: the negatives.
(2)  D learns to score real images high and the negatives low.

Yin, Li and Rohde 2020, "Learning Energy-Based Models With Adversarial Training"
(arXiv:2012.06568). As theirs, the ascent becomes longer while D tells the two well apart; unlike
theirs, it starts from noise, which is coarsely like real images: from the same noise in every pixel
D climbs to much the same faces. The one network is called G, for it draws; its weights are all D's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ganface.config.architecture import AscentConfig, AscentSettings, DcganConfig
from ganface.config.optimizer import OptimizerConfig
from ganface.config.settings import at_least, setting
from ganface.errors import UserError
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
    worse_since_best,
)

if TYPE_CHECKING:
    from torch import Tensor

    from ganface.dataset.pack import Pack
    from ganface.methods.probe import Probe
    from ganface.models.ascent import Ascent
    from ganface.system.device import Compute

# What the verdict looks at in every line, and in those that have it
FIGURES = ("accuracy_real", "accuracy_fake")
DIAGNOSTICS = ("rise", "diversity", "diversity_reals")
WINDOW = 3  # lines of which the median counts
FLAT = 0.1  # by which D's logit rises from noise to a face if D is flat; else by 5 or more
SURE = 0.99  # the share that D gets right when nothing that it climbs to passes for real
ALIKE = 0.15  # of the diversity of real images: too little where there should be faces

D_IS_FLAT = Verdict(
    "D is flat", "there is nothing to climb, and noise stays noise; start again with a smaller --r1"
)
OUT_OF_REACH = Verdict(
    "D is far ahead",
    "nothing that it climbs to passes for real; start again with more --ascent-steps, or with a "
    "larger --step-size",
)
STEPS_TOO_LONG = Verdict(
    "steps are too long",
    "they lead over what D takes for real, and down; start again with a smaller --step-size",
)
FACES_ALIKE = Verdict(
    "faces are alike",
    "D climbs to the same from any noise; start again with another --seed, or a larger --r1",
)


@dataclass(frozen=True)
class EnergyConfig(AscentSettings, MethodConfig):
    TITLE = "Method energy: as D itself, whose gradient is climbed from noise to a face"

    r1: float = setting(0.15, "Weight of R1, D's gradient at reals; for a size of 64.", at_least(0))

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG003
        return {"lr": 5e-4, "batch_size": 32}

    def check(self, architecture: DcganConfig) -> None:
        if architecture.norm == "batch":
            raise UserError(
                "--norm batch, which --preset dcgan brings: mixes images, and here each climbs by "
                "itself; leave it out"
            )
        if architecture.z_dim < 2:
            raise UserError("--z-dim 1: --method energy makes noise of two real images at least")
        if architecture.spectral_norm:
            raise UserError("--spectral-norm: --method energy keeps D flat by --r1; leave it out")


class Energy(Method):
    name = "energy"
    title = "D alone"
    networks: ClassVar[tuple[str, ...]] = ("G",)
    Config: ClassVar[type[MethodConfig]] = EnergyConfig
    # D's as they are before the update; grad_D is the length of the loss's gradient
    metrics: ClassVar[tuple[str, ...]] = (
        *("loss_D", "R1", "D_x", "D_Gz"),
        *("accuracy_real", "accuracy_fake", "grad_D"),
    )
    diagnostics = (
        "D_held_out",  # D on images that it does not learn from
        "rise",  # of D's logit from noise to the end of the ascent
        *("diversity", "diversity_reals"),  # how unlike each other faces are, and real images
    )
    may_be_missing = frozenset({"D_held_out"})
    display = "loss_D {loss_D:.3f}, D(x) {D_x:.2f}, D(G(z)) {D_Gz:.2f}"
    panels: ClassVar[tuple[Panel, ...]] = (
        Panel("loss", {"loss_D": "loss_D"}),
        Panel("how real D finds images", {"D_x": "D(x)", "D_Gz": "D(G(z))"}, (0, 1)),
        Panel(
            "what D gets right",
            {"accuracy_real": "of real images", "accuracy_fake": "of what it climbed to"},
            (0, 1),
            shares=True,
        ),
        Panel("steps from noise to G(z)", {"steps_climbed": "steps"}),
        Panel("length of D's gradients", {"grad_D": "in its weights", "R1": "R1"}, log=True),
        Panel("D's logit: how far climbing raises it", {"rise": "from noise to G(z)"}),
        Panel(
            "how unlike each other faces are", {"diversity": "generated", "diversity_reals": "real"}
        ),
    )
    config: EnergyConfig
    architecture: AscentConfig

    def __init__(
        self,
        config: EnergyConfig,
        architecture: DcganConfig,
        optimizer: OptimizerConfig,
        seed: int,
        compute: Compute,
    ) -> None:
        climbing = {name: getattr(config, name) for name in AscentSettings.flags()}
        network = AscentConfig(**dataclasses.asdict(architecture), **climbing)
        super().__init__(config, network, optimizer, seed, compute)

    def build(self) -> TrainState:
        from ganface.methods.parts import initial_state

        state = initial_state(self)
        # Several processes would each climb as far as their own images say
        state.tensors["ascent_steps"] = cast("Ascent", state.networks["G"]).steps
        return state

    def prepare(self, state: TrainState, pack: Pack) -> None:
        import torch

        from ganface.dataset.normalise import normalise
        from ganface.dataset.order import held_out
        from ganface.latents import rng

        z_dim, apart = self.architecture.z_dim, {*held_out(len(pack))}
        seen = [index for index in range(len(pack)) if index not in apart]
        dice = rng.generator(self.seed, "examples")
        chosen = [seen[i] for i in torch.randint(len(seen), (z_dim,), generator=dice)]
        reals = normalise(pack.batch(chosen), torch.zeros(z_dim, dtype=torch.bool))
        for G in cast("list[Ascent]", [state.networks["G"], state.ema["G"]]):
            G.start_from(reals.to(self.compute.device))

    def footprint(self) -> Footprint:
        return Footprint((("D", 2),), (("D", 1),), image_copies=6)

    def noise(self, step: int, count: int) -> dict[str, Tensor]:
        return {"z": self.random_z(step, count)}

    def report(self, state: TrainState) -> dict[str, Tensor]:
        return {"steps_climbed": state.tensors["ascent_steps"]}

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:  # noqa: ARG002
        """Climb D from noise, then update it, so that it tells what that came to from reals."""
        import torch

        from ganface.losses.adversarial import non_saturating_loss_D
        from ganface.losses.penalties import weight_for, zero_centred
        from ganface.methods.parts import descend, frozen

        G: Any = state.networks["G"]
        D, reals, z = G.D, batches[0].reals, batches[0].noise["z"]

        # (1) From noise, climb to images that D takes for real: the negatives
        with frozen(D), self.compute.autocast():
            fakes = G(z)

        # (2) Update D: maximise log D(x) + log(1 - D(G(z))), and keep it flat at real images
        with self.compute.autocast():
            real_logits, fake_logits = D(torch.cat([reals, fakes])).float().chunk(2)
            R1 = zero_centred(D, reals).mean()
        loss_D = non_saturating_loss_D(real_logits, fake_logits)
        weight = self.config.r1 * weight_for(self.architecture.size)
        (grad_D,) = descend(state, loss_D + weight * R1, "G")

        logits = torch.stack([real_logits, fake_logits]).detach()
        right = torch.stack([logits[0] > 0, logits[1] < 0]).float().mean(1)
        G.adapt(right.mean())
        losses = torch.stack([loss_D, R1]).detach()
        return torch.cat([losses, logits.sigmoid().mean(1), right, grad_D[None]])

    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        import torch

        from ganface.methods.parts import diversity, frozen

        G: Any = state.networks["G"]
        with torch.no_grad(), frozen(G), self.compute.autocast():
            noise, images = G.start(probe.z), G(probe.z)
            start, end = (G.D(each).float().mean() for each in (noise, images))
            held_out = torch.full((), torch.nan, device=self.compute.device)
            if len(probe.held_out):
                held_out = G.D(probe.held_out).float().sigmoid().mean()
            return torch.stack([held_out, end - start, diversity(images), diversity(probe.seen)])

    def recalibrate(self, state: TrainState, probe: Probe) -> None:  # noqa: ARG002
        """There is no BatchNorm. What G counts beside its weights is G_ema's, too."""
        buffers = zip(state.ema["G"].buffers(), state.networks["G"].buffers(), strict=True)
        for average, buffer in buffers:
            average.copy_(buffer)

    def pictures(self, state: TrainState, probe: Probe) -> dict[str, Sheet]:
        """A row for each of some z: from noise, step by step, to the face."""
        import torch

        from ganface.methods.parts import SHOWN
        from ganface.pictures.grid import to_uint8

        G: Any = state.ema["G"]
        images = torch.stack([*G.ascent(probe.z[:SHOWN])], 1)  # [SHOWN, 1 + steps, 3, S, S]
        images = images[:, : 1 + int(G.steps.ceil())]  # without those that move nothing
        return {"ascent": Sheet(to_uint8(images.flatten(0, 1)), images.shape[1])}

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        ticks = with_figures(FIGURES, lines)
        diagnostics = with_figures(DIAGNOSTICS, ticks)
        if len(diagnostics) < WINDOW or ticks[-1]["step"] < FACES_BY:
            return EARLY
        usual = {name: median(line[name] for line in ticks[-WINDOW:]) for name in FIGURES}
        now = {name: median(line[name] for line in diagnostics[-WINDOW:]) for name in DIAGNOSTICS}
        if now["rise"] < -FLAT:
            return STEPS_TOO_LONG
        if now["rise"] < FLAT:
            return D_IS_FLAT
        if min(usual["accuracy_real"], usual["accuracy_fake"]) > SURE:
            return OUT_OF_REACH
        if now["diversity"] < ALIKE * now["diversity_reals"]:
            return FACES_ALIKE
        return worse_since_best(lines) or HEALTHY

    @classmethod
    def relevant(cls, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return newest_and_those_with(FIGURES, (FIGURES + DIAGNOSTICS, ("score",)), lines)
