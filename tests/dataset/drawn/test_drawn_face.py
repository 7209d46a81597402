import dataclasses
from collections import Counter

import pytest
from PIL import ImageChops, ImageOps

from ganface.dataset.drawn import factors as lists
from ganface.dataset.drawn.face import draw_face
from ganface.dataset.drawn.factors import Factors, factors_of

SIZE = 32
VALUES = {  # of a plain face, and others that should be seen
    "hair_hue": (0.1, 0.6),
    "hair_lightness": (0.1, 0.9),
    "hair_length": (0.0, 1.0),
    "hair_style": ("parted", "straight"),
    "hair_tie": ("loose", "twintails"),
    "eye_hue": (0.5, 0.0),
    "eye_roundness": (0.0, 1.0),
    "eye_slant": (-1.0, 1.0),
    "mouth_opening": (0.0, 1.0),
    "skin": (0.0, 1.0),
    "tilt": (0.0, 14.0),
    "background_hue": (0.5, 0.0),
    "turn": (0.0, 1.0),
    "light": (0.0, 1.0),
    "face_roundness": (0.0, 1.0),
    "eyes": ("open", "closed"),
    "smile": (0.0, 1.0),
    "blush": (0.0, 1.0),
    "glasses": ("none", "round"),
    "accessory": ("none", "bow"),
    "accent_hue": (0.0, 0.5),
    "collar": ("shirt", "sailor"),
    "cloth_hue": (0.0, 0.5),
}
PLAIN = Factors(**{name: plain for name, (plain, _) in VALUES.items()})


@pytest.mark.parametrize(("name", "value"), [(name, other) for name, (_, other) in VALUES.items()])
def test_every_factor_can_be_seen(name, value):
    changed = dataclasses.replace(PLAIN, **{name: value})
    difference = ImageChops.difference(draw_face(changed, SIZE), draw_face(PLAIN, SIZE))
    assert max(high for _, high in difference.getextrema()) > 20


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hair_style", lists.HAIR_STYLES),
        ("hair_tie", lists.HAIR_TIES),
        ("eyes", lists.EYES),
        ("glasses", lists.GLASSES),
        ("accessory", lists.ACCESSORIES),
        ("collar", lists.COLLARS),
    ],
)
def test_every_kind_is_drawn_by_chance_and_looks_different(name, values):
    counts = Counter(getattr(factors_of(0, index), name) for index in range(1000))
    assert counts.keys() == set(values)
    assert min(counts.values()) > 5
    pictures = [draw_face(dataclasses.replace(PLAIN, **{name: value}), SIZE) for value in values]
    assert len({picture.tobytes() for picture in pictures}) == len(values)


def test_a_face_without_a_side_is_its_own_mirror_image():
    face = draw_face(PLAIN, SIZE)
    difference = ImageChops.difference(face, ImageOps.mirror(face)).convert("L")
    assert sum(difference.histogram()[64:]) < 0.01 * SIZE * SIZE


def test_a_wink_closes_one_eye_of_two():
    def eyes(value: str) -> list[bytes]:
        image = draw_face(dataclasses.replace(PLAIN, eyes=value), SIZE)
        sides = (0, SIZE // 2 - 2), (SIZE // 2 + 2, SIZE)
        return [image.crop((left, 0, right, SIZE)).tobytes() for left, right in sides]

    (left, right), opened, closed = eyes("wink"), eyes("open"), eyes("closed")
    assert left == opened[0]
    assert right == closed[1]
    assert opened[1] != closed[1]


def test_drawing_by_chance_stays_within_what_is_told():
    faces = [factors_of(1, index) for index in range(300)]
    for name, (low, high) in {"tilt": (-14, 14), "turn": (-1, 1), "light": (-1, 1)}.items():
        values = [getattr(face, name) for face in faces]
        assert low <= min(values) < low / 2
        assert high / 2 < max(values) <= high
    for name in ("face_roundness", "smile", "blush", "accent_hue", "cloth_hue"):
        values = [getattr(face, name) for face in faces]
        assert 0 <= min(values) < 0.1
        assert 0.9 < max(values) <= 1
