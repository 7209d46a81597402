"""Real faces -> points in latent space, by descent from a first guess.

A face x has its z where G(z) is most like it: Zhu, Krähenbühl, Shechtman and Efros 2016,
"Generative Visual Manipulation on the Natural Image Manifold" (arXiv:1609.03552). What is made
small, for each face by itself, is

    log(MSE(G(z), x) + FEATURES · d(G(z), x) + FLOOR) + PRIOR · mean(z²)

d compares features of random convolutions, for the MSE alone would rather have no edge than one in
the wrong place. The logarithm lets z go as far as it takes for a face that G can draw, and keeps it
near 0, where G knows faces, for one that it cannot. Then each of the layers that read z gets a z of
its own, z⁺, and the descent goes on: Abdal, Qin and Wonka 2019, "Image2StyleGAN"
(arXiv:1904.03189).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganface.config.dataset import BuildConfig
from ganface.dataset.images import read_images
from ganface.dataset.normalise import normalise
from ganface.errors import UserError
from ganface.io.console import Track, untracked
from ganface.latents.latents import Label, Latents
from ganface.latents.seeds import z_of
from ganface.models.dcgan import DcganNetwork, Generator
from ganface.models.features import RandomFeatures
from ganface.models.generate import BATCH
from ganface.models.snapshot import holds, load_generator, load_network

STEPS = 200  # of z, and as many of z⁺
STEPS_NEAR = 40  # likewise, from an encoder's guess
RATE, RATE_PLUS = 0.3, 0.2  # of Adam, for z and z⁺; it falls to 0 over the last quarter
BETAS = (0.9, 0.95)  # a short memory, for slopes are steep at first
PRIOR = 0.2
FEATURES = 0.03
FLOOR = 1e-4  # half of what rounding to grey levels alone comes to
FACES = 256  # of G's own, by which features are scaled


@dataclass(frozen=True)
class Projection:
    """N images, and where they are in the latent space of a generator."""

    names: tuple[str, ...]
    images: Tensor  # uint8 [N, 3, S, S]
    points: dict[str, Tensor]  # z [N, z_dim] and, if G reads z in several places, z_plus
    errors: dict[str, Tensor]  # float32 [N] of each: the MSE, of images in [-1, 1]

    def latents(self, space: str) -> Latents:
        """The points "z" or, if they are there, "z_plus", to be walked through."""
        labels = [
            Label(f"latent of {name}", f"latent-{i:06d}", {"image": name})
            for i, name in enumerate(self.names)
        ]
        return Latents(self.points[space], tuple(labels), {"images": [*self.names]})


def project_images(
    model: Path,
    paths: Sequence[Path],
    build: BuildConfig,
    device: torch.device,
    steps: int | None = None,
    track: Track = untracked,
    least: int = 1,
) -> tuple[Projection, DcganNetwork, dict[str, Any]]:
    """The images of these paths in the latent space of a model; its generator and metadata.

    paths: see `dataset.images.read_images`; build: how images are made ready for it; least: fewer
    images than these are refused.
    Raises UserError if the model's generator cannot be projected to, or if there is no image.
    """
    G, meta = load_generator(model)
    if not isinstance(G, Generator):
        raise UserError(f"{model}: draws by climbing D, and no gradient reaches z")
    E = load_network(model, "E")[0].to(device) if holds(model, "E") else None
    named = list(read_images(paths, build))
    if len(named) < least:
        found = f"{len(named)} image{'s' if len(named) > 1 else ''}" if named else "no image"
        raise UserError(f"{found} that can be projected{f'; it takes {least}' if named else ''}")
    G = G.to(device).to(memory_format=torch.channels_last)
    images = torch.stack([image for _, image in named])
    points, errors = project(G, images, E, steps, track)
    return Projection(tuple(name for name, _ in named), images, points, errors), G, meta


def project(
    G: Generator,
    images: Tensor,
    E: DcganNetwork | None = None,
    steps: int | None = None,
    track: Track = untracked,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Where images, uint8 [N, 3, S, S], lie in G's latent space; and how far G's are from them.

    E: gives the first guesses, or they are 0. steps: of z, and as many of z⁺; STEPS if not given,
    or STEPS_NEAR with E. Returns `points` and `errors` of a `Projection`.
    """
    if steps is None:
        steps = STEPS if E is None else STEPS_NEAR
    device = next(G.parameters()).device
    features_of = scaled_features(G)
    batches = images.split(BATCH)
    points: dict[str, list[Tensor]] = {}
    errors: dict[str, list[Tensor]] = {}

    def work() -> Iterator[None]:
        for batch in batches:
            x = normalise(batch, torch.zeros(len(batch), dtype=torch.bool)).to(device)
            z = torch.zeros(len(x), G.config.z_dim, device=device)
            if E is not None:
                with torch.no_grad():
                    z = E(x).float()
            yield from descend("z", z, x, RATE)
            if G.places > 1:
                z_plus = points["z"][-1].to(device)[:, None].repeat(1, G.places, 1)
                yield from descend("z_plus", z_plus, x, RATE_PLUS)

    def descend(space: str, z: Tensor, x: Tensor, rate: float) -> Iterator[None]:
        z = z.clone().requires_grad_()
        adam = torch.optim.Adam([z], rate, BETAS)
        with torch.no_grad():
            features = features_of(x)
        for step in range(steps):
            adam.param_groups[0]["lr"] = rate * min(1, 4 * (steps - step) / steps)
            adam.zero_grad()
            again = G(z)
            distance = (features_of(again) - features).square().mean(1)
            unlike = mse(again, x) + FEATURES * distance
            loss = (unlike + FLOOR).log() + PRIOR * z.square().flatten(1).mean(1)
            loss.sum().backward()
            adam.step()
            yield
        with torch.no_grad():
            errors.setdefault(space, []).append(mse(G(z), x).cpu())
        points.setdefault(space, []).append(z.detach().cpu())

    total = len(batches) * steps * (2 if G.places > 1 else 1)
    for _ in track(work(), total):
        pass
    return (
        {space: torch.cat(parts) for space, parts in points.items()},
        {space: torch.cat(parts) for space, parts in errors.items()},
    )


def mse(a: Tensor, b: Tensor) -> Tensor:
    """The mean of the squares of the differences of each of B images: float32 [B]."""
    return (a - b).square().mean((1, 2, 3))


def scaled_features(G: Generator) -> Callable[[Tensor], Tensor]:
    """Random features [B, d] of images [B, 3, S, S] in [-1, 1], which a gradient goes through.

    As `RandomFeatures` has them, the mean over each quarter and the standard deviation over the
    whole, each in standard deviations of that feature among G's own faces.
    """
    device = next(G.parameters()).device
    network = RandomFeatures().to(device)

    def features_of(images: Tensor) -> Tensor:
        features = []
        for layer in network.layers(10 * images):
            # Not by `std`, which has no slope at 0
            spread = layer.var((2, 3)).clamp(min=1e-6).sqrt()
            features += [adaptive_avg_pool2d(layer, 2).flatten(1), spread]
        return torch.cat(features, 1)

    with torch.no_grad():
        z = z_of(range(FACES), G.config.z_dim)
        own = torch.cat([features_of(G(part.to(device))) for part in z.split(BATCH)])
        scale = own.std(0).clamp(min=1e-6)

    return lambda images: features_of(images) / scale
