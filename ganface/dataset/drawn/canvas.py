"""Smooth shapes in the coordinates of a face that leans and turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw

from ganface.dataset.drawn.colours import Colour

Point = tuple[float, float]  # x to the right, y down; the face's middle is (0, 0), the image is 1

SUPERSAMPLING = 4  # drawn so much larger, then reduced: Pillow's own shapes have jagged edges
NECK = (0.0, 0.3)  # where the head turns about
RADIUS = 0.36  # of the ball that the front of the head is part of
MOST_TURN = 0.27  # radians
PIECES = 6  # straight ones for each part of a curve
# Catmull-Rom: what each of four points counts for along the part between the middle two
WEIGHTS = [
    (
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (-(t**2) + t**3) / 2,
    )
    for t in (i / PIECES for i in range(PIECES))
]


@dataclass(frozen=True)
class Pose:
    """Where a point of the face lies in the image. tilt: degrees, clockwise; turn: from -1 to 1."""

    tilt: float = 0.0
    turn: float = 0.0
    depth: float = 1.0  # of what is drawn: 1: on the face, 0: beside it, negative: behind it

    def place(self, point: Point) -> Point:
        x, y = point
        if self.turn:
            angle = MOST_TURN * self.turn
            front = math.sqrt(max(0.0, 1 - (x / RADIUS) ** 2)) * RADIUS
            x += self.depth * (x * (math.cos(angle) - 1) + front * math.sin(angle))
        if self.tilt:
            angle = math.radians(self.tilt)
            right, down = x - NECK[0], y - NECK[1]
            x = NECK[0] + right * math.cos(angle) - down * math.sin(angle)
            y = NECK[1] + right * math.sin(angle) + down * math.cos(angle)
        return x, y


class Canvas:
    """An RGB image that is drawn on. Colours may be see-through: alpha from 0 to 1."""

    def __init__(self, size: int, colour: Colour) -> None:
        self._size = size
        self._side = size * SUPERSAMPLING
        self._image = Image.new("RGB", (self._side, self._side), colour)
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def finished(self) -> Image.Image:
        """The image of size × size."""
        return self._image.resize((self._size, self._size), Image.Resampling.LANCZOS)

    def fill(self, outline: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        """outline: in pixels, as `Pen` makes it."""
        self._draw.polygon(outline, (*colour, round(255 * alpha)))

    def fade(self, outline: Sequence[Point], above: Colour, below: Colour) -> None:
        """Fill with colours that change from the top to the bottom of the outline."""
        with self.inside(outline):
            heights = [y for _, y in outline]
            top, bottom = math.floor(min(heights)), math.ceil(max(heights)) + 1
            strip = Image.linear_gradient("L").resize((1, bottom - top))
            first, last = (Image.new("RGB", strip.size, colour) for colour in (above, below))
            colours = Image.composite(last, first, strip)
            self._image.paste(colours.resize((self._side, bottom - top)), (0, top))

    def glow(self, middle: Point, radii: Point, colour: Colour, alpha: float) -> None:
        """A spot that fades towards its edge. middle, radii: in pixels."""
        (x, y), (rx, ry) = middle, radii
        spot = Image.radial_gradient("L").crop((64, 64, 192, 192))  # 0 in the middle, 90 beside it
        spot = spot.point([round(alpha * 255 * max(0, 1 - value / 90)) for value in range(256)])
        spot = spot.resize((max(1, round(2 * rx)), max(1, round(2 * ry))))
        self._image.paste(colour, (round(x - rx), round(y - ry)), spot)

    @contextmanager
    def inside(self, outline: Sequence[Point]) -> Iterator[None]:
        """What is drawn within stays inside the outline."""
        before = self._image.copy()
        yield
        mask = Image.new("L", before.size, 255)
        ImageDraw.Draw(mask).polygon(outline, 0)
        self._image.paste(before, (0, 0), mask)

    def pen(self, pose: Pose) -> Pen:
        return Pen(self, self._side, pose)


class Pen:
    """Draws on a canvas what is given in the face's coordinates, in one pose."""

    def __init__(self, canvas: Canvas, side: int, pose: Pose) -> None:
        self.canvas = canvas
        self._side = side
        self._pose = pose

    def at(self, points: Sequence[Point]) -> list[Point]:
        """In pixels."""
        placed = map(self._pose.place, points)
        return [((x + 0.5) * self._side, (y + 0.5) * self._side) for x, y in placed]

    def closed(self, points: Sequence[Point]) -> list[Point]:
        """A smooth outline through the points."""
        placed = self.at(points)
        return _spline([placed[-1], *placed, placed[0], placed[1]])

    def line(self, points: Sequence[Point]) -> list[Point]:
        """A smooth line through the points."""
        placed = self.at(points)
        return [*_spline([placed[0], *placed, placed[-1]]), placed[-1]]

    def locks(self, points: Sequence[Point], down: float, up: float) -> list[Point]:
        """The edge of hair, from right to left: tips and notches in turn, a tip or notch first.

        down, up: how far its parts that go down and up bulge, in their lengths.
        """
        placed = self.at(points)
        edge = []
        for (x0, y0), (x2, y2) in pairwise(placed):
            bulge = down if y2 > y0 else up
            x1 = (x0 + x2) / 2 + bulge * (y2 - y0)
            y1 = (y0 + y2) / 2 - bulge * (x2 - x0)
            for t in (0, 0.25, 0.5, 0.75):
                a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
                edge.append((a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2))
        return [*edge, placed[-1]]

    def oval(self, middle: Point, radii: Point) -> list[Point]:
        (x, y), (rx, ry) = middle, radii
        return self.closed([(x + rx * dx, y + ry * dy) for dx, dy in CIRCLE])

    def ellipse(self, middle: Point, radii: Point, colour: Colour, alpha: float = 1.0) -> None:
        self.canvas.fill(self.oval(middle, radii), colour, alpha)

    def shape(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        """A smooth outline, filled."""
        self.canvas.fill(self.closed(points), colour, alpha)

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        self.canvas.fill(self.at(points), colour, alpha)

    def glow(self, middle: Point, radii: Point, colour: Colour, alpha: float) -> None:
        """A spot that fades towards its edge."""
        [(x, y)] = self.at([middle])
        rx, ry = (radius * self._side for radius in radii)
        self.canvas.glow((x, y), (rx, ry), colour, alpha)

    def stroke(
        self,
        points: Sequence[Point],
        colour: Colour,
        width: float,
        alpha: float = 1.0,
        *,
        ends: float = 0.2,
    ) -> None:
        """A smooth line that is thinner at both ends, down to the share `ends` of its width."""
        self.ink(self.line(points), colour, width, alpha, ends=ends)

    def ink(
        self,
        line: Sequence[Point],
        colour: Colour,
        width: float,
        alpha: float = 1.0,
        *,
        ends: float = 0.2,
    ) -> None:
        """Draw along a line of pixels."""
        half = width * self._side / 2
        last = len(line) - 1
        right, left = [], []
        for i, (x, y) in enumerate(line):
            (x0, y0), (x1, y1) = line[max(i - 1, 0)], line[min(i + 1, last)]
            dx, dy = x1 - x0, y1 - y0
            thickness = half * (ends + (1 - ends) * math.sin(math.pi * i / last))
            scale = thickness / (math.hypot(dx, dy) or 1.0)
            right.append((x - dy * scale, y + dx * scale))
            left.append((x + dy * scale, y - dx * scale))
        self.canvas.fill([*right, *reversed(left)], colour, alpha)


def _spline(around: Sequence[Point]) -> list[Point]:
    """A Catmull-Rom curve through all points but the first and the last."""
    curve = []
    for i in range(len(around) - 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = around[i : i + 4]
        curve += [
            (a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3)
            for a, b, c, d in WEIGHTS
        ]
    return curve


CIRCLE = [(math.cos(i * math.pi / 4), math.sin(i * math.pi / 4)) for i in range(8)]


def mirrored(right: Sequence[Point]) -> list[Point]:
    """A closed outline from its right half, given from top to bottom."""
    return [*right, *((-x, y) for x, y in reversed(right) if x)]
