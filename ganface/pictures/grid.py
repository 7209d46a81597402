"""Tensors -> pictures: grids, tables with names, timelines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont, ImageOps

if TYPE_CHECKING:
    from torch import Tensor

GAP = 2  # pixels between the images of a grid, and around it
PAPER = (255, 255, 255)
INK = (40, 40, 48)
TIMELINE_ROWS = 8
TABLE_CELL = 64  # pixels that an image takes at least in a table with names
CAPTIONED_CELL = 96  # likewise over a text


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


def grid(images: Tensor, columns: int) -> Image.Image:
    """Lay out uint8 [N, 3, S, S] row by row."""
    return _sheet([to_pil(image) for image in images], columns)


def _sheet(cells: Sequence[Image.Image], columns: int) -> Image.Image:
    """Equal-sized images row by row, GAP between and around them."""
    width, height = cells[0].size
    rows = math.ceil(len(cells) / columns)
    size = (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP)
    sheet = Image.new("RGB", size, PAPER)
    for index, cell in enumerate(cells):
        sheet.paste(cell, _box(index, columns, width, height)[:2])
    return sheet


def cut(sheet: Image.Image, index: int, columns: int) -> Image.Image:
    """The image at `index` of a grid, as it was laid in."""
    side = (sheet.width - GAP) // columns - GAP
    return sheet.crop(_box(index, columns, side, side))


def _box(index: int, columns: int, width: int, height: int) -> tuple[int, int, int, int]:
    row, column = divmod(index, columns)
    left, top = column * (width + GAP) + GAP, row * (height + GAP) + GAP
    return left, top, left + width, top + height


def timeline(grids: dict[int, Image.Image], seeds: Sequence[int]) -> Image.Image:
    """Rows: seeds, the first TIMELINE_ROWS; columns: steps.

    `grids`: step -> a grid of `seeds`, all laid out alike.
    """
    columns = square_columns(len(seeds))
    shown = seeds[:TIMELINE_ROWS]
    cells = [[cut(sheet, row, columns) for sheet in grids.values()] for row in range(len(shown))]
    return table(cells, [f"seed {seed}" for seed in shown], [f"{step:,}" for step in grids])


def table(
    cells: Sequence[Sequence[Image.Image]], row_names: Sequence[str], column_names: Sequence[str]
) -> Image.Image:
    """Rows of equal-sized images, with a name for each row and each column.

    Small images are shown in whole multiples of their size, so that the names fit.
    """
    zoom = max(1, TABLE_CELL // cells[0][0].width)
    cells = [
        [ImageOps.scale(image, zoom, Image.Resampling.NEAREST) for image in row] for row in cells
    ]
    side = cells[0][0].width
    font = ImageFont.load_default(12)
    longest = math.ceil(max(font.getlength(name) for name in column_names))
    step = max(side, longest + 4) + GAP
    margin = 12 + round(max(font.getlength(name) for name in row_names))
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


def drawable(names: Sequence[str]) -> list[str]:
    """The names, those that the font has no letters for as numbers: it has ASCII alone."""
    return [n if n.isascii() else f"model {i}" for i, n in enumerate(names, start=1)]


def captioned(
    images: Sequence[Tensor] | Tensor, texts: Sequence[str], columns: int | None = None
) -> Image.Image:
    """A sheet of N uint8 [3, S, S], enlarged if small, with a text below each; near to a square
    unless `columns` are given."""
    cells = []
    for image, text in zip(images, texts, strict=True):
        picture = to_pil(image)
        zoom = max(1, math.ceil(CAPTIONED_CELL / picture.width))
        cells.append(caption(ImageOps.scale(picture, zoom, Image.Resampling.NEAREST), text))
    return _sheet(cells, columns or square_columns(len(cells)))


def caption(image: Image.Image, text: str) -> Image.Image:
    """The image with a line of text below it."""
    height = 24
    sheet = Image.new("RGB", (image.width, image.height + height), PAPER)
    sheet.paste(image)
    middle = (image.width // 2, image.height + height // 2)
    ImageDraw.Draw(sheet).text(middle, text, INK, ImageFont.load_default(14), anchor="mm")
    return sheet
