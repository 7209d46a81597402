"""Faces to order: `train --labels`, `sample --label`, `interpolate --label`, `evaluate`."""

import json

import pytest
from conftest import TINY, draw_folder, tree
from pictures_made import grid_pixels, pixels_of
from PIL import Image

from ganface.io.run import Run
from ganface.io.tensors import read_header
from ganface.pictures.png import read_png_meta

OPTIONS = (*TINY, "--milestones", "4", "--labels")


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    rows = [f"{i:03d}.png,{('red', 'blue')[i % 2]},{i / 100}" for i in range(100)]
    path.write_text("\n".join(["file,hair,light", *rows]))
    return path


@pytest.fixture(scope="module")
def run(faces, labels, tmp_path_factory):
    """A run of 8 steps on labelled images. Not to be written to."""
    from conftest import call

    folder = tmp_path_factory.mktemp("labelled")
    out = ("--out", folder / "run", "--cache", folder / "cache")
    assert call("train", faces, *out, *OPTIONS, labels, "--steps", 8) == 0
    return Run(folder / "run")


def test_what_can_be_asked_for_is_listed_and_counted(run, faces, labels, invoke):
    known = "hair (blue, red), light (0..0.25, 0.25..0.5, 0.5..0.74, 0.74..0.99)"
    assert f"labels: {known}" in invoke("info", run.path).done()
    lines = invoke("info", run.generator).done()
    (generator,) = [line for line in lines if line.startswith("generator:")]
    assert f"labels {known}" in generator
    result = invoke("dataset", "build", faces, "p.safetensors", "--size", 32, "--labels", labels)
    result.done()
    assert "red   50" in result.err
    assert "labels (" not in "".join(invoke("info", "p.safetensors").done())


def test_a_milestone_shows_each_value(run):
    sheet = run.sheet("labels", 4)
    with Image.open(sheet) as picture:
        assert picture.size == (grid_pixels(8), grid_pixels(6))
    assert read_png_meta(sheet)["kind"] == "labels"


def test_faces_to_order_are_a_grid_and_of_each_value_a_row(run, invoke, home):
    invoke("sample", run.path, "--label", "hair=red,light=0.3", "--out", "a.png").done()
    assert read_png_meta(home / "a.png")["label"] == ["hair=red,light=0.25..0.5"]
    each = ("--label", "hair=red", "--label", "light=0.3")
    invoke("sample", run.path, *each, "--out", "e.png").done()
    assert pixels_of(home / "e.png") == pixels_of(home / "a.png")
    invoke("sample", run.path, "--label", "hair=*", "--seeds", "3,4", "--out", "b.png").done()
    assert read_png_meta(home / "b.png")["label"] == ["hair=blue", "hair=red"]
    invoke("sample", run.path, "--out", "c.png").done()
    assert pixels_of(home / "a.png") != pixels_of(home / "c.png")
    invoke(
        "sample", run.path, "--images", "--label", "hair=*", "--seeds", "3,4", "--out", "d"
    ).done()
    names = [f"seed-{seed:06d}-hair={value}.png" for seed in (3, 4) for value in ("blue", "red")]
    assert sorted(tree(home / "d")) == sorted(names)


def test_a_walk_keeps_its_label_and_leads_from_one_to_the_next(run, invoke, home):
    options = ("interpolate", run.path, "--frames", 4, "--out")
    invoke(*options, "a.png", "--label", "hair=red", "--seeds", "1,2").done()
    invoke(*options, "b.png", "--seeds", "1,2").done()
    assert pixels_of(home / "a.png") != pixels_of(home / "b.png")
    invoke(*options, "c.png", "--label", "hair=red", "--label", "hair=blue").done()
    with Image.open(home / "c.png") as picture:
        assert picture.height == 20 + 5 * 66  # seeds 0-4, below the names of columns
    invoke(*options, "d.png", "--label", "hair=red", "--dims", 0).done()
    message = invoke(*options, "e.png", "--label", "hair=red", "--label", "hair=blue", "--dims", 0)
    assert "--label twice: does not go with --dims" in message.refused()
    titled = invoke("sample", run.path, "--label", "hair=*", "--titles")
    assert "rows and columns are named as it is" in titled.refused()


