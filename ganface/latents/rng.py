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
