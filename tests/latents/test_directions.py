import dataclasses
import re

import pytest
import torch
from conftest import dcgan

from ganface.errors import UserError
from ganface.io.tensors import write_tensors
from ganface.latents.directions import (
    Direction,
    Directions,
    move_along,
    parse_moves,
    read_directions,
    save_directions,
)
from ganface.latents.latents import latents_of_seeds
from ganface.models.dcgan import Generator

META = {"sha256": "a" * 64, "step": 5}
ORIGIN = {"snapshot": "a" * 64, "step": 5}
PLAIN = Generator(dcgan())  # one layer reads z
MODULATED = Generator(dcgan(modulate=True))
NAMES = ("hair-brightness", "tilt", "jacobian-1")


def directions(names=NAMES):
    about = (Direction(name, "measured", 0.5, "tilt", 0.4, "hair", 0.1) for name in names)
    return Directions(torch.eye(8)[: len(names), None], tuple(about))


@pytest.fixture
def file(tmp_path):
    save_directions(tmp_path / "d.safetensors", directions(), ORIGIN)
    return tmp_path / "d.safetensors"


def test_what_is_saved_is_read_again(file):
    found, digest = read_directions(file, PLAIN, META)
    assert found.about == directions().about
    assert torch.equal(found.vectors, directions().vectors)
    assert len(digest) == 64


def test_directions_of_another_snapshot_are_refused(file):
    with pytest.raises(UserError, match=r"another snapshot, a{12}; this is b{12}; give that model"):
        read_directions(file, PLAIN, {"sha256": "b" * 64})


@pytest.mark.parametrize(
    "vectors",
    [
        torch.eye(8)[:2, None],
        torch.eye(9)[:3, None],
        torch.eye(8)[:3, None].repeat(1, 2, 1),
        2 * torch.eye(8)[:3, None],
        torch.full((3, 1, 8), torch.nan),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors, tmp_path):
    path = tmp_path / "d.safetensors"
    about = [dataclasses.asdict(each) for each in directions().about]
    write_tensors(path, "directions", {"vectors": vectors}, {**ORIGIN, "directions": about})
    with pytest.raises(UserError, match="do not fit"):
        read_directions(path, PLAIN, META)


@pytest.mark.parametrize("about", [None, [], [{"name": "x"}], "text", "twice", "type", "name"])
def test_what_is_not_said_of_them_is_refused(about, tmp_path):
    told = [dataclasses.asdict(each) for each in directions().about]
    if about == "twice":
        about = [told[0], told[0], told[1]]
    elif about == "name":
        about = [{**each, "name": f"\x1b[2J{each['name']}"} for each in told]
    elif about == "type":
        about = [{**each, "strength": "much"} for each in told]
    path = tmp_path / "d.safetensors"
    meta = {**ORIGIN, "directions": about}
    write_tensors(path, "directions", {"vectors": torch.eye(8)[:3, None]}, meta)
    with pytest.raises(UserError, match="does not say what its directions are"):
        read_directions(path, PLAIN, META)


def test_they_are_picked_by_number_range_or_name():
    found = directions().pick("--pick", "tilt, 0-1,jacobian-1")
    assert found.names == ["tilt", "hair-brightness", "tilt", "jacobian-1"]
    assert torch.equal(found.vectors, torch.eye(8)[[1, 0, 1, 2], None])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hair-brighness", "jacobian-1; did you mean hair-brightness?"),
        ("xyz", "no direction xyz; there are hair-brightness, tilt, jacobian-1"),
        ("3", "there are 3 directions, from 0 on"),
        ("2-1", "runs backwards"),
        ("", "no direction"),
    ],
)
def test_what_cannot_be_picked_is_named(text, message):
    with pytest.raises(UserError, match=re.escape(message)):
        directions().pick("--pick", text)


def test_moves_are_read_each_once():
    assert parse_moves(["tilt=2, hair=-1.5", "0=1"]) == {"tilt": 2.0, "hair": -1.5, "0": 1.0}
    with pytest.raises(UserError, match="--move tilt=1: tilt is there twice"):
        parse_moves(["tilt=2", "tilt=1"])


@pytest.mark.parametrize("text", ["tilt", "tilt=", "=2", "tilt=nan", "tilt=1e9", "tilt=2,", ""])
def test_moves_in_another_form_are_refused(text):
    with pytest.raises(UserError, match="such as hair-brightness=2"):
        parse_moves([text])


def test_a_move_adds_to_each_point_and_is_told(file):
    before = latents_of_seeds("0-2", PLAIN)
    after = move_along(before, file, ["tilt=2", "hair-brightness=-1"], PLAIN, META)
    expected = torch.tensor([-1.0, 2, 0, 0, 0, 0, 0, 0])
    torch.testing.assert_close(after.points[:, 0] - before.points, expected.expand(3, 8))
    assert after.meta["moves"] == {"tilt": 2.0, "hair-brightness": -1.0}
    assert after.titles[1].meta["seeds"] == "1"
    assert after.titles[1].meta["moves"] == after.meta["moves"]


def test_each_place_moves_by_its_own_part(tmp_path):
    places = MODULATED.places
    vectors = torch.randn(3, places, 8)
    vectors /= vectors.square().sum((1, 2), keepdim=True).sqrt() / places**0.5
    file = tmp_path / "d.safetensors"
    save_directions(file, Directions(vectors, directions().about), ORIGIN)
    flat = latents_of_seeds("0-1", MODULATED)
    moved = move_along(flat, file, ["tilt=2"], MODULATED, META)
    torch.testing.assert_close(moved.points, flat.points[:, None] + 2 * vectors[1])
    again = move_along(moved, file, ["tilt=-2"], MODULATED, META)
    torch.testing.assert_close(again.points, flat.points[:, None].expand_as(vectors[:2]))


def test_a_file_of_format_1_holds_one_part_for_all_places(tmp_path):
    path = tmp_path / "d.safetensors"
    about = [dataclasses.asdict(each) for each in directions().about]
    write_tensors(
        path, "directions", {"vectors": torch.eye(8)[:3]}, {**ORIGIN, "directions": about}
    )
    found, _ = read_directions(path, MODULATED, META)
    assert torch.equal(found.vectors, torch.eye(8)[:3, None].expand(3, MODULATED.places, 8))
    assert found.vectors.is_contiguous()  # a page holds no other
