"""A GAN, by the lecture's algorithm.

(1)  G is fixed. D sees real images and generated ones and learns to tell them apart.
(2)  D is fixed. G learns to draw images that D takes for real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from ganface.config.architecture import DcganConfig
from ganface.config.settings import a_rate, at_least, between, optional, setting
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

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ganface.dataset.pack import Pack
    from ganface.methods.probe import Probe
    from ganface.methods.verdict import Verdict
    from ganface.models.dcgan import Discriminator, Generator

REG_INTERVAL = 16  # updates between two in which R1 and R2 are computed, as in StyleGAN2
# Of images whose labels nobody is told, and of labels that are left out of the others' one by one:
# so G learns to draw what it is not told everything of, or nothing
DROPPED = 0.1
# The weight of D's loss in telling an image's labels from wrong ones. More of it makes faces worse,
# each more typical of its labels than any real one: docs/latents.md
WRONG_LABELS = 0.3


@dataclass(frozen=True)
class GanConfig(MethodConfig):
    """Raises UserError for settings that make no sense together."""

    TITLE = "Method gan: against a discriminator"

    loss: Literal["ns", "saturating", "lsgan", "hinge", "wgan-gp", "rpgan"] = setting(
        "rpgan",
        "The two losses: non-saturating, saturating, least squares, hinge, Wasserstein with "
        "gradient penalty, relativistic pairs. Each brings other defaults.",
    )
    r1: float = setting(0.15, "Weight of R1, D's gradient at reals; for a size of 64.", at_least(0))
    r2: float = setting(0.15, "Weight of R2, D's gradient at generated images.", at_least(0))
    d_steps: int = setting(1, "Updates of D for each of G.", between(1, 100))
    lr_d: float | None = setting(None, "D's learning rate, if not --lr.", optional(a_rate))
    lr_g: float | None = setting(None, "G's learning rate, if not --lr.", optional(a_rate))
    augment: Literal["off", "on", "adaptive"] = setting(
        "adaptive",
        "Show D images changed at random: never, always, or more often while it gets too much "
        "right, and less often else.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss == "wgan-gp" and (self.r1 or self.r2):
            raise UserError(
                "--loss wgan-gp with --r1, --r2: one wants gradients of length 1, the other of 0; "
                "leave --r1 and --r2 out"
            )

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is best for each loss, and for a D with BatchNorm: docs/recipes.md."""
        loss = given.get("loss", "hinge" if given.get("norm") == "batch" else cls.loss)
        if loss == "rpgan":
            return {}
        plain = {"loss": loss, "beta1": 0.5, "beta2": 0.999}
        if loss == "wgan-gp":  # it has its own penalty
            return {**plain, "r1": 0.0, "r2": 0.0}
        return {**plain, "r1": 0.2, "r2": 0.0, "norm": "batch"}

    def check(self, architecture: DcganConfig) -> None:
        if self.loss == "wgan-gp" and architecture.norm == "batch":
            raise UserError(
                "--loss wgan-gp: it bounds the gradient at each image, and BatchNorm mixes images; "
                "add --norm none"
            )

    @property
    def batches_per_update(self) -> int:
        return self.d_steps


