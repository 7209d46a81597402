"""Numbers -> scatter plots: points in the plane, a square beside another, with the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from ganface.pictures.chart import FADED, FAINT
from ganface.pictures.grid import INK, PAPER
from ganface.pictures.panels import COLOURS
from ganface.pictures.scales import scale
from ganface.pictures.text import ZOOM, write

# In pixels. Letters and points are large, for a phone shows three squares at a quarter of this
SIDE, HEADER, MARGIN = 440, 96, 16
TITLE, NOTE = 38, 32
RADIUS = 3  # of a point


@dataclass(frozen=True)
class Cloud:
    """Points (x, y), with a title and a note above them."""

    title: str
    note: str
    points: Sequence[Sequence[float]]


def draw_scatter(
    clouds: Sequence[Cloud], rings: Sequence[tuple[float, float, float]], limit: float
) -> Image.Image:
    """An RGB image. Axes go from -limit to limit, y upwards; what lies outside is left out.

    rings: (x, y, radius), drawn in each square.
    """
    step = SIDE + MARGIN
    size = (len(clouds) * step + MARGIN, HEADER + SIDE + MARGIN)
    sheet = Image.new("RGB", (size[0] * ZOOM, size[1] * ZOOM), PAPER)
    draw = ImageDraw.Draw(sheet, "RGBA")
    for index, (colour, cloud) in enumerate(zip(COLOURS, clouds, strict=False)):
        left, top = (MARGIN + index * step) * ZOOM, HEADER * ZOOM
        right, bottom = left + SIDE * ZOOM, top + SIDE * ZOOM
        to_x = scale((-limit, limit), (left, right))
        to_y = scale((-limit, limit), (bottom, top))
        middle = (left + right) / 2
        write(draw, (middle, 40 * ZOOM), cloud.title, INK, "ms", TITLE)
        write(draw, (middle, 80 * ZOOM), cloud.note, colour, "ms", NOTE)
        draw.rectangle((left, top, right, bottom), None, FAINT, 2 * ZOOM)
        for x, y in cloud.points:
            if max(abs(x), abs(y)) < limit:
                draw.ellipse(_circle(to_x(x), to_y(y), RADIUS * ZOOM), (*colour, 110))
        for x, y, radius in rings:
            circle = _circle(to_x(x), to_y(y), radius * (right - left) / (2 * limit))
            draw.ellipse(circle, None, FADED, 2 * ZOOM)
    return sheet.reduce(ZOOM)


def _circle(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius
