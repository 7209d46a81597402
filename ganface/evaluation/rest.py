"""The rest of a picture: what measurements of faces do not tell.

Taken as the leading principal components of thumbnails, less what a straight line foretells of them
from the measurements. When the head tilts, the picture changes as it does from one face to another
that differ in tilt; beyond that it should stay. So what nobody measured or labelled, as glasses, is
held still as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganface.evaluation.memorisation import thumbnails

COUNT = 64  # components, which hold 95 % of what drawn faces differ by at that size
LEAST = 1e-4  # of the first component's deviation, from which on one is more than rounding


@dataclass(frozen=True)
class Rest:
    """K numbers of a face, all 0 on average and none foretold by its M measurements."""

    centre: Tensor  # float64 [d], of thumbnails
    components: Tensor  # float64 [d, K], which make numbers with a deviation of 1
    foretold: Tensor  # float64 [M, K], by measurements in standard deviations from their means

    def __call__(self, images: Tensor, measured: Tensor) -> Tensor:
        """Of images [B, 3, S, S] and their measurements [B, M], in standard deviations from their
        means: float64 [B, K], a gradient through both."""
        return self.of(thumbnails(images).double(), measured)

    def of(self, thumbs: Tensor, measured: Tensor) -> Tensor:
        return (thumbs - self.centre) @ self.components - measured @ self.foretold


def find_rest(thumbs: Tensor, measured: Tensor) -> Rest:
    """The rest of N faces, by their thumbnails float64 [N, d] and measurements [N, M]."""
    centre = thumbs.mean(0)
    _, lengths, axes = torch.linalg.svd(thumbs - centre, full_matrices=False)
    kept = int((lengths[:COUNT] > LEAST * lengths[0]).sum())
    components = axes[:kept].T / lengths[:kept] * (len(thumbs) - 1) ** 0.5
    numbers = (thumbs - centre) @ components
    return Rest(centre, components, torch.linalg.lstsq(measured, numbers).solution)
