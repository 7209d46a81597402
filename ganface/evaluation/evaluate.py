"""All figures of some images against the reals, and the same of the reals against themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganface.dataset.pack import Pack
from ganface.errors import UserError
from ganface.evaluation.coverage import NEIGHBOURS, density_and_coverage, neighbourhoods
from ganface.evaluation.drawn import Function, Images, choose, extract_features
from ganface.evaluation.frechet import frechet_distance, gaussian_of
from ganface.evaluation.memorisation import COMMON, evened, memorised, near_distances, nearest
from ganface.evaluation.neighbours import mean_distance
from ganface.evaluation.pairs import Pair, closest_pairs
from ganface.evaluation.sharpness import fine_power
from ganface.evaluation.sliced_wasserstein import (
    patches_of,
    patches_per_image,
    project,
    scales,
    sliced_wasserstein,
)
from ganface.io.console import Track, untracked
from ganface.models.features import RandomFeatures

LEAST = 2 * NEIGHBOURS  # images on each side, for all figures to be defined

Figures = dict[str, float]


class Evaluation:
    """Holds what is to be known of the reals; prepared once, for any number of generators."""

    def __init__(
        self, reals: Pack, count: int, device: torch.device, track: Track = untracked
    ) -> None:
        """Split the reals: `count` are the reference, as many others measure what chance does.

        `count` is at least LEAST and at most half the reals. `device`: where networks compute.
        """
        self.count = count
        self._reals = reals
        self._network = RandomFeatures().to(device)
        chosen = choose(reals, 2 * count)
        reference, others = chosen[:count], chosen[count:]

        (self._training,) = extract_features(reals, range(len(reals)), [evened], track)
        self.near, self.typical = near_distances(self._training, torch.tensor(reference))
        features, projections, power = self._describe(reals, reference, track)
        self._features, self._projections, self._fine_power = features, projections, power
        self._gaussian = gaussian_of(features)
        self._radii = neighbourhoods(features)
        self._mean_distance = mean_distance(features)
        self.floors = {
            **self._compare(*self._describe(reals, others, track)),
            "memorised": COMMON,
        }

    def measure(
        self, fakes: Images, indices: Sequence[int], track: Track = untracked
    ) -> tuple[Figures, list[Pair]]:
        """The figures of the fakes of these indices, `count` of them, and those of them that are
        nearest to training images."""
        *described, small = self._describe(fakes, indices, track, evened)
        found = nearest(small, self._training)
        figures = {
            **self._compare(*described),
            "memorised": memorised(found.distances, self.near),
        }
        return figures, closest_pairs(found, indices, small, self._training)

    def _describe(
        self, images: Images, indices: Sequence[int], track: Track, *more: Function
    ) -> list[Any]:
        """Features [count, DIM], the projected patches of each scale, the mean power of fine
        detail, and what `more` make."""
        cut = partial(patches_of, per_image=patches_per_image(self.count))
        functions: list[Function] = [self._network, cut, fine_power, *more]
        features, patches, power, *rest = extract_features(images, indices, functions, track)
        projections = [project(level) for level in patches.unbind(1)]
        return [features, projections, power.mean().item(), *rest]

    def _compare(self, features: Tensor, projections: list[Tensor], power: float) -> Figures:
        """Images so described, against the reference."""
        density, coverage = density_and_coverage(self._features, self._radii, features)
        pairs = zip(projections, self._projections, strict=True)
        swd = [sliced_wasserstein(*pair).item() for pair in pairs]
        sides = scales(self._reals.size)
        return {
            "frechet": frechet_distance(gaussian_of(features), self._gaussian),
            "swd": sum(swd) / len(swd),
            **{f"swd_{side}": value for side, value in zip(sides, swd, strict=True)},
            "density": density,
            "coverage": coverage,
            "diversity": mean_distance(features) / self._mean_distance,
            "sharpness": power / self._fine_power if self._fine_power else 1.0,
        }


def split_size(asked: int, fakes: int, reals: int) -> int:
    """How many images to take on each side. Raises UserError if there are too few."""
    count = min(asked, fakes, reals // 2)
    if count < LEAST:
        raise UserError(
            f"{fakes} images to measure and {reals} reals: needs at least {LEAST} and {2 * LEAST}"
        )
    return count
