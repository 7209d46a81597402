"""Numbers -> bar charts: groups below each other, a bar for each name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from ganface.pictures.chart import BAD, COLOURS
from ganface.pictures.grid import INK, PAPER

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
    font, title_font = ImageFont.load_default(12), ImageFont.load_default(13)
    names = [bar.name for group in groups for bar in group.bars]
    left = 2 * MARGIN + round(max(map(font.getlength, names)))
    height = sum(HEAD + ROW * len(group.bars) for group in groups) + MARGIN
    sheet = Image.new("RGB", (left + LENGTH + END, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = 0
    for group in groups:
        values = [bar.value for bar in group.bars] + [group.mark or 0.0]
        scale = LENGTH / (max(values) or 1.0)
        draw.text((MARGIN, top + HEAD - 8), group.title, INK, title_font, anchor="ls")
        if group.mark is not None:
            after = 2 * MARGIN + title_font.getlength(group.title)
            draw.text((after, top + HEAD - 8), group.mark_name, BAD, font, anchor="ls")
        bottom = top + HEAD + ROW * len(group.bars)
        for row, bar in enumerate(group.bars):
            middle = top + HEAD + ROW * row + ROW // 2
            draw.text((left - MARGIN, middle), bar.name, INK, font, anchor="rm")
            right = left + bar.value * scale
            draw.rectangle((left, middle - BAR // 2, right, middle + BAR // 2), COLOURS[0])
        if group.mark is not None:
            x = left + group.mark * scale
            draw.line((x, top + HEAD, x, bottom), BAD, 2)
        for row, bar in enumerate(group.bars):  # over the line
            place = left + bar.value * scale + 6, top + HEAD + ROW * row + ROW // 2
            draw.text(place, bar.text, INK, font, anchor="lm", stroke_width=3, stroke_fill=PAPER)
        top = bottom
    return sheet
