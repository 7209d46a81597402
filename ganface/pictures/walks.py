"""Pictures of walks through latent space: frames, strips, sweeps of single dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from ganface.pictures.grid import grid, square_columns, table, to_pil

STRIP_COLUMNS = 13  # a strip shows at most so many of a walk's frames


def draw_walk_frames(faces: Tensor) -> list[Image.Image]:
    """A picture for each moment of K walks [K, F, 3, S, S], the K faces side by side."""
    return [grid(moment, square_columns(len(moment))) for moment in faces.unbind(1)]


def draw_strip(faces: Tensor) -> Image.Image:
    """K walks [K, F, 3, S, S] as one picture: a row each."""
    faces = faces[:, _moments(faces)]
    return grid(faces.flatten(0, 1), faces.shape[1])


def draw_sweep(faces: Tensor, dims: Sequence[int], low: float, high: float) -> Image.Image:
    """What `latents.sweep` gave, rendered [K, F, 3, S, S]: rows are dimensions, columns values."""
    moments = _moments(faces)
    values = torch.linspace(low, high, faces.shape[1])[moments].tolist()
    cells = [[to_pil(face) for face in row] for row in faces[:, moments]]
    column_names = [f"{round(value, 1) + 0:.1f}" for value in values]  # + 0: no minus before zero
    return table(cells, [f"z[{dim}]" for dim in dims], column_names)


def _moments(faces: Tensor) -> Tensor:
    """Which frames a strip shows: all, or STRIP_COLUMNS of them at even distances."""
    frames = faces.shape[1]
    return torch.linspace(0, frames - 1, min(frames, STRIP_COLUMNS)).round().long()
