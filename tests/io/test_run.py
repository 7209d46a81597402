import subprocess
import sys

import pytest

from ganface.errors import UserError
from ganface.io.run import Run, find_model, find_models, read_config


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "runs" / "one")
    run.create()
    touch(run.config)
    return run


def test_files_are_listed_by_step_in_the_order_of_numbers(run):
    touch(*map(run.snapshot, (1_000_000, 100, 20_000)))
    touch(run.snapshot(5).with_name("step-abc.safetensors"), run.grid(100))
    assert list(run.snapshots()) == [100, 20_000, 1_000_000]
    assert run.snapshots()[100].name == "step-000100.safetensors"
    assert run.grids() == {100: run.grid(100)}
    assert run.checkpoints() == {}


def test_a_model_is_a_file_or_what_a_run_holds(run):
    touch(run.generator, run.snapshot(100))
    assert find_model(run.path) == run.generator
    assert find_model(run.path, 100) == run.snapshot(100)
    assert find_model(run.snapshot(100)) == run.snapshot(100)


@pytest.mark.parametrize(
    ("path", "step", "message"),
    [
        ("nothing", None, "no such file or run directory"),
        (".", None, "not a run directory"),
        ("runs/new", None, "no generator yet"),
        ("runs/one", 7, "--step 7: .* there are: 100, 200"),
        ("runs/one/config.json", 100, "--step 100: .* is one file"),
    ],
)
def test_what_holds_no_model_is_refused_with_the_reason(tmp_path, run, path, step, message):
    touch(run.snapshot(200), run.snapshot(100), tmp_path / "runs" / "new" / "config.json")
    with pytest.raises(UserError, match=message):
        find_model(tmp_path / path, step)


def test_a_run_exists_once_it_has_its_config(tmp_path, run):
    assert run.exists()
    assert not Run(tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    assert not Run(tmp_path / "empty").exists()
    touch(tmp_path / "killed" / ".lock", tmp_path / "killed" / ".config.json.123.tmp")
    assert not Run(tmp_path / "killed").exists()


@pytest.mark.parametrize("name", ["folder", "file"])
def test_what_is_no_run_is_never_taken_for_one(tmp_path, name):
    touch(tmp_path / "folder" / "thesis.txt", tmp_path / "file")
    with pytest.raises(UserError, match="exists and is no run directory"):
        Run(tmp_path / name).exists()


def test_creating_again_removes_what_a_killed_process_left_and_nothing_else(run):
    leftovers = [run.path / ".latest.png.123.tmp", run.path / "grids" / ".step-000100.png.9.tmp"]
    touch(*leftovers, run.snapshot(100), run.path / "notes.tmp")
    run.create()
    assert not any(path.exists() for path in leftovers)
    assert run.snapshot(100).exists()
    assert (run.path / "notes.tmp").exists()


def test_a_damaged_config_is_refused(run):
    run.config.write_text('{"train": ')
    with pytest.raises(UserError, match="damaged, or of another ganface"):
        read_config(run)


def test_a_locked_run_is_refused_to_others_by_the_holder_s_name(run):
    code = "import sys; from pathlib import Path; from ganface.io.run import Run\n"
    code += "with Run(Path(sys.argv[1])).lock(): print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, run.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(UserError, match=f"in use by process {other.pid} on"), run.lock():
            pass
        other.kill()
    with run.lock():  # the dead hold nothing
        assert run.exists()


def test_all_steps_are_those_that_left_a_snapshot(tiny_run):
    assert find_models(tiny_run.path, all_steps=True) == [*tiny_run.snapshots().values()]
    assert find_models(tiny_run.path, 4) == [tiny_run.snapshot(4)]
    assert find_models(tiny_run.generator) == [tiny_run.generator]
