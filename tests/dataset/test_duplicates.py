import random

import pytest
from conftest import draw_folder, draw_image
from packing import build
from PIL import Image

from ganface.config.dataset import BuildConfig
from ganface.dataset.duplicates import NearDuplicates
from ganface.dataset.pack import Pack


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out" / "pack.safetensors"


@pytest.fixture
def twins(tmp_path):
    """Two images, an exact copy in another format, and a near one."""
    folder = draw_folder(tmp_path / "twins", range(2))
    with Image.open(folder / "000.png") as image:
        image.save(folder / "copy.bmp")
        near = image.copy()
    near.putpixel((20, 20), tuple(255 - level for level in near.getpixel((20, 20))))
    near.save(folder / "near.png")
    return folder


@pytest.mark.parametrize(
    ("dedupe", "left_out"),
    [
        ("off", {}),
        ("exact", {"copy.bmp": "duplicate: of 000.png"}),
        (
            "near",
            {"copy.bmp": "duplicate: of 000.png", "near.png": "near duplicate: of 000.png"},
        ),
    ],
)
def test_duplicates_are_left_out_as_asked_for(twins, out, dedupe, left_out):
    report = build(twins, out, BuildConfig(size=16, dedupe=dedupe))
    assert report.left_out == left_out
    assert len(Pack(out)) == report.used == 4 - len(left_out)


def test_different_images_are_no_near_duplicates(faces, out):
    assert build(faces, out, BuildConfig(size=16, dedupe="near")).used == 100


def test_one_drawing_in_other_colours_is_no_near_duplicate(tmp_path, out):
    red, green, blue = draw_image(1).split()
    for name, bands in {"a.png": (red, green, blue), "b.png": (blue, green, red)}.items():
        Image.merge("RGB", bands).save(tmp_path / name)
    assert build(tmp_path, out, BuildConfig(size=16, dedupe="near")).used == 2


def test_hashes_are_near_up_to_three_bits_wherever_those_are():
    dice = random.Random(0)
    for bits in (0, 1, 2, 3, 4, 5, 20):
        for _ in range(200):
            value = dice.getrandbits(64)
            other = value
            for bit in dice.sample(range(64), bits):
                other ^= 1 << bit
            known = NearDuplicates()
            assert known.find_or_add(value, b"", "first") is None
            assert known.find_or_add(other, b"", "second") == ("first" if bits <= 3 else None)
