"""Neck, shoulders and collar."""

from __future__ import annotations

from ganface.dataset.drawn.canvas import Pen, Point, mirrored
from ganface.dataset.drawn.colours import WHITE, Palette, mix
from ganface.dataset.drawn.factors import Factors


def draw_clothes(pen: Pen, f: Factors, colours: Palette) -> None:
    dark = mix(colours.cloth, (30, 14, 40), 0.5)
    body = colours.cloth if f.collar != "sailor" else (246, 244, 248)
    shoulders: list[Point] = [(0.06, 0.395), (0.27, 0.435), (0.39, 0.51), (0.44, 0.7)]
    outline = pen.closed(mirrored(shoulders))
    pen.canvas.fade(outline, body, mix(body, (50, 24, 70), 0.25))
    pen.ink([*outline, outline[0]], dark, 0.009, ends=1)
    pen.polygon(mirrored([(0.075, 0.26), (0.088, 0.42), (0, 0.53)]), colours.skin)
    pen.polygon(mirrored([(0.077, 0.26), (0.08, 0.36), (0, 0.43)]), colours.skin_shade)

    if f.collar == "scarf":
        fold = mix(colours.accent, (50, 16, 60), 0.45)
        half = [(0, 0.41), (0.15, 0.37), (0.18, 0.43), (0.1, 0.5)]
        pen.canvas.fade(pen.closed(mirrored(half)), colours.accent, fold)
        pen.stroke([(-0.15, 0.41), (0, 0.45), (0.15, 0.41)], fold, 0.012)
        return
    collar: list[Point] = [(0.085, 0.375), (0.17, 0.43), (0.085, 0.53), (0.0, 0.53)]
    if f.collar == "sailor":
        collar = [(0.085, 0.375), (0.24, 0.425), (0.2, 0.53), (0.0, 0.53)]
    for mirror in (-1, 1):
        flap = [(mirror * x, y) for x, y in collar]
        pen.polygon(flap, WHITE if f.collar == "shirt" else colours.cloth)
        pen.ink(pen.at([*flap, flap[0]]), dark, 0.008, 0.8, ends=1)
        if f.collar == "sailor":
            pen.stroke([(mirror * 0.2, 0.43), (mirror * 0.165, 0.52)], WHITE, 0.012, ends=1)
    pen.polygon(mirrored([(0.02, 0.455), (0.032, 0.485), (0.024, 0.56)]), colours.accent)
    if f.collar == "sailor":
        for mirror in (-1, 1):
            loop = [(0.0, 0.475), (0.07, 0.435), (0.09, 0.49), (0.05, 0.51)]
            pen.shape([(mirror * x, y) for x, y in loop], colours.accent)
