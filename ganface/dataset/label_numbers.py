"""Labels of images as numbers, where a direction is to be found along which they grow.

Numbers stay as they are. A hue, of a column whose name ends in "hue", is an angle and becomes its
cosine and sine: hues of 0.99 and 0.01 are nearly the same red. Of texts each value becomes a column
of 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ganface.dataset.labels import Said, read_said
from ganface.dataset.pack import is_pack
from ganface.dataset.sources import list_source
from ganface.errors import UserError
from ganface.io.console import say

MOST_TEXTS = 30  # different ones in a column that is no free text
FULL_CIRCLE = 360.0  # a column of hues above 1 is in degrees


@dataclass(frozen=True)
class LabelNumbers:
    """What is known of some images."""

    files: list[str]  # their names
    columns: dict[str, list[float]]  # a number for each of the files; by "hair_hue cos" and so on
    factors: dict[str, str]  # column -> which label it was made of


def read_label_numbers(source: Path, labels: str) -> LabelNumbers:
    """Those of a folder's or zip's images. What cannot be used is said on stderr.

    labels: as `BuildConfig.labels`. Raises UserError as `read_said` does, and if none is left.
    """
    if is_pack(source):
        raise UserError(f"{source}: a pack knows no names of files; give its folder or .zip")
    said, without_image = read_said(source, labels, "", list_source(source).images)
    if without_image:
        say(f"{labels}: {len(without_image)} labels are of no image, such as {without_image[0]}")
    return numbers_of(said, labels)


def numbers_of(said: Said, labels: str) -> LabelNumbers:
    """The numbers of the images of which all is known. labels: what messages call their source."""
    names = sorted({name for row in said.values() for name in row})
    whole = {file: row for file, row in said.items() if all(row.get(name) for name in names)}
    if len(whole) < len(said):
        say(f"{labels}: {len(said) - len(whole)} images with an empty label are left out")
    columns: dict[str, list[float]] = {}
    factors: dict[str, str] = {}
    for name in names if whole else ():
        cells = [row[name] for row in whole.values()]
        for column, values in _columns_of(labels, name, cells).items():
            columns[column], factors[column] = values, name
    if not columns:
        raise UserError(f"{labels}: no label tells images apart")
    return LabelNumbers([*whole], columns, factors)


def _columns_of(labels: str, name: str, cells: list[str]) -> dict[str, list[float]]:
    """The numbers that a label becomes, by name; none if it tells no images apart."""
    different = sorted(set(cells))
    if len(different) == 1:
        say(f"{labels}: {name} is {different[0]} everywhere, and left out")
        return {}
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        if len(different) > MOST_TEXTS:
            say(f"{labels}: {name} has {len(different)} different texts, and is left out")
            return {}
        # Of two values one says all
        told = different[1:] if len(different) == 2 else different
        return {f"{name} {value}": [float(cell == value) for cell in cells] for value in told}
    odd = next(
        (cell for cell, value in zip(cells, values, strict=True) if not math.isfinite(value)), ""
    )
    if odd:
        raise UserError(f"{labels}: {name} is {odd} somewhere, which is no number")
    if not name.lower().endswith("hue"):
        return {name: values}
    circle = FULL_CIRCLE if max(values) > 1 else 1.0
    if not 0 <= min(values) <= max(values) <= circle:
        raise UserError(f"{labels}: {name} is not from 0 to 1, nor in degrees from 0 to 360")
    angles = [2 * math.pi * value / circle for value in values]
    return {f"{name} cos": [*map(math.cos, angles)], f"{name} sin": [*map(math.sin, angles)]}
