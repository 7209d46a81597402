"""The images and z at which a training is looked at again and again."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from ganface.dataset.normalise import normalise
from ganface.dataset.order import DataOrder, held_out
from ganface.dataset.pack import Pack
from ganface.latents import rng

LOOKED_AT = 64  # images of each kind
CALIBRATION = (8, 128)  # batches, images in each, for BatchNorm's statistics


class Probe:
    """Chosen by the run's seed alone; all on `device`."""

    seen: Tensor  # float32 [64, 3, H, W] in [-1, 1]: images that are learned from
    held_out: Tensor  # likewise, of those that are not; [0, …] if the dataset is too small
    z: Tensor  # float32 [64, z_dim] from N(0, I)

    def __init__(self, pack: Pack, seed: int, z_dim: int, device: torch.device) -> None:
        self._pack, self._seed, self._device = pack, seed, device
        order = DataOrder(seed, len(pack), LOOKED_AT)
        self.seen = self._images(order.indices_at(1).tolist())
        self.held_out = self._images(list(held_out(len(pack))[:LOOKED_AT]))
        self.z = self._normal("examined", LOOKED_AT, z_dim)
        self.calibration_z = self._normal("recalibration", *CALIBRATION, z_dim).unbind()

    @cached_property
    def calibration_images(self) -> tuple[Tensor, ...]:
        """float32 [128, 3, H, W], 8 times, of those that are learned from."""
        order = DataOrder(self._seed, len(self._pack), CALIBRATION[1])
        steps = range(1, CALIBRATION[0] + 1)
        return tuple(self._images(order.indices_at(step).tolist()) for step in steps)

    def _images(self, indices: list[int]) -> Tensor:
        images = self._pack.batch(indices)
        return normalise(images, torch.zeros(len(images), dtype=torch.bool)).to(self._device)

    def _normal(self, stream: str, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng.generator(self._seed, stream)).to(self._device)
