"""Labels of images -> a function that reads them off any face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganface.config.dataset import BuildConfig
from ganface.dataset.decode import BadImageError
from ganface.dataset.images import read_pixels
from ganface.dataset.label_numbers import LabelNumbers
from ganface.errors import UserError
from ganface.evaluation.memorisation import thumbnails
from ganface.io.console import Track, say, untracked
from ganface.latents.ridge import Ridge, ridge

LEAST, MOST = 50, 4000  # images with labels that are learnt from
SMOOTHER = 0.01  # R² that is given away, for G's faces are not quite like real ones
READABLE = 0.5  # R² below which a label cannot be read off an image


@dataclass(frozen=True)
class LabelReader:
    """Reads labels off images."""

    factors: dict[str, str]  # by the name of each label, which label it is a part of
    fit: Ridge  # thumbnail -> labels

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Of uint8 [N, 3, S, S]: float64 [N] for each label, by its name."""
        return dict(zip(self.factors, self.fit(thumbnails(images)).unbind(1), strict=True))


def learn_labels(
    data: Path, labels: LabelNumbers, config: BuildConfig, track: Track = untracked
) -> LabelReader:
    """Learn to read labels off images: by ridge regression from 16 × 16 thumbnails.

    data: a folder or zip with the images; config: how they are made ready. Labels that cannot be
    read off images (an R² of less than READABLE where images are left out) are said on stderr, and
    left out. Raises UserError for images that do not fit the labels.
    """
    if len(labels.files) < LEAST:
        raise UserError(f"{data}: has {len(labels.files)} images with labels, {LEAST} are needed")
    dice = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(labels.files), generator=dice)[:MOST].tolist()
    used, small = [], []
    for index in track(chosen, len(chosen)):
        try:
            pixels = read_pixels(data, labels.files[index], config)
        except BadImageError as error:
            say(f"{labels.files[index]}: left out: {error}")
            continue
        used.append(index)
        small.append(thumbnails(pixels[None])[0])
    if len(used) < LEAST:
        raise UserError(f"{data}: {len(used)} images with labels can be read, {LEAST} are needed")
    values = torch.tensor([*labels.columns.values()], dtype=torch.float64)[:, used].T
    fit = ridge(torch.stack(small), values, SMOOTHER)
    names = [*labels.columns]
    for name, r2 in zip(names, fit.r2.tolist(), strict=True):
        if r2 < READABLE:
            say(f"{name}: cannot be read off images (R² {r2:.2f}), and is left out")
    kept = [i for i, r2 in enumerate(fit.r2.tolist()) if r2 >= READABLE]
    if not kept:
        raise UserError(f"{data}: no label can be read off these images")
    kept_fit = Ridge(fit.weights[:, kept], fit.offset[kept], fit.r2[kept])
    return LabelReader({names[i]: labels.factors[names[i]] for i in kept}, kept_fit)
