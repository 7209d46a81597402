"""Images that are measured: a pack's, or those that G draws. They are read or drawn as needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from ganface.io.console import Track, untracked
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import generate, latents_of, use_compiled_kernels
from ganface.system.parallel import map_on

CPU = torch.device("cpu")
CHUNK = 250
SPLIT_SEED = 0

Function = Callable[[Tensor], Tensor]


class Images(Protocol):
    """So many images; `Pack` is one."""

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int]) -> Tensor:
        """uint8 [len(indices), 3, S, S] on the CPU."""
        ...


class DrawnImages:
    """The faces of seeds 0 to count - 1."""

    def __init__(self, G: DcganNetwork, count: int) -> None:
        use_compiled_kernels(G, count)
        self._G = G
        self._count = count

    def __len__(self) -> int:
        return self._count

    def batch(self, indices: Sequence[int]) -> Tensor:
        """The faces of these seeds: uint8 [len(indices), 3, S, S], as a PNG would hold them."""
        return generate(self._G, latents_of(self._G, indices))


def choose(images: Images, count: int) -> list[int]:
    """Indices of `count` of the images, or all, by chance and in no order; the same every time."""
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    return torch.randperm(len(images), generator=generator)[:count].tolist()


def extract_features(
    images: Images,
    indices: Sequence[int],
    functions: Sequence[Function],
    track: Track = untracked,
    device: torch.device = CPU,
) -> list[Tensor]:
    """What each of `functions` makes of these images, one row for each, on the CPU.

    A function is given uint8 [n, 3, S, S] on `device`, at most CHUNK images at once.
    """

    def work(part: Sequence[int]) -> list[Tensor]:
        chunk = images.batch(part).to(device)
        return [function(chunk).cpu() for function in functions]

    parts = [indices[start : start + CHUNK] for start in range(0, len(indices), CHUNK)]
    rows = track(map_on(device, work, parts), len(parts))
    return [torch.cat(column) for column in zip(*rows, strict=True)]
