"""Images that are measured: a pack's, or those that G draws. They are read or drawn as needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from ganface.dataset.pack import Pack
from ganface.io.console import Track, untracked
from ganface.latents.labels import multi_hot, with_labels
from ganface.latents.seeds import z_of
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import generate, use_compiled_kernels
from ganface.system.parallel import map_in_threads

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
    """The faces of seeds 0 to count - 1, drawn to order where `labels` uint8 [count, A] say so."""

    def __init__(self, G: DcganNetwork, count: int, labels: Tensor | None = None) -> None:
        use_compiled_kernels(G, count)
        self._G = G
        self._count = count
        self._labels = labels

    def __len__(self) -> int:
        return self._count

    def batch(self, indices: Sequence[int]) -> Tensor:
        """The faces of these seeds: uint8 [len(indices), 3, S, S], as a PNG would hold them."""
        config = self._G.config
        z = z_of(indices, config.z_dim)
        if self._labels is not None and config.labels:
            z = with_labels(z, multi_hot(self._labels[[*indices]], config.labels))
        return generate(self._G, z)


def choose(images: Images, count: int) -> list[int]:
    """Indices of `count` of the images, or all, by chance and in no order; the same every time."""
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    return torch.randperm(len(images), generator=generator)[:count].tolist()


def labels_like(reals: Pack, count: int) -> Tensor:
    """Labels for so many faces, as reals have them, in no order: uint8 [count, A]."""
    order = torch.tensor(choose(reals, len(reals)))
    return reals.labels[order[torch.arange(count) % len(reals)]]


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
    # A GPU does one after the other in any case, and each thread would set it up anew
    results = map_in_threads(work, parts) if device == CPU else map(work, parts)
    rows = track(results, len(parts))
    return [torch.cat(column) for column in zip(*rows, strict=True)]
