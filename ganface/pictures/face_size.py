"""How large faces are drawn: one rule for every picture. What is measured is never enlarged."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image

from ganface.errors import UserError

FACE = 256  # pixels of a face that is enlarged, at most
SHEET = 1280  # pixels on either side of a picture that is enlarged: what a screen shows
FILM = 640  # likewise of one that moves: it is a file of many frames
TOGETHER = 100_000_000  # pixels of all frames, or of all files, where there are many
LARGEST = 8192  # pixels on either side of any picture; viewers open no more, and it is in memory
GAP = 2  # pixels between the images of a grid

# Up to so many times a pixel may be a square, which keeps edges crisp and every value G's own. From
# three times on one sees squares in place of eyes; Lanczos makes the outlines that were meant
SQUARES = 2


def choose_scale(
    side: int,
    columns: int = 1,
    rows: int = 1,
    asked: float | None = None,
    most: int = SHEET,
    pictures: int = 1,
) -> float:
    """How many times larger faces of `side` pixels are drawn in so many pictures of columns × rows.

    What was asked for; else the largest whole number with which a face takes FACE pixels at most,
    a picture `most` on either side, and all TOGETHER; or 1. Raises UserError for a picture beyond
    LARGEST.
    """
    longest = max(columns, rows)
    room = min(
        FACE,
        (most + GAP) // longest - GAP,
        math.isqrt(TOGETHER // (pictures * columns * rows)),
    )
    scale = asked or max(1, room // side)
    pixels = longest * (round(side * scale) + GAP) - GAP
    if pixels > LARGEST:
        raise UserError(
            f"a picture of {columns:,} × {rows:,} faces would be {pixels:,} pixels long, where "
            f"{LARGEST:,} is the most; draw fewer{' or smaller ones' if scale > 1 else ''}"
        )
    return scale


def enlarge(image: Image.Image, scale: float) -> Image.Image:
    """The image `scale` times as large: by nearest neighbour up to SQUARES, else by Lanczos."""
    if scale == 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, _resampling(scale))


def describe_scale(scale: float) -> dict[str, Any]:
    """What the metadata of a picture say of its scale."""
    said = {} if scale == 1 else {"resampling": _resampling(scale).name.lower()}
    return {"scale": scale, **said}


def _resampling(scale: float) -> Image.Resampling:
    squares = scale <= SQUARES and scale == int(scale)
    return Image.Resampling.NEAREST if squares else Image.Resampling.LANCZOS
