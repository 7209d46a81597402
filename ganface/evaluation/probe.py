"""Measurements of a generator's faces, and their slopes in its latent space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import BATCH
from ganface.system.parallel import map_in_threads

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Measurements:
    """What is measured of faces.

    measure: images [N, 3, S, S] of numbers from 0 to 255 -> [N] each, by name. A gradient goes
    through it.
    """

    kind: str  # "measured" or "labelled"
    measure: Callable[[Tensor], dict[str, Tensor]]
    factors: dict[str, str] = field(default_factory=dict)  # name -> what it is but a part of

    def factor(self, name: str) -> str:
        return self.factors.get(name, name)


@dataclass(frozen=True)
class Probe:
    """M measurements of the faces that G draws, each in its standard deviations among them."""

    G: DcganNetwork
    measurements: Measurements
    keys: list[str]  # what `measure` calls them
    sd: Tensor  # float64 [M]

    @property
    def factors(self) -> list[str]:
        return [self.measurements.factor(key) for key in self.keys]

    def table(self, latents: Tensor) -> Tensor:
        """Of the faces of N latents, [N, z_dim] or z⁺, with labels behind: float64 [N, M]."""
        with torch.no_grad():
            return torch.cat([self._measure(part) for part in latents.split(BATCH)])

    def slopes(self, z_plus: Tensor, columns: Sequence[int]) -> Tensor:
        """The gradients of these measurements by z⁺ [N, places, z_dim], labels behind, on average
        over the N faces: float64 [columns, places, z_dim]."""
        total = torch.zeros(len(columns), self.G.places, self.G.config.z_dim, dtype=torch.float64)
        for part in z_plus.split(BATCH):
            z, labels = part.tensor_split([total.shape[2]], -1)
            z = z.clone().requires_grad_()
            values = self._measure(torch.cat([z, labels], -1)).sum(0)
            for row, column in enumerate(columns):
                (slope,) = torch.autograd.grad(values[column], z, retain_graph=True)
                total[row] += slope.sum(0) / len(z_plus)
        return total

    def _measure(self, latents: Tensor) -> Tensor:
        found = measure_faces(self.G, self.measurements, latents)
        return torch.stack([found[key] for key in self.keys], 1) / self.sd


def measure_faces(
    G: DcganNetwork, measurements: Measurements, latents: Tensor
) -> dict[str, Tensor]:
    """Of the faces of a batch of latents: float64 [B] each, by name, a gradient through them."""
    images = (G(latents.to(next(G.parameters()).device)).cpu() + 1) * 127.5
    return {name: values.double() for name, values in measurements.measure(images).items()}


def side_by_side(
    G: DcganNetwork, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """work(item) for each item, in threads if G is on the CPU.

    A GPU does one after the other in any case, and each thread would set it up anew.
    """
    on_cpu = next(G.parameters()).device.type == "cpu"
    return map_in_threads(work, items) if on_cpu else map(work, items)
