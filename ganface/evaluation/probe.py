"""Measurements of a generator's faces, and their slopes in its latent space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganface.errors import WorkError
from ganface.evaluation.memorisation import thumbnails
from ganface.evaluation.rest import Rest, find_rest
from ganface.io.console import Track, untracked
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import BATCH
from ganface.system.parallel import map_on

LEAST_SPREAD = 1e-9  # a deviation below which faces do not differ
AT_ONCE = 32  # faces whose gradients are taken: at 256 × 256 they need a GiB


@dataclass(frozen=True)
class Measurements:
    """What is measured of faces.

    measure: images [N, 3, S, S] of numbers from 0 to 255 -> [N] each, by name. A gradient goes
    through it.
    """

    kind: str  # "measured" or "labelled"
    measure: Callable[[Tensor], dict[str, Tensor]]
    # Whether it tells what it should of a face, however far that is moved. Where colours are taken
    # from fixed places it does not: a tilted face has its skin elsewhere
    far: bool
    factors: dict[str, str] = field(default_factory=dict)  # name -> what it is but a part of

    def factor(self, name: str) -> str:
        return self.factors.get(name, name)


@dataclass(frozen=True)
class Probe:
    """M measurements of the faces that G draws, in standard deviations from their means, and the
    rest of their pictures, K numbers."""

    G: DcganNetwork
    measurements: Measurements
    keys: list[str]  # what `measure` calls the M
    mean: Tensor  # float64 [M]
    sd: Tensor  # float64 [M]
    rest: Rest

    @property
    def factors(self) -> list[str]:
        """Of each of the M + K, what it is a part of."""
        of_measurements = [self.measurements.factor(key) for key in self.keys]
        return of_measurements + [f"rest {k}" for k in range(self.rest.components.shape[1])]

    def table(self, latents: Tensor) -> Tensor:
        """Of the faces of N latents, [N, z_dim] or z⁺, with labels behind: float64 [N, M + K]."""
        with torch.no_grad():
            return torch.cat([self._measure(part) for part in latents.split(BATCH)])

    def slopes(self, z_plus: Tensor, columns: Sequence[int]) -> Tensor:
        """The gradients of these of the M + K by z⁺ [N, places, z_dim], labels behind, on average
        over the N faces: float64 [columns, places, z_dim]."""
        total = torch.zeros(len(columns), self.G.places, self.G.config.z_dim, dtype=torch.float64)
        for part in z_plus.split(AT_ONCE):
            z, labels = part.tensor_split([total.shape[2]], -1)
            z = z.clone().requires_grad_()
            values = self._measure(torch.cat([z, labels], -1)).sum(0)
            for row, column in enumerate(columns):
                (slope,) = torch.autograd.grad(values[column], z, retain_graph=True)
                total[row] += slope.sum(0) / len(z_plus)
        return total

    def _measure(self, latents: Tensor) -> Tensor:
        images = draw(self.G, latents)
        found = self.measurements.measure(images)
        table = torch.stack([found[key].double() for key in self.keys], 1)
        measured = (table - self.mean) / self.sd
        return torch.cat([measured, self.rest(images, measured)], 1)


def make_probe(
    G: DcganNetwork, measurements: Measurements, latents: Tensor, track: Track = untracked
) -> tuple[Probe, Tensor]:
    """A probe of what differs among the faces of N latents, and its table of them [N, M + K].

    Raises WorkError if they are all alike.
    """

    def work(part: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        with torch.no_grad():
            # As files hold them: what differs by rounding alone does not differ
            images = draw(G, part).round()
            return measurements.measure(images), thumbnails(images).double()

    parts = latents.split(BATCH)
    found = [*track(map_on(device_of(G), work, parts), len(parts))]
    values = {key: torch.cat([part[key].double() for part, _ in found]) for key in found[0][0]}
    keys = [key for key, each in values.items() if each.std() > LEAST_SPREAD]
    if not keys:
        raise WorkError("all faces of this generator are alike; there is nothing to tell apart")
    table = torch.stack([values[key] for key in keys], 1)
    mean, sd = table.mean(0), table.std(0)
    measured, thumbs = (table - mean) / sd, torch.cat([thumbs for _, thumbs in found])
    rest = find_rest(thumbs, measured)
    table = torch.cat([measured, rest.of(thumbs, measured)], 1)
    return Probe(G, measurements, keys, mean, sd, rest), table


def draw(G: DcganNetwork, latents: Tensor) -> Tensor:
    """The faces of a batch of latents: [B, 3, S, S] on the CPU, from 0 to 255 and not rounded, a
    gradient through them."""
    return (G(latents.to(device_of(G))).cpu() + 1) * 127.5


def device_of(G: DcganNetwork) -> torch.device:
    return next(G.parameters()).device
