"""Points in latent space and what they are called: of seeds, or out of a file.

A file of latents is what real faces became in the latent space of one generator:

    z         float32 [N, z_dim]            one z for each face
    z_plus    float32 [N, places, z_dim]    one for each layer that reads z, where there are several
    metadata  names and errors of the N, and the SHA-256 of the snapshot that they belong to

Of a generator that knows labels, a number for each of their values follows each z. Either tensor
may be missing. To another generator the same numbers mean other faces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganface.config.settings import parse_integers
from ganface.errors import UserError
from ganface.io.folders import as_file_name, told_apart
from ganface.io.tensors import read_tensors, write_tensors
from ganface.latents.labels import Attributes, Order, obey
from ganface.models.dcgan import DcganNetwork, Generator
from ganface.models.generate import latents_of


class Title(NamedTuple):
    """What one point is called."""

    name: str  # in a list
    stem: str  # as a file, without its suffix
    meta: dict[str, Any]  # what the metadata of a picture of it alone says


@dataclass(frozen=True)
class Latents:
    """N points, which a generator draws as N faces."""

    points: Tensor  # float32 [N, z_dim] or, as z⁺, [N, places, z_dim], on the CPU; labels follow z
    titles: tuple[Title, ...]
    meta: dict[str, Any]  # what the metadata of a picture of all says

    def __len__(self) -> int:
        return len(self.titles)

    def __getitem__(self, indices: Sequence[int]) -> Latents:
        return Latents(self.points[[*indices]], tuple(self.titles[i] for i in indices), self.meta)

    def once(self) -> Latents:
        """Of points that would be files of one name the first."""
        first: dict[str, int] = {}
        for index, title in enumerate(self.titles):
            first.setdefault(title.stem, index)
        return self if len(first) == len(self) else self[[*first.values()]]


def latents_of_seeds(seeds: str, G: DcganNetwork) -> Latents:
    """What G draws the faces of seeds such as "0-63,99" from. Raises UserError if that is how none
    are written."""
    numbers = parse_integers("--seeds", seeds)
    titles = (Title(f"seed {n}", f"seed-{n:06d}", {"seeds": str(n)}) for n in numbers)
    return Latents(latents_of(G, numbers), tuple(titles), {"seeds": seeds})


def choose_latents(
    seeds: str | None, file: Path | None, G: DcganNetwork, meta: dict[str, Any]
) -> Latents:
    """The points that --seeds or --latents ask for. `meta`: of the model that G is from.

    Raises UserError as the functions do that it calls.
    """
    if file is not None:
        return read_latents(file, G, meta)
    return latents_of_seeds(seeds or "", G)


def ordered(latents: Latents, orders: Sequence[Order], attributes: Attributes) -> Latents:
    """All the points for the first order, then all for the next one. What is not ordered stays."""
    parts = [obey(latents.points, order, attributes) for order in orders]
    names = dict.fromkeys(order.name for order in orders)  # one may be asked for twice
    stems = dict(zip(names, told_apart(map(as_file_name, names)), strict=True))
    titles = [
        Title(
            f"{title.name}, {order.name}",
            f"{title.stem}-{stems[order.name]}",
            {**title.meta, "label": order.name},
        )
        for order in orders
        for title in latents.titles
    ]
    meta = {**latents.meta, "label": [order.name for order in orders]}
    return Latents(torch.cat(parts), tuple(titles), meta)


def in_turn(points: Tensor, orders: Sequence[Order], attributes: Attributes) -> Tensor:
    """Each point of [N, …] for each order, before the next point: [N · orders, …]."""
    return torch.stack([obey(points, order, attributes) for order in orders], 1).flatten(0, 1)


def save_latents(
    path: Path, points: dict[str, Tensor], names: Iterable[str], meta: dict[str, Any]
) -> str:
    """Write a file of latents; return its SHA-256. Raises CannotWriteError.

    points: z, z_plus or both; names: of the N; meta: the SHA-256 of their `snapshot`, and what else
    is to be known, as their errors.
    """
    return write_tensors(path, "latents", points, {**meta, "names": [*names]})


def read_of_snapshot(
    path: Path, kind: str, meta: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A file of a kind that belongs to one snapshot: (metadata, tensors). `meta`: of the model.

    Raises UserError if it belongs to another one, or if the file is damaged or no such file.
    """
    held, tensors = read_tensors(path, kind)
    if held.get("snapshot") != meta["sha256"]:
        raise UserError(
            f"{path}: {kind} of another snapshot, {str(held.get('snapshot'))[:12]}; this is "
            f"{meta['sha256'][:12]}; give that model, or make them anew of this one"
        )
    return held, tensors


def read_latents(path: Path, G: DcganNetwork, meta: dict[str, Any]) -> Latents:
    """The points of a file: z⁺ where it has them, else z. `meta`: of the model that G is from.

    Raises UserError if they belong to another one, or if the file is damaged or no such file.
    """
    held, tensors = read_of_snapshot(path, "latents", meta)
    names, z, z_plus = held.get("names"), tensors.get("z"), tensors.get("z_plus")
    points = z if z_plus is None else z_plus
    if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
        raise UserError(f"{path}: does not name its latents")
    places = (G.places,) if z_plus is not None and isinstance(G, Generator) else ()
    wanted = (len(names), *places, G.config.z_dim + G.config.label_values)
    if points is None or points.dtype != torch.float32 or points.shape != wanted:
        raise UserError(f"{path}: its latents do not fit their generator")
    if not points.isfinite().all():
        raise UserError(f"{path}: holds what is not a number")
    digest = held["sha256"]
    titles = (
        Title(f"latent of {name}", f"latent-{i:06d}", {"latents": digest, "name": name})
        for i, name in enumerate(names)
    )
    return Latents(points, tuple(titles), {"latents": digest})
