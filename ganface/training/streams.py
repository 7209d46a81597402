"""Everything random in a run, each a pure function of (seed, step).

There is no random state to save: a run resumed at a step draws what it would have drawn.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def generator(seed: int, stream: str, index: int = 0) -> torch.Generator:
    """A CPU generator of its own for each (seed, stream, index); near indices share nothing."""
    digest = hashlib.blake2b(f"{seed}/{stream}/{index}".encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


def z_at(seed: int, step: int, batch_size: int, z_dim: int) -> Tensor:
    """The z of one update: float32 [batch_size, z_dim] from N(0, I)."""
    return torch.randn(batch_size, z_dim, generator=generator(seed, "z", step))


def flips_at(seed: int, step: int, batch_size: int) -> Tensor:
    """Which images of one update are mirrored: bool [batch_size], each with probability 1/2."""
    return torch.rand(batch_size, generator=generator(seed, "flips", step)) < 0.5


def dice_at(seed: int, step: int, *shape: int) -> Tensor:
    """What decides how images are augmented in one update: float32, uniform in [0, 1)."""
    return torch.rand(*shape, generator=generator(seed, "dice", step))


def mix_at(seed: int, step: int, batch_size: int) -> Tensor:
    """Places between real and generated images: float32 [batch_size], uniform in [0, 1)."""
    return torch.rand(batch_size, generator=generator(seed, "mix", step))


class DataOrder:
    """Every image once per epoch, in a new order each time.

    The epochs' permutations of `length` stand end to end, and step s (from 1) takes the s-th
    `batch_size` of them, so a batch may span two epochs.
    """

    def __init__(self, seed: int, length: int, batch_size: int) -> None:
        self._seed = seed
        self._length = length
        self._batch_size = batch_size
        self._epoch = -1
        self._permutation = torch.empty(0, dtype=torch.int32)

    def indices_at(self, step: int) -> Tensor:
        """int64 [batch_size]"""
        position = (step - 1) * self._batch_size
        end = position + self._batch_size
        parts = []
        while position < end:
            epoch, offset = divmod(position, self._length)
            part = self._order(epoch)[offset : offset + end - position]
            parts.append(part.long())
            position += len(part)
        return torch.cat(parts)

    def _order(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            shuffle = generator(self._seed, "order", epoch)
            del self._permutation  # two at once would take twice the memory
            self._permutation = torch.randperm(self._length, generator=shuffle, dtype=torch.int32)
            self._epoch = epoch
        return self._permutation
