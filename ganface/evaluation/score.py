"""The score that needs nothing downloaded: what a training can ask for again and again."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ganface.evaluation.drawn import CHUNK, Images, choose, extract_features
from ganface.evaluation.frechet import frechet_distance, gaussian_of
from ganface.evaluation.sliced_wasserstein import patches_of, project, sliced_wasserstein
from ganface.models.features import RandomFeatures
from ganface.system.device import without_trials

REALS = 5000  # real images that features are compared with, if there are so many
FACES = 1000  # that are scored, and real images that their patches are compared with
PATCHES = 16  # of each image, at each scale


class Scorer:
    """Holds reals against which images are scored; prepared once, cheap from then on."""

    def __init__(self, reals: Images, device: torch.device) -> None:
        self._network = RandomFeatures().to(device)
        self._patches = partial(patches_of, per_image=PATCHES)
        chosen = choose(reals, REALS)
        with without_trials():
            (features,) = extract_features(reals, chosen, [self._network], device=device)
            (patches,) = extract_features(reals, chosen[:FACES], [self._patches], device=device)
        self._count = len(patches)
        self._features = gaussian_of(features)
        self._projections = [project(level.to(device)) for level in patches.unbind(1)]

    def extract_features(self, images: Tensor) -> dict[str, Tensor]:
        """What `score` is to know of uint8 images [FACES, 3, S, S] on the scorer's device, there.

        Waits for nothing. Its names are "features" and "distances".
        """
        parts = images.split(CHUNK)
        with without_trials():
            patches = torch.cat([self._patches(part) for part in parts])[: self._count]
            features = torch.cat([self._network(part) for part in parts])
        pairs = zip(map(project, patches.unbind(1)), self._projections, strict=True)
        distances = torch.stack([sliced_wasserstein(*pair) for pair in pairs])
        return {"features": features, "distances": distances}

    def score(self, described: dict[str, Tensor]) -> float:
        """How far the described images are from the reals; lower is better.

        A weighted geometric mean: four parts the sliced Wasserstein distance at its worst scale,
        which sees whether detail has the right shape; one part the Fréchet distance in random
        features, which sees colours and what is where. Of what was tried this agreed best with
        features that had learnt faces, and still sees colours: docs/evaluation.md.
        """
        swd = described["distances"].max().item()
        frechet = frechet_distance(gaussian_of(described["features"]), self._features)
        return swd**0.8 * frechet**0.2
