import csv

import factors
import pytest
import torch
from conftest import call, dcgan
from factors import COLOURS, KINDS, DrawnFaces, colour_of, fringe, kind_of, nearest

from ganface.config.dataset import BuildConfig
from ganface.dataset.cache import cached_pack
from ganface.dataset.pack import Pack
from ganface.models.dcgan import Generator


def test_hair_between_the_colours_falls_to_one_of_them():
    assert [COLOURS[colour_of(0.07, light)] for light in (0, 0.49, 0.5, 1)] == [
        *("brown", "brown"),
        *("fair", "fair"),
    ]
    hues = (0.5, 0.619, 0.63, 0.75, 0.87, 0.98)
    named = [COLOURS[colour_of(hue, 0.9)] for hue in hues]
    assert named == ["blue", "blue", "violet", "magenta", "pink", "pink"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "faces"
    assert call("dataset", "demo", folder, "--count", 400, "--size", 32) == 0
    return folder


@pytest.fixture(scope="module")
def images(folder, tmp_path_factory):
    path, _ = cached_pack(folder, BuildConfig(size=32), tmp_path_factory.mktemp("cache"))
    pack = Pack(path)
    return pack.batch(range(len(pack)))


@pytest.fixture
def faces(folder):
    return DrawnFaces(folder, 32)


def test_the_drawn_faces_themselves_cover_all_kinds(faces, images):
    assert faces.measure(images) == {"counted": 1, "covered": 1, "well_covered": 1}
    assert faces.agreement > 0.3


def test_one_face_alone_covers_one_kind(faces, images):
    found = faces.measure(images[:1].repeat(50, 1, 1, 1))
    assert found["counted"] == 1
    assert found["covered"] == found["well_covered"] == 1 / KINDS


def test_faces_of_some_kinds_cover_these(faces, images, folder):
    with open(folder / "factors.csv", newline="") as file:
        kinds = torch.tensor([kind_of(row) for row in csv.DictReader(file)])
    found = faces.measure(images[kinds < 6])
    assert found["covered"] == 6 / KINDS


def test_what_is_no_face_is_not_counted(faces):
    noise = torch.randint(0, 256, (50, 3, 32, 32), dtype=torch.uint8)
    grey = torch.full((50, 3, 32, 32), 128, dtype=torch.uint8)
    for images in (noise, grey):
        assert faces.measure(images) == {"counted": 0, "covered": 0, "well_covered": 0}


def test_an_untrained_G_covers_nothing(faces, monkeypatch):
    monkeypatch.setattr(factors, "SAMPLES", 50)
    G = Generator(dcgan(32, 8, 4)).eval()
    factors.forget(G)
    assert faces.measure(factors.draw(G))["covered"] < 0.1


def test_the_nearest_other_leaves_the_point_itself_out():
    points = torch.tensor([[0.0], [1], [3]])
    assert nearest(points, points)[1].tolist() == [0, 1, 2]
    assert nearest(points, points, themselves=True)[1].tolist() == [1, 0, 1]


def test_the_fringe_is_a_part_of_the_image():
    assert fringe(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).shape == (2, 3 * 20 * 32)
