"""`ganface project` and `ganface interpolate --between`, as a user runs them."""

import json

import pytest
import torch
from conftest import TINY, draw_folder, tree
from pictures_made import grid_pixels, pixels_of, size_of
from PIL import Image

from ganface.io.tensors import read_header, read_tensors
from ganface.latents import projection
from ganface.models.snapshot import load_generator
from ganface.pictures.face_size import GAP
from ganface.pictures.png import read_png_meta


@pytest.fixture(autouse=True)
def _fewer(monkeypatch):
    monkeypatch.setattr(projection, "FACES", 32)
    monkeypatch.setattr(projection, "STEPS", 4)


def test_images_become_a_file_of_latents_with_a_picture_beside_it(tiny_run, faces, invoke, home):
    one, name = faces / "005.png", "tiny-step-000012-latents"
    result = invoke("project", tiny_run.path, one, faces / "007.png", "--steps", 2)
    assert result.done()[-2:] == [f"{name}.safetensors", f"{name}.png"]
    meta, tensors = read_tensors(home / f"{name}.safetensors", "latents")
    assert meta["names"] == [str(one), str(faces / "007.png")]
    assert meta["snapshot"] == read_header(tiny_run.generator).meta["sha256"]
    G, _ = load_generator(tiny_run.generator)
    assert tensors["z"].shape == (2, 8)
    assert tensors["z_plus"].shape == (2, G.places, 8)
    picture = read_png_meta(home / f"{name}.png")
    assert (picture["kind"], picture["images"]) == ("projections", meta["names"])
    assert picture["snapshot"] == meta["snapshot"]
    invoke("sample", tiny_run.path, "--latents", f"{name}.safetensors").done()
    again = invoke("project", tiny_run.path, one, "--steps", 1).done()
    assert again[-2:] == [f"{name}-2.safetensors", f"{name}-2.png"]


def test_errors_are_listed_the_worst_first(tiny_run, faces, invoke, home):
    options = ("project", tiny_run.path, faces, "--steps", 1, "--out")
    found = json.loads(*invoke(*options, "a.safetensors", "--json").done())
    reached = [each["error_z_plus"] for each in found["images"]]
    assert reached == sorted(reached, reverse=True)
    assert len(reached) == 100
    held = read_header(home / "a.safetensors").meta
    first = held["names"].index(found["images"][0]["name"])
    assert held["errors"]["z_plus"][first] == reached[0]
    lines = invoke(*options, "b.safetensors").done()
    assert lines[1].endswith(found["images"][0]["name"])
    assert "… 80 more; --json has all" in lines


def test_folders_zips_and_packs_are_read_as_the_run_read_its_own(pack_file, faces, invoke, home):
    train = ("train", faces, *TINY, "--crop", "none", "--steps", 1, "--milestones", 1)
    invoke(*train, "--out", "run").done()
    wide = draw_folder(home / "wide", range(1))
    with Image.open(wide / "000.png") as image:
        image.resize((80, 40)).save(wide / "000.png")
    options = ("--steps", 1, "--json", "--out")
    found = json.loads(*invoke("project", "run", wide, *options, "a.safetensors").done())
    with Image.open(wide / "000.png") as image, Image.open(home / found["picture"]) as sheet:
        squeezed = image.convert("RGB").resize((32, 32), Image.Resampling.BICUBIC)
        shown = sheet.crop((0, 0, 64, 64)).resize((32, 32), Image.Resampling.NEAREST)
    assert shown.convert("RGB").tobytes() == squeezed.tobytes()
    found = json.loads(*invoke("project", "run", pack_file, *options, "b.safetensors").done())
    assert len(found["images"]) == 100


def test_a_walk_between_real_faces_begins_and_ends_at_what_became_of_them(
    tiny_run, faces, invoke, home
):
    names = [str(faces / f"{i:03d}.png") for i in (5, 7, 9)]
    options = ("--between", ",".join(names), "--frames", 2, "--out")
    invoke("interpolate", tiny_run.path, *options, "walk.png", "--out", "walk").done()
    assert size_of(home / "walk.png") == (grid_pixels(5) + GAP, 20 + grid_pixels(1) + GAP)
    assert read_png_meta(home / "walk.png")["images"] == names
    invoke("project", tiny_run.path, *names, "--out", "a.safetensors").done()
    invoke("sample", tiny_run.path, "--latents", "a.safetensors", "--images", "--out", "a").done()
    for frame in range(3):
        with Image.open(home / "walk" / f"frame-{2 * frame:05d}.png") as picture:
            drawn = torch.tensor(list(picture.convert("RGB").tobytes()))
        face = torch.tensor(list(pixels_of(home / "a" / f"latent-{frame:06d}.png")))
        assert (drawn - face).abs().max() <= 1


def test_what_is_no_face_is_said_and_projected_all_the_same(tiny_run, invoke, home):
    Image.effect_noise((32, 32), 120).save(home / "noise.png")
    result = invoke("project", tiny_run.path, "noise.png", "--json")
    (found,) = json.loads(*result.done())["images"]
    assert found["far"]
    (line,) = result.err.splitlines()
    assert line.startswith("noise.png: like no face that this G draws: an error of 0.")


@pytest.fixture
def energy(pack_file, invoke, home):
    options = ("--method", "energy", *TINY, "--steps", 1, "--milestones", 1)
    invoke("train", pack_file, "--out", "energy", *options).done()
    return home / "energy"


def test_what_cannot_be_projected_is_refused_in_one_line(tiny_run, faces, invoke, home):
    def refused(*options):
        before = tree(home)
        line = invoke("project", tiny_run.path, *options).refused()
        assert tree(home) == before
        return line

    one = faces / "005.png"
    invoke("dataset", "build", faces, "other", "--size", 64, "--workers", 1).done()
    assert "its images are of 64 pixels, not 32" in refused("other")
    assert "there is no such file" in refused(one, "nothing.png")
    assert "IMAGES: is missing" in refused()
    assert "the name must end in .safetensors" in refused(one, "--out", "a.png")
    (home / "a.png").write_bytes(b"mine")
    assert "a.png: exists already" in refused(one, "--out", "a.safetensors")
    (home / "empty").mkdir()
    assert "empty: no image in it" in refused("empty")
    assert "not a pack" in refused(tiny_run.stats)
    (home / "broken.png").write_bytes(b"no image")
    result = invoke("project", tiny_run.path, "broken.png")
    assert result.code == 2
    assert result.err.splitlines()[-1] == "ganface: no image that can be projected"


def test_a_discriminator_that_draws_is_refused(energy, faces, invoke):
    line = invoke("project", energy, faces).refused()
    assert "no gradient reaches z" in line
    line = invoke("interpolate", energy, "--between", f"{faces}/000.png,{faces}/001.png").refused()
    assert "no gradient reaches z" in line


def test_a_walk_between_takes_two_images_that_are_there(tiny_run, faces, invoke):
    def refused(*options):
        return invoke("interpolate", tiny_run.path, *options).refused()

    a, b = faces / "000.png", faces / "001.png"
    assert "a walk needs two faces or more" in refused("--between", a)
    assert "nothing.png: there is no such file" in refused("--between", f"{a},nothing.png")
    assert "does not go with" in refused("--between", f"{a},{b}", "--seeds", "0-1")
    assert "does not go with" in refused("--between", f"{a},{b}", "--dims", "0")
    assert "--rows 2" in refused("--between", f"{a},{b}", "--rows", 2)
    assert "--rows 2" in refused("--between", ",".join(map(str, [a, b, a, b, a])), "--rows", 2)
