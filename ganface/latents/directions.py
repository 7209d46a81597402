"""Directions in latent space with names, and the file that holds them.

    vectors    float32 [K, places, z_dim]   a part for each layer that reads z; the root of the mean
                                            square of their lengths is 1
    metadata   what is known of each, and the SHA-256 of the snapshot that they belong to

A face that is moved along one is a z⁺, moved by one unit of z in each place (the root of their
mean square). To another generator the same vectors mean other changes.

In files of format 1 vectors are [K, z_dim], for all places.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganface.config.settings import is_of_type, parse_integers
from ganface.errors import UserError, did_you_mean
from ganface.io.tensors import write_tensors
from ganface.latents.latents import Latents, read_of_snapshot
from ganface.latents.places import as_z_plus, everywhere, moved
from ganface.models.dcgan import DcganNetwork

LENGTH_ERROR = 1e-3  # by which a vector may miss the length of 1
NAME = "[a-z0-9-]{1,100}"  # what the fonts of pictures can write
FURTHEST = 1000  # units of z that a face may be moved


@dataclass(frozen=True)
class Direction:
    """What is known of one direction. Moves are of faces that were drawn, between both sides, for
    each unit of z along it, in standard deviations of what moves."""

    name: str  # like no other in the file, see NAME
    found_by: str  # "measured", "labelled", "jacobian" or "sefa"
    strength: float  # R² of what it moves, of faces left out; or its share of all change, 0 to 1
    moves: str  # what it moves most
    move: float
    also_moves: str  # what it moves most beside that; "" if there is nothing else
    side_move: float  # how far, without sign


@dataclass(frozen=True)
class Directions:
    vectors: Tensor  # float32 [K, places, z_dim], on the CPU
    about: tuple[Direction, ...]

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.about]

    def __getitem__(self, indices: Sequence[int]) -> Directions:
        return Directions(self.vectors[[*indices]], tuple(self.about[i] for i in indices))

    def pick(self, flag: str, text: str) -> Directions:
        """Those of numbers or names such as "0-3,hair-brightness".

        Raises UserError, which names `flag`, for what is not there.
        """
        indices: list[int] = []
        for part in (part.strip() for part in text.split(",")):
            if part in self.names:
                indices.append(self.names.index(part))
            elif part[:1].isdecimal():
                indices += parse_integers(flag, part)
            else:
                close, there = did_you_mean(part, self.names), ", ".join(self.names)
                raise UserError(f"{flag} {text}: no direction {part}; there are {there}{close}")
        if max(indices) >= len(self.about):
            raise UserError(f"{flag} {text}: there are {len(self.about)} directions, from 0 on")
        return self[indices]


def save_directions(path: Path, directions: Directions, origin: dict[str, Any]) -> str:
    """Write the file; return its SHA-256. `origin`: step and `snapshot` of the model.

    Raises CannotWriteError.
    """
    meta = {**origin, "directions": [dataclasses.asdict(each) for each in directions.about]}
    return write_tensors(path, "directions", {"vectors": directions.vectors}, meta)


def read_directions(path: Path, G: DcganNetwork, meta: dict[str, Any]) -> tuple[Directions, str]:
    """The directions of a file, and its SHA-256. `meta`: of the model that G is from.

    Raises UserError if they belong to another one, or if the file is damaged or no such file.
    """
    held, tensors = read_of_snapshot(path, "directions", meta)
    try:
        about = tuple(Direction(**each) for each in held["directions"])
        types = {"str": str, "float": float}
        for field in dataclasses.fields(Direction):
            if not all(
                is_of_type(getattr(each, field.name), types[str(field.type)]) for each in about
            ):
                raise ValueError
        if not about or len({each.name for each in about}) < len(about):
            raise ValueError
        if not all(re.fullmatch(NAME, each.name) for each in about):
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: does not say what its directions are") from error
    vectors = tensors.get("vectors")
    if vectors is not None and vectors.dim() == 2:
        vectors = everywhere(vectors, G.places).contiguous()
    if (
        vectors is None
        or vectors.dtype != torch.float32
        or vectors.shape != (len(about), G.places, G.config.z_dim)
        or not ((length(vectors) - 1).abs() < LENGTH_ERROR).all()
    ):
        raise UserError(f"{path}: its directions do not fit their generator")
    return Directions(vectors, about), held["sha256"]


def length(vectors: Tensor) -> Tensor:
    """Of [K, places, z_dim] the root of the mean square of the lengths in all places: [K]."""
    return vectors.square().sum(2).mean(1).sqrt()


def parse_moves(texts: Sequence[str]) -> dict[str, float]:
    """Read "hair-brightness=2,3=-1.5" and further such texts: how far along which directions.

    Raises UserError for what is written in another way.
    """
    moves: dict[str, float] = {}
    for part in ",".join(texts).split(","):
        name, _, amount = (each.strip() for each in part.rpartition("="))
        try:
            far = float(amount)
        except ValueError:
            far = math.nan
        if not name or not abs(far) <= FURTHEST:
            raise UserError(
                f"--move {part.strip()}: write a direction and how far, up to {FURTHEST}, such as "
                "hair-brightness=2"
            )
        if name in moves:
            raise UserError(f"--move {part.strip()}: {name} is there twice")
        moves[name] = far
    return moves


def move_along(
    latents: Latents, file: Path, moves: Sequence[str], G: DcganNetwork, meta: dict[str, Any]
) -> Latents:
    """The latents as z⁺, each moved along directions of a file. Labels stay.

    moves: see `parse_moves`; meta: of the model that G and the latents are of.
    Raises UserError as `read_directions` does, and for moves that cannot be made.
    """
    directions, digest = read_directions(file, G, meta)
    amounts = parse_moves(moves)
    points = as_z_plus(latents.points, G.places)
    for name, far in amounts.items():
        points = moved(points, directions.pick("--move", name).vectors.sum(0), far)
    said = {"directions": digest, "moves": amounts}
    titles = (title._replace(meta={**title.meta, **said}) for title in latents.titles)
    return Latents(points, tuple(titles), {**latents.meta, **said})
