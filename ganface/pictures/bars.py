"""Numbers -> bar charts: groups below each other, a bar for each name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from ganface.pictures.grid import INK, PAPER
from ganface.pictures.panels import BAD, COLOURS
from ganface.pictures.text import ZOOM, length, write

LENGTH = 420  # pixels of the longest bar
ROW, BAR, HEAD = 20, 12, 30  # pixels of a row, of the bar in it, and above the rows of a group
MARGIN = 12
END = 110  # for the value behind a bar


@dataclass(frozen=True)
class Bar:
    name: str
    value: float  # not negative
    text: str  # the value, as it is to be read


@dataclass(frozen=True)
class Group:
    """Bars of one scale. `mark`: where a line is drawn through them, and what it is called."""

    title: str
    bars: Sequence[Bar]
    mark: float | None = None
    mark_name: str = ""


def draw_bars(groups: Sequence[Group]) -> Image.Image:
    """An RGB image, as wide as the longest name asks for."""
    names = [bar.name for group in groups for bar in group.bars]
    left = 2 * MARGIN + round(max(map(length, names)))
    height = sum(HEAD + ROW * len(group.bars) for group in groups) + MARGIN
    sheet = Image.new("RGB", ((left + LENGTH + END) * ZOOM, height * ZOOM), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = 0
    for group in groups:
        values = [bar.value for bar in group.bars] + [group.mark or 0.0]
        scale = LENGTH / (max(values) or 1.0)
        above = (top + HEAD - 8) * ZOOM
        write(draw, (MARGIN * ZOOM, above), group.title, INK, "ls", 13)
        if group.mark is not None:
            after = 2 * MARGIN + length(group.title, 13)
            write(draw, (after * ZOOM, above), group.mark_name, BAD, "ls")
        bottom = top + HEAD + ROW * len(group.bars)
        for row, bar in enumerate(group.bars):
            middle = top + HEAD + ROW * row + ROW // 2
            write(draw, ((left - MARGIN) * ZOOM, middle * ZOOM), bar.name, INK, "rm")
            box = (left, middle - BAR // 2, left + bar.value * scale, middle + BAR // 2)
            draw.rectangle([side * ZOOM for side in box], COLOURS[0])
        if group.mark is not None:
            x = left + group.mark * scale
            line = (x - 1, top + HEAD, x + 1, bottom)
            draw.rectangle([side * ZOOM for side in line], BAD)
        for row, bar in enumerate(group.bars):  # over the line
            middle = top + HEAD + ROW * row + ROW // 2
            place = (left + bar.value * scale + 6) * ZOOM, middle * ZOOM
            write(draw, place, bar.text, INK, "lm", halo=PAPER)
        top = bottom
    return sheet.reduce(ZOOM)
