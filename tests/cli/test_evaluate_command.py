import json
import shutil
import zipfile

import pytest
from conftest import TINY_STEPS, draw_folder, tree
from PIL import Image

from ganface.evaluation import fidelity, measure
from ganface.evaluation.drawn import DrawnImages
from ganface.evaluation.fidelity import WEIGHTS
from ganface.io.tensors import read_header
from ganface.models.features import RandomFeatures
from ganface.models.snapshot import load_generator
from ganface.pictures.grid import to_pil
from ganface.pictures.png import read_png_meta

FIGURES = {"frechet", "swd", "swd_32", "swd_16", "density", "coverage", "diversity"}
FIGURES |= {"sharpness", "memorised"}


@pytest.fixture
def copies(faces, tmp_path):
    """40 of the training images, as if something had made them."""
    folder = tmp_path / "copies"
    folder.mkdir()
    for path in sorted(faces.iterdir())[:40]:
        shutil.copy(path, folder)
    return folder


def test_evaluate_a_run(invoke, tiny_run, pack_file, home):
    lines = invoke("evaluate", tiny_run.path, pack_file, "--count", 30).done()
    assert lines[0].split() == ["30", "images", "step", "12", "reals", "good", "is"]
    assert any(line.startswith("coverage") for line in lines)
    out = home / "tiny-evaluation"
    assert lines[-2:] == [f"tiny-evaluation/{name}" for name in ("evaluation.json", "pairs.png")]
    assert tree(out).keys() == {"evaluation.json", "pairs.png"}
    meta = read_png_meta(out / "pairs.png")
    assert (meta["kind"], meta["step"]) == ("pairs", TINY_STEPS)


def test_json_says_all_that_figures_depend_on(invoke, tiny_run, pack_file, home):
    result = invoke("evaluate", tiny_run.path, pack_file, "--count", 30, "--json")
    assert result.out.count("\n") == 1
    found = json.loads(result.out)
    stored = json.loads((home / "tiny-evaluation" / "evaluation.json").read_text())
    assert {**stored, "files": found["files"]} == found
    assert found["count"] == found["samples"] == 30
    assert found["size"] == 32
    assert found["reals"]["images"] == 100
    assert found["reals"]["fingerprint"] == read_header(pack_file).meta["sha256"]
    assert found["features"].startswith("random convolutions")
    assert found["inception"] is None
    assert found["versions"].keys() == {"ganface", "torch"}
    assert found["floors"].keys() == FIGURES
    (measured,) = found["measured"]
    assert measured["step"] == TINY_STEPS
    assert measured["snapshot"] == read_header(tiny_run.generator).meta["sha256"]
    assert measured["figures"].keys() == FIGURES
    assert len(measured["pairs"]) == 8


def test_the_same_command_gives_the_same_figures(invoke, tiny_run, pack_file):
    def figures():
        result = invoke("evaluate", tiny_run.path, pack_file, "--count", 20, "--json")
        return json.loads(result.out)["measured"]

    assert figures() == figures()


def test_an_untrained_G_is_far_worse_than_reals(invoke, tiny_run, pack_file):
    found = json.loads(
        invoke("evaluate", tiny_run.path, pack_file, "--count", 50, "--step", 4, "--json").out
    )
    figures, floors = found["measured"][0]["figures"], found["floors"]
    assert found["measured"][0]["step"] == 4
    assert figures["frechet"] > 2 * floors["frechet"]
    assert figures["coverage"] < floors["coverage"] / 2
    assert figures["diversity"] < floors["diversity"] / 2


def test_copied_training_images_are_told_as_such(invoke, copies, pack_file, home):
    found = json.loads(invoke("evaluate", copies, pack_file, "--json").out)
    (measured,) = found["measured"]
    assert found["count"] == 40
    assert measured["figures"]["memorised"] == 1
    nearest = [pair["nearest"][0] for pair in measured["pairs"]]
    assert {near["distance"] for near in nearest} == {0}
    assert [near["training"] for near in nearest] == [p["sample"] for p in measured["pairs"]]
    assert (home / "copies-evaluation" / "pairs.png").is_file()


def test_images_that_are_equal_are_measured_each(invoke, copies, pack_file):
    for index in range(60):
        shutil.copy(copies / "000.png", copies / f"again-{index}.png")
    found = json.loads(invoke("evaluate", copies, pack_file, "--count", 50, "--json").out)
    assert found["samples"] == 50
    assert found["measured"][0]["figures"]["diversity"] < 0.9


def test_a_zip_and_a_pack_of_images_are_measured_alike(invoke, copies, pack_file, tmp_path):
    archive, pack = tmp_path / "copies.zip", tmp_path / "made.safetensors"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(copies.iterdir()):
            file.write(path, path.name)
    invoke("dataset", "build", copies, pack, "--size", 32).done()
    results = [
        json.loads(invoke("evaluate", images, pack_file, "--json").out)["measured"][0]["figures"]
        for images in (copies, archive, pack)
    ]
    assert results[0] == results[1] == results[2]


def test_data_that_is_a_folder_is_ingested_as_the_run_did(invoke, tiny_run, faces, tmp_path):
    command = ("evaluate", tiny_run.path, faces, "--count", 20, "--cache", tmp_path / "cache")
    result = invoke(*command, "--json")
    assert json.loads(result.out)["size"] == 32
    assert "used" in result.err
    assert "used" not in invoke(*command).err  # read once, kept


