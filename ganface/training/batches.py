"""What one update is given: real images, all that is random in it, and what follows from its step.

All of it depends on (seed, step) alone. On a GPU the images lie in its memory if they fit. If not,
a thread reads them from the pack for the next update while the GPU is busy with this one.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from ganface.dataset.normalise import normalise
from ganface.dataset.order import DataOrder
from ganface.dataset.pack import Pack
from ganface.latents import rng
from ganface.methods.base import Batch, Method
from ganface.models.ema import decay_at
from ganface.training.config import TrainConfig

UPLOAD = 1024  # images sent to the device at once


@dataclass(frozen=True)
class Inputs:
    """The inputs of one update, for K batches of B images.

    Tensors all: a CUDA graph would freeze a number.
    """

    images: Tensor  # uint8 [K · B, 3, H, W]
    indices: Tensor  # int64 [K · B]: which images of the dataset these are
    flips: Tensor  # bool [K · B]: which images are mirrored
    noise: dict[str, Tensor]  # [K · B, …] each: what the method draws
    rates: dict[str, Tensor]  # float32 [] each: the learning rates of the optimisers
    ema_weight: Tensor  # float32 []: what the new weights count for in the averages

    def batches(self, count: int) -> list[Batch]:
        """The K = `count` batches, images normalised."""
        reals = normalise(self.images, self.flips).chunk(count)
        indices = self.indices.chunk(count)
        noise = {name: tensor.chunk(count) for name, tensor in self.noise.items()}
        return [
            Batch(reals[k], indices[k], {name: parts[k] for name, parts in noise.items()})
            for k in range(count)
        ]

    def first(self, images: int) -> Inputs:
        """The same with fewer images."""
        return Inputs(
            images=self.images[:images],
            indices=self.indices[:images],
            flips=self.flips[:images],
            noise={name: tensor[:images] for name, tensor in self.noise.items()},
            rates=self.rates,
            ema_weight=self.ema_weight,
        )

    def clone(self) -> Inputs:
        """The same, in memory of its own."""

        def clones(named: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor.clone() for name, tensor in named.items()}

        return Inputs(
            images=self.images.clone(),
            indices=self.indices.clone(),
            flips=self.flips.clone(),
            noise=clones(self.noise),
            rates=clones(self.rates),
            ema_weight=self.ema_weight.clone(),
        )

    def copy_(self, other: Inputs) -> None:
        """Become what `other` is, in place."""
        for old, new in zip(self._tensors(), other._tensors(), strict=True):
            old.copy_(new)

    def _tensors(self) -> list[Tensor]:
        parts = [self.images, self.indices, self.flips, self.ema_weight]
        return [*parts, *self.noise.values(), *self.rates.values()]


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
        method: Method,
        resident: bool,
        ahead: bool,
        shard: slice = slice(None),
    ) -> None:
        """`resident`: hold all images on the device. `ahead`: read for the next update meanwhile.

        `shard`: the part of each batch to give. What that holds does not depend on it.
        Raises WorkError if `resident` and an image is damaged.
        """
        self._pack = pack
        self._config = config
        self._method = method
        self._device = method.compute.device
        self._shard = shard
        self._order = DataOrder(config.schedule.seed, len(pack), config.images_per_step)
        self._images = _upload(pack, self._device) if resident else None
        self._reader = ThreadPoolExecutor(1) if ahead else None
        self._read: dict[int, Future[Tensor]] = {}  # by step

    def at(self, step: int) -> Inputs:
        """The inputs of update `step`, on the device. Raises WorkError if an image is damaged."""
        config, count = self._config, self._config.images_per_step
        if config.data.flip:
            flips = rng.uniform(config.schedule.seed, "flips", step, count) < 0.5
        else:
            flips = torch.zeros(count, dtype=torch.bool)
        indices, decay = self._indices_at(step), config.optimizer.decay_at(step)
        noise = self._method.noise(step, count)
        return Inputs(
            self._images_at(step, indices),
            self._send(indices),
            self._send(self._part(flips)),
            {name: self._send(self._part(tensor)) for name, tensor in noise.items()},
            {
                name: self._send(torch.tensor(decay * rate))
                for name, rate in self._method.rates().items()
            },
            self._send(torch.tensor(1 - decay_at(step, config.optimizer.ema_decay))),
        )

    def _images_at(self, step: int, indices: Tensor) -> Tensor:
        if self._images is not None:
            return self._images.index_select(0, self._send(indices))
        if self._reader is None:
            return self._send(self._load(indices))
        images = self._read.pop(step, None) or self._reader.submit(self._load, indices)
        self._read = {step + 1: self._reader.submit(self._load, self._indices_at(step + 1))}
        return self._send(images.result())

    def _load(self, indices: Tensor) -> Tensor:
        return self._pack.batch(indices.tolist())

    def _indices_at(self, step: int) -> Tensor:
        return self._part(self._order.indices_at(step))

    def _part(self, tensor: Tensor) -> Tensor:
        """This process's part of each of the batches that lie end to end in `tensor`."""
        batches = self._config.method.batches_per_update
        return tensor.unflatten(0, (batches, -1))[:, self._shard].flatten(0, 1)

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
