"""The score that needs nothing downloaded: what a training can ask for again and again."""

from __future__ import annotations

import torch
from torch import Tensor

from ganface.evaluation.features import RandomFeatures
from ganface.evaluation.frechet import frechet_distance, gaussian_of
from ganface.evaluation.images import CHUNK, Images, choose, describe


class Scorer:
    """Holds reals against which images are scored; prepared once, cheap from then on."""

    def __init__(self, reals: Images, count: int, device: torch.device) -> None:
        """Take `count` of the reals, or all if there are fewer. `device`: where to compute."""
        self._features = RandomFeatures().to(device)
        (features,) = describe(reals, choose(reals, count), [self._features])
        self._reals = gaussian_of(features)

    def score(self, images: Tensor) -> float:
        """The Fréchet distance of uint8 images [N, 3, S, S] to the reals; lower is better.

        It falls as N grows: compare scores of equal N, of a few hundred images or more.
        """
        features = torch.cat([self._features(part) for part in images.split(CHUNK)])
        return frechet_distance(gaussian_of(features), self._reals)
