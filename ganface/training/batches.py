"""What one update is given: real images, all that is random in it, and what follows from its step.

All of it depends on (seed, step) alone. It is laid out as one row of bytes, so that it goes to the
device, and into a CUDA graph, in one copy. On a GPU a thread prepares the rows of many updates
while the GPU is busy with those before them. The images lie in the GPU's memory if they fit; if
not, they are part of the row, read from the pack by the thread.
"""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

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
ROWS = 64  # updates prepared at once, if they fit in
ROWS_BYTES = 32 * 2**20  # of which there are two on the GPU at most, and three on the host
ALIGNED = 16  # bytes: where any dtype may begin

NOISE, RATE = "noise.", "rate."  # what names of a row's tensors begin with


@dataclass(frozen=True)
class Place:
    """Where a tensor lies in a row."""

    offset: int
    nbytes: int
    dtype: torch.dtype
    shape: tuple[int, ...]

    def of(self, row: Tensor) -> Tensor:
        return row[self.offset : self.offset + self.nbytes].view(self.dtype).view(self.shape)


def lay_out(tensors: dict[str, Tensor]) -> tuple[dict[str, Place], int]:
    """A place for each tensor, one after the other; and the length of a row in bytes."""
    places, offset = {}, 0
    for name, tensor in tensors.items():
        places[name] = Place(offset, tensor.nbytes, tensor.dtype, tuple(tensor.shape))
        offset += math.ceil(tensor.nbytes / ALIGNED) * ALIGNED
    return places, offset


@dataclass(frozen=True)
class Inputs:
    """The inputs of one update, for K batches of B images. A CUDA graph would freeze a number, so
    they are tensors all, in one row:

    indices     int64 [K · B]: which images of the dataset these are
    flips       bool [K · B]: which images are mirrored
    noise.*     [K · B, …] each: what the method draws, and says of labels
    rate.*      float32 [] each: the learning rates of the optimisers
    ema_weight  float32 []: what the new weights count for in the averages
    images      uint8 [K · B, 3, H, W], unless `held` has them
    """

    row: Tensor  # uint8
    places: dict[str, Place]
    held: Tensor | None = None  # uint8 [N, 3, H, W]: all images of the dataset, on the device
    limit: int | None = None  # use only the first so many images; all if None

    def __getitem__(self, name: str) -> Tensor:
        tensor = self.places[name].of(self.row)
        return tensor[: self.limit] if tensor.dim() else tensor

    @property
    def images(self) -> Tensor:
        """uint8 [K · B, 3, H, W]"""
        return self["images"] if self.held is None else self.held[self["indices"]]

    @property
    def noise(self) -> dict[str, Tensor]:
        names = [name for name in self.places if name.startswith(NOISE)]
        return {name.removeprefix(NOISE): self[name] for name in names}

    def rate(self, name: str) -> Tensor:
        return self[f"{RATE}{name}"]

    def batches(self, count: int) -> list[Batch]:
        """The K = `count` batches, images normalised."""
        reals = normalise(self.images, self["flips"]).chunk(count)
        indices = self["indices"].chunk(count)
        noise = {name: tensor.chunk(count) for name, tensor in self.noise.items()}
        return [
            Batch(reals[k], indices[k], {name: parts[k] for name, parts in noise.items()})
            for k in range(count)
        ]

    def first(self, images: int) -> Inputs:
        """The same with fewer images."""
        return replace(self, limit=images)

    def clone(self) -> Inputs:
        """The same, in memory of its own."""
        return replace(self, row=self.row.clone())

    def copy_(self, other: Inputs) -> None:
        """Become what `other` is, in place."""
        self.row.copy_(other.row)


def fits(pack: Pack, device: torch.device) -> bool:
    """Whether the device can hold all images: it is a GPU, and they take half of what is free."""
    if device.type != "cuda":
        return False
    torch.cuda.empty_cache()  # what a training before this one left is free, too
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
        """`resident`: hold all images on the device. `ahead`: prepare many updates, in a thread.

        `shard`: the part of each batch to give. What that holds does not depend on it.
        Raises WorkError if `resident` and an image is damaged.
        """
        self._pack = pack
        self._config = config
        self._method = method
        self._device = method.compute.device
        self._shard = shard
        self._order = DataOrder(config.schedule.seed, len(pack), config.images_per_step)
        self._held = _upload(pack, self._device) if resident else None
        self._thread = ThreadPoolExecutor(1) if ahead else None
        self._places: dict[str, Place] = {}
        self._next: dict[int, Future[Tensor]] = {}  # by block
        self._block = -1
        self._rows = torch.empty(0)

    def at(self, step: int) -> Inputs:
        """The inputs of update `step`, on the device. Raises WorkError if an image is damaged."""
        if not self._places:
            self._places, self._length = lay_out(self._tensors_at(step))
            self._count = max(1, min(ROWS, ROWS_BYTES // self._length)) if self._thread else 1
        block, number = divmod(step - 1, self._count)
        if block != self._block:
            self._rows = self._send(self._take(block))
            self._block = block
        return Inputs(self._rows[number], self._places, self._held)

    def _take(self, block: int) -> Tensor:
        if self._thread is None:
            return self._prepare(block)
        rows = self._next.pop(block, None) or self._thread.submit(self._prepare, block)
        self._next = {block + 1: self._thread.submit(self._prepare, block + 1)}
        return rows.result()

    def _prepare(self, block: int) -> Tensor:
        """The rows of the updates of a block: uint8 [count, length], on the CPU."""
        # A copy from pinned memory alone is asynchronous; PyTorch reuses the memory after it
        pinned = self._device.type == "cuda"
        rows = torch.empty(self._count, self._length, dtype=torch.uint8, pin_memory=pinned)
        for number, row in enumerate(rows):
            for name, tensor in self._tensors_at(block * self._count + number + 1).items():
                self._places[name].of(row).copy_(tensor)
        return rows

    def _tensors_at(self, step: int) -> dict[str, Tensor]:
        """What `Inputs` names, on the CPU."""
        config, count = self._config, self._config.images_per_step
        if config.data.flip:
            flips = rng.uniform(config.schedule.seed, "flips", step, count) < 0.5
        else:
            flips = torch.zeros(count, dtype=torch.bool)
        all_indices, decay = self._order.indices_at(step), config.optimizer.decay_at(step)
        indices = self._part(all_indices)
        tensors = {"indices": indices, "flips": self._part(flips)}
        noise = self._method.noise(step, count)
        if self._method.architecture.labels:
            noise |= self._method.labels(step, self._pack.labels[all_indices])
        for name, tensor in noise.items():
            tensors[f"{NOISE}{name}"] = self._part(tensor)
        for name, rate in self._method.rates().items():
            tensors[f"{RATE}{name}"] = torch.tensor(decay * rate)
        tensors["ema_weight"] = torch.tensor(1 - decay_at(step, config.optimizer.ema_decay))
        if self._held is None:
            tensors["images"] = self._pack.batch(indices.tolist())
        return tensors

    def _part(self, tensor: Tensor) -> Tensor:
        """This process's part of each of the batches that lie end to end in `tensor`."""
        batches = self._config.method.batches_per_update
        return tensor.unflatten(0, (batches, -1))[:, self._shard].flatten(0, 1)

    def _send(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._device, non_blocking=tensor.is_pinned())


def _upload(pack: Pack, device: torch.device) -> Tensor:
    images = torch.empty(pack.images.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(pack), UPLOAD):
        part = range(start, min(start + UPLOAD, len(pack)))
        images[part.start : part.stop] = pack.batch(list(part)).to(device)
    return images
