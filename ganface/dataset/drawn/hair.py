"""Hair, its ties and what is worn in it."""

from __future__ import annotations

import math

from ganface.dataset.drawn.canvas import Pen, Point
from ganface.dataset.drawn.colours import WHITE, Palette, mix
from ganface.dataset.drawn.factors import Factors

CROWN: list[Point] = [(-0.3, 0.07), (-0.345, -0.12), (-0.26, -0.345), (0, -0.445)]
CROWN += [(0.26, -0.345), (0.345, -0.12), (0.3, 0.07)]


def draw_back_hair(pen: Pen, f: Factors, colours: Palette) -> None:
    if f.accessory == "ears":
        _draw_ears(pen, colours)
    if f.hair_tie == "twintails":
        for mirror in (-1, 1):
            _draw_tail(pen, colours, _TWINTAIL, mirror)
    elif f.hair_tie == "ponytail":
        _draw_tail(pen, colours, _PONYTAIL, 1)
    end = 0.25 + 0.42 * f.hair_length
    sides: list[Point] = [(-0.34 - 0.02 * f.hair_length, end - 0.12), (-0.365, 0.06)]
    sides += [(-0.345, -0.2), (-0.23, -0.385), (0, -0.445), (0.23, -0.385), (0.345, -0.2)]
    sides += [(0.365, 0.06), (0.34 + 0.02 * f.hair_length, end - 0.12)]
    half = [(0.36, end - 0.02), (0.3, end - 0.06), (0.24, end + 0.02), (0.17, end - 0.05)]
    tips = [*half, (0.1, end), *((-x, y) for x, y in reversed(half))]
    outline = [*pen.line(sides), *pen.locks(tips, 0.1, 0.1)]
    pen.canvas.fade(outline, colours.hair_shade, mix(colours.hair_shade, colours.hair_line, 0.3))
    pen.ink([*outline, outline[0]], colours.hair_line, 0.008, ends=1)
    for x in (-0.3, 0.3):
        strand = [(x, 0.0), (1.07 * x, end / 2), (x, end - 0.08)]
        pen.stroke(strand, colours.hair_line, 0.01, 0.6)


_TWINTAIL: list[Point] = [(0.27, -0.33), (0.37, -0.345), (0.46, -0.22), (0.49, 0.02), (0.47, 0.26)]
_TWINTAIL += [(0.39, 0.5), (0.4, 0.28), (0.36, 0.06), (0.3, -0.18)]
_PONYTAIL: list[Point] = [(0.1, -0.42), (0.26, -0.485), (0.42, -0.4), (0.49, -0.14), (0.46, 0.14)]
_PONYTAIL += [(0.39, 0.38), (0.385, 0.1), (0.33, -0.1), (0.22, -0.25)]


