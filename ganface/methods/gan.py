"""One update: the lecture's algorithm.

(1)  G is fixed. D sees real images and generated ones and learns to tell them apart.
(2)  D is fixed. G learns to draw images that D takes for real.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from ganface.config.settings import TrainConfig
from ganface.losses.adversarial import LOSSES
from ganface.losses.augment import adapt, augment
from ganface.losses.penalties import WGAN_GP_WEIGHT, one_centred, zero_centred
from ganface.system.device import Compute
from ganface.training.distributed import unwrap

# D's as they are before the update; grad_D and grad_G are the lengths of the loss's gradients
STATISTICS = (
    *("loss_D", "loss_G", "D_x", "D_Gz"),
    *("accuracy_real", "accuracy_fake", "grad_D", "grad_G"),
)
REG_INTERVAL = 16  # updates between two in which R1 and R2 are computed, as in StyleGAN2
REFERENCE_SIDE = 64  # of the images for which the weights of R1 and R2 are meant


@dataclass
class Players:
    """The two enemies, or friends, and what moves them."""

    G: nn.Module
    D: nn.Module
    opt_G: Optimizer
    opt_D: Optimizer
    scaler: torch.amp.GradScaler
    strength: Tensor  # float32 []: how often D sees an image augmented, 0 to 1


class Batch(NamedTuple):
    """What D and G are given, once for each update of D."""

    reals: Tensor  # float32 [B, 3, H, W] in [-1, 1]
    z: Tensor  # float32 [B, z_dim] from N(0, I)
    dice: Tensor  # float32 [B, 2, DICE], uniform in [0, 1): for the reals, for the fakes
    mix: Tensor  # float32 [B], uniform in [0, 1): places between reals and fakes


def update(
    players: Players,
    batches: list[Batch],
    config: TrainConfig,
    compute: Compute,
    apply_reg: bool = False,
) -> Tensor:
    """Update D once for each batch, then G once, with the last one's z.

    `apply_reg`: whether this is an update in which R1 and R2 are computed, every REG_INTERVAL-th.
    Returns STATISTICS as float32 [len(STATISTICS)] on the device.
    """
    G, D, scaler = players.G, players.D, players.scaler
    loss = LOSSES[config.loss]

    def seen(images: Tensor, dice: Tensor) -> Tensor:
        if config.augment == "off":
            return images
        return augment(images.float(), dice, players.strength)

    # (1) Update D: with the usual loss, maximise log D(x) + log(1 - D(G(z)))
    for batch in batches:
        with compute.autocast():
            fakes = G(batch.z)
        reals_seen, fakes_seen = seen(batch.reals, batch.dice[:, 0]), seen(fakes, batch.dice[:, 1])
        shown = reals_seen, fakes_seen.detach()
        with compute.autocast():
            real_logits, fake_logits = judge(D, *shown, config)
        loss_D = loss.D(real_logits, fake_logits)
        penalty = penalties(unwrap(D), *shown, batch.mix, config, apply_reg)
        players.opt_D.zero_grad()
        scaler.scale(loss_D + penalty).backward()
        scaler.unscale_(players.opt_D)
        grad_D = gradient_norm(D, scaler)
        scaler.step(players.opt_D)

    # (2) Update G: with the usual loss, maximise log D(G(z)). The lecture draws z again; like the
    #     known implementations we use the same fakes, which saves one pass of G and changes
    #     nothing that can be seen. D's own gradients are no concern of this pass: it goes round
    #     what would average them.
    with frozen(D), compute.autocast():
        logits = unwrap(D)(fakes_seen).float()
        others = unwrap(D)(reals_seen).float() if loss.relativistic else real_logits.detach()
    loss_G = loss.G(others, logits)
    players.opt_G.zero_grad()
    scaler.scale(loss_G).backward()
    scaler.unscale_(players.opt_G)
    grad_G = gradient_norm(G, scaler)
    scaler.step(players.opt_G)
    scaler.update()

    middle = loss.decision_threshold(real_logits, fake_logits)
    real, fake = (real_logits - middle).detach(), (fake_logits - middle).detach()
    right = (real > 0).float().mean(), (fake < 0).float().mean()
    if config.augment == "adaptive":
        adapt(players.strength, sum(right) / 2, config.images_per_step)
    return torch.stack(
        [
            *(loss_D.detach(), loss_G.detach(), real.sigmoid().mean(), fake.sigmoid().mean()),
            *(*right, grad_D, grad_G),
        ]
    )


def judge(D: nn.Module, reals: Tensor, fakes: Tensor, config: TrainConfig) -> tuple[Tensor, Tensor]:
    """D's logits, float32 [B] each. BatchNorm would mix the statistics of reals and fakes, so that
    they go through it separately; without it they go together, which is faster."""
    if config.norm == "batch":
        return D(reals).float(), D(fakes).float()
    real_logits, fake_logits = D(torch.cat([reals, fakes])).float().chunk(2)
    return real_logits, fake_logits


def penalties(
    D: nn.Module, reals: Tensor, fakes: Tensor, mix: Tensor, config: TrainConfig, apply_reg: bool
) -> Tensor | float:
    """What is added to D's loss. R1 and R2 count for the REG_INTERVAL updates that they stand for.

    In an image of twice the side, each of four times as many pixels has a quarter of the effect:
    the gradient's square is a quarter, and its weight four times as large (Karras et al. 2020).
    """
    penalty: Tensor | float = 0.0
    lazy = REG_INTERVAL * (reals.shape[-1] / REFERENCE_SIDE) ** 2
    if config.loss == "wgan-gp":
        penalty += WGAN_GP_WEIGHT * one_centred(D, reals, fakes, mix)
    if apply_reg and config.r1:
        penalty += lazy * config.r1 * zero_centred(D, reals)
    if apply_reg and config.r2:
        penalty += lazy * config.r2 * zero_centred(D, fakes)
    return penalty


def gradient_norm(network: nn.Module, scaler: torch.amp.GradScaler) -> Tensor:
    """The length of all its parameters' gradients as one vector: float32 [].

    0 where `scaler` finds them too large for fp16 and skips the step, which is no fault.
    """
    norm = get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
    return norm.where(norm.isfinite(), 0) if scaler.is_enabled() else norm


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Within the block the network's weights need no gradient, get none, and none is computed."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
