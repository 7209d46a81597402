"""What one update is fed: real images, all that is random in it, and what follows from its step.

All of it depends on (seed, step) alone. On a GPU the images lie in its memory if they fit. If not,
a thread reads them from the pack for the next update while the GPU is busy with this one.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from ganface.config.settings import TrainConfig
from ganface.dataset.order import DataOrder
from ganface.dataset.pack import Pack
from ganface.latents import rng
from ganface.losses.augment import AUGMENT_NOISE
from ganface.methods.gan import Batch
from ganface.training.ema import decay_at
from ganface.training.schedule import learning_rates_at

UPLOAD = 1024  # images sent to the device at once


class Inputs(NamedTuple):
    """The inputs of one update: of D, for K batches of B images, and of G.

    Tensors all: a CUDA graph would freeze a number.
    """

    images: Tensor  # uint8 [K · B, 3, H, W]
    flips: Tensor  # bool [K · B]: which images are mirrored
    z: Tensor  # float32 [K · B, z_dim] from N(0, I)
    dice: Tensor  # float32 [K · B, 2, AUGMENT_NOISE], uniform in [0, 1); or empty
    mix: Tensor  # float32 [K · B], uniform in [0, 1); places between reals and fakes
    learning_rates: Tensor  # float32 [2]: of D and of G
    ema_weight: Tensor  # float32 []: what the new G counts for in the average

    def batches(self, count: int) -> list[Batch]:
        """The K = `count` batches, images normalised."""
        reals = normalise(self.images, self.flips)
        parts = (reals, self.z, self.dice, self.mix)
        return [Batch(*part) for part in zip(*(t.chunk(count) for t in parts), strict=True)]


def fits(pack: Pack, device: torch.device) -> bool:
    """Whether the device can hold all images: it is a GPU, and they take half of what is free."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return pack.images.nbytes <= free // 2


class Batches:
    """Gives each update its inputs. Every image's checksum is tested when it is read."""

    def __init__(
        self,
        pack: Pack,
        config: TrainConfig,
        device: torch.device,
        resident: bool,
        ahead: bool,
        share: slice = slice(None),
    ) -> None:
        """`resident`: hold all images on the device. `ahead`: read for the next update meanwhile.

        `share`: the part of each batch to give. What that holds does not depend on it.
        Raises WorkError if `resident` and an image is damaged.
        """
        self._pack = pack
        self._config = config
        self._device = device
        self._share = share
        self._order = DataOrder(config.seed, len(pack), config.images_per_step)
        self._images = _upload(pack, device) if resident else None
        self._reader = ThreadPoolExecutor(1) if ahead else None
        self._read: dict[int, Future[Tensor]] = {}  # by step

    def at(self, step: int) -> Inputs:
        """The inputs of update `step`, on the device. Raises WorkError if an image is damaged."""
        config, count = self._config, self._config.images_per_step
        if config.flip:
            flips = rng.flips_at(config.seed, step, count)
        else:
            flips = torch.zeros(count, dtype=torch.bool)
        z = rng.z_at(config.seed, step, count, config.z_dim)
        dice = rng.dice_at(
            config.seed, step, count, 2, AUGMENT_NOISE if config.augment != "off" else 0
        )
        mix = rng.mix_at(config.seed, step, count)
        learning_rates = torch.tensor(learning_rates_at(step, config))
        ema_weight = torch.tensor(1 - decay_at(step, config.ema_decay))
        inputs = (*map(self._mine, (flips, z, dice, mix)), learning_rates, ema_weight)
        return Inputs(self._images_at(step), *map(self._send, inputs))

    def _images_at(self, step: int) -> Tensor:
        if self._images is not None:
            return self._images.index_select(0, self._send(self._indices_at(step)))
        if self._reader is None:
            return self._send(self._load(step))
        images = self._read.pop(step, None) or self._reader.submit(self._load, step)
        self._read = {step + 1: self._reader.submit(self._load, step + 1)}
        return self._send(images.result())

    def _load(self, step: int) -> Tensor:
        return self._pack.batch(self._indices_at(step).tolist())

    def _indices_at(self, step: int) -> Tensor:
        return self._mine(self._order.indices_at(step))

    def _mine(self, tensor: Tensor) -> Tensor:
        """This process's share of each of the batches that lie end to end in `tensor`."""
        return tensor.unflatten(0, (self._config.d_steps, -1))[:, self._share].flatten(0, 1)

    def _send(self, tensor: Tensor) -> Tensor:
        return send(tensor, self._device)


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """A CPU tensor on the device. On a GPU it arrives before it is used; nobody waits for it."""
    if device.type == "cuda":
        # A copy from pinned memory alone is asynchronous; PyTorch reuses the memory after it
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _upload(pack: Pack, device: torch.device) -> Tensor:
    images = torch.empty(pack.images.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(pack), UPLOAD):
        part = range(start, min(start + UPLOAD, len(pack)))
        images[part.start : part.stop] = send(pack.batch(list(part)), device)
    return images


def normalise(images: Tensor, flips: Tensor) -> Tensor:
    """Images as D sees them: mirrored where `flips` says so, float32 in [-1, 1], channels_last.

    images: uint8 [B, 3, H, W]; flips: bool [B].
    """
    images = torch.where(flips[:, None, None, None], images.flip(3), images)
    reals = images.to(torch.float32, memory_format=torch.channels_last)
    return reals.div_(127.5).sub_(1)
