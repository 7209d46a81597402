"""`ganface dataset`, as a user runs it."""

import json

from conftest import TINY, draw_folder, tree

FEW = (*TINY, "--steps", 2)


def test_dataset_build_writes_a_pack_and_a_report_and_names_both(faces, tmp_path, invoke):
    out = tmp_path / "deep" / "er" / "faces.safetensors"
    result = invoke("dataset", "build", faces, out, "--size", 16)
    assert result.done() == [str(out), str(out.with_suffix(".report.json"))]
    assert set(tree(out.parent)) == {"faces.safetensors", "faces.report.json"}
    assert "used" in result.err


def test_dataset_build_says_on_stderr_what_was_left_out(tmp_path, invoke):
    source = draw_folder(tmp_path / "source", range(4))
    (source / "notes.txt").write_text("x")
    result = invoke("dataset", "build", source, tmp_path / "pack", "--size", 16, "--json")
    (line,) = result.done()
    assert json.loads(line)["images"] == 4
    assert json.loads(line)["left_out"] == {"no image by its name": 1}
    assert "left out: no image by its name" in result.err


def test_dataset_build_dry_run_writes_nothing(faces, tmp_path, invoke, home):
    before = tree(tmp_path)
    (line,) = invoke("dataset", "build", faces, "pack", "--dry-run", "--json").done()
    assert json.loads(line) == {"images": 100, "left_out": 0}
    assert tree(tmp_path) == before
    assert list(home.iterdir()) == []
    (home / "few").mkdir()
    (home / "few" / "a.png").write_bytes((faces / "000.png").read_bytes())
    (home / "few" / "b.heic").touch()
    (line,) = invoke("dataset", "build", "few", "pack", "--dry-run").done()
    assert line.startswith("few: 1 images (1 left out: 1 × HEIC is not read")


def test_dataset_build_fails_where_too_much_is_bad_and_leaves_nothing(tmp_path, invoke, home):
    source = draw_folder(tmp_path / "source", range(3))
    (source / "bad.jpg").write_text("x")
    line = invoke("dataset", "build", source, "pack.safetensors").failed()
    assert "bad.jpg (not an image of a known format)" in line
    assert list(home.iterdir()) == []


def test_dataset_demo_draws_faces_to_train_on(tmp_path, invoke):
    out = tmp_path / "drawn"
    (line,) = invoke("dataset", "demo", out, "--count", 9, "--size", 32, "--json").done()
    assert json.loads(line)["images"] == 9
    assert len(list(out.glob("*.png"))) == 9
    invoke("train", out, "--out", tmp_path / "run", *FEW).done()


def test_a_pack_s_report_is_never_written_over(faces, invoke, home):
    (home / "pack.report.json").write_text("mine")
    line = invoke("dataset", "build", faces, "pack.safetensors", "--size", 16).refused()
    assert "pack.report.json: exists already" in line
    assert tree(home) == {"pack.report.json": b"mine"}
