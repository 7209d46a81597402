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

    seen_indices: Tensor  # int64 [64]: images that are learned from
    seen: Tensor  # float32 [64, 3, H, W] in [-1, 1]: these
    held_out: Tensor  # likewise, of those that are not; [0, …] if the dataset is too small
    z: Tensor  # float32 [64, z_dim] from N(0, I)

    def __init__(self, pack: Pack, seed: int, z_dim: int, device: torch.device) -> None:
        self._pack, self._seed, self._device = pack, seed, device
        indices = DataOrder(seed, len(pack), LOOKED_AT).indices_at(1)
        self.seen_indices = indices.to(device)
        self.seen = self._images(indices.tolist())
        self.held_out = self._images(list(held_out(len(pack))[:LOOKED_AT]))
        self.z = self._normal("examined", LOOKED_AT, z_dim)
        self.calibration_z = self._normal("recalibration", *CALIBRATION, z_dim).unbind()

    @cached_property
    def calibration_indices(self) -> tuple[Tensor, ...]:
        """int64 [128], 8 times: images that are learned from."""
        order = DataOrder(self._seed, len(self._pack), CALIBRATION[1])
        return tuple(
            order.indices_at(step).to(self._device) for step in range(1, CALIBRATION[0] + 1)
        )

    @cached_property
    def calibration_images(self) -> tuple[Tensor, ...]:
        """float32 [128, 3, H, W], 8 times: these."""
        return tuple(self._images(indices.tolist()) for indices in self.calibration_indices)

    def _images(self, indices: list[int]) -> Tensor:
        images = self._pack.batch(indices)
        return normalise(images, torch.zeros(len(images), dtype=torch.bool)).to(self._device)

    def _normal(self, stream: str, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng.generator(self._seed, stream)).to(self._device)
