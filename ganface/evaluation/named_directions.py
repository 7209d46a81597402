"""Directions of a generator's latent space, with names: what faces do along them is measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ganface.errors import UserError
from ganface.evaluation.memorisation import thumbnails
from ganface.evaluation.probe import AT_ONCE, Measurements, Probe, device_of, make_probe
from ganface.evaluation.pure import FACES, FAR, near_direction, other_factors, pure_direction
from ganface.io.console import progress_bar, say
from ganface.latents.directions import Direction, Directions
from ganface.latents.finding import jacobian_directions, sefa_directions
from ganface.latents.labels import with_labels
from ganface.latents.places import everywhere, moved
from ganface.latents.ridge import ridge
from ganface.latents.seeds import z_of
from ganface.models.dcgan import DcganNetwork, Generator
from ganface.models.generate import latents_of, use_compiled_kernels
from ganface.system.parallel import map_on

SEEDS = 4000  # faces that are measured
MOVED = 200  # others, that are moved along each direction
POINTS = 12  # seeds at which the Jacobian is taken
LEAST_MOVE = 0.1  # standard deviations for each unit of z: a direction that moves less is none
LONGEST = 60  # letters of a name


def find_directions(G: DcganNetwork, by: str, count: int, measurements: Measurements) -> Directions:
    """A direction for each measurement that can be moved, first what z tells best; then `count`
    that are found without measuring, by "jacobian" or "sefa", and named after what they move most.

    Raises UserError if there is nothing in G to make "sefa" of; WorkError if its faces are all
    alike.
    """
    weights = layers_that_read_z(G) if by == "sefa" else []
    use_compiled_kernels(G, SEEDS)
    latents = latents_of(G, range(SEEDS))
    with progress_bar("measuring faces") as track:
        probe, table = make_probe(G, measurements, latents, track)
    names = slugs(probe.keys)
    fit = ridge(latents[:, : G.config.z_dim], table)
    order = fit.r2[: len(names)].argsort(descending=True, stable=True).tolist()

    faces = everywhere(latents, G.places)[:FACES]
    has_gradient = isinstance(G, Generator)  # none reaches a z from which D is climbed
    slopes = _slopes(probe, faces) if has_gradient else fit.weights.T[:, None]
    if measurements.far and has_gradient:
        named = _pure(probe, order, slopes, faces)
    else:
        named = torch.stack([near_direction(probe.factors, i, slopes) for i in order]).float()
    found, shares = sefa_directions(weights, count) if by == "sefa" else _by_jacobian(G, count)
    vectors = torch.cat([named, everywhere(found, G.places)])
    moves, furthest = _moves(probe, vectors)

    def describe(row: int, name: str, found_by: str, strength: float, own: int) -> Direction:
        others = other_factors(probe.factors[: len(names)], own)
        worst = max(others, key=lambda i: furthest[row, i].item(), default=None)
        also = ("", 0.0) if worst is None else (names[worst], furthest[row, worst].item())
        return Direction(name, found_by, strength, names[own], moves[row, own].item(), *also)

    about, kept = [], []
    for row, i in enumerate(order):
        if moves[row, i] >= LEAST_MOVE:
            kept.append(row)
            about.append(describe(row, names[i], measurements.kind, fit.r2[i].item(), i))
    if weak := [names[i] for row, i in enumerate(order) if row not in kept]:
        say(f"no direction of these, for nothing in z moves them far: {', '.join(weak)}")
    for row, share in enumerate(shares.tolist(), start=len(order)):
        kept.append(row)
        most = int(moves[row].abs().argmax())
        if moves[row, most] < 0:
            moves[row].neg_()
            vectors[row].neg_()
        name = f"{by}-{row - len(order) + 1}"
        if moves[row, most] >= LEAST_MOVE:
            name += f"-{names[most]}"
        about.append(describe(row, name, by, share, most))
    unique = slugs([each.name for each in about])
    named_ones = (replace(each, name=name) for each, name in zip(about, unique, strict=True))
    return Directions(vectors[kept], tuple(named_ones))


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


def _slopes(probe: Probe, faces: Tensor) -> Tensor:
    """Of all that is probed, on average over faces: float64 [M + K, places, z_dim]."""

    def work(part: Tensor) -> Tensor:
        return probe.slopes(part, range(len(probe.factors)))

    parts = faces.split(AT_ONCE)
    with progress_bar("taking derivatives") as track:
        each = track(map_on(device_of(probe.G), work, parts), len(parts))
        return torch.stack([*each]).mean(0)


def _pure(probe: Probe, which: Sequence[int], slopes: Tensor, faces: Tensor) -> Tensor:
    """The directions of these measurements: float32 [K, places, z_dim]."""

    still = probe.table(faces).mean(0)

    def work(own: int) -> Tensor:
        return pure_direction(probe, own, slopes, faces, still)

    with progress_bar("finding directions") as track:
        return torch.stack([*track(map_on(device_of(probe.G), work, which), len(which))]).float()


def _by_jacobian(G: DcganNetwork, count: int) -> tuple[Tensor, Tensor]:
    device, z_dim = device_of(G), G.config.z_dim
    labels = latents_of(G, [0])[0, z_dim:]  # of one face, if there are any

    @torch.inference_mode()
    def thumbnail(z: Tensor) -> Tensor:
        faces = G(with_labels(z, labels).to(device))
        return thumbnails(faces).cpu()

    with progress_bar("comparing thumbnails") as track:
        return jacobian_directions(thumbnail, z_of(range(POINTS), z_dim), count, track)


def _moves(probe: Probe, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """How far each measurement moves along each of the vectors [K, places, z_dim], on average over
    faces by which none was found, for each unit of z and in standard deviations: [K, M] between
    both ends, and to the end where it moves further, without sign. The two differ where both ends
    move it the same way."""
    faces = everywhere(latents_of(probe.G, range(SEEDS, SEEDS + MOVED)), probe.G.places)
    still = probe.table(faces).mean(0)

    def work(end: Tensor) -> Tensor:
        shift = probe.table(moved(faces, end, FAR)).mean(0) - still
        return shift[: len(probe.keys)] / FAR

    both = torch.cat([vectors, -vectors])
    with progress_bar("measuring moves") as track:
        shifts = torch.stack([*track(map_on(device_of(probe.G), work, both), len(both))])
    ahead, behind = shifts.chunk(2)
    return (ahead - behind) / 2, torch.maximum(ahead.abs(), behind.abs())


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
