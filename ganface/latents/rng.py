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


def normal(seed: int, stream: str, step: int, *shape: int) -> Tensor:
    """float32 of that shape from N(0, I)."""
    return torch.randn(*shape, generator=generator(seed, stream, step))


def uniform(seed: int, stream: str, step: int, *shape: int) -> Tensor:
    """float32 of that shape, uniform in [0, 1)."""
    return torch.rand(*shape, generator=generator(seed, stream, step))
