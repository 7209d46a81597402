"""Real faces beside what a generator makes of them, from where they lie in its latent space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganface.latents.projection import Projection
from ganface.models.dcgan import DcganNetwork
from ganface.models.generate import generate
from ganface.pictures.grid import captioned, square_columns
from ganface.pictures.png import save_png

SHOWN = 64  # images in the picture
LETTERS = 12  # of a name below an image
TITLES = {"z": "z", "z_plus": "z+"}


def save_projections(
    path: Path, G: DcganNetwork, found: Projection, made_by: dict[str, Any]
) -> None:
    """Write a PNG: the first SHOWN of the images, each beside G's of z and of z⁺, with their
    errors. Raises CannotWriteError."""
    columns, texts = [found.images[:SHOWN]], [shorten(found.names[:SHOWN])]
    for space, points in found.points.items():
        columns.append(generate(G, points[:SHOWN]))
        errors = found.errors[space][:SHOWN].tolist()
        texts.append([f"{TITLES[space]} {error:.4f}" for error in errors])
    pictures = [image for row in zip(*columns, strict=True) for image in row]
    below = [text for row in zip(*texts, strict=True) for text in row]
    across = len(columns) * max(1, round(square_columns(len(below)) / len(columns)))
    meta = {"kind": "projections", "images": [*found.names[:SHOWN]], **made_by}
    save_png(path, captioned(pictures, below, across), meta)


def shorten(names: tuple[str, ...]) -> list[str]:
    """The ends of the names, by which images of one folder differ."""
    ends = [Path(name).stem[-LETTERS:] for name in names]
    return [end if end.isascii() else f"image {i}" for i, end in enumerate(ends)]
