"""Which images of a dataset an update learns from, and which none does."""

from __future__ import annotations

import torch
from torch import Tensor

from ganface.latents.rng import generator

HELD_OUT = 50


def held_out(length: int) -> range:
    """The images of a dataset that D never learns from: one in HELD_OUT."""
    return range(HELD_OUT - 1, length, HELD_OUT)


class DataOrder:
    """Every image that is not held out once per epoch, in a new order each time.

    The epochs' permutations of them stand end to end, and step s (from 1) takes the s-th
    `batch_size` of them, so a batch may span two epochs.
    """

    def __init__(self, seed: int, length: int, batch_size: int) -> None:
        self._seed = seed
        self._length = length - len(held_out(length))
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
            part = part.long()
            parts.append(part + part // (HELD_OUT - 1))  # past those that are held out
            position += len(part)
        return torch.cat(parts)

    def _order(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            shuffle = generator(self._seed, "order", epoch)
            del self._permutation  # two at once would take twice the memory
            self._permutation = torch.randperm(self._length, generator=shuffle, dtype=torch.int32)
            self._epoch = epoch
        return self._permutation
