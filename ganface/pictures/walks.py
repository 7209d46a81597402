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
from ganface.pictures.face_size import FILM, choose_scale, describe_scale
from ganface.pictures.grid import STRIP_COLUMNS, grid, square_columns, table, to_pil
from ganface.pictures.png import save_png

NAMED = 3  # stops of a row that are named at most


@dataclass(frozen=True)
class Film:
    """Walks as pictures."""

    frames: list[Image.Image]  # one for each moment
    frame_scale: float  # how many times larger than G's own the faces of a frame are
    strip: Image.Image  # some moments of all walks, a row for each walk
    strip_scale: float

    def save(self, path: Path, fps: int, meta: dict[str, Any]) -> None:
        """Write the strip to a .png, the frames to a folder (no suffix) or as an animation.

        meta: what the metadata say beside the scale.
        Raises UserError for a suffix that `save_animation` refuses, and CannotWriteError.
        """
        suffix = path.suffix.lower()
        if suffix == ".png":
            save_png(path, self.strip, {**meta, **describe_scale(self.strip_scale)})
            return
        meta = {**meta, **describe_scale(self.frame_scale)}
        if suffix:
            save_animation(path, self.frames, [1000 / fps] * len(self.frames), meta)
        else:
            for index, picture in enumerate(self.frames):
                frame = path / f"frame-{index:05d}.png"
                save_png(frame, picture, {**meta, "frame": index}, durable=False)


@dataclass(frozen=True)
class Names:
    """What K walks are called, and the S stops that they pass."""

    rows: Sequence[str]
    stops: Sequence[str]


def name_walks(stops: Sequence[Sequence[str]]) -> Names:
    """The names of K walks [K][S], each called after its stops; of one, its stops alone are."""
    if len(stops) == 1:
        return Names([""], stops[0])
    rows = [", ".join(s) if len(s) <= NAMED else f"{s[0]} to {s[-1]}" for s in stops]
    return Names(rows, [f"stop {number}" for number in range(1, len(stops[0]) + 1)])


def film_walks(faces: Tensor, frames: int, names: Names, asked: float | None = None) -> Film:
    """What `latents.paths.walks` gave with so many `frames` a leg, rendered: uint8
    [K, F, 3, S, S] on the CPU. asked: see `face_size.choose_scale`."""
    moments = _moments(faces.shape[1], frames)
    column_names = [
        names.stops[moment // frames] if moment % frames == 0 else "" for moment in moments
    ]
    return _film(faces, moments, names.rows, column_names, asked)


def film_sweep(
    faces: Tensor, names: Sequence[str], low: float, high: float, asked: float | None = None
) -> Film:
    """What `latents.paths.sweep` or `sweep_along` gave for entries or directions of these names,
    rendered: uint8 [K, F, 3, S, S] on the CPU. asked: see `face_size.choose_scale`."""
    moments = _moments(faces.shape[1])
    return _film(faces, moments, names, _value_names(moments, faces.shape[1], low, high), asked)


def _film(
    faces: Tensor,
    moments: Sequence[int],
    row_names: Sequence[str],
    column_names: Sequence[str],
    asked: float | None,
) -> Film:
    walks, frames, _, side, _ = faces.shape
    across = square_columns(walks)
    down = -(-walks // across)
    frame_scale = choose_scale(side, across, down, asked, FILM, frames)
    strip_scale = choose_scale(side, len(moments), walks, asked)
    shown = draw_walk_frames(faces, frame_scale)
    strip = table(_cells(faces, moments), row_names, column_names, strip_scale)
    return Film(shown, frame_scale, strip, strip_scale)


def draw_walk_frames(faces: Tensor, scale: float = 1) -> list[Image.Image]:
    """A picture for each moment of K walks [K, F, 3, S, S], the K faces side by side."""
    return [grid(moment, square_columns(len(moment)), scale) for moment in faces.unbind(1)]


def draw_strip(faces: Tensor) -> Image.Image:
    """K walks [K, F, 3, S, S] as one picture without names: a row each."""
    faces = faces[:, _moments(faces.shape[1])]
    return grid(faces.flatten(0, 1), faces.shape[1])


def draw_sweep(faces: Tensor, names: Sequence[str], low: float, high: float) -> Image.Image:
    """A sweep [K, F, 3, S, S] as one picture: rows are directions, columns values."""
    moments = _moments(faces.shape[1])
    return table(_cells(faces, moments), names, _value_names(moments, faces.shape[1], low, high))


def entry_names(entries: Sequence[int]) -> list[str]:
    """What rows are called that show single entries of z."""
    return [f"z[{entry}]" for entry in entries]


def _cells(faces: Tensor, moments: Sequence[int]) -> list[list[Image.Image]]:
    return [[to_pil(face) for face in row] for row in faces[:, moments]]


def _value_names(moments: Sequence[int], frames: int, low: float, high: float) -> list[str]:
    values = torch.linspace(low, high, frames)[[*moments]].tolist()
    return [f"{round(value, 1) + 0:.1f}" for value in values]  # + 0: no minus before zero


def _moments(count: int, leg: int | None = None) -> list[int]:
    """Which of `count` frames a strip shows: all, or STRIP_COLUMNS of them at even distances; where
    there are few legs of so many frames, every stop among them."""
    legs = count // leg if leg else STRIP_COLUMNS
    if leg and legs < STRIP_COLUMNS:
        each = min(leg, (STRIP_COLUMNS - 1) // legs)
        apart = leg / each
        ends = [count - 1] if count % leg else []  # of a loop, the end is the beginning
        return [round(index * apart) for index in range(legs * each)] + ends
    return torch.linspace(0, count - 1, min(count, STRIP_COLUMNS)).round().long().tolist()
