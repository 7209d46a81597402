"""Real faces -> points in latent space, by descent from a first guess.

A face x has its z where G(z) is most like it: Zhu, Krähenbühl, Shechtman and Efros 2016,
"Generative Visual Manipulation on the Natural Image Manifold" (arXiv:1609.03552). What is made
small, for each face by itself, is

    log(MSE(G(z), x) + FEATURES · d(G(z), x) + FLOOR) + PRIOR · mean(z²)

d compares features of random convolutions, for the MSE alone would rather have no edge than one in
the wrong place. The logarithm lets z go as far as it takes for a face that G can draw, and keeps it
near 0, where G knows faces, for one that it cannot. Adam descends in coordinates in which this has
about the same curvature in every direction (see curvature.py): it comes as near in 100 steps as in
more than 200 in the entries of z. Then each of the layers that read z gets a z of its own, z⁺, and
the descent goes on: Abdal, Qin and Wonka 2019, "Image2StyleGAN" (arXiv:1904.03189).
"""

from __future__ import annotations

import math
from collections import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganface.dataset.normalise import normalise
from ganface.errors import UserError
from ganface.io.console import Track, untracked
from ganface.latents.curvature import even_basis
from ganface.latents.latents import Latents, Title
from ganface.latents.places import everywhere
from ganface.models.dcgan import DcganNetwork, Generator
from ganface.models.features import RandomFeatures
from ganface.models.generate import BATCH, latents_of
from ganface.models.snapshot import holds, load_generator, load_network
from ganface.system.adam import LightAdam

STEPS = 100  # of z, and as many of z⁺
STEPS_NEAR = 40  # likewise, from an encoder's guess
RATE, RATE_NEAR, RATE_PLUS = 0.6, 0.3, 0.9  # of Adam: for z, from an encoder's, and for z⁺
BETAS = (0.8, 0.95)  # a short memory, for slopes are steep at first
PRIOR = 0.2
FEATURES = 0.03
USUAL = 0.06  # of MSE + FEATURES · d, for which coordinates are made; 0.03 and 0.15 do as well
FLOOR = 1e-4  # half of what rounding to grey levels alone comes to
FACES = 256  # of G's own, by which features are scaled, and one of which a descent begins near
HALFWAY = 0.5  # how far towards it: from 0 itself some faces get stuck in another colour
FAR = 0.6  # of the variance of G's own faces: an error in z that hardly any face has


@dataclass(frozen=True)
class Projection:
    """N images, and where they are in the latent space of a generator."""

    names: tuple[str, ...]
    images: Tensor  # uint8 [N, 3, S, S]
    points: dict[str, Tensor]  # as in a file of latents: z and, where there are places, z_plus
    errors: dict[str, Tensor]  # float32 [N] of each: the MSE, of images in [-1, 1]
    variance: float  # of G's own faces: their MSE from the mean of all

    @property
    def far(self) -> list[int]:
        """Which of the images are like nothing that G draws."""
        return (self.errors["z"] > FAR * self.variance).nonzero().flatten().tolist()

    @property
    def latents(self) -> Latents:
        """The points to be drawn or walked through: z⁺ where it is there, else z."""
        titles = [
            Title(f"latent of {name}", f"latent-{i:06d}", {"name": name})
            for i, name in enumerate(self.names)
        ]
        points = self.points.get("z_plus", self.points["z"])
        return Latents(points, tuple(titles), {"images": [*self.names]})


def project_images(
    model: Path,
    named: Sequence[tuple[str, Tensor]],
    device: torch.device,
    steps: int | None = None,
    track: Track = untracked,
) -> tuple[Projection, Generator, dict[str, Any]]:
    """Images in the latent space of a model file; its generator and metadata.

    named: as `dataset.images.read_images` gives them.
    Raises UserError if no gradient goes through the model's generator, or if there is no image.
    """
    G, meta = load_generator(model)
    if not isinstance(G, Generator):
        raise UserError(f"{model}: draws by climbing D, and no gradient reaches z")
    E = load_network(model, "E")[0].to(device) if holds(model, "E") else None
    if not named:
        raise UserError("no image that can be projected")
    G = G.to(device).to(memory_format=torch.channels_last)
    images = torch.stack([image for _, image in named])
    names = tuple(name for name, _ in named)
    return project(G, images, names, E, steps, track), G, meta


