"""Pictures of walks through latent space: frames, strips, sweeps along directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from ganface.pictures.animation import save_animation
from ganface.pictures.grid import grid, square_columns, table, to_pil
from ganface.pictures.png import save_png

STRIP_COLUMNS = 13  # a strip shows at most so many of a walk's frames


@dataclass(frozen=True)
class Film:
    """Walks as pictures."""

    frames: list[Image.Image]  # one for each moment
    strip: Image.Image  # some moments of all walks, a row for each walk

    def save(self, path: Path, fps: int, meta: dict[str, Any]) -> None:
        """Write the strip to a .png, the frames to a folder (no suffix) or as an animation.

        meta: what the metadata of each PNG says.
        Raises UserError for a suffix that `save_animation` refuses, and CannotWriteError.
        """
        suffix = path.suffix.lower()
        if suffix == ".png":
            save_png(path, self.strip, meta)
        elif suffix:
            save_animation(path, self.frames, [round(1000 / fps)] * len(self.frames))
        else:
            for index, picture in enumerate(self.frames):
                frame = path / f"frame-{index:05d}.png"
                save_png(frame, picture, {**meta, "frame": index}, durable=False)


def film_walks(faces: Tensor) -> Film:
    """K walks, rendered: uint8 [K, F, 3, S, S] on the CPU."""
    return Film(draw_walk_frames(faces), draw_strip(faces))


def film_sweep(faces: Tensor, names: Sequence[str], low: float, high: float) -> Film:
    """What `latents.paths.sweep` gave for directions of these names, rendered: uint8 [K, F, 3, S,
    S]."""
    return Film(draw_walk_frames(faces), draw_sweep(faces, names, low, high))


def draw_walk_frames(faces: Tensor) -> list[Image.Image]:
    """A picture for each moment of K walks [K, F, 3, S, S], the K faces side by side."""
    return [grid(moment, square_columns(len(moment))) for moment in faces.unbind(1)]


def draw_strip(faces: Tensor) -> Image.Image:
    """K walks [K, F, 3, S, S] as one picture: a row each."""
    faces = faces[:, _moments(faces)]
    return grid(faces.flatten(0, 1), faces.shape[1])


def draw_sweep(faces: Tensor, names: Sequence[str], low: float, high: float) -> Image.Image:
    """A sweep [K, F, 3, S, S] as one picture: rows are directions, columns values."""
    moments = _moments(faces)
    values = torch.linspace(low, high, faces.shape[1])[moments].tolist()
    cells = [[to_pil(face) for face in row] for row in faces[:, moments]]
    column_names = [f"{round(value, 1) + 0:.1f}" for value in values]  # + 0: no minus before zero
    return table(cells, names, column_names)


def entry_names(entries: Sequence[int]) -> list[str]:
    """What rows are called that show single entries of z."""
    return [f"z[{entry}]" for entry in entries]


def _moments(faces: Tensor) -> Tensor:
    """Which frames a strip shows: all, or STRIP_COLUMNS of them at even distances."""
    frames = faces.shape[1]
    return torch.linspace(0, frames - 1, min(frames, STRIP_COLUMNS)).round().long()
