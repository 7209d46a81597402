"""The colours of a drawn face."""

from __future__ import annotations

from colorsys import hls_to_rgb
from dataclasses import dataclass

from ganface.dataset.drawn.factors import Factors

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)


def colour_of(hue: float, lightness: float, saturation: float) -> Colour:
    """Lightness and saturation from 0 to 1."""
    red, green, blue = hls_to_rgb(hue % 1, min(max(lightness, 0), 1), saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """From a (t = 0) to b (t = 1)."""
    red, green, blue = (round(x + (y - x) * t) for x, y in zip(a, b, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class Palette:
    hair: Colour
    hair_tip: Colour
    hair_shade: Colour
    hair_line: Colour
    hair_shine: Colour
    skin: Colour
    skin_shade: Colour
    line: Colour
    cloth: Colour
    accent: Colour

    @classmethod
    def of(cls, f: Factors) -> Palette:
        light = 0.2 + 0.56 * f.hair_lightness
        saturation = 0.62 - 0.12 * f.hair_lightness
        # Dark yellow is olive: brown hair is redder the darker it is
        hue = f.hair_hue * (0.6 + 0.4 * f.hair_lightness) if f.hair_hue < 0.3 else f.hair_hue
        hair = colour_of(hue, light, saturation)
        shade = colour_of(hue - 0.03, 0.74 * light, saturation)
        skin = mix((255, 236, 222), (200, 142, 106), f.skin)
        return cls(
            hair=hair,
            hair_tip=colour_of(hue + 0.025, light + 0.07, saturation + 0.06),
            hair_shade=mix(shade, (64, 30, 84), 0.14),
            hair_line=mix(shade, (44, 18, 52), 0.56),
            hair_shine=mix(colour_of(hue + 0.02, light + 0.2, saturation + 0.1), WHITE, 0.3),
            skin=skin,
            skin_shade=mix(skin, (196, 92, 98), 0.3),
            line=mix(skin, (84, 30, 44), 0.72),
            cloth=colour_of(f.cloth_hue, 0.4, 0.42),
            accent=colour_of(f.accent_hue, 0.55, 0.7),
        )