def project(
    G: Generator,
    images: Tensor,
    names: Sequence[str],
    E: DcganNetwork | None = None,
    steps: int | None = None,
    track: Track = untracked,
) -> Projection:
    """Where images, uint8 [N, 3, S, S], lie in G's latent space; and how far G's are from them.

    E: gives the first guesses; without it they lie HALFWAY from 0 to the most alike of FACES of G's
    own. Labels, where G knows some, are those of this face, and stay. steps: of z, and as many of
    z⁺; STEPS if not given, or STEPS_NEAR with E.
    """
    if steps is None:
        steps = STEPS if E is None else STEPS_NEAR
    device, places = next(G.parameters()).device, G.places
    descent = _Descent(G, steps)
    spaces = ["z", "z_plus"] if places > 1 else ["z"]
    found: dict[str, list[tuple[Tensor, Tensor]]] = {space: [] for space in spaces}

    def work() -> Iterator[None]:
        own = descent.own_latents
        basis = descent.even(own)
        basis_plus = descent.even(everywhere(own, places)) if places > 1 else None
        for batch in images.split(BATCH):
            x = normalise(batch, torch.zeros(len(batch), dtype=torch.bool)).to(device)
            with torch.no_grad():  # E is of a G that knows no labels: `find_frozen` refuses others
                start = descent.half_way(x) if E is None else E(x).float()
            in_z = yield from descent.descend(start, x, basis, RATE if E is None else RATE_NEAR)
            found["z"].append(in_z)
            if basis_plus is not None:
                start = everywhere(in_z[0], places)
                in_plus = yield from descent.descend(start, x, basis_plus, RATE_PLUS)
                found["z_plus"].append(in_plus)

    for _ in track(work(), math.ceil(len(images) / BATCH) * steps * len(spaces)):
        pass
    both = {
        space: [torch.cat(parts).cpu() for parts in zip(*batches, strict=True)]
        for space, batches in found.items()
    }
    return Projection(
        tuple(names),
        images,
        {space: points for space, (points, _) in both.items()},
        {space: errors for space, (_, errors) in both.items()},
        descent.variance,
    )


class _Descent:
    """Looks in G's latent space for given images, on G's device."""

    def __init__(self, G: Generator, steps: int) -> None:
        self._G = G
        self._steps = steps
        self._z_dim = G.config.z_dim
        self.own_latents = latents_of(G, range(FACES)).to(next(G.parameters()).device)
        with torch.no_grad():
            own = torch.cat([G(part) for part in self.own_latents.split(BATCH)])
            self.variance = (own - own.mean(0)).square().mean().item()
            self._features_of = scaled_features(own)
            self._own_seen = torch.cat([self._seen(part) for part in own.split(BATCH)])

    def half_way(self, x: Tensor) -> Tensor:
        """First guesses for images [B, 3, S, S] in [-1, 1]: latents HALFWAY to the most alike of
        G's own faces, with its labels."""
        most_alike = self.own_latents[torch.cdist(self._seen(x), self._own_seen).argmin(1)]
        z, labels = most_alike.tensor_split([self._z_dim], 1)
        return torch.cat([HALFWAY * z, labels], 1)

    def even(self, latents: Tensor) -> Tensor:
        """`even_basis` for descents that pass points like these."""
        basis = even_basis(
            lambda some: self._seen(self._G(some)), latents, self._z_dim, USUAL, PRIOR
        )
        return basis.to(latents.device)

    def descend(
        self, start: Tensor, x: Tensor, basis: Tensor, rate: float
    ) -> abc.Generator[None, None, tuple[Tensor, Tensor]]:
        """From latents [B, …] towards those of which G draws images x: the best that were passed,
        and the MSE of what G draws of them, float32 [B]. Yields after each step."""
        z, labels = start.tensor_split([self._z_dim], -1)
        moved = torch.zeros_like(z.flatten(1), requires_grad=True)  # in coordinates of the basis
        adam = LightAdam([moved], rate, BETAS)
        with torch.no_grad():
            wanted = self._seen(x)
        # Of each face the best so far: from a good start the first steps may lead away
        best, lowest = start.clone(), torch.full((len(x),), torch.inf, device=x.device)

        def keep_best() -> Tensor:
            now = z + (moved @ basis.T).view_as(z)
            latents = torch.cat([now, labels], -1)
            unlike = (self._seen(self._G(latents)) - wanted).square().sum(1)
            loss = (unlike + FLOOR).log() + PRIOR * now.square().flatten(1).mean(1)
            better = loss < lowest
            lowest[better], best[better] = loss.detach()[better], latents.detach()[better]
            return loss

        for step in range(self._steps):
            # It falls to 0 over the last half
            adam.param_groups[0]["lr"] = rate * min(1, 2 * (self._steps - step) / self._steps)
            adam.zero_grad()
            keep_best().sum().backward()
            adam.step()
            yield
        with torch.no_grad():
            keep_best()
            return best, mse(self._G(best), x)

    def _seen(self, faces: Tensor) -> Tensor:
        """Pixels and features [B, d], whose squared differences sum to MSE + FEATURES · d."""
        parts = (faces.flatten(1), 1.0), (self._features_of(faces), FEATURES)
        return torch.cat([part * (weight / part.shape[1]) ** 0.5 for part, weight in parts], 1)


def mse(a: Tensor, b: Tensor) -> Tensor:
    """The mean of the squares of the differences of each of B images: float32 [B]."""
    return (a - b).square().mean((1, 2, 3))


def scaled_features(own: Tensor) -> Callable[[Tensor], Tensor]:
    """Random features [B, d] of images [B, 3, S, S] in [-1, 1], which a gradient goes through.

    As `RandomFeatures` has them, the mean over each quarter and the standard deviation over the
    whole, each in standard deviations of that feature among the faces `own`.
    """
    network = RandomFeatures().to(own.device)

    def features_of(images: Tensor) -> Tensor:
        features = []
        for layer in network.layers(10 * images):
            # Not by `std`, which has no slope at 0
            spread = layer.var((2, 3)).clamp(min=1e-6).sqrt()
            features += [adaptive_avg_pool2d(layer, 2).flatten(1), spread]
        return torch.cat(features, 1)

    with torch.no_grad():
        scale = torch.cat([features_of(part) for part in own.split(BATCH)]).std(0).clamp(min=1e-6)

    return lambda images: features_of(images) / scale
