"""A small network that learns to read numbers off images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganface.config.architecture import DcganConfig
from ganface.io.console import Track
from ganface.latents import rng
from ganface.models.dcgan import DcganNetwork
from ganface.models.encoder import Encoder
from ganface.system.adam import LightAdam

BATCH, RATE, WIDTH = 64, 2e-3, 16


def train_reader(
    size: int,
    numbers: int,
    updates: int,
    loss_of: Callable[[DcganNetwork, Tensor], Tensor],
    device: torch.device,
    track: Track,
) -> DcganNetwork:
    """Learn to turn images [B, 3, size, size] in [-1, 1] into so many numbers each.

    loss_of: of the network, for dice [2, BATCH] from [0, 1) by which it may choose a batch.
    """
    network = Encoder(DcganConfig(size=size, width=WIDTH, z_dim=numbers, norm="batch"))
    network.initialise(rng.generator(0, "classifier"))
    network.to(device).train()
    optimizer = LightAdam(network.parameters(), RATE)
    for step in track(range(updates), updates):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / updates)
        loss = loss_of(network, rng.uniform(0, "classifier", step, 2, BATCH))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval().requires_grad_(False)
