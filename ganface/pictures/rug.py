"""Numbers -> curves over a line, with points of it as ticks: panels below each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from ganface.pictures.chart import FADED, FAINT
from ganface.pictures.grid import INK, PAPER
from ganface.pictures.panels import COLOURS
from ganface.pictures.scales import scale
from ganface.pictures.text import ZOOM, write

# In pixels. Letters and lines are large, for a phone shows this at four tenths
WIDTH, LEFT, RIGHT = 1000, 44, 16
LEGEND, HEADER, HEIGHT, STRIP, GAP = 64, 52, 200, 40, 16
LETTER, SMALL = 34, 26
CURVE, POINTS, AREA = COLOURS[0], COLOURS[1], (*COLOURS[2], 70)


@dataclass(frozen=True)
class Panel:
    """A curve at equal steps of x, in [0, 1], and points on x; a title and a note above them."""

    title: str
    note: str
    curve: Sequence[float]
    points: Sequence[float]


def draw_rug(
    panels: Sequence[Panel], area: Sequence[float], limit: float, names: tuple[str, str, str]
) -> Image.Image:
    """An RGB image, WIDTH wide. x goes from -limit to limit.

    area: like a curve, filled, the same in each panel. names: of curve, area and points.
    """
    step = HEADER + HEIGHT + STRIP + GAP
    size = (WIDTH * ZOOM, (LEGEND + len(panels) * step) * ZOOM)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet, "RGBA")
    left, right = LEFT * ZOOM, (WIDTH - RIGHT) * ZOOM
    to_x = scale((-limit, limit), (left, right))
    _draw_legend(draw, names)
    for index, panel in enumerate(panels):
        top = (LEGEND + index * step + HEADER) * ZOOM
        bottom = top + HEIGHT * ZOOM
        to_y = scale((0, 1), (bottom, top))
        write(draw, (left, top - 14 * ZOOM), panel.title, INK, "ls", LETTER)
        write(draw, (right, top - 14 * ZOOM), panel.note, POINTS, "rs", LETTER)
        for tick in (0, 1):
            draw.line((left, to_y(tick), right, to_y(tick)), FAINT, 2 * ZOOM)
            write(draw, (left - 12 * ZOOM, to_y(tick)), str(tick), FADED, "rm", SMALL)
        ground = [(right, bottom), (left, bottom)]
        draw.polygon([*_places(area, left, right, to_y), *ground], AREA)
        draw.line(_places(panel.curve, left, right, to_y), CURVE, 5 * ZOOM, joint="curve")
        for x in map(to_x, panel.points):
            draw.line((x, bottom + 6 * ZOOM, x, bottom + STRIP * ZOOM), (*POINTS, 120), 2 * ZOOM)
    return sheet.reduce(ZOOM)


def _places(
    values: Sequence[float], left: float, right: float, to_y: Callable[[float], float]
) -> list[tuple[float, float]]:
    to_x = scale((0, len(values) - 1), (left, right))
    return [(to_x(index), to_y(value)) for index, value in enumerate(values)]


def _draw_legend(draw: ImageDraw.ImageDraw, names: tuple[str, str, str]) -> None:
    """Three columns of one width."""
    middle = LEGEND * ZOOM / 2
    for index, (colour, name) in enumerate(zip((CURVE, AREA, POINTS), names, strict=True)):
        x = (LEFT + index * (WIDTH - LEFT) / 3) * ZOOM
        half = (3 if colour == CURVE else 12) * ZOOM
        draw.rectangle((x, middle - half, x + 36 * ZOOM, middle + half), colour)
        write(draw, (x + 50 * ZOOM, middle), name, INK, "lm", LETTER)
