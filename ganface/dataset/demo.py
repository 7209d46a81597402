"""Draws simple anime faces, so that everything runs with nothing to download.

A face is drawn from a few factors (hair, eyes, mouth, skin, tilt, background), and `factors.csv`
holds the truth about each file: what a latent vector should find, here one can look it up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from colorsys import hls_to_rgb
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from ganface.io.atomic import atomic, write_text
from ganface.io.console import Track, untracked
from ganface.system.parallel import map_in_order

SUPERSAMPLING = 4  # drawn so much larger, then reduced: Pillow's own shapes have jagged edges
HAIR_STYLES = ("straight", "swept", "parted")
HAIR_TIES = ("loose", "twintails", "ponytail")

Point = tuple[float, float]  # x to the right, y down; the face's middle is (0, 0), the image is 1
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Factors:
    """Everything that makes one drawn face. Where nothing else is said, from 0 to 1."""

    hair_hue: float  # on the colour wheel
    hair_lightness: float
    hair_length: float  # from the jaw to below the image
    hair_style: str  # of the fringe, one of HAIR_STYLES
    hair_tie: str  # one of HAIR_TIES
    eye_hue: float
    eye_roundness: float
    eye_slant: float  # -1: outer corners hang, 1: they rise
    mouth_opening: float
    skin: float  # from light to dark
    tilt: float  # degrees, clockwise
    background_hue: float

    @classmethod
    def draw(cls, random: Random) -> Factors:
        """Factors by chance; hair is more often brown and fair than green."""
        hue = random.choice([random.uniform(0.02, 0.13), random.uniform(0.5, 0.98)])
        return cls(
            hair_hue=round(hue, 4),
            hair_lightness=round(random.random(), 4),
            hair_length=round(random.random(), 4),
            hair_style=random.choice(HAIR_STYLES),
            hair_tie=random.choices(HAIR_TIES, (3, 1, 1))[0],
            eye_hue=round(random.random(), 4),
            eye_roundness=round(random.random(), 4),
            eye_slant=round(random.uniform(-1, 1), 4),
            mouth_opening=round(max(0.0, random.uniform(-0.6, 1)), 4),
            skin=round(random.random() ** 2, 4),
            tilt=round(random.uniform(-14, 14), 4),
            background_hue=round(random.random(), 4),
        )


def factors_of(seed: int, index: int) -> Factors:
    """The factors of face `index`, whatever the number of faces."""
    return Factors.draw(Random(f"{seed}/{index}"))


def draw_faces(
    out: Path,
    count: int,
    size: int,
    seed: int,
    track: Track = untracked,
) -> None:
    """Write `count` PNG files of size × size, and factors.csv, to the folder `out`.

    Raises CannotWriteError.
    """
    out.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.DictWriter(table, ["file", *(field.name for field in fields(Factors))])
    writer.writeheader()
    pngs = map_in_order(partial(_png_of, seed, size), range(count))
    for index, png in enumerate(track(pngs, count)):
        name = f"{index:06d}.png"
        with atomic(out / name, durable=False) as file:
            file.write(png)
        writer.writerow({"file": name, **asdict(factors_of(seed, index))})
    write_text(out / "factors.csv", table.getvalue())


def _png_of(seed: int, size: int, index: int) -> bytes:
    file = io.BytesIO()
    draw_face(factors_of(seed, index), size).save(file, "PNG")
    return file.getvalue()


# ---------------------------------------------------------------------------- drawing


class Canvas:
    """Draws smooth shapes in the face's coordinates on a transparent layer."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.image = Image.new("RGBA", (side, side))
        self._draw = ImageDraw.Draw(self.image)

    def shape(self, points: Sequence[Point], colour: Colour, outline: Colour | None = None) -> None:
        """A closed smooth curve through `points`."""
        curve = self._place(_spline(points, closed=True))
        self._draw.polygon(curve, colour)
        if outline:
            self._draw.line([*curve, *curve[:2]], outline, self._width(0.006), joint="curve")

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        self._draw.polygon(self._place(points), colour)

    def stroke(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """A smooth line through `points`, with round ends."""
        curve = self._place(_spline(points, closed=False))
        self._draw.line(curve, colour, self._width(width), joint="curve")
        for x, y in (curve[0], curve[-1]):
            r = self._width(width) / 2
            self._draw.ellipse((x - r, y - r, x + r, y + r), colour)

    def ellipse(self, middle: Point, radii: Point, colour: Colour) -> None:
        (x, y), (rx, ry) = middle, radii
        self._draw.ellipse(
            [*self._place([(x - rx, y - ry)])[0], *self._place([(x + rx, y + ry)])[0]], colour
        )

    def glow(self, middle: Point, radii: Point, colour: Colour, alpha: float) -> None:
        """A soft spot."""
        layer = Canvas(self.side)
        layer.ellipse(middle, radii, colour)
        mask = layer.image.getchannel("A").filter(ImageFilter.GaussianBlur(self.side * 0.015))
        self.image.paste(colour, (0, 0), mask.point(lambda a: a * alpha))

    def _place(self, points: Sequence[Point]) -> list[Point]:
        return [((x + 0.5) * self.side, (y + 0.5) * self.side) for x, y in points]

    def _width(self, width: float) -> int:
        return max(1, round(width * self.side))


def _spline(points: Sequence[Point], closed: bool) -> list[Point]:
    """A Catmull-Rom curve through `points`, as short straight pieces."""
    if closed:
        around = [points[-1], *points, points[0], points[1]]
    else:
        around = [points[0], *points, points[-1]]
    curve = []
    for i in range(1, len(around) - 2):
        p0, p1, p2, p3 = around[i - 1 : i + 3]
        for t in (0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875):
            x, y = (_catmull_rom(*values, t) for values in zip(p0, p1, p2, p3, strict=True))
            curve.append((x, y))
    return curve if closed else [*curve, points[-1]]


def _catmull_rom(a: float, b: float, c: float, d: float, t: float) -> float:
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


def _mirrored(right: Sequence[Point]) -> list[Point]:
    """A closed outline from its right half, given from top to bottom."""
    return [*right, *((-x, y) for x, y in reversed(right) if x)]


def _colour(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = hls_to_rgb(hue % 1, min(max(lightness, 0), 1), saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _mix(a: Colour, b: Colour, t: float) -> Colour:
    red, green, blue = (round(x + (y - x) * t) for x, y in zip(a, b, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class _Palette:
    hair: Colour
    hair_shade: Colour
    hair_shine: Colour
    skin: Colour
    skin_shade: Colour
    line: Colour
    cloth: Colour


def _palette(f: Factors) -> _Palette:
    light = 0.2 + 0.56 * f.hair_lightness
    saturation = 0.62 - 0.12 * f.hair_lightness
    skin = _mix((255, 233, 216), (196, 136, 100), f.skin)
    return _Palette(
        hair=_colour(f.hair_hue, light, saturation),
        hair_shade=_colour(f.hair_hue - 0.02, light * 0.7, saturation),
        hair_shine=_colour(f.hair_hue + 0.02, light + 0.17, saturation + 0.1),
        skin=skin,
        skin_shade=_mix(skin, (190, 90, 80), 0.28),
        line=_mix(skin, (70, 30, 40), 0.75),
        cloth=_colour(f.background_hue + 0.45, 0.42, 0.4),
    )


def draw_face(f: Factors, size: int) -> Image.Image:
    """An RGB image of size × size."""
    side = size * SUPERSAMPLING
    colours = _palette(f)
    behind, body, head = Canvas(side), Canvas(side), Canvas(side)
    _draw_back_hair(behind, f, colours)
    _draw_body(body, colours)
    _draw_face_shape(head, colours)
    for mirror in (-1, 1):
        _draw_eye(head, f, colours, mirror)
    _draw_mouth(head, f, colours)
    _draw_front_hair(head, f, colours)

    image = _background(f, side)
    neck = (side * 0.5, side * 0.8)
    for layer, turns in ((behind, True), (body, False), (head, True)):
        drawn = layer.image
        if turns:
            drawn = drawn.rotate(-f.tilt, Image.Resampling.BICUBIC, center=neck)
        image.alpha_composite(drawn)
    return image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def _background(f: Factors, side: int) -> Image.Image:
    above = Image.new("RGBA", (side, side), _colour(f.background_hue, 0.86, 0.55))
    below = Image.new("RGBA", (side, side), _colour(f.background_hue + 0.08, 0.7, 0.45))
    return Image.composite(below, above, Image.linear_gradient("L").resize((side, side)))


def _draw_back_hair(canvas: Canvas, f: Factors, colours: _Palette) -> None:
    end = 0.24 + 0.42 * f.hair_length
    half = [(0, -0.44), (0.23, -0.38), (0.35, -0.16), (0.36, 0.08)]
    half += [(0.37, 0.2 + 0.3 * f.hair_length), (0.3, end), (0.12, end - 0.05), (0, end - 0.06)]
    if f.hair_tie == "twintails":
        tail = [(0.27, -0.3), (0.42, -0.24), (0.49, 0.0), (0.47, 0.3), (0.38, 0.5), (0.36, 0.2)]
        for mirror in (-1, 1):
            canvas.shape([(mirror * x, y) for x, y in tail], colours.hair, colours.hair_shade)
    elif f.hair_tie == "ponytail":
        tail = [(0.1, -0.4), (0.34, -0.47), (0.48, -0.25), (0.46, 0.12), (0.38, 0.36), (0.36, 0.0)]
        canvas.shape(tail, colours.hair, colours.hair_shade)
    canvas.shape(_mirrored(half), _mix(colours.hair, colours.hair_shade, 0.6), colours.hair_shade)


def _draw_body(canvas: Canvas, colours: _Palette) -> None:
    canvas.shape(_mirrored([(0.06, 0.4), (0.28, 0.44), (0.4, 0.52), (0.44, 0.7)]), colours.cloth)
    canvas.polygon(_mirrored([(0.075, 0.26), (0.085, 0.42), (0, 0.53)]), colours.skin_shade)
    for mirror in (-1, 1):
        collar = [(0.085, 0.39), (0.16, 0.44), (0.07, 0.55), (0.0, 0.53)]
        canvas.polygon([(mirror * x, y) for x, y in collar], (250, 250, 252))


def _draw_face_shape(canvas: Canvas, colours: _Palette) -> None:
    half = [(0, -0.3), (0.2, -0.24), (0.275, -0.04), (0.265, 0.12), (0.19, 0.26), (0.07, 0.345)]
    canvas.shape(_mirrored([*half, (0, 0.36)]), colours.skin, colours.line)
    for mirror in (-1, 1):
        canvas.glow((mirror * 0.185, 0.185), (0.05, 0.028), (240, 110, 110), 0.4)
    canvas.stroke([(0.004, 0.175), (0.012, 0.19)], colours.line, 0.008)


def _draw_eye(canvas: Canvas, f: Factors, colours: _Palette, mirror: int) -> None:
    height = 0.062 + 0.04 * f.eye_roundness
    rise = 0.026 * f.eye_slant
    x, y = mirror * 0.13, 0.07

    def at(right: float, down: float) -> Point:
        """A point of this eye; `right` is outwards."""
        return x + mirror * right, y + down - rise * right / 0.08

    lid = [at(-0.08, 0.0), at(-0.05, -0.75 * height), at(0.01, -height), at(0.06, -0.7 * height)]
    lid.append(at(0.088, 0.0))
    eye = Canvas(canvas.side)
    eye.shape([*lid, at(0.04, 0.85 * height), at(-0.04, 0.8 * height)], (255, 255, 255))
    mask = eye.image.getchannel("A")

    iris = _colour(f.eye_hue, 0.45, 0.75)
    eye.ellipse((x, y), (0.056, height * 1.05), _mix(iris, (20, 10, 40), 0.55))
    eye.ellipse((x, y + 0.35 * height), (0.046, height * 0.68), iris)
    eye.ellipse((x, y + 0.62 * height), (0.034, height * 0.34), _mix(iris, (255, 255, 255), 0.45))
    eye.ellipse((x, y), (0.022, height * 0.45), _mix(iris, (15, 5, 30), 0.85))
    eye.ellipse((x - 0.022, y - 0.38 * height), (0.02, 0.3 * height), (255, 255, 255))
    eye.ellipse((x + 0.026, y + 0.45 * height), (0.011, 0.13 * height), (255, 255, 255))
    canvas.image.paste(eye.image, (0, 0), mask)

    lash = _mix(colours.hair_shade, (30, 16, 30), 0.75)
    canvas.stroke([*lid, at(0.1, 0.012)], lash, 0.022)
    canvas.stroke([at(-0.03, 0.8 * height), at(0.04, 0.84 * height)], colours.line, 0.007)
    brow = [at(-0.06, -height - 0.055), at(0.01, -height - 0.075), at(0.08, -height - 0.05)]
    canvas.stroke(brow, colours.hair_shade, 0.011)


def _draw_mouth(canvas: Canvas, f: Factors, colours: _Palette) -> None:
    y = 0.25
    if f.mouth_opening < 0.08:
        canvas.stroke([(-0.04, y), (0, y + 0.014), (0.04, y)], colours.line, 0.01)
        return
    width, height = 0.04 + 0.022 * f.mouth_opening, 0.02 + 0.06 * f.mouth_opening
    outline = [(-width, y - 0.008), (0, y - 0.002), (width, y - 0.008)]
    outline += [
        (0.65 * width, y + 0.75 * height),
        (0, y + height),
        (-0.65 * width, y + 0.75 * height),
    ]
    mouth = Canvas(canvas.side)
    mouth.shape(outline, (150, 44, 52))
    mask = mouth.image.getchannel("A")
    mouth.ellipse((0, y + height), (0.7 * width, 0.42 * height), (236, 118, 118))
    canvas.image.paste(mouth.image, (0, 0), mask)
    canvas.stroke([*outline, outline[0]], colours.line, 0.007)


def _draw_front_hair(canvas: Canvas, f: Factors, colours: _Palette) -> None:
    lock_end = 0.2 + 0.22 * f.hair_length
    lock = [(0.25, -0.2), (0.325, -0.1), (0.335, 0.1), (0.29, lock_end), (0.265, 0.08)]
    for mirror in (-1, 1):
        canvas.shape([(mirror * x, y) for x, y in lock], colours.hair, colours.hair_shade)

    crown = [(-0.3, 0.02), (-0.335, -0.12), (-0.24, -0.35), (0, -0.445), (0.24, -0.35)]
    crown = _spline([*crown, (0.335, -0.12), (0.3, 0.02)], closed=False)
    edge = _fringe_edge(f.hair_style)
    canvas.polygon([*crown, *edge], colours.hair)
    canvas.stroke(crown, colours.hair_shade, 0.008)
    for start, end in pairwise(edge):
        canvas.stroke([start, end], colours.hair_shade, 0.008)
    for x, y in edge[1:-1:2]:  # strands run from the crown to the notches
        canvas.stroke(
            [(0.45 * x, -0.36), (0.85 * x, 0.5 * (y - 0.3)), (x, y)], colours.hair_shade, 0.006
        )
    for left, right in ((-0.23, -0.12), (-0.09, 0.04), (0.07, 0.22)):
        ring = [(x, -0.315 + 1.1 * x * x) for x in (left, (left + right) / 2, right)]
        canvas.stroke(ring, colours.hair_shine, 0.03)

    if f.hair_tie == "twintails":
        for mirror in (-1, 1):
            canvas.ellipse((mirror * 0.285, -0.27), (0.045, 0.045), colours.cloth)
    elif f.hair_tie == "ponytail":
        canvas.ellipse((0.2, -0.38), (0.05, 0.04), colours.cloth)


def _fringe_edge(style: str) -> list[Point]:
    """The lower edge of the fringe from right to left: tips and notches in turn."""
    if style == "straight":
        half = [(0.27, 0.02), (0.2, -0.09), (0.16, -0.02), (0.1, -0.1), (0.055, -0.025)]
        return [*half, (0, -0.1), *((-x, y) for x, y in reversed(half))]
    if style == "parted":
        half = [(0.28, 0.05), (0.23, -0.09), (0.17, -0.02), (0.12, -0.16), (0.08, -0.1)]
        return [*half, (0, -0.3), *((-x, y) for x, y in reversed(half))]
    right = [(0.28, 0.06), (0.22, -0.08), (0.2, 0.0), (0.08, -0.11), (0.07, -0.04)]
    return [
        *right,
        (-0.05, -0.15),
        (-0.07, -0.07),
        (-0.17, -0.18),
        (-0.2, -0.08),
        (-0.24, -0.17),
        (-0.28, 0.0),
    ]