def _draw_tail(pen: Pen, colours: Palette, tail: list[Point], mirror: int) -> None:
    outline = pen.closed([(mirror * x, y) for x, y in tail])
    pen.canvas.fade(outline, colours.hair, colours.hair_tip)
    pen.ink([*outline, outline[0]], colours.hair_line, 0.009, ends=1)
    count = len(tail)
    for share in (0.35, 0.7):
        strand = []
        for i in range(1, count // 2):
            (x0, y0), (x1, y1) = tail[i], tail[count - 1 - i]
            strand.append((mirror * (x0 + share * (x1 - x0)), y0 + share * (y1 - y0)))
        pen.stroke(strand, colours.hair_line, 0.01, 0.6)
    (x0, y0), (x1, y1) = tail[2], tail[-2]
    shine = [(mirror * x, y) for x, y in ((0.9 * x0, y0), (0.35 * x0 + 0.65 * x1, y0 + 0.1))]
    pen.stroke(shine, colours.hair_shine, 0.03, 0.7, ends=0.1)


def draw_front_hair(side: Pen, front: Pen, f: Factors, colours: Palette) -> None:
    """side: a pen for what frames the face; front: for what falls over the forehead."""
    end = 0.2 + 0.24 * f.hair_length
    for mirror in (-1, 1):
        lock: list[Point] = [(0.24, -0.22), (0.34, -0.12), (0.352, 0.08), (0.3, end)]
        lock += [(0.278, 0.1), (0.262, 0.0)]
        outline = side.closed([(mirror * x, y) for x, y in lock])
        side.canvas.fade(outline, colours.hair, colours.hair_tip)
        side.ink([*outline, outline[0]], colours.hair_line, 0.008, ends=1)
        strand = [(mirror * 0.31, -0.08), (mirror * 0.325, 0.06), (mirror * 0.302, end - 0.06)]
        side.stroke(strand, colours.hair_line, 0.009, 0.6)

    edge, lean = _fringe_edge(f.hair_style)
    fringe = front.locks(edge, 0.16 + lean, 0.16 - lean)
    crown = side.line(CROWN)
    shadow = [(x, y + 0.032) for x, y in edge]
    canvas = side.canvas
    with canvas.inside(front.closed(_FOREHEAD)):
        front.canvas.fill(
            [
                *front.locks(shadow, 0.16 + lean, 0.16 - lean),
                *front.at([(-0.3, -0.4), (0.3, -0.4)]),
            ],
            colours.skin_shade,
            0.75,
        )
    outline = [*crown, *fringe]
    canvas.fade(outline, colours.hair, colours.hair_tip)
    with canvas.inside(outline):
        _draw_shine(front, f, colours)
    for i in range(1, len(edge) - 1):
        x, y = edge[i]
        notch = y < edge[i - 1][1]
        start, bend = (0.42 * x, -0.35 + 0.2 * x * x), (0.86 * x, 0.5 * (y - 0.29))
        strand = [start, bend, (x, y)] if notch else [(0.75 * x, 0.5 * (y - 0.35)), (x, y)]
        front.stroke(strand, colours.hair_line, 0.01, 0.7 if notch else 0.3)
    side.ink(crown, colours.hair_line, 0.01, ends=0.6)
    front.ink(fringe, colours.hair_line, 0.009, ends=1)
    _draw_ties(side, f, colours)
    _draw_accessory(side, f, colours)


_FOREHEAD: list[Point] = [(-0.25, -0.1), (0, -0.3), (0.25, -0.1), (0.26, 0.1), (0, 0.12)]
_FOREHEAD += [(-0.26, 0.1)]


def _draw_shine(pen: Pen, f: Factors, colours: Palette) -> None:
    """A band of light on the crown, on the side where the light comes from."""
    middle = 0.1 * f.light
    above: list[Point] = []
    below: list[Point] = []
    for i in range(9):
        across = (i - 4) / 4  # from one end of the band to the other
        x = middle + 0.19 * across
        y = -0.285 + 0.9 * x * x
        width = 0.075 * (1 - across * across)
        above.append((x, y - 0.3 * width))
        below.append((x, y + width * (0.35 if i % 2 else 1.0)))
    band = [*pen.line(above), *pen.at(below[::-1])]
    pen.canvas.fill(band, colours.hair_shine, 0.75)


def _fringe_edge(style: str) -> tuple[list[Point], float]:
    """The lower edge of the fringe from right to left, tips and notches in turn; and how far its
    locks lean."""
    if style == "straight":
        half = [(0.3, 0.05), (0.235, -0.12), (0.18, -0.04), (0.125, -0.13), (0.06, -0.045)]
        return [*half, (0, -0.13), *((-x, y) for x, y in reversed(half))], 0.0
    if style == "parted":
        half = [(0.3, 0.07), (0.245, -0.11), (0.19, -0.03), (0.15, -0.18), (0.1, -0.11)]
        return [*half, (0, -0.33), *((-x, y) for x, y in reversed(half))], 0.0
    right = [(0.3, 0.07), (0.245, -0.1), (0.2, -0.01), (0.12, -0.13), (0.07, -0.035)]
    left = [(-0.03, -0.16), (-0.07, -0.065), (-0.15, -0.2), (-0.2, -0.1), (-0.25, -0.19)]
    return [*right, *left, (-0.3, 0.05)], 0.14


# ---------------------------------------------------------------------------- worn in the hair


def _draw_ties(pen: Pen, f: Factors, colours: Palette) -> None:
    if f.hair_tie == "twintails":
        for mirror in (-1, 1):
            _draw_bow(pen, (mirror * 0.3, -0.29), 0.6, colours)
    elif f.hair_tie == "ponytail":
        _draw_bow(pen, (0.2, -0.385), 0.7, colours)


def _draw_bow(pen: Pen, middle: Point, scale: float, colours: Palette) -> None:
    x, y = middle
    dark = mix(colours.accent, (50, 16, 50), 0.5)
    for mirror in (-1, 1):
        loop = [(0.0, 0.0), (0.07, -0.055), (0.13, -0.06), (0.135, 0.035), (0.07, 0.04)]
        outline = pen.closed([(x + mirror * scale * dx, y + scale * dy) for dx, dy in loop])
        pen.canvas.fill(outline, colours.accent)
        pen.ink([*outline, outline[0]], dark, 0.009, ends=1)
    pen.ellipse(middle, (0.034 * scale, 0.04 * scale), dark)
    pen.ellipse(middle, (0.024 * scale, 0.03 * scale), mix(colours.accent, WHITE, 0.25))


def _draw_accessory(pen: Pen, f: Factors, colours: Palette) -> None:
    if f.accessory == "bow":
        _draw_bow(pen, (-0.17, -0.36), 1.1, colours)
    elif f.accessory == "flower":
        x, y = -0.235, -0.235
        for i in range(5):
            dx, dy = math.sin(i * 0.4 * math.pi), -math.cos(i * 0.4 * math.pi)
            petal = (x + 0.042 * dx, y + 0.042 * dy)
            pen.ellipse(petal, (0.037, 0.037), mix(colours.accent, (60, 16, 60), 0.4))
            pen.ellipse(petal, (0.031, 0.031), mix(colours.accent, WHITE, 0.35))
        pen.ellipse((x, y), (0.024, 0.024), (255, 222, 92))
    elif f.accessory == "band":
        band = [(-0.325, -0.16), (-0.2, -0.335), (0, -0.395), (0.2, -0.335), (0.325, -0.16)]
        pen.stroke(band, mix(colours.accent, (50, 16, 50), 0.5), 0.052, ends=0.6)
        pen.stroke(band, colours.accent, 0.036, ends=0.6)


def _draw_ears(pen: Pen, colours: Palette) -> None:
    """A cat's."""
    for mirror in (-1, 1):
        outer = [(0.06, -0.4), (0.14, -0.46), (0.27, -0.5), (0.3, -0.4), (0.3, -0.28)]
        outline = pen.closed([(mirror * x, y) for x, y in outer])
        pen.canvas.fill(outline, colours.hair)
        pen.ink([*outline, outline[0]], colours.hair_line, 0.01, ends=1)
        inner = [(0.14, -0.41), (0.25, -0.465), (0.27, -0.35)]
        pen.shape([(mirror * x, y) for x, y in inner], (246, 168, 176))
