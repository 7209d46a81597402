"""Eyes, brows and glasses."""

from __future__ import annotations

from ganface.dataset.drawn.canvas import Pen, Point
from ganface.dataset.drawn.colours import WHITE, Palette, colour_of, mix
from ganface.dataset.drawn.factors import Factors

MIDDLE = (0.13, 0.087)  # of the right eye


def draw_eyes(pen: Pen, f: Factors, colours: Palette) -> None:
    for mirror in (-1, 1):
        if f.eyes == "closed" or (f.eyes == "wink" and mirror == 1):
            _draw_closed_eye(pen, f, colours, mirror)
        else:
            _draw_open_eye(pen, f, colours, mirror)


class _Place:
    """Where the parts of one eye are. Outwards is to the right."""

    def __init__(self, f: Factors, mirror: int) -> None:
        self.height = 0.076 + 0.034 * f.eye_roundness
        self._mirror = mirror
        self._rise = 0.3 * f.eye_slant

    def at(self, *points: Point) -> list[Point]:
        x, y = MIDDLE
        return [
            (self._mirror * (x + right), y + down - self._rise * right) for right, down in points
        ]


def _draw_open_eye(pen: Pen, f: Factors, colours: Palette, mirror: int) -> None:
    place = _Place(f, mirror)
    h = place.height
    lid: list[Point] = [(-0.08, 0.015), (-0.055, -0.68 * h), (0.0, -h), (0.055, -0.8 * h)]
    lid += [(0.085, -0.12 * h)]
    white = pen.closed(place.at(*lid, (0.062, 0.6 * h), (0.005, 0.78 * h), (-0.05, 0.6 * h)))
    iris = colour_of(f.eye_hue, 0.42, 0.78)
    dark = mix(iris, (24, 10, 44), 0.66)
    bright = mix(colour_of(f.eye_hue + 0.04, 0.62, 0.85), WHITE, 0.25)
    [(x, y)] = place.at((-0.004, -0.06 * h))

    canvas = pen.canvas
    canvas.fade(white, (206, 202, 222), WHITE)
    with canvas.inside(white):
        pen.ellipse((x, y), (0.064, 0.9 * h), dark)
        ball = pen.oval((x, y + 0.02 * h), (0.055, 0.82 * h))
        canvas.fade(ball, dark, bright)
        pen.ellipse((x, y - 0.06 * h), (0.024, 0.38 * h), mix(dark, (10, 4, 20), 0.5))
        pen.ellipse((x, y + 0.52 * h), (0.036, 0.24 * h), bright, 0.8)
        pen.ellipse((x + 0.024 * f.light, y - 0.4 * h), (0.023, 0.28 * h), WHITE)
        pen.ellipse((x - 0.03 * f.light, y + 0.42 * h), (0.013, 0.14 * h), WHITE, 0.9)

    lash = mix(colours.hair_line, (26, 12, 26), 0.7)
    pen.stroke(place.at(*lid, (0.108, -0.28 * h)), lash, 0.03)
    pen.stroke(place.at((0.075, 0.4 * h), (0.045, 0.72 * h), (0.0, 0.8 * h)), lash, 0.011)
    crease = ((-0.05, -0.9 * h - 0.012), (0.005, -h - 0.03), (0.065, -0.9 * h - 0.014))
    pen.stroke(place.at(*crease), colours.line, 0.008, 0.7)


def _draw_closed_eye(pen: Pen, f: Factors, colours: Palette, mirror: int) -> None:
    place = _Place(f, mirror)
    lash = mix(colours.hair_line, (26, 12, 26), 0.7)
    arc = ((-0.08, 0.035), (-0.04, -0.012), (0.005, -0.026), (0.05, -0.01), (0.092, 0.036))
    pen.stroke(place.at(*arc), lash, 0.026, ends=0.35)
    for start, end in (((0.06, -0.004), (0.1, -0.016)), ((0.08, 0.014), (0.118, 0.012))):
        pen.stroke(place.at(start, end), lash, 0.014)


def draw_brows(pen: Pen, f: Factors, colours: Palette) -> None:
    """Over the hair, as is the custom."""
    for mirror in (-1, 1):
        place = _Place(f, mirror)
        y = -place.height - 0.05
        brow = place.at((-0.065, y + 0.008), (0.0, y - 0.014), (0.085, y + 0.012))
        pen.stroke(brow, colours.hair_line, 0.015, 0.75)


def draw_glasses(pen: Pen, f: Factors, colours: Palette) -> None:
    rim = mix(colours.accent, (40, 20, 40), 0.55)
    x, y = MIDDLE
    for mirror in (-1, 1):
        if f.glasses == "round":
            lens = pen.oval((mirror * x, y), (0.112, 0.112))
        else:
            corners = [(-0.1, -0.075), (0.0, -0.085), (0.105, -0.08), (0.115, 0.0), (0.095, 0.09)]
            corners += [(0.0, 0.102), (-0.09, 0.085), (-0.108, 0.0)]
            lens = pen.closed([(mirror * (x + right), y + down) for right, down in corners])
        pen.canvas.fill(lens, WHITE, 0.16)
        with pen.canvas.inside(lens):
            glare = [(-0.02, -0.12), (0.035, -0.12), (-0.04, 0.13), (-0.095, 0.13)]
            pen.polygon([(mirror * x + right, y + down) for right, down in glare], WHITE, 0.2)
        pen.ink([*lens, lens[0]], rim, 0.016, ends=1)
        pen.stroke([(mirror * 0.24, y - 0.01), (mirror * 0.3, y - 0.03)], rim, 0.016, ends=1)
    pen.stroke([(-0.022, y), (0, y - 0.012), (0.022, y)], rim, 0.016, ends=1)
