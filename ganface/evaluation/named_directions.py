"""Directions of a generator's latent space, with names: what faces do along them is measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, pad

from ganface.errors import UserError, WorkError
from ganface.evaluation.drawn import CHUNK
from ganface.evaluation.memorisation import SIDE
from ganface.io.console import progress_bar, say
from ganface.latents.directions import Direction, Directions
from ganface.latents.finding import conditional, jacobian_directions, sefa_directions
from ganface.latents.labels import with_labels
from ganface.latents.ridge import ridge
from ganface.latents.seeds import z_of
from ganface.models.dcgan import DcganNetwork, Generator
from ganface.models.generate import generate, latents_of, use_compiled_kernels
from ganface.system.parallel import map_in_threads

SEEDS = 4000  # faces that are measured
POINTS = 12  # seeds at which the Jacobian is taken
MOVED, REACH = 200, 2.0  # faces that are moved along each direction, and how far to either side
LEAST_R2 = 0.25  # of a measurement by z; one that z tells less of gets no direction
LEAST_TAKEN_OUT = 0.1  # R² from which on it is known well enough to be taken out of the others
LEAST_MOVE = 0.1  # standard deviations for each unit of z; what moves less gives no name
LONGEST = 60  # letters of a name


@dataclass(frozen=True)
class Measurements:
    """What is measured of faces. `measure`: uint8 [N, 3, S, S] -> float64 [N] each, by name."""

    kind: str  # "measured" or "labelled"
    measure: Callable[[Tensor], dict[str, Tensor]]
    factors: dict[str, str] = field(default_factory=dict)  # name -> what it is but a part of

    def factor(self, name: str) -> str:
        return self.factors.get(name, name)


@dataclass(frozen=True)
class _Scale:
    """The measurements that differ between faces, and how much they do."""

    keys: list[str]  # what `measure` calls them
    names: list[str]  # slugs
    factors: list[str]
    sd: Tensor  # float64 [M]


def find_directions(G: DcganNetwork, by: str, count: int, measurements: Measurements) -> Directions:
    """A direction for each measurement that z tells, the best told first; then `count` that are
    found without measuring, by "jacobian" or "sefa", and named after what they move most.

    Raises UserError if there is nothing in G to make "sefa" of; WorkError if its faces are all
    alike.
    """
    weights = layers_that_read_z(G) if by == "sefa" else []
    use_compiled_kernels(G, SEEDS)
    latents = latents_of(G, range(SEEDS))
    z = latents[:, : G.config.z_dim]
    values = _measured(G, latents, measurements, "measuring faces")
    alive = [name for name, each in values.items() if each.std() > 1e-9]
    if not alive:
        raise WorkError("all faces of this generator are alike; there is nothing to tell apart")
    table = torch.stack([values[name] for name in alive], 1)
    factors = [measurements.factor(name) for name in alive]
    scale = _Scale(alive, slugs(alive), factors, table.std(0))

    told, strengths, named = _told(z, table / scale.sd, scale)
    found, shares = sefa_directions(weights, count) if by == "sefa" else _by_jacobian(G, count)
    vectors = torch.cat([named, found])
    moves, furthest = _moves(G, vectors, measurements, scale)

    about = []
    for row, (i, strength) in enumerate(zip(told, strengths, strict=True)):
        name = scale.names[i]
        about.append(
            _describe(name, measurements.kind, strength, i, moves[row], furthest[row], scale)
        )
    for row, share in enumerate(shares.tolist(), start=len(told)):
        most = int(moves[row].abs().argmax())
        if moves[row, most] < 0:
            moves[row].neg_()
            vectors[row].neg_()
        name = f"{by}-{row - len(told) + 1}"
        if moves[row, most] >= LEAST_MOVE:
            name += f"-{scale.names[most]}"
        about.append(_describe(name, by, share, most, moves[row], furthest[row], scale))
    names = slugs([each.name for each in about])
    named_ones = (replace(each, name=name) for each, name in zip(about, names, strict=True))
    return Directions(vectors, tuple(named_ones))


def layers_that_read_z(G: DcganNetwork) -> list[Tensor]:
    """The weights [out, z_dim] of each layer of G that z goes into.

    Raises UserError if that is but the first one, whose weights tell least, or none.
    """
    if not isinstance(G, Generator) or not G.modulated:
        raise UserError(
            "--by sefa: needs a generator whose layers are modulated by z (train --modulate); take "
            "--by jacobian"
        )
    first = G.layers[0].weight  # [z_dim, channels, 4, 4]
    assert isinstance(first, Tensor)
    z_dim = G.config.z_dim  # after which come weights of labels
    hidden = (layer.hidden.weight[:, :z_dim].cpu() for layer in G.modulated)
    return [first.flatten(1).T.cpu(), *hidden]


def _measured(
    G: DcganNetwork, latents: Tensor, measurements: Measurements, text: str
) -> dict[str, Tensor]:
    """What is measured of the faces of N latents: [N] each."""

    def work(part: Tensor) -> dict[str, Tensor]:
        return measurements.measure(generate(G, part))

    parts = latents.split(CHUNK)
    # A GPU does one after the other in any case, and each thread would set it up anew
    on_cpu = next(G.parameters()).device.type == "cpu"
    results = map_in_threads(work, parts) if on_cpu else map(work, parts)
    with progress_bar(text) as track:
        found = [*track(results, len(parts))]
    return {name: torch.cat([part[name] for part in found]) for name in found[0]}


def _told(z: Tensor, table: Tensor, scale: _Scale) -> tuple[list[int], list[float], Tensor]:
    """Of measurements [N, M], in standard deviations: which of them z tells, the best told first,
    how well (R²), and the direction of each, without what else it moves: [K, z_dim]."""
    fit = ridge(z, table)
    order = fit.r2.argsort(descending=True, stable=True).tolist()
    told = [i for i in order if fit.r2[i] >= LEAST_R2]
    weak = [f"{scale.names[i]} {fit.r2[i]:.2f}" for i in order if i not in told]
    if weak:
        say(f"no direction of these, for z tells too little of them (R²): {', '.join(weak)}")
    known = (fit.r2 >= LEAST_TAKEN_OUT).nonzero().flatten().tolist()
    gradients = fit.weights.T
    vectors = [torch.empty(0, z.shape[1])]
    for i in told:
        others = [j for j in known if scale.factors[j] != scale.factors[i]]
        vectors.append(conditional(gradients[i], gradients[others])[None])
    return told, fit.r2[told].tolist(), torch.cat(vectors)


def _by_jacobian(G: DcganNetwork, count: int) -> tuple[Tensor, Tensor]:
    device, z_dim = next(G.parameters()).device, G.config.z_dim
    labels = latents_of(G, [0])[0, z_dim:]  # of one face, if there are any

    @torch.inference_mode()
    def thumbnail(z: Tensor) -> Tensor:
        faces = G(with_labels(z, labels).to(device))
        return adaptive_avg_pool2d(faces, SIDE).flatten(1).cpu()

    with progress_bar("taking derivatives") as track:
        return jacobian_directions(thumbnail, z_of(range(POINTS), z_dim), count, track)


def _moves(
    G: DcganNetwork, vectors: Tensor, measurements: Measurements, scale: _Scale
) -> tuple[Tensor, Tensor]:
    """How far each measurement moves along each of the vectors [K, z_dim], on average over faces,
    for each unit of z and in standard deviations: [K, M] between both ends, and to the end where
    it moves further, without sign. The two differ where both ends move it the same way."""
    latents = latents_of(G, range(SEEDS, SEEDS + MOVED))
    steps = REACH * torch.cat([torch.zeros_like(vectors[:1]), vectors, -vectors])
    # [1 + 2K, N, z_dim + label_values]
    points = latents + pad(steps, (0, latents.shape[1] - vectors.shape[1]))[:, None]
    values = _measured(G, points.flatten(0, 1), measurements, "measuring moves")
    table = torch.stack([values[key] for key in scale.keys], 1) / scale.sd
    still, *moved = table.unflatten(0, points.shape[:2]).mean(1).split([1, *[len(vectors)] * 2])
    ahead, behind = ((end - still) / REACH for end in moved)
    return (ahead - behind) / 2, torch.maximum(ahead.abs(), behind.abs())


def _describe(
    name: str,
    found_by: str,
    strength: float,
    own: int,
    moves: Tensor,
    furthest: Tensor,
    scale: _Scale,
) -> Direction:
    """own: the measurement that is meant; moves, furthest [M]: see `_moves`."""
    others = [i for i, factor in enumerate(scale.factors) if factor != scale.factors[own]]
    worst = max(others, key=lambda i: furthest[i].item(), default=None)
    return Direction(
        name,
        found_by,
        strength,
        scale.names[own],
        moves[own].item(),
        "" if worst is None else scale.names[worst],
        0.0 if worst is None else furthest[worst].item(),
    )


def slugs(texts: Sequence[str]) -> list[str]:
    """Names of small letters, digits and hyphens, numbered where two would be alike:
    "hair_style=swept" -> "hair-style-swept"."""
    names: list[str] = []
    for text in texts:
        stem = re.sub("[^a-z0-9]+", "-", text.lower())[:LONGEST].strip("-") or "unnamed"
        name, number = stem, 2
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names
