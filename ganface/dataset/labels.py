"""Labels of images: a CSV with a row for each, as the `factors.csv` of drawn faces.

Its first column names the file; each other one becomes columns of numbers. Numbers stay as they
are. A hue, of a column whose name ends in "hue", is an angle and becomes its cosine and sine: hues
of 0.99 and 0.01 are nearly the same red. Of texts each value becomes a column of 0 and 1.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ganface.errors import UserError
from ganface.io.console import say

MOST_TEXTS = 30  # different ones in a column that is no free text
FULL_CIRCLE = 360.0  # a column of hues above 1 is in degrees


@dataclass(frozen=True)
class Labels:
    """What is known of some images."""

    files: list[str]  # their names, with "/"
    columns: dict[str, list[float]]  # a number for each of the files; by "hair_hue cos" and so on
    factors: dict[str, str]  # column -> which of the CSV's columns it was made of


def read_labels(path: Path) -> Labels:
    """Read a CSV. What cannot be used of it is said on stderr.

    Raises UserError if it is not there, or not of the form above.
    """
    header, rows = _read_rows(path)
    files = [row[0].replace("\\", "/") for row in rows]
    twice = [name for name, count in Counter(files).items() if count > 1]
    if twice:
        raise UserError(f"{path}: {twice[0]} has more than one row; name each file once")
    columns: dict[str, list[float]] = {}
    factors: dict[str, str] = {}
    for number, name in enumerate(header[1:], start=1):
        for column, values in _columns_of(path, name, [row[number] for row in rows]).items():
            columns[column], factors[column] = values, name
    if not columns:
        raise UserError(f"{path}: no column tells images apart")
    return Labels(files, columns, factors)


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header, and the rows that have no empty cell."""
    try:
        text = path.read_text("utf-8-sig")
        header, *rows = (row for row in csv.reader(io.StringIO(text, newline="")) if row)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text in UTF-8, so no CSV of labels") from error
    except csv.Error as error:
        raise UserError(f"{path}: no CSV ({error})") from error
    except ValueError as error:
        raise UserError(f"{path}: empty") from error
    header = [name.strip() for name in header]
    if len(header) < 2 or not all(header):
        raise UserError(f"{path}: its first line must name the column of files and those of labels")
    again = [name for name, count in Counter(header).items() if count > 1]
    if again:
        raise UserError(f"{path}: two columns are named {again[0]}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise UserError(
                f"{path}: row {number} has {len(row)} values, and there are {len(header)} columns"
            )
    whole = [row for row in ([cell.strip() for cell in row] for row in rows) if all(row)]
    if len(whole) < len(rows):
        say(f"{path}: {len(rows) - len(whole)} rows with an empty value are left out")
    if not whole:
        raise UserError(f"{path}: has no row of labels")
    return header, whole


def _columns_of(path: Path, name: str, cells: list[str]) -> dict[str, list[float]]:
    """The numbers that a column becomes, by name; none if it tells no images apart."""
    different = sorted(set(cells))
    if len(different) == 1:
        say(f"{path}: {name} is {different[0]} everywhere, and left out")
        return {}
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        if len(different) > MOST_TEXTS:
            say(f"{path}: {name} has {len(different)} different texts, and is left out")
            return {}
        # Of two values one says all
        told = different[1:] if len(different) == 2 else different
        return {f"{name} {value}": [float(cell == value) for cell in cells] for value in told}
    odd = next(
        (cell for cell, value in zip(cells, values, strict=True) if not math.isfinite(value)), ""
    )
    if odd:
        raise UserError(f"{path}: {name} is {odd} somewhere, which is no number")
    if not name.lower().endswith("hue"):
        return {name: values}
    circle = FULL_CIRCLE if max(values) > 1 else 1.0
    if not 0 <= min(values) <= max(values) <= circle:
        raise UserError(f"{path}: {name} is not from 0 to 1, nor in degrees from 0 to 360")
    angles = [2 * math.pi * value / circle for value in values]
    return {f"{name} cos": [*map(math.cos, angles)], f"{name} sin": [*map(math.sin, angles)]}
