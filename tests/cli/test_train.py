"""`ganface train`, as a user runs it: what it writes and says."""

import json
import os
import shlex

import pytest
from conftest import TINY, TINY_STEPS, draw_folder, tree

FEW = (*TINY, "--steps", 2)


@pytest.fixture(params=["folder", "zip", "pack"])
def data(request, faces, pack_file, tmp_path):
    if request.param == "zip":
        import zipfile

        with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
            for name, content in tree(faces).items():
                archive.writestr(name, content)
        return tmp_path / "faces.zip"
    return {"folder": faces, "pack": pack_file}[request.param]


def test_train_takes_a_folder_a_zip_and_a_pack_alike(data, pack_file, tmp_path, invoke, home):
    result = invoke("train", data, *FEW)
    run = home / "runs" / "faces"
    assert result.done() == [
        str((run / name).relative_to(home))
        for name in ("timeline.png", "timeline.gif", "generator.safetensors")
    ]
    packs = list((tmp_path / "home").rglob("*.safetensors"))
    assert [pack.read_bytes() for pack in packs] == (
        [] if data == pack_file else [pack_file.read_bytes()]
    )
    again = invoke("train", data, *FEW, "--out", "again")
    assert again.code == 0
    assert "used" not in again.err  # nothing was ingested a second time, or left out
    assert (home / "again/generator.safetensors").read_bytes() == (
        run / "generator.safetensors"
    ).read_bytes()


def test_train_prints_one_json_object_and_keeps_its_packs_where_told(faces, tmp_path, invoke, home):
    cache = tmp_path / "cache"
    (line,) = invoke("train", faces, "--out", "run", *FEW, "--json", "--cache", cache).done()
    result = json.loads(line)
    assert result["step"] == 2
    assert all((home / result[key]).is_file() for key in ("timeline", "timeline_gif", "generator"))
    assert len(list(cache.glob("*.safetensors"))) == 1


def test_what_is_left_out_is_said_by_every_run(tmp_path, invoke):
    source = draw_folder(tmp_path / "source", range(12))
    (source / "a.heic").write_bytes(b"")
    (source / "b.txt").write_text("x")
    (source / "c.txt").write_text("x")
    assert "HEIC is not read" in invoke("train", source, *FEW, "--out", "one").err
    again = invoke("train", source, *FEW, "--out", "two")
    why = "2 × no image by its name; 1 × HEIC is not read, save it as .png or .jpg"
    assert f"12 images used, 3 left out: {why} (by name in " in again.err
    dry = invoke("train", source, *FEW, "--out", "three", "--dry-run").done()
    assert dry[1] == f"3 left out: {why}"
    few = ("train", source, *FEW, "--batch-size", 13, "--out", "three")
    for more in ("--dry-run",), ():
        line = invoke(*few, *more).refused() if more else invoke(*few).err.splitlines()[-1]
        assert f"12 images (3 left out: {why}), fewer than --batch-size 13" in line


@pytest.mark.parametrize("as_json", [True, False])
def test_train_dry_run_tells_the_plan_and_writes_nothing(faces, tmp_path, invoke, as_json):
    flags = ["--json"] if as_json else []
    result = invoke("train", faces, *TINY, "--dry-run", *flags)
    assert "100" in result.out
    if as_json:
        plan = json.loads(result.out)
        assert plan["train"]["width"] == 4
        assert plan["build"]["size"] == 32
        assert plan["seconds"] == 50_000 * plan["seconds_per_update"]
        assert plan["memory"] > 10**6
    else:
        *lines, last = result.out.splitlines()
        assert last == "nothing written"
        said = dict(line.split(": ", 1) for line in lines)
        assert said["images"].startswith("100 of 32 × 32")
        for word in shlex.split(said["settings that are not the defaults"]):
            assert word in (*TINY, "--size", "32")
        assert " for 50,000 updates" in said["time"]
    assert result.code == 0
    assert tree(tmp_path) == {}


def test_the_end_says_how_long_it_took_and_what_to_try_next(faces, invoke, home):
    out = home / "my run"
    lines = invoke("train", faces, "--out", out, *FEW).err.splitlines()
    start = lines.index("what to try next:")
    assert lines[start - 1].startswith("2 updates took 0:0")
    commands = [shlex.split(line, comments=True) for line in lines[start + 1 :]]
    assert [words[1] for words in commands] == [
        *("sample", "interpolate", "page", "evaluate", "plot", "train")
    ]
    for words in commands:
        assert str(out) in words
        invoke(*words[1:], *(["--count", 64] if "evaluate" in words else [])).done()


def test_train_off_a_terminal_reports_in_plain_lines_without_colours(pack_file, invoke):
    result = invoke("train", pack_file, *TINY, "--steps", 10)
    assert "step 10/10 (100.0%)" in result.err
    assert "\x1b" not in result.err
    assert "\r" not in result.err


def test_a_run_that_is_being_written_is_refused_to_others(pack_file, run_copy, invoke):
    with run_copy.lock():
        line = invoke("train", pack_file, "--out", run_copy.path, "--resume").refused()
    assert f"in use by process {os.getpid()}" in line


def test_a_run_that_was_only_locked_may_be_begun(pack_file, invoke, home):
    (home / "run").mkdir()
    (home / "run" / ".lock").touch()
    invoke("train", pack_file, "--out", "run", *FEW).done()


def test_a_run_is_not_taken_back_and_keeps_its_settings(pack_file, run_copy, invoke):
    before = run_copy.config.read_bytes()
    resume = ("train", pack_file, "--out", run_copy.path, "--resume", "--steps", TINY_STEPS - 1)
    line = invoke(*resume).refused()
    assert f"--steps {TINY_STEPS - 1}: " in line
    assert f"is at step {TINY_STEPS} already; give more" in line
    assert run_copy.config.read_bytes() == before


def test_what_is_wrong_with_an_option_is_said_before_that_there_is_a_run(
    pack_file, run_copy, invoke
):
    assert "--lr nan" in invoke("train", pack_file, "--out", run_copy.path, "--lr", "nan").refused()


def test_a_damaged_config_refuses_a_resume(pack_file, run_copy, invoke):
    for path in run_copy.checkpoints().values():
        path.unlink()  # whose settings would be taken in its place
    for text in ("{", "{}", "[]", '{"train": {"width": 4}}'):
        run_copy.config.write_text(text)
        line = invoke("train", pack_file, "--out", run_copy.path, "--resume").refused()
        assert str(run_copy.config) in line
