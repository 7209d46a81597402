"""Numbers -> box plots: how numbers of several names spread, beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import quantiles

from PIL import Image, ImageDraw

from ganface.pictures.chart import FADED, FAINT
from ganface.pictures.grid import INK, PAPER
from ganface.pictures.panels import BAD, COLOURS
from ganface.pictures.scales import label, powers, scale, ticks
from ganface.pictures.text import ZOOM, length, write

HEIGHT = 360  # pixels of the axis
LEFT, TOP, BOTTOM, COLUMN = 64, 58, 52, 140  # beside it, above and below; of each name
BOX, DOT, STAR = 72, 2.5, 8  # the width of a box, radii
SPREAD = 10  # times the smallest number: from there on the axis is logarithmic


@dataclass(frozen=True)
class Box:
    name: str
    values: Sequence[float]  # any number of them, 0 or more
    star: float | None  # a number that is shown beside them
    remark: str  # below the name


def draw_boxes(
    title: str, boxes: Sequence[Box], star_name: str, line: float, line_name: str
) -> Image.Image:
    """An RGB image: boxes from quartile to quartile, whiskers to the least and the greatest value,
    a dot for each, and a line across all."""
    stars = [box.star for box in boxes if box.star is not None]
    numbers = [*(value for box in boxes for value in box.values), *stars, line]
    log = 0 < min(numbers) * SPREAD < max(numbers)
    places = [math.log10(number) if log else number for number in numbers]
    room = (max(places) - min(places)) * 0.06 or 1
    low, high = min(places) - room, max(places) + room

    width = LEFT + round(max(COLUMN * len(boxes), length(title, 13))) + 20
    sheet = Image.new("RGB", (width * ZOOM, (TOP + HEIGHT + BOTTOM) * ZOOM), PAPER)
    draw = ImageDraw.Draw(sheet, "RGBA")
    left, right = LEFT * ZOOM, (width - 20) * ZOOM
    to_y = scale((low, high), ((TOP + HEIGHT) * ZOOM, TOP * ZOOM))

    def y_of(value: float) -> float:
        return to_y(math.log10(value) if log else value)

    for tick in powers(low, high) if log else ticks(low, high, 6):
        draw.line((left, to_y(tick), right, to_y(tick)), FAINT, ZOOM)
        name = label(10**tick if log else tick)
        write(draw, (left - 8 * ZOOM, to_y(tick)), name, FADED, "rm")
    draw.line((left, y_of(line), right, y_of(line)), FADED, ZOOM)
    write(draw, (right, y_of(line) - 4 * ZOOM), line_name, FADED, "rs")
    for number, box in enumerate(boxes):
        x = left + (number + 0.5) * COLUMN * ZOOM
        if box.values:
            _draw_box(draw, x, box.values, y_of)
        if box.star is not None:
            _draw_star(draw, x, y_of(box.star))
        write(draw, (x, (TOP + HEIGHT + 18) * ZOOM), box.name, INK, "mm", 13)
        write(draw, (x, (TOP + HEIGHT + 36) * ZOOM), box.remark, FADED, "mm")
    write(draw, (left, 20 * ZOOM), title, INK, "lm", 13)
    _draw_star(draw, left + STAR * ZOOM, 42 * ZOOM)
    write(draw, (left + (2 * STAR + 6) * ZOOM, 42 * ZOOM), star_name, INK, "lm")
    return sheet.reduce(ZOOM)


def _draw_box(
    draw: ImageDraw.ImageDraw, x: float, values: Sequence[float], y_of: Callable[[float], float]
) -> None:
    """The marks of values, around the vertical line at x."""
    half, line, r = BOX * ZOOM / 2, round(1.6 * ZOOM), DOT * ZOOM
    quartiles = quantiles(values, method="inclusive") if len(values) > 1 else [values[0]] * 3
    low, bottom, middle, top, high = map(y_of, (min(values), *quartiles, max(values)))
    draw.rectangle((x - half, top, x + half, bottom), (*COLOURS[0], 40), COLOURS[0], line)
    draw.line((x - half, middle, x + half, middle), COLOURS[0], 2 * line)
    for end, quartile in ((low, bottom), (high, top)):
        draw.line((x, quartile, x, end), COLOURS[0], line)
        draw.line((x - half / 2, end, x + half / 2, end), COLOURS[0], line)
    for number, y in enumerate(map(y_of, values), start=1):  # side by side, in order
        at = x - half + 2 * half * number / (len(values) + 1)
        draw.ellipse((at - r, y - r, at + r, y + r), (*COLOURS[0], 190))


def _draw_star(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    points = []
    for corner in range(10):
        r = STAR * ZOOM * (0.42 if corner % 2 else 1)
        angle = math.pi * corner / 5
        points.append((x + r * math.sin(angle), y - r * math.cos(angle)))
    draw.polygon(points, BAD, PAPER, ZOOM)
