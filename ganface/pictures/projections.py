"""Real faces beside what a generator makes of them, from where they lie in its latent space."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

from ganface.latents.projection import Projection
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import generate
from ganface.pictures.face_size import choose_scale, describe_scale
from ganface.pictures.grid import captioned, shorten, square_columns
from ganface.pictures.png import save_png

SHOWN = 64  # images in the picture
TITLES = {"z": "z", "z_plus": "z+"}


def save_projections(
    path: Path,
    G: DcganNetwork,
    found: Projection,
    made_by: dict[str, Any],
    asked: float | None = None,
) -> None:
    """Write a PNG: the first SHOWN of the images, each beside G's of z and of z⁺, with their
    errors. asked: see `face_size.choose_scale`. Raises CannotWriteError."""
    names = [shorten(name, f"image {i}") for i, name in enumerate(found.names[:SHOWN])]
    columns, texts = [found.images[:SHOWN]], [names]
    for space, points in found.points.items():
        columns.append(generate(G, points[:SHOWN]))
        errors = found.errors[space][:SHOWN].tolist()
        texts.append([f"{TITLES[space]} {error:.4f}" for error in errors])
    pictures = [image for row in zip(*columns, strict=True) for image in row]
    below = [text for row in zip(*texts, strict=True) for text in row]
    across, scale = _choose(G.config.size, len(below), len(columns), asked)
    meta = {"kind": "projections", "images": [*found.names[:SHOWN]], **made_by}
    sheet = captioned(pictures, below, across, scale)
    save_png(path, sheet, {**meta, **describe_scale(scale)})


def check_projections(size: int, count: int, asked: float | None) -> None:
    """Raise UserError if the picture of so many images would be too large."""
    columns = 1 + len(TITLES)
    _choose(size, columns * min(max(1, count), SHOWN), columns, asked)


def _choose(size: int, cells: int, columns: int, asked: float | None) -> tuple[int, float]:
    """How many of the cells stand side by side, and their scale."""
    across = columns * max(1, round(square_columns(cells) / columns))
    return across, choose_scale(size, across, ceil(cells / across), asked)
