"""What can be measured of a face without labels: its traits, in regions of a centred crop.

A colour is three numbers, each linear in red, green and blue, so that a straight way through latent
space can follow it: brightness, redness (red against green) and yellowness (red and green against
blue). A hue, an angle, would jump.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganface.evaluation.sharpness import fine_power

SIDE = 32  # all but sharpness is measured on images made so small


def measure_traits(images: Tensor) -> dict[str, Tensor]:
    """Of uint8 [N, 3, S, S], S at least SIDE: float64 [N] for each trait, by its name."""
    faces = adaptive_avg_pool2d(images.double(), SIDE) / 255
    brightness = _brightness(faces)
    hair = _region(faces, (0.1, 0.3), (0.3, 0.7))
    corners = torch.cat([_cut(faces, (0, 0.16), side) for side in ((0, 0.16), (0.84, 1))], 3)
    background = corners.mean((2, 3))
    skin = _region(faces, (0.6, 0.72), (0.4, 0.6))
    sides = torch.cat([_cut(faces, (0.62, 0.85), side) for side in ((0.06, 0.2), (0.8, 0.94))], 3)
    eyes = torch.cat([_cut(faces, (0.44, 0.62), side) for side in ((0.26, 0.44), (0.56, 0.74))], 3)
    mouth = _region(faces, (0.72, 0.82), (0.42, 0.58))
    left, right = (_cut(brightness, (0.2, 0.8), side) for side in ((0.1, 0.5), (0.5, 0.9)))
    return {
        **_colour("hair", hair),
        **_colour("background", background),
        **_colour("skin", skin),
        **_colour("eye", eyes.mean((2, 3))),
        **_colour("side", sides.mean((2, 3))),
        "mouth-darkness": _brightness(skin) - _brightness(mouth),
        "light-on-the-right": right.mean((2, 3))[:, 0] - left.mean((2, 3))[:, 0],
        "tilt": _tilt(brightness),
        "contrast": brightness.flatten(1).std(1),
        "sharpness": fine_power(images).double().clamp(min=1e-3).log(),
    }


def _cut(faces: Tensor, rows: tuple[float, float], columns: tuple[float, float]) -> Tensor:
    """A part of [N, C, S, S], from where to where in fractions of the side."""
    side = faces.shape[-1]
    (top, bottom), (left, right) = (
        [round(side * each) for each in ends] for ends in (rows, columns)
    )
    return faces[:, :, top:bottom, left:right]


def _region(faces: Tensor, rows: tuple[float, float], columns: tuple[float, float]) -> Tensor:
    """The mean colour [N, 3] there."""
    return _cut(faces, rows, columns).mean((2, 3))


def _brightness(colours: Tensor) -> Tensor:
    """Of [N, 3, ...]: [N, ...] for colours alone, [N, 1, S, S] for images. ITU-R BT.601."""
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=colours.dtype, device=colours.device)
    found = torch.einsum("nc...,c->n...", colours, weights)
    return found[:, None] if colours.dim() == 4 else found


def _colour(of: str, colours: Tensor) -> dict[str, Tensor]:
    red, green, blue = colours.unbind(1)
    return {
        f"{of}-brightness": _brightness(colours),
        f"{of}-redness": red - green,
        f"{of}-yellowness": (red + green) / 2 - blue,
    }


def _tilt(brightness: Tensor) -> Tensor:
    """How much lower what is dark about the right eye lies than about the left one, in sides."""
    heights = []
    for columns in ((0.22, 0.46), (0.54, 0.78)):
        part = _cut(brightness, (0.38, 0.68), columns)
        # Darkness against the brightest there, which is skin or the white of an eye; squared, for
        # what is darkest to count most
        dark = (part.amax((2, 3), keepdim=True) - part).square() + 1e-6
        rows = torch.arange(dark.shape[2], device=dark.device).view(1, 1, -1, 1) / SIDE
        heights.append((dark * rows).sum((1, 2, 3)) / dark.sum((1, 2, 3)))
    return heights[1] - heights[0]