@pytest.mark.parametrize(
    ("label", "message"),
    [("hair=rad", "did you mean red?"), ("hare=red", "did you mean hair?"), ("hair", "hair=aqua")],
)
def test_what_G_has_not_learned_is_refused(run, invoke, label, message):
    for command in ("sample", "interpolate"):
        assert message in invoke(command, run.path, "--label", label).refused()


def test_a_model_without_labels_says_so(tiny_run, invoke):
    assert "knows no labels" in invoke("sample", tiny_run.path, "--label", "hair=red").refused()


def test_it_goes_on_to_the_bit_with_the_labels_it_began_with(run, faces, labels, invoke, tmp_path):
    out = ("--out", tmp_path / "r", "--cache", tmp_path / "cache")
    invoke("train", faces, *out, *OPTIONS, labels, "--steps", 5).done()
    invoke("train", faces, *out, "--resume", "--steps", 8).done()
    both = [read_header(each.generator).meta["sha256"] for each in (run, Run(tmp_path / "r"))]
    assert both[0] == both[1]


def test_labels_that_do_not_fit_are_found_by_a_dry_run(faces, invoke, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("file,hair\nnobody.png,red\n")
    dry = ("train", faces, "--out", tmp_path / "r", *OPTIONS, wrong, "--dry-run")
    assert "it is of no image here" in invoke(*dry).refused()


def test_labels_that_nothing_uses_are_said_aloud(faces, labels, invoke, tmp_path):
    out = ("--out", tmp_path / "r", "--cache", tmp_path / "cache", "--steps", 2)
    result = invoke("train", faces, *out, *OPTIONS, labels, "--method", "vae")
    result.done()
    assert "labels: --method vae does not use them" in result.err
    message = invoke("train", faces, "--out", tmp_path / "s", *OPTIONS, labels, "--no-modulate")
    assert "--no-modulate and --preset dcgan" in message.refused()


def test_a_pack_with_labels_trains_a_G_that_cannot_hear_of_them(faces, labels, invoke, tmp_path):
    pack = tmp_path / "p.safetensors"
    invoke("dataset", "build", faces, pack, "--size", 32, "--labels", labels).done()
    out = ("--out", tmp_path / "r", "--steps", 2)
    result = invoke("train", pack, *out, *TINY, "--milestones", 2, "--preset", "dcgan")
    result.done()
    assert "labels: without --modulate G does not use them" in result.err
    assert "knows no labels" in invoke("sample", tmp_path / "r", "--label", "hair=red").refused()


def test_evaluate_asks_whether_labels_are_obeyed(run, faces, invoke, tmp_path, monkeypatch):
    monkeypatch.setattr("ganface.evaluation.labelled.UPDATES", 3)
    options = ("--count", 30, "--cache", tmp_path / "cache", "--json")
    result = invoke("evaluate", run.path, faces, *options)
    facts = json.loads(*result.done())
    figures = facts["measured"][0]["figures"]
    assert {"accuracy_hair", "accuracy_light", "diversity_within"} <= figures.keys()
    assert {"accuracy_hair", "accuracy_light"} <= facts["floors"].keys()
    plain = invoke("evaluate", run.path, faces, *options, "--labels", "folders")
    assert "no image of" in plain.refused()


def test_a_labelled_run_is_measured_against_other_images_without_labels(run, invoke, tmp_path):
    others = draw_folder(tmp_path / "others", range(200, 260))
    for path in others.iterdir():
        path.rename(path.with_stem(f"other-{path.stem}"))
    options = ("--count", 20, "--cache", tmp_path / "cache", "--json")
    result = invoke("evaluate", run.path, others, *options)
    assert "accuracy_hair" not in json.loads(*result.done())["measured"][0]["figures"]
    assert "was trained with are left out: --labels" in result.err


def test_an_encoder_of_a_G_that_knows_labels_is_refused(run, faces, invoke, tmp_path):
    options = ("--method", "encoder", "--of", run.path, "--out", tmp_path / "e")
    assert "labels are not learned by an encoder" in invoke("train", faces, *options).refused()
