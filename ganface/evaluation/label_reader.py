"""Labels of images -> a function that reads them off any face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganface.config.dataset import BuildConfig
from ganface.dataset.decode import BadImageError
from ganface.dataset.images import read_pixels
from ganface.dataset.label_numbers import LabelNumbers
from ganface.errors import UserError
from ganface.evaluation.reader import train_reader
from ganface.io.console import Track, say, untracked
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import BATCH

LEAST, MOST = 100, 4000  # images with labels that are learnt from
APART = 5  # one in so many is not learnt from
UPDATES = 2000
READABLE = 0.5  # R² below which a label cannot be read off an image
SIDE = 32  # on which it is read, whatever the images' size


@dataclass(frozen=True)
class LabelReader:
    """Reads labels off images."""

    factors: dict[str, str]  # by the name of each label, which label it is a part of
    r2: Tensor  # float64 [M], of each label in images that were not learnt from
    network: DcganNetwork  # images [N, 3, SIDE, SIDE] in [-1, 1] -> standardised labels
    columns: list[int]  # where among these the labels are
    mean: Tensor  # float64, of each label [M]
    sd: Tensor

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Of [N, 3, S, S], numbers from 0 to 255: float64 [N] for each label, by its name. A
        gradient goes through it."""
        parts = [self.network(_reduced(part)) for part in images.split(BATCH)]
        values = torch.cat(parts)[:, self.columns].double() * self.sd + self.mean
        return dict(zip(self.factors, values.unbind(1), strict=True))


def learn_labels(
    data: Path, labels: LabelNumbers, config: BuildConfig, track: Track = untracked
) -> LabelReader:
    """Learn to read labels off images.

    data: a folder or zip with the images; config: how they are made ready. Labels that cannot be
    read off images (an R² of less than READABLE where images are left out) are said on stderr, and
    left out. Raises UserError for images that do not fit the labels.
    """
    if len(labels.files) < LEAST:
        raise UserError(f"{data}: has {len(labels.files)} images with labels, {LEAST} are needed")
    dice = torch.Generator().manual_seed(0)
    chosen = torch.randperm(len(labels.files), generator=dice)[:MOST].tolist()
    used, pixels = [], []
    for index in track(chosen, len(chosen)):
        try:
            pixels.append(_reduced(read_pixels(data, labels.files[index], config)[None]))
        except BadImageError as error:
            say(f"{labels.files[index]}: left out: {error}")
        else:
            used.append(index)
    if len(used) < LEAST:
        raise UserError(f"{data}: {len(used)} images with labels can be read, {LEAST} are needed")
    images = torch.cat(pixels)
    values = torch.tensor([*labels.columns.values()], dtype=torch.float64)[:, used].T
    mean, sd = values.mean(0), values.std(0)
    # Not by 0, of a label that all have; its R² is found to be below READABLE
    wanted = ((values - mean) / sd.where(sd > 0, 1)).float()
    apart = len(used) // APART

    def loss_of(network: DcganNetwork, dice: Tensor) -> Tensor:
        batch = apart + (dice[0] * (len(used) - apart)).long()
        return (network(images[batch]) - wanted[batch]).square().mean()

    network = train_reader(SIDE, len(labels.columns), UPDATES, loss_of, torch.device("cpu"), track)
    found = torch.cat([network(part) for part in images[:apart].split(BATCH)])
    missed = (found - wanted[:apart]).square().mean(0)
    r2 = (1 - missed / wanted[:apart].var(0, correction=0).clamp(min=1e-12)).double()
    names = [*labels.columns]
    for name, each in zip(names, r2.tolist(), strict=True):
        if each < READABLE:
            say(f"{name}: cannot be read off images (R² {each:.2f}), and is left out")
    kept = (r2 >= READABLE).nonzero().flatten().tolist()
    if not kept:
        raise UserError(f"{data}: no label can be read off these images")
    factors = {names[i]: labels.factors[names[i]] for i in kept}
    return LabelReader(factors, r2[kept], network, kept, mean[kept], sd[kept])


def _reduced(images: Tensor) -> Tensor:
    """[N, 3, S, S], numbers from 0 to 255 -> float32 [N, 3, SIDE, SIDE] in [-1, 1]."""
    return adaptive_avg_pool2d(images.float(), SIDE) / 127.5 - 1
