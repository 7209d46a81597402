"""Draws simple anime faces, so that everything runs with nothing to download.

A face is drawn from a few factors (hair, eyes, mouth, glasses…), and `factors.csv` holds the truth
about each file: what a latent vector should find, here one can look it up.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

from ganface.config.dataset import FACTORS
from ganface.dataset.drawn.face import draw_face
from ganface.dataset.drawn.factors import Factors, factors_of
from ganface.io.atomic import atomic, write_text
from ganface.io.console import Track, untracked
from ganface.system.parallel import map_in_order


def draw_faces(
    out: Path,
    count: int,
    size: int,
    seed: int,
    track: Track = untracked,
) -> None:
    """Write `count` PNG files of size × size, and factors.csv, to the folder `out`.

    Raises CannotWriteError.
    """
    out.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.DictWriter(table, ["file", *(field.name for field in fields(Factors))])
    writer.writeheader()
    pngs = map_in_order(partial(_png_of, seed, size), range(count))
    for index, png in enumerate(track(pngs, count)):
        name = f"{index:06d}.png"
        with atomic(out / name, durable=False) as file:
            file.write(png)
        writer.writerow({"file": name, **asdict(factors_of(seed, index))})
    write_text(out / FACTORS, table.getvalue())


def _png_of(seed: int, size: int, index: int) -> bytes:
    file = io.BytesIO()
    draw_face(factors_of(seed, index), size).save(file, "PNG")
    return file.getvalue()
