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
    """Of [N, 3, S, S], numbers from 0 to 255, S at least SIDE: float64 [N] for each trait, by its
    name. A gradient goes through it."""
    faces = adaptive_avg_pool2d(images.double(), SIDE) / 255
    top = _cut(faces, (0.1, 0.3), (0.3, 0.7))
    strands = _cut(faces, (0.3, 0.55), (0.12, 0.22)), _cut(faces, (0.3, 0.55), (0.78, 0.88))
    corners = _cut(faces, (0, 0.16), (0, 0.16)), _cut(faces, (0, 0.16), (0.84, 1))
    eyes = _cut(faces, (0.44, 0.62), (0.26, 0.44)), _cut(faces, (0.44, 0.62), (0.56, 0.74))
    cheeks = _mean_colour(_cut(faces, (0.6, 0.72), (0.4, 0.6)))
    mouth = _mean_colour(_cut(faces, (0.72, 0.82), (0.42, 0.58)))
    skin = _colour("skin", cheeks)
    return {
        **_colour("hair", _mean_colour(top, *strands)),
        **_colour("background", _mean_colour(*corners)),
        **_colour("eye", _mean_colour(*eyes)),
        "skin-brightness": skin["skin-brightness"],
        "skin-redness": skin["skin-redness"],
        "mouth-darkness": _brightness(cheeks) - _brightness(mouth),
        "turn": _turn(faces, cheeks),
        "tilt": _tilt(_brightness(faces)[:, None], _brightness(cheeks)),
        # Of the face alone: the outlines of dark hair would be most of it
        "sharpness": (fine_power(_cut(images, (0.375, 0.875), (0.25, 0.75))).double() + 1e-3).log(),
    }


def _cut(faces: Tensor, rows: tuple[float, float], columns: tuple[float, float]) -> Tensor:
    """A part of [N, C, S, S], from where to where in fractions of the side."""
    side = faces.shape[-1]
    (top, bottom), (left, right) = (
        [round(side * each) for each in ends] for ends in (rows, columns)
    )
    return faces[:, :, top:bottom, left:right]


def _mean_colour(*parts: Tensor) -> Tensor:
    """Of parts of images [N, 3, ...]: [N, 3]."""
    return torch.cat([part.flatten(2) for part in parts], 2).mean(2)


def _brightness(colours: Tensor) -> Tensor:
    """[N, 3, ...] -> [N, ...], by ITU-R BT.601."""
    red, green, blue = colours.unbind(1)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _colour(of: str, colours: Tensor) -> dict[str, Tensor]:
    red, green, blue = colours.unbind(1)
    return {
        f"{of}-brightness": _brightness(colours),
        f"{of}-redness": red - green,
        f"{of}-yellowness": (red + green) / 2 - blue,
    }


def _turn(faces: Tensor, skin: Tensor) -> Tensor:
    """How far right of the middle what has the colour of the skin lies, in sides."""
    part = _cut(faces, (0.4, 0.85), (0.1, 0.9))
    unlike = (part - skin[:, :, None, None]).square().sum(1)
    alike = (-unlike / 0.03).exp()
    columns = torch.arange(part.shape[3], device=part.device, dtype=part.dtype)
    columns = (columns - columns.mean()) / SIDE
    return (alike * columns).sum((1, 2)) / alike.sum((1, 2)).clamp(min=1e-6)


def _tilt(brightness: Tensor, skin: Tensor) -> Tensor:
    """How much lower what is darker than the skin about the right eye lies than about the left one,
    in sides. brightness [N, 1, S, S], skin [N]."""
    heights = []
    for columns in ((0.22, 0.46), (0.54, 0.78)):
        part = _cut(brightness, (0.46, 0.66), columns)[:, 0]
        dark = (skin[:, None, None] - part).clamp(min=0) + 1e-6
        rows = torch.arange(part.shape[1], device=part.device)[:, None] / SIDE
        heights.append((dark * rows).sum((1, 2)) / dark.sum((1, 2)))
    return heights[1] - heights[0]
