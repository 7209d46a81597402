import csv

import pytest
from conftest import tree
from PIL import Image

from ganface.dataset.demo import draw_faces
from ganface.dataset.drawn.factors import Factors, factors_of

SIZE = 32


def draw(out, count=6, seed=0):
    draw_faces(out, count, SIZE, seed)
    return tree(out)


@pytest.fixture
def drawn(tmp_path):
    return draw(tmp_path / "drawn")


def rows_of(files):
    return list(csv.DictReader(files["factors.csv"].decode().splitlines()))


def test_one_seed_draws_the_same_faces_and_another_draws_others(tmp_path, drawn):
    assert draw(tmp_path / "again") == drawn
    other = draw(tmp_path / "other", seed=1)
    assert other.keys() == drawn.keys()
    assert [name for name in other if other[name] == drawn[name]] == []


def test_a_face_is_the_same_whatever_the_count(tmp_path, drawn):
    fewer = draw(tmp_path / "fewer", count=2)
    assert fewer["000001.png"] == drawn["000001.png"]
    assert rows_of(fewer) == rows_of(drawn)[:2]


def test_the_table_tells_the_factors_of_each_file(drawn):
    rows = rows_of(drawn)
    assert [row["file"] for row in rows] == [f"{index:06d}.png" for index in range(6)]
    assert set(drawn) == {"factors.csv", *(row["file"] for row in rows)}
    for index, row in enumerate(rows):
        factors = factors_of(0, index)
        told = {name: type(value)(row[name]) for name, value in vars(factors).items()}
        assert Factors(**told) == factors


def test_faces_are_rgb_images_of_the_size_asked_for_and_differ(tmp_path, drawn):
    pictures = set()
    for path in (tmp_path / "drawn").glob("*.png"):
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("RGB", (SIZE, SIZE))
            pictures.add(image.tobytes())
    assert len(pictures) == len(drawn) - 1
