"""Tensors -> pictures: grids, tables with names, timelines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from ganface.pictures.face_size import GAP, SHEET, choose_scale, enlarge

if TYPE_CHECKING:
    from torch import Tensor

PAPER = (255, 255, 255)
INK = (40, 40, 48)
TIMELINE_ROWS = 8
STRIP_COLUMNS = 13  # a strip shows at most so many of a walk's frames
TIMELINE_CELL = 128  # pixels that a face of a timeline takes, at most
TABLE_CELL = 64  # pixels that an image takes at least in a table with names
CAPTIONED_CELL = 96  # likewise over a text
CAPTION, CAPTION_HEIGHT = 14, 24  # pixels of its letters, and of their line
LETTERS = 16  # of a caption, at most


def to_uint8(images: Tensor) -> Tensor:
    """Images in [-1, 1] -> uint8 of the same shape, rounded to the nearest grey level."""
    import torch

    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def to_pil(image: Tensor) -> Image.Image:
    """uint8 [3, H, W] on the CPU -> an RGB image."""
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def square_columns(count: int) -> int:
    """Columns of the grid of `count` images that is nearest to a square."""
    return math.ceil(math.sqrt(count))


def choose_grid_scale(
    side: int, count: int, asked: float | None = None, most: int = SHEET, pictures: int = 1
) -> float:
    """`choose_scale` for a grid of so many faces, near to a square."""
    columns = square_columns(count)
    return choose_scale(side, columns, math.ceil(count / columns), asked, most, pictures)


def choose_captioned_scale(side: int, count: int, asked: float | None = None) -> float:
    """`choose_grid_scale` for faces with a text below each, which takes as much room as one of
    CAPTIONED_CELL pixels; if no scale is asked for, a face is no smaller than that."""
    least = math.ceil(CAPTIONED_CELL / side)
    scale = choose_grid_scale(side, count, max(least, choose_grid_scale(side, count, asked)))
    return asked or scale


def grid(images: Tensor, columns: int, scale: float = 1) -> Image.Image:
    """Lay out uint8 [N, 3, S, S] row by row, each image `scale` times as large."""
    return lay_out([enlarge(to_pil(image), scale) for image in images], columns)


def lay_out(cells: Sequence[Image.Image], columns: int) -> Image.Image:
    """Equal-sized images row by row, GAP between them."""
    width, height = cells[0].size
    rows = math.ceil(len(cells) / columns)
    size = (columns * (width + GAP) - GAP, rows * (height + GAP) - GAP)
    sheet = Image.new("RGB", size, PAPER)
    for index, cell in enumerate(cells):
        sheet.paste(cell, _box(index, columns, width, height)[:2])
    return sheet


def cut(sheet: Image.Image, index: int, columns: int) -> Image.Image:
    """The image at `index` of a grid, as it was laid in."""
    side = (sheet.width + GAP) // columns - GAP
    return sheet.crop(_box(index, columns, side, side))


def _box(index: int, columns: int, width: int, height: int) -> tuple[int, int, int, int]:
    row, column = divmod(index, columns)
    left, top = column * (width + GAP), row * (height + GAP)
    return left, top, left + width, top + height


def timeline(grids: dict[int, Image.Image], seeds: Sequence[int]) -> Image.Image:
    """Rows: seeds, the first TIMELINE_ROWS; columns: steps.

    `grids`: step -> a grid of `seeds`, whose faces may be of several sizes.
    """
    columns = square_columns(len(seeds))
    shown = seeds[:TIMELINE_ROWS]
    cells = [[cut(sheet, row, columns) for sheet in grids.values()] for row in range(len(shown))]
    side = min(TIMELINE_CELL, max(cell.width for cell in cells[0]))
    cells = [[enlarge(cell, side / cell.width) for cell in row] for row in cells]
    return table(cells, [f"seed {seed}" for seed in shown], [f"{step:,}" for step in grids])


def table(
    cells: Sequence[Sequence[Image.Image]],
    row_names: Sequence[str],
    column_names: Sequence[str],
    scale: float | None = None,
) -> Image.Image:
    """Rows of equal-sized images, with a name for each row and each column.

    Images are drawn `scale` times as large; if none is given, those of less than TABLE_CELL pixels
    in a whole multiple of their size.
    """
    zoom = scale or max(1, TABLE_CELL // cells[0][0].width)
    cells = [[enlarge(image, zoom) for image in row] for row in cells]
    side = cells[0][0].width
    font = ImageFont.load_default(12)
    longest = math.ceil(max(font.getlength(name) for name in column_names))
    step = max(side, longest + 4) + GAP
    margin = round(max(font.getlength(name) for name in row_names))
    margin += 12 if margin else 0
    header = 20
    size = (margin + len(column_names) * step, header + len(row_names) * (side + GAP))
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(column_names):
        middle = (margin + column * step + (step - GAP) // 2, header // 2)
        draw.text(middle, name, INK, font, anchor="mm")
    for row, (name, images) in enumerate(zip(row_names, cells, strict=True)):
        top = header + row * (side + GAP)
        draw.text((margin - 6, top + side // 2), name, INK, font, anchor="rm")
        for column, image in enumerate(images):
            sheet.paste(image, (margin + column * step + (step - GAP - side) // 2, top))
    return sheet


def evenly(count: int, most: int) -> list[int]:
    """All of `count` places, or `most` of them from the first to the last."""
    if count <= most:
        return [*range(count)]
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def drawable(names: Sequence[str]) -> list[str]:
    """The names, those that the font has no letters for as numbers: it has ASCII alone."""
    return [n if n.isascii() else f"model {i}" for i, n in enumerate(names, start=1)]


def shorten(name: str, otherwise: str) -> str:
    """A name that fits below an image: the end of it, by which files of one folder differ; or the
    other name, if the font has no letters for it."""
    end = Path(name).stem[-LETTERS:]
    return end if end.isascii() else otherwise


def captioned(
    images: Sequence[Tensor] | Tensor,
    texts: Sequence[str],
    columns: int | None = None,
    scale: float | None = None,
) -> Image.Image:
    """A sheet of N uint8 [3, S, S] with a text below each, all of as many lines; near to a square
    unless `columns` are given. Images are drawn `scale` times as large; if none is given, as large
    as a text asks."""
    zoom = scale or max(1, math.ceil(CAPTIONED_CELL / images[0].shape[-1]))
    lines = [line for text in texts for line in text.splitlines()]
    width = math.ceil(max(map(ImageFont.load_default(CAPTION).getlength, lines))) + 4
    cells = [
        caption(enlarge(to_pil(image), zoom), text, width)
        for image, text in zip(images, texts, strict=True)
    ]
    return lay_out(cells, columns or square_columns(len(cells)))


def caption(image: Image.Image, text: str, width: int = 0) -> Image.Image:
    """The image with lines of text below it, at least `width` pixels wide."""
    width = max(image.width, width)
    lines, font = text.splitlines(), ImageFont.load_default(CAPTION)
    sheet = Image.new("RGB", (width, image.height + CAPTION_HEIGHT * len(lines)), PAPER)
    sheet.paste(image, ((width - image.width) // 2, 0))
    for number, line in enumerate(lines):
        middle = width // 2, image.height + round(CAPTION_HEIGHT * (number + 0.5))
        ImageDraw.Draw(sheet).text(middle, line, INK, font, anchor="mm")
    return sheet
