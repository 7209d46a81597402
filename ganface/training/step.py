"""One update: the lecture's algorithm.

(1)  G is fixed. D sees real images and generated ones and learns to tell them apart.
(2)  D is fixed. G learns to draw images that D takes for real.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganface.device import Compute
from ganface.distributed import plain
from ganface.losses import non_saturating_loss_D, non_saturating_loss_G

STATISTICS = ("loss_D", "loss_G", "D_x", "D_Gz")


@dataclass
class Players:
    """The two enemies, or friends, and what moves them."""

    G: nn.Module
    D: nn.Module
    opt_G: Optimizer
    opt_D: Optimizer
    scaler: torch.amp.GradScaler


def update(players: Players, reals: Tensor, z: Tensor, compute: Compute) -> Tensor:
    """Update D once, then G once.

    reals: float32 [B, 3, H, W] in [-1, 1]; z: float32 [B, z_dim]; both on the device.
    Returns STATISTICS as float32 [4] on the device, D_x and D_Gz as they were before the update.
    """
    G, D, scaler = players.G, players.D, players.scaler

    # (1) Update D: maximise log D(x) + log(1 - D(G(z))). Reals and fakes go through D separately,
    #     since BatchNorm would mix their statistics.
    with compute.autocast():
        fakes = G(z)
        real_logits = D(reals)
        fake_logits = D(fakes.detach())
    loss_D = non_saturating_loss_D(real_logits.float(), fake_logits.float())
    players.opt_D.zero_grad()
    scaler.scale(loss_D).backward()
    scaler.step(players.opt_D)

    # (2) Update G: maximise log D(G(z)). The lecture draws z again; like the known implementations
    #     we use the same fakes, which saves one pass of G and changes nothing that can be seen.
    #     D's own gradients are no concern of this pass: it goes round what would average them.
    with frozen(D), compute.autocast():
        logits = plain(D)(fakes)
    loss_G = non_saturating_loss_G(logits.float())
    players.opt_G.zero_grad()
    scaler.scale(loss_G).backward()
    scaler.step(players.opt_G)
    scaler.update()

    D_x, D_Gz = real_logits.float().sigmoid().mean(), fake_logits.float().sigmoid().mean()
    return torch.stack([loss_D, loss_G, D_x, D_Gz]).detach()


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Within the block the network's weights need no gradient, get none, and none is computed."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
