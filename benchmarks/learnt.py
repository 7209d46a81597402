"""Features that have learnt your own images: what trainings are compared by in docs/recipes.md.

A small network learns to tell apart any two images, and to take two changed copies of one image for
the same: Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations"
(arXiv:2002.05709). No labels and no download are needed. Random features see colours and textures;
these know eyes, hair and outlines as well. Figures compare only with others by the same network.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import (
    adaptive_avg_pool2d,
    affine_grid,
    cross_entropy,
    grid_sample,
    interpolate,
    normalize,
)

from ganface.dataset.pack import Pack
from ganface.evaluation.coverage import density_and_coverage, neighbourhoods
from ganface.evaluation.drawn import CHUNK, choose, extract_features
from ganface.evaluation.frechet import frechet_distance, gaussian_of

SIDE = 64  # of the images that the network sees
STEPS, BATCH, RATE, TEMPERATURE = 240, 192, 2e-3, 0.15
REFERENCE, SAMPLES = 5000, 2500  # real images compared with, images compared


class Network(nn.Module):
    """Images [N, 3, 64, 64] in [-1, 1] -> features [N, 768]. `head` serves the learning alone."""

    def __init__(self) -> None:
        super().__init__()
        channels = ((3, 32, 2), (32, 64, 2), (64, 128, 2), (128, 128, 1), (128, 192, 2))
        self.layers = nn.Sequential()
        for C, K, stride in channels:
            self.layers += nn.Sequential(
                nn.Conv2d(C, K, 3, stride, 1, bias=False), nn.BatchNorm2d(K), nn.ReLU()
            )
        self.head = nn.Sequential(nn.Linear(768, 256), nn.ReLU(), nn.Linear(256, 96))

    def forward(self, images: Tensor) -> Tensor:
        return adaptive_avg_pool2d(self.layers(images), 2).flatten(1)


def prepared(images: Tensor) -> Tensor:
    """uint8 [N, 3, S, S] -> float32 [N, 3, SIDE, SIDE] in [-1, 1], channels_last."""
    images = images.float() / 127.5 - 1
    if images.shape[-1] != SIDE:
        images = interpolate(images, size=SIDE, mode="bilinear", antialias=True)
    return images.contiguous(memory_format=torch.channels_last)


def changed(images: Tensor, dice: torch.Generator) -> Tensor:
    """Each turned, moved, scaled, perhaps mirrored, and with slightly other colours."""

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(len(images), *shape, generator=dice)

    scale, angle, x, y = between(0.75, 1.05), *(between(-0.15, 0.15) for _ in range(3))
    mirror = torch.where(between(0, 1) < 0.5, -1, 1)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    places = torch.stack([mirror * cos, -sin, x, mirror * sin, cos, y], 1).view(-1, 2, 3)
    grid = affine_grid(places, list(images.shape), align_corners=False)
    images = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    images = images * between(0.85, 1.15, 1, 1, 1) + between(-0.1, 0.1, 1, 1, 1)
    grey = images.mean(1, keepdim=True)
    return grey + (images - grey) * between(0.75, 1.25, 1, 1, 1)


def learn(pack: Pack, path: Path) -> Network:
    """The network that has learnt the images of `pack`, from the file `path` if it is there.

    It takes some three minutes on two CPU cores.
    """
    network = Network().to(memory_format=torch.channels_last)
    if path.is_file():
        network.load_state_dict(load_file(path))
        return network.eval()
    torch.manual_seed(0)  # for the weights
    network = Network().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    dice = torch.Generator().manual_seed(0)
    batch = min(BATCH, len(pack))
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 + math.cos(math.pi * step / STEPS)) / 2
        indices = torch.randint(len(pack), (batch,), generator=dice).tolist()
        images = prepared(pack.batch(indices))
        pairs = torch.cat([changed(images, dice), changed(images, dice)])
        features = normalize(network.head(network(pairs)))
        alike = features @ features.T / TEMPERATURE
        alike = alike.masked_fill(torch.eye(2 * batch, dtype=torch.bool), -torch.inf)
        loss = cross_entropy(alike, torch.arange(2 * batch).roll(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    return network.eval()


class Judge:
    """Compares images with the reals of a pack, in features that have learnt these."""

    def __init__(self, pack: Pack, path: Path) -> None:
        """`path`: where the network is kept. Of a pack with fewer than twice SAMPLES images
        half are compared."""
        self._network = learn(pack, path)
        order = choose(pack, len(pack))
        count = min(SAMPLES, len(pack) // 2)
        chosen, others = order[: min(REFERENCE, len(pack) - count)], order[-count:]
        (features,) = extract_features(pack, chosen, [self._features])
        self._scale = (100 / features.var(0).sum()).sqrt()  # of a scale that reads like FIDs
        self._reals = gaussian_of(features * self._scale)
        self._nearby = features[:count]
        self._radii = neighbourhoods(self._nearby)
        self.floors = self.measure(pack.batch(others))

    @torch.no_grad()
    def _features(self, images: Tensor) -> Tensor:
        return self._network(prepared(images))

    def measure(self, images: Tensor) -> dict[str, float]:
        """`learnt`, the Fréchet distance, and coverage and density, of uint8 [SAMPLES, 3, S, S]."""
        features = torch.cat([self._features(part) for part in images.split(CHUNK)])
        distance = frechet_distance(gaussian_of(features * self._scale), self._reals)
        density, coverage = density_and_coverage(self._nearby, self._radii, features)
        return {"learnt": distance, "coverage": coverage, "density": density}
