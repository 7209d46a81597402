"""Several processes that train as one, each with a GPU of its own or some cores of a CPU.

`torchrun` starts them and says who is who. Started without it, a process is the only one, and
everything here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganface.errors import Interrupted, UserError, WorkError


@dataclass(frozen=True)
class Processes:
    """This process among all those of one training. The first one writes, and speaks."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0  # among those on this machine
    local_world_size: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world_size == 1

    def shard(self, batch_size: int) -> slice:
        """This process's part of every batch. Raises UserError if it cannot be split evenly."""
        part, rest = divmod(batch_size, self.world_size)
        if rest:
            raise UserError(
                f"--batch-size {batch_size}: cannot be split evenly over "
                f"{self.world_size} processes"
            )
        return slice(self.rank * part, (self.rank + 1) * part)

    def own(self, device: torch.device) -> torch.device:
        """The device of that kind that belongs to this process. Raises UserError if none does."""
        if self.alone or device.type == "cpu":
            return device
        if device.type != "cuda":
            raise UserError(f"--device {device.type}: for one process only; use --device cpu")
        if self.local_rank >= torch.cuda.device_count():
            raise UserError(
                f"--nproc-per-node: more processes than this machine's {torch.cuda.device_count()} "
                "GPUs"
            )
        return torch.device("cuda", self.local_rank)

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Within the block the processes can hear each other. They enter it together.

        Raises WorkError if another one is lost.
        """
        if self.alone:
            yield
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)
        # gloo on GPUs as well: what processes agree on must not wait for the GPU
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, dist.DistError) or "gloo" in str(error):
                raise WorkError(
                    f"process {self.rank} of {self.world_size} lost another one, whose own message "
                    "says why; --resume goes on from the last checkpoint"
                ) from error
            raise
        except Interrupted:
            dist.destroy_process_group()
            raise
        dist.destroy_process_group()

    def all_reduce_max(self, number: int) -> int:
        """The largest of the processes' numbers, once all have said theirs."""
        if self.alone:
            return number
        largest = torch.tensor(number)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def all_equal(self, number: int) -> bool:
        """Whether all processes gave the same number."""
        largest, smallest = self.all_reduce_max(number), -self.all_reduce_max(-number)
        return largest == smallest

    def in_turn(self) -> Iterator[bool]:
        """Yields thrice, together; True once: for the first, for each machine's first, the rest."""
        turn_of_this = 0 if self.is_main else 1 if self.local_rank == 0 else 2
        for turn in range(3):
            yield turn == turn_of_this
            self.all_reduce_max(0)

    def all_reduce_mean(self, tensor: Tensor) -> None:
        """Make `tensor` the mean of the processes' tensors, in place."""
        if not self.alone:
            dist.all_reduce(tensor)
            tensor /= self.world_size

    def average_gradients(self, network: nn.Module) -> None:
        """Make the network's gradients the mean of the processes', in one exchange."""
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        self.all_reduce_mean(flat)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def this_process() -> Processes:
    """What torchrun says of this process, if it started it."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    if not all(name in os.environ for name in names):
        return Processes()
    local_world_size = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    rank, world_size, local_rank = (int(os.environ[name]) for name in names)
    return Processes(rank, world_size, local_rank, local_world_size)
