import dataclasses

import pytest
import torch

from ganface.dataset.drawn.face import draw_face
from ganface.dataset.drawn.factors import factors_of
from ganface.evaluation.traits import measure_traits

FACES = 60


def pixels(image):
    side = image.width
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return flat.view(side, side, 3).permute(2, 0, 1)


def traits_with(size=32, **changes):
    """The traits of drawn faces, with some factors changed."""
    faces = [dataclasses.replace(factors_of(3, index), **changes) for index in range(FACES)]
    return measure_traits(torch.stack([pixels(draw_face(face, size)) for face in faces]))


def shifts(low, high):
    """By how many standard deviations each trait differs between two sets of equal faces."""
    spread = traits_with()
    return {name: ((high[name] - low[name]).mean() / spread[name].std()).item() for name in low}


@pytest.mark.parametrize(
    ("factor", "low", "high", "trait"),
    [
        ("hair_lightness", 0.1, 0.9, "hair-brightness"),
        ("skin", 0.9, 0.1, "skin-brightness"),
        ("mouth_opening", 0.0, 1.0, "mouth-darkness"),
        ("hair_hue", 0.55, 0.05, "hair-redness"),
        ("hair_hue", 0.65, 0.12, "hair-yellowness"),
        ("background_hue", 0.65, 0.15, "background-yellowness"),
        ("tilt", -12.0, 12.0, "tilt"),
    ],
)
def test_a_trait_follows_its_factor_more_than_others_do(factor, low, high, trait):
    found = shifts(traits_with(**{factor: low}), traits_with(**{factor: high}))
    assert found[trait] > 1.5


def test_sizes_are_measured_alike():
    small, large = traits_with(), traits_with(size=64)
    for name in small.keys() - {"sharpness"}:
        torch.testing.assert_close(small[name], large[name], rtol=0, atol=0.05)


def test_a_mirrored_face_leans_the_other_way():
    images = torch.stack([pixels(draw_face(factors_of(4, i), 32)) for i in range(8)])
    plain, mirrored = measure_traits(images), measure_traits(images.flip(3))
    for name in ("tilt", "turn"):
        torch.testing.assert_close(plain[name], -mirrored[name])
    torch.testing.assert_close(plain["hair-redness"], mirrored["hair-redness"])
