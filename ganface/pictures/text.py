"""Texts on charts, in Pillow's own font: it has ASCII and a few signs more."""

from __future__ import annotations

import unicodedata

from PIL import ImageDraw, ImageFont

ZOOM = 4  # charts are drawn so many times larger, for smooth edges
ACCENT, SIGN = "\N{COMBINING ACUTE ACCENT}", "´"  # é is no letter of the font, but ´ is
INSTEAD = str.maketrans("×–−", "x--")


def can_write(text: str) -> bool:
    """Whether the font has every letter of it."""
    return _plain(text)[0].isascii()


def length(text: str, size: int = 12) -> float:
    """Pixels of the chart that the text is wide."""
    return _font(size).getlength(_plain(text)[0]) / ZOOM


def write(
    draw: ImageDraw.ImageDraw,
    position: tuple[float, float],
    text: str,
    colour: tuple[int, int, int],
    anchor: str,
    size: int = 12,
    halo: tuple[int, int, int] | None = None,
) -> None:
    """On a sheet that is ZOOM times too large. size: pixels of the chart. halo: a colour around
    the letters, where they stand on lines."""
    letters, accents = _plain(text)
    font, (x, y) = _font(size), position
    stroke = 3 * ZOOM if halo else 0
    draw.text(position, letters, colour, font, anchor=anchor, stroke_width=stroke, stroke_fill=halo)
    x -= font.getlength(letters) * {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]]
    for index in accents:
        ends = font.getlength(letters[:index]), font.getlength(letters[: index + 1])
        draw.text((x + sum(ends) / 2, y), SIGN, colour, font, anchor=f"m{anchor[1]}")


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without accents, and which of its letters have one."""
    letters, accents = "", []
    for letter in unicodedata.normalize("NFD", text.translate(INSTEAD)):
        if letter == ACCENT and letters:
            accents.append(len(letters) - 1)
        else:
            letters += letter
    return letters, accents


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * ZOOM)
