"""Draws a face from its factors."""

from __future__ import annotations

from PIL import Image

from ganface.dataset.drawn.canvas import Canvas, Pen, Pose, mirrored
from ganface.dataset.drawn.clothes import draw_clothes
from ganface.dataset.drawn.colours import WHITE, Palette, colour_of
from ganface.dataset.drawn.eyes import draw_brows, draw_eyes, draw_glasses
from ganface.dataset.drawn.factors import Factors
from ganface.dataset.drawn.hair import draw_back_hair, draw_front_hair


def draw_face(f: Factors, size: int) -> Image.Image:
    """An RGB image of size × size."""
    colours = Palette.of(f)
    canvas = Canvas(size, WHITE)

    def depth(depth: float) -> Pen:
        return canvas.pen(Pose(f.tilt, f.turn, depth))

    body = canvas.pen(Pose())
    _draw_background(body, f)
    draw_back_hair(depth(-0.15), f, colours)
    draw_clothes(body, f, colours)
    _draw_head(depth(0.45), depth(1.0), f, colours)
    draw_eyes(depth(1.0), f, colours)
    _draw_mouth(depth(1.0), f, colours)
    if f.glasses != "none":
        draw_glasses(depth(1.05), f, colours)
    draw_front_hair(depth(0.1), depth(0.8), f, colours)
    draw_brows(depth(1.0), f, colours)
    return canvas.finished()


def _draw_background(pen: Pen, f: Factors) -> None:
    whole = pen.at([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    hue = f.background_hue
    pen.canvas.fade(whole, colour_of(hue, 0.87, 0.6), colour_of(hue + 0.08, 0.7, 0.5))
    pen.glow((0.42 * f.light, -0.38), (0.7, 0.7), WHITE, 0.6)


def _draw_head(pen: Pen, front: Pen, f: Factors, colours: Palette) -> None:
    r = f.face_roundness
    half = [(0, -0.3), (0.2, -0.25), (0.264, -0.06), (0.256 + 0.014 * r, 0.1)]
    half += [(0.208 + 0.036 * r, 0.205), (0.115 + 0.045 * r, 0.295)]
    half += [(0.04 + 0.035 * r, 0.346 - 0.008 * r)]
    outline = pen.closed(mirrored([*half, (0, 0.36 - 0.014 * r)]))
    canvas = pen.canvas
    canvas.fill(outline, colours.skin)
    with canvas.inside(outline):
        away = -1 if f.light > 0 else 1
        shaded = [(0.3, -0.3), (0.235, 0.0), (0.19, 0.2), (0.06, 0.33), (0.3, 0.4)]
        pen.shape([(away * x, y) for x, y in shaded], colours.skin_shade, 0.2 + 0.5 * abs(f.light))
        for mirror in (-1, 1):
            front.glow((mirror * 0.175, 0.195), (0.1, 0.065), (255, 80, 96), 0.15 + 0.75 * f.blush)
    pen.ink([*outline, outline[0]], colours.line, 0.009, ends=1)
    front.stroke([(0.004, 0.172), (0.012, 0.186)], colours.line, 0.011)


def _draw_mouth(pen: Pen, f: Factors, colours: Palette) -> None:
    y = 0.258
    curve = 0.004 + 0.014 * f.smile
    if f.mouth_opening < 0.08:
        points = [(-0.045, y - curve), (-0.02, y + curve / 2), (0.02, y + curve / 2)]
        pen.stroke([*points, (0.045, y - curve)], colours.line, 0.012, ends=0.4)
        return
    opening = f.mouth_opening
    width = 0.026 + 0.022 * opening + 0.012 * f.smile
    height = 0.02 + 0.058 * opening
    top = y - 0.016
    half = [(0, top + curve / 2), (width, top - curve / 2)]
    half += [(0.72 * width, top + 0.7 * height), (0, top + height)]
    outline = pen.closed(mirrored(half))
    canvas = pen.canvas
    canvas.fill(outline, (142, 38, 54))
    with canvas.inside(outline):
        pen.ellipse((0, top + height), (0.75 * width, 0.45 * height), (238, 116, 122))
        if opening > 0.4:
            pen.ellipse((0, top), (0.8 * width, 0.2 * height), WHITE)
    pen.ink([*outline, outline[0]], colours.line, 0.009, ends=1)
