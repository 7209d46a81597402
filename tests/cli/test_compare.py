import json

import pytest
from conftest import TINY
from PIL import Image
from processes import popen

from ganface.dataset.order import held_out
from ganface.dataset.pack import Pack
from ganface.pictures.png import read_png_meta
from ganface.search import draws, trainings


@pytest.fixture
def other(pack_file, home, invoke):
    """A run of another method."""
    train = ("train", pack_file, *TINY, "--method", "autoencoder", "--steps", 2, "--milestones", 2)
    invoke(*train, "--out", "other").done()
    return home / "other"


def test_the_same_seeds_of_runs_of_any_methods_stand_side_by_side(tiny_run, other, home, invoke):
    (line,) = invoke("compare", tiny_run.path, other, "--seeds", "3,5,7", "--json").done()
    found = json.loads(line)
    assert found["files"] == ["comparison/faces.png"]
    assert {name: each["step"] for name, each in found["models"].items()} == {
        "tiny": 12,
        "other": 2,
    }
    with Image.open(home / "comparison/faces.png") as sheet:
        assert sheet.height == 20 + 3 * 66  # three seeds, enlarged to 64 pixels
    meta = read_png_meta(home / "comparison/faces.png")
    assert meta["seeds"] == [3, 5, 7]
    assert meta["columns"] == ["tiny", "other"]
    assert meta["models"] == found["models"]


def test_with_images_their_figures_stand_in_one_table(tiny_run, other, pack_file, home, invoke):
    lines = invoke("compare", tiny_run.path, other, pack_file, "--count", 50, "--out", "c").done()
    head = lines[0].split()
    assert head[:5] == ["50", "images", "tiny", "other", "reals"]
    facts = json.loads((home / "c/evaluation.json").read_text())
    one, two = (each["figures"]["frechet"] for each in facts["measured"])
    assert one != two
    files = ("faces.png", "evaluation.json", "pairs.png", "figures.png", "images.png")
    assert lines[-5:] == [f"c/{name}" for name in files]
    meta = read_png_meta(home / "c/images.png")
    assert meta["columns"] == ["image", "other"]  # the GAN has no encoder
    assert meta["indices"][0] in held_out(len(Pack(pack_file)))
    with Image.open(home / "c/figures.png") as chart:
        assert chart.height > 200


def test_without_an_encoder_there_is_nothing_to_make_of_images(tiny_run, pack_file, invoke):
    lines = invoke("compare", tiny_run.path, pack_file, "--count", 50, "--out", "c").done()
    assert lines[-1] == "c/figures.png"


def test_runs_of_one_name_are_numbered(tiny_run, run_copy, invoke):
    (line,) = invoke("compare", tiny_run.path, run_copy.path, "--json").done()
    assert [*json.loads(line)["models"]] == ["tiny", "tiny-2"]


def test_what_cannot_be_compared_is_refused(tiny_run, pack_file, faces, tmp_path, invoke):
    assert "no model to measure" in invoke("compare", pack_file).refused()
    assert "come last" in invoke("compare", faces, tiny_run.path).refused()
    assert "there is no such file" in invoke("compare", tmp_path / "missing").refused()
    train = ("train", faces, *TINY[2:], "--size", 64, "--steps", 1, "--milestones", 1)
    invoke(*train, "--out", "larger").done()
    line = invoke("compare", tiny_run.path, "larger").refused()
    assert "draws faces of 64 pixels, the first of 32" in line


@pytest.mark.parametrize("option", [("--count", 50), ("--size", 64), ("--cache", "c")])
def test_options_for_images_are_refused_without_images(tiny_run, invoke, option):
    line = invoke("compare", tiny_run.path, *option).refused()
    assert f"{option[0]} {option[1]}: does nothing without DATA" in line


def test_a_search_ends_with_a_table_and_a_picture(pack_file, home, invoke, monkeypatch, tiny_run):  # noqa: ARG001
    vae = draws.KINDS["vae"]
    for kind in reversed([*draws.KINDS]):  # all, so that they come back in their order
        monkeypatch.delitem(draws.KINDS, kind)
    monkeypatch.setitem(draws.KINDS, "vae", vae)
    monkeypatch.setattr(trainings, "Popen", popen)
    command = ("compare", "--search", 1, pack_file, "--budget", 2, "--seed", 3, "--device", "cpu")
    lines = invoke(*command, "--jobs", 2).done()
    facts = json.loads((home / "search/search.json").read_text())
    assert (facts["budget"], facts["seed"], facts["size"]) == (2, 3, 32)
    assert {*facts["trainings"]} == {"vae-default", "vae-1"}
    assert " ".join(lines[0].split()) == "Fréchet distance best median worst default failed"
    assert lines[1].split()[0] == "vae"
    assert lines[1].endswith("0 of 1")
    assert lines[3].startswith("Reals come to ")
    assert lines[-2:] == ["search/search.json", "search/search.png"]
    assert read_png_meta(home / "search/search.png")["budget"] == 2

    # Once more: all is done
    (line,) = invoke(*command, "--resume", "--json").done()
    assert json.loads(line)["trainings"] == facts["trainings"]
    assert "exists already" in invoke(*command, "--out", "search").refused()
    assert "another seed" in invoke(*command[:-3], 4, "--resume").refused()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--search", 2, "--seeds", "0-3"), "--search 2: does not go with --seeds"),
        (("--search", 2, "--size", 48), "--size 48"),
        (("--search", 2, "--step", 0), "--search 2: does not go with --step"),
        (("--search", 2, "--best"), "--search 2: does not go with --best"),
        (("--search", 2, "--count", 50), "--search 2: does not go with --count"),
        (("--search", 0), "--search 0: must be a whole number from 1 to 1000"),
        (("--budget", 10), "--budget 10: does nothing without --search"),
        (("--jobs", 1), "--jobs 1: does nothing without --search"),
        (("--seed", 0), "--seed 0: does nothing without --search"),
        (("--resume",), "--resume: does nothing without --search"),
    ],
)
def test_options_that_do_nothing_together_are_refused(pack_file, home, invoke, options, reason):
    assert reason in invoke("compare", pack_file, *options).refused()
    assert not [*home.iterdir()]


def test_a_search_takes_images_alone(tiny_run, pack_file, faces, home, invoke):
    for paths in ((tiny_run.path,), (tiny_run.path, pack_file), (faces, faces)):
        assert "give images alone" in invoke("compare", *paths, "--search", 2).refused()
    assert "built with other" in invoke("compare", pack_file, "--search", 2, "--size", 64).refused()
    (home / "other").mkdir()
    (home / "other" / "file").touch()
    refused = invoke("compare", pack_file, "--search", 2, "--out", "other", "--resume").refused()
    assert "exists already" in refused