class Gan(Method):
    name = "gan"
    title = "DCGAN"
    networks = ("G", "D")
    Config = GanConfig
    # D's as they are before the update; grad_D and grad_G are the lengths of the loss's gradients
    metrics = (
        *("loss_D", "loss_G", "D_x", "D_Gz"),
        *("accuracy_real", "accuracy_fake", "grad_D", "grad_G"),
    )
    may_be_missing = frozenset({"D_held_out", "accuracy_held_out", "overfitting"})
    uses_labels = True
    diagnostics = (
        *("D_held_out", "accuracy_held_out"),  # D on images that it does not learn from
        "overfitting",  # how far it prefers those that it does: 1 is as far as to generated ones
        *("diversity", "diversity_reals"),  # how unlike each other G's images are, and real ones
        *("pace_D", "pace_G"),  # Adam's step against the size of the weights
    )
    display = "loss_D {loss_D:.3f}, loss_G {loss_G:.3f}, D(x) {D_x:.2f}, D(G(z)) {D_Gz:.2f}"
    panels = (
        Panel("losses", {"loss_D": "loss_D", "loss_G": "loss_G"}),
        Panel("how real D finds images", {"D_x": "D(x)", "D_Gz": "D(G(z))"}, (0, 1)),
        Panel(
            "what D gets right",
            {
                "accuracy_real": "of real images",
                "accuracy_fake": "of generated ones",
                "accuracy_held_out": "of real ones held out",
            },
            (0, 1),
            shares=True,
        ),
        Panel("length of the gradients", {"grad_D": "of D", "grad_G": "of G"}, log=True),
        Panel(
            "how unlike each other faces are", {"diversity": "generated", "diversity_reals": "real"}
        ),
        Panel("how often D sees an image changed", {"strength": "strength"}, (0, 1), shares=True),
    )
    config: GanConfig

    def build(self) -> TrainState:
        import torch

        from ganface.methods.parts import initial_state

        state = initial_state(self)
        augment_p = torch.tensor(1.0 if self.config.augment == "on" else 0.0)  # a probability
        state.tensors["augment_p"] = augment_p.to(self.compute.device)
        return state

    def prepare(self, state: TrainState, pack: Pack) -> None:
        """Let G know labels that images have."""
        import torch

        from ganface.dataset.order import DataOrder
        from ganface.models.dcgan import EXAMPLES

        if not self.architecture.labels:
            return
        indices = DataOrder(self.seed, len(pack), EXAMPLES).indices_at(1)
        with torch.no_grad():
            for G in cast("list[Generator]", [state.networks["G"], state.ema["G"]]):
                G.examples.copy_(pack.labels[indices])

    @property
    def reg_interval(self) -> int:
        return REG_INTERVAL if self.config.r1 or self.config.r2 else 0

    def footprint(self) -> Footprint:
        config = self.config
        penalties = (bool(config.r1) + bool(config.r2)) / 2 + (config.loss == "wgan-gp")
        copies = 2 if config.augment == "off" else 2 + 6  # as D sees them; while they are augmented
        return Footprint((("G", 1), ("D", 2)), (("D", penalties),), copies)

    def noise(self, step: int, count: int) -> dict[str, Tensor]:
        """z [count, z_dim] from N(0, I); augment [count, 2, 2, CHANGES], what becomes of reals and
        fakes; interpolation [count], places between the two, uniform in [0, 1)."""
        from ganface.latents import rng
        from ganface.losses.augment import AUGMENT_NOISE, random_changes

        noise = {"z": self.random_z(step, count)}
        if self.config.augment != "off":
            dice = rng.uniform(self.seed, "dice", step, count, 2, AUGMENT_NOISE)
            noise["augment"] = random_changes(dice, self.architecture.size)
        if self.config.loss == "wgan-gp":
            noise["interpolation"] = rng.uniform(self.seed, "mix", step, count)
        return noise

    def labels(self, step: int, labels: Tensor) -> dict[str, Tensor]:
        """labels [count, values], as G and D are given them, some left out; wrong_labels, the same
        but for one of each image, which is another image's."""
        import torch

        from ganface.latents import rng
        from ganface.latents.labels import multi_hot

        attributes = self.architecture.labels
        assert attributes is not None
        count, kinds = labels.shape
        dice = rng.uniform(self.seed, "labels", step, count, kinds + 2)
        dropped = dice[:, : kinds + 1] < DROPPED
        known = labels.where(~(dropped[:, :1] | dropped[:, 1:]), 0)
        # A label that is not known is never replaced: D would learn that images without are wrong
        swapped = (dice[:, -1:] * kinds).long() == torch.arange(kinds)
        others = labels.roll(1, 0)
        wrong = others.where(swapped & (known > 0) & (others > 0), known)
        told = {"labels": known, "wrong_labels": wrong}
        return {name: multi_hot(each, attributes) for name, each in told.items()}

    def rates(self) -> dict[str, float]:
        lr, lr_D, lr_G = self.optimizer.lr, self.config.lr_d, self.config.lr_g
        return {"D": lr if lr_D is None else lr_D, "G": lr if lr_G is None else lr_G}

    def report(self, state: TrainState) -> dict[str, Tensor]:
        return {"strength": state.tensors["augment_p"]} if self.config.augment == "adaptive" else {}

    def update(self, state: TrainState, batches: list[Batch], apply_reg: bool) -> Tensor:
        """Update D once for each batch, then G once, with the last one's z."""
        import torch

        from ganface.losses.adversarial import LOSSES, relativistic_loss_D
        from ganface.losses.augment import adapt, augment
        from ganface.methods.parts import descend, frozen

        G, D = state.networks["G"], cast("Discriminator", state.networks["D"])
        augment_p, config = state.tensors["augment_p"], self.config
        loss = LOSSES[config.loss]

        def seen(batch: Batch, fakes: Tensor) -> Tensor:
            """What D sees of reals and fakes: [2 · B, 3, S, S]."""
            images = torch.cat([batch.reals.to(fakes.dtype), fakes])
            if config.augment == "off":
                return images
            return augment(images, torch.cat(batch.noise["augment"].unbind(1)), augment_p)

        # (1) Update D: with the usual loss, maximise log D(x) + log(1 - D(G(z)))
        for batch in batches:
            labels = batch.noise.get("labels")  # of the reals, and what the fakes are to show
            twice = None if labels is None else torch.cat([labels, labels])
            with self.compute.autocast():
                images = seen(batch, G(_with(labels, batch.noise["z"])))
                # BatchNorm would mix the statistics of the two
                features = D.features(images.detach(), parts=2)
                real_logits, fake_logits = D.logits(features, twice).float().chunk(2)
            loss_D = loss.D(real_logits, fake_logits)
            with self.compute.autocast():
                penalty = self._penalties(D, images.detach(), batch, apply_reg)
            if labels is not None:  # against the same images with a wrong label
                with self.compute.autocast():
                    wrong = D.logits(features.chunk(2)[0], batch.noise["wrong_labels"]).float()
                penalty += WRONG_LABELS * relativistic_loss_D(real_logits, wrong)
            (grad_D,) = descend(state, loss_D + penalty, "D")

        # (2) Update G: with the usual loss, maximise log D(G(z)). The lecture draws z again; like
        #     the known implementations we use the same fakes, which saves one pass of G. A loss
        #     that looks at reals as well is given D's answers of before, which saves one of D.
        fakes = images[len(batch.reals) :]
        with frozen(D), self.compute.autocast():
            new_fake_logits = D(fakes, labels=labels).float()
        loss_G = loss.G(real_logits.detach(), new_fake_logits)
        (grad_G,) = descend(state, loss_G, "G")

        # Together, for on a GPU each operation takes microseconds, however little it computes
        logits = torch.stack([real_logits, fake_logits]).detach()
        logits = logits - loss.decision_threshold(*logits)
        right = torch.stack([logits[0] > 0, logits[1] < 0]).float().mean(1)
        if config.augment == "adaptive":
            adapt(augment_p, right.mean(), self.optimizer.batch_size * config.d_steps)
        losses, lengths = torch.stack([loss_D, loss_G]).detach(), torch.stack([grad_D, grad_G])
        return torch.cat([losses, logits.sigmoid().mean(1), right, lengths])

    def _penalties(
        self, D: nn.Module, images: Tensor, batch: Batch, apply_reg: bool
    ) -> Tensor | float:
        """What is added to D's loss. R1 and R2 count for the REG_INTERVAL updates between two, and
        are means over half of the images: second derivatives cost as much as an update without.
        """
        import torch

        from ganface.losses.penalties import WGAN_GP_WEIGHT, one_centred, weight_for, zero_centred

        config, labels = self.config, batch.noise.get("labels")
        reals, fakes = images.chunk(2)
        penalty: Tensor | float = 0.0
        weight = REG_INTERVAL * weight_for(images.shape[-1])
        if config.loss == "wgan-gp":
            places = batch.noise["interpolation"]
            penalty += WGAN_GP_WEIGHT * one_centred(D, reals, fakes, places, labels)
        half = (len(reals) + 1) // 2
        told = None if labels is None else labels[:half]
        kinds = (config.r1, reals[:half]), (config.r2, fakes[:half])
        wanted = [(r, part) for r, part in kinds if r and apply_reg]
        if wanted and self.architecture.norm == "none":  # together: no image changes another's
            together = None if told is None else torch.cat([told] * len(wanted))
            parts = torch.cat([part for _, part in wanted])
            found = zero_centred(D, parts, together).chunk(len(wanted))
        else:
            found = tuple(zero_centred(D, part, told) for _, part in wanted)
        for (r, _), each in zip(wanted, found, strict=True):
            penalty += weight * r * each.mean()
        return penalty

    def diagnose(self, state: TrainState, probe: Probe) -> Tensor:
        import torch

        from ganface.losses.adversarial import LOSSES
        from ganface.methods.parts import diversity, observed, update_to_weight_ratio

        G, D, loss = state.networks["G"], state.networks["D"], LOSSES[self.config.loss]
        rates, decay = self.rates(), self.optimizer.decay_at(state.step)
        with torch.no_grad(), observed(G), observed(D), self.compute.autocast():
            fakes = G(self._as_drawn(G, probe.z))
            seen, fake = D(probe.seen).float(), D(fakes).float()
            # BatchNorm cannot do with no image at all
            held_out = D(probe.held_out).float() if len(probe.held_out) else seen * torch.nan
        overfitting = (seen.mean() - held_out.mean()) / (seen.mean() - fake.mean())
        margin = held_out - loss.decision_threshold(seen, fake)
        right = (margin > 0).float().where(~margin.isnan(), torch.nan)
        return torch.stack(
            [
                *(margin.sigmoid().mean(), right.mean(), overfitting),
                *(diversity(fakes), diversity(probe.seen)),
                *(
                    update_to_weight_ratio(net, decay * rates[name])
                    for name, net in (("D", D), ("G", G))
                ),
            ]
        )

    def recalibrate(self, state: TrainState, probe: Probe) -> None:
        from ganface.models.ema import recalibrate

        G = state.ema["G"]
        latents = tuple(self._as_drawn(G, z) for z in probe.calibration_z)
        with self.compute.autocast():
            recalibrate(G, latents)

    def _as_drawn(self, G: nn.Module, z: Tensor) -> Tensor:
        """z, followed by labels as images have them, if they have any."""
        from ganface.latents.labels import multi_hot

        if not self.architecture.labels:
            return z
        examples = cast("Generator", G).examples[: len(z)]
        return _with(multi_hot(examples, self.architecture.labels), z)

    def pictures(self, state: TrainState, probe: Probe) -> dict[str, Sheet]:  # noqa: ARG002
        """Of images with labels a row for each value: the same z, drawn to show it."""
        import torch

        from ganface.latents.labels import obey, parse_orders
        from ganface.methods.parts import SHOWN
        from ganface.models.generate import generate_on_device, latents_of

        attributes, G = self.architecture.labels, state.ema["G"]
        if not attributes:
            return {}
        faces = latents_of(G, range(SHOWN))
        orders = [order for name in attributes for order in parse_orders(f"{name}=*", attributes)]
        rows = torch.cat([obey(faces, order, attributes) for order in orders])
        return {"labels": Sheet(generate_on_device(G, rows.to(self.compute.device)), SHOWN)}

    @classmethod
    def judge(cls, lines: Sequence[dict[str, Any]]) -> Verdict:
        from ganface.methods import gan_verdict

        return gan_verdict.judge(lines)

    @classmethod
    def relevant(cls, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        from ganface.methods import gan_verdict

        return gan_verdict.relevant(lines)


def _with(labels: Tensor | None, z: Tensor) -> Tensor:
    """What G is given."""
    from ganface.latents.labels import with_labels

    return z if labels is None else with_labels(z, labels)