def test_every_milestone_is_a_row_and_stands_in_a_chart(invoke, tiny_run, pack_file, home):
    command = ("evaluate", tiny_run.path, pack_file, "--count", 20, "--all-steps")
    lines = invoke(*command).done()
    rows = [line.split("  ")[0] for line in lines[:6]]
    assert rows == ["20 images", "step 4", "step 8", "step 12", "reals", "good is"]
    assert max(map(len, lines)) <= 80
    found = json.loads(invoke(*command, "--json").out)
    assert [each["step"] for each in found["measured"]] == [4, 8, 12]
    chart = home / "tiny-evaluation" / "chart.png"
    assert str(chart.relative_to(home)) in lines
    assert read_png_meta(chart)["steps"] == [4, 8, 12]


def test_fewer_images_than_asked_for_are_told(invoke, tiny_run, pack_file):
    result = invoke("evaluate", tiny_run.path, pack_file, "--count", 60)
    assert result.code == 0
    assert "50 images are measured, not 60: there are 60, and 100 reals" in result.err


# ---------------------------------------------------------------------------- Inception


def test_without_weights_a_line_says_how_to_get_them(invoke, tiny_run, pack_file, monkeypatch):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    result = invoke("evaluate", tiny_run.path, pack_file, "--count", 20)
    assert result.code == 0
    (line,) = [line for line in result.err.splitlines() if "FID" in line]
    assert "--weights" in line


def test_without_torch_fidelity_a_line_says_what_to_install(
    invoke, tiny_run, pack_file, monkeypatch
):
    monkeypatch.setattr(fidelity, "find_spec", lambda _: None)
    result = invoke("evaluate", tiny_run.path, pack_file, "--count", 20)
    assert "pip install 'ganface[eval]'" in result.err


def test_with_weights_the_figures_of_papers_are_there(
    invoke, tiny_run, pack_file, tmp_path, monkeypatch
):
    class FewFeatures(RandomFeatures):
        def __init__(self, *_):
            super().__init__()

    (tmp_path / WEIGHTS).write_bytes(b"")
    monkeypatch.setattr(fidelity, "DIGEST", "")
    monkeypatch.setattr(measure, "Inception", FewFeatures)
    command = ("evaluate", tiny_run.path, pack_file, "--weights", tmp_path, "--count", 60)
    found = json.loads(invoke(*command, "--json").out)
    assert (found["count"], found["samples"]) == (50, 60)
    assert found["inception"]["tool"].startswith("torch-fidelity 0.")
    assert found["inception"].keys() == {"tool", "network", "weights", "resize"}
    assert found["floors"].keys() == FIGURES | {"fid", "kid", "precision", "recall"}
    figures = found["measured"][0]["figures"]
    assert figures.keys() == found["floors"].keys() | {"fid_all"}
    assert figures["fid"] == pytest.approx(figures["frechet"], rel=1e-3)
    (line,) = [line for line in invoke(*command).done() if line.startswith("FID, all")]
    assert line.split()[-1] == "lower"


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--step", 5), "no snapshot of it"),
        (("--step", 4, "--all-steps"), "does not go with --all-steps"),
        (("--size", 64), "faces of 32 pixels"),
        (("--weights", "nowhere"), "there is no weights-inception"),
        (("--crop", "none"), "built with other settings"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    invoke, tiny_run, pack_file, home, options, says
):
    assert says in invoke("evaluate", tiny_run.path, pack_file, *options).refused()
    assert tree(home) == {}


def test_paths_that_are_not_there_are_refused(invoke, tiny_run, pack_file):
    assert "nowhere" in invoke("evaluate", "nowhere", pack_file).refused()
    assert "nowhere" in invoke("evaluate", tiny_run.path, "nowhere").refused()


def test_steps_of_images_are_refused(invoke, copies, pack_file):
    assert "no steps" in invoke("evaluate", copies, pack_file, "--all-steps").refused()


def test_all_steps_of_one_file_are_refused(invoke, tiny_run, pack_file):
    result = invoke("evaluate", tiny_run.generator, pack_file, "--all-steps")
    assert "give its run directory" in result.refused()


def test_a_file_of_another_kind_is_refused(invoke, pack_file, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no model")
    assert "not a file of ganface" in invoke("evaluate", path, pack_file).refused()


def test_packs_of_another_size_are_refused(invoke, tiny_run, faces, pack_file, tmp_path):
    large = tmp_path / "large.safetensors"
    invoke("dataset", "build", faces, large, "--size", 64).done()
    assert "--size was 64, now 32" in invoke("evaluate", tiny_run.path, large).refused()
    assert "--size was 64, now 32" in invoke("evaluate", large, pack_file).refused()


def test_too_few_images_are_refused(invoke, tiny_run, tmp_path, pack_file):
    few = draw_folder(tmp_path / "few", range(12))
    result = invoke("evaluate", tiny_run.path, few)
    assert result.code == 2
    assert "needs at least 10 and 20" in result.err
    result = invoke("evaluate", tiny_run.path, pack_file, "--count", 5)
    assert "needs at least 10 and 20" in result.refused()


def test_nothing_is_written_over(invoke, tiny_run, pack_file, home):
    taken = home / "taken"
    taken.mkdir()
    (taken / "note.txt").write_text("mine")
    command = ("evaluate", tiny_run.path, pack_file, "--count", 20, "--out", taken)
    assert "exists already" in invoke(*command).refused()
    assert tree(home) == {"taken/note.txt": b"mine"}


def test_images_are_those_that_a_png_holds(invoke, tiny_run, tmp_path):
    out = tmp_path / "faces"
    invoke("sample", tiny_run.path, "--images", "--seeds", "3,5", "--scale", 1, "--out", out).done()
    G, _ = load_generator(tiny_run.generator)
    for face, seed in zip(DrawnImages(G, 10).batch([3, 5]), (3, 5), strict=True):
        with Image.open(out / f"seed-{seed:06d}.png") as image:
            assert image.tobytes() == to_pil(face).tobytes()
