"""What commands touch: the folders that they were given, no network, and nothing is left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TINY
from processes import in_one

from ganface.io.run import Run

WATCH = Path(__file__).parents[1] / "watch.py"
WORKERS = ("_ResultItem", "_Ingested", "_RemoteTraceback", "_ExceptionWithTraceback")


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """Run commands as one process of their own: (its exit code, what it did, its stderr)."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)  # of a run in this process
    log = tmp_path / "log.json"

    def run(*commands):
        command = [sys.executable, WATCH, log, *in_one(commands)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert list(temporary.iterdir()) == []
        return done.returncode, json.loads(log.read_text()), done.stderr

    return run


def check(seen, *folders):
    """Nothing was written outside of `folders`, nothing was unpickled, nobody was called."""
    assert seen["socket.connect"] == seen["socket.bind"] == seen["socket.getaddrinfo"] == []
    # What comes from our own worker processes is pickled; no file is
    assert [each for each in seen["pickle.find_class"] if not any(w in each for w in WORKERS)] == []
    allowed = [os.devnull, *map(str, folders)]
    allowed += [str(parent) for folder in folders for parent in folder.parents]  # made if missing
    within = tuple(f"{folder}{os.sep}" for folder in folders)
    outside = [path for path in seen["written"] if path not in allowed]
    assert [path for path in outside if not path.startswith(within)] == []


def no_leftovers(folder):
    names = {path.name for path in folder.rglob("*")}
    assert not [name for name in names if name.endswith((".tmp", ".lock"))], names


def test_commands_write_to_the_named_folders_alone_and_leave_nothing(
    faces, tiny_run, tmp_path, watched
):
    home, out = tmp_path / "home" / "ganface", tmp_path / "out"
    run = Run(out / "run")
    train = ("train", faces, "--out", run.path, *TINY, "--compile", "on", "--checkpoint-every", 2)
    light = [
        ("dataset", "demo", out / "drawn", "--count", 3),
        ("dataset", "build", faces, out / "pack.safetensors", "--size", 16),
        ("plot", tiny_run.path, "--out", out / "plot.png"),
        ("info", tiny_run.path),
    ]
    heavy = [
        (*train, "--steps", 3),
        (*train, "--steps", 5, "--resume"),
        ("sample", run.path, "--images", "--grid", "--out", out / "faces"),
        ("interpolate", run.path, "--frames", 2, "--out", out / "walk.gif"),
        ("evaluate", run.path, faces, "--count", 20, "--out", out / "evaluation"),
    ]
    # By itself: what a training does beforehand counts for all commands of its process
    face = min(faces.iterdir())
    projecting = [("project", run.path, face, "--steps", 1, "--out", out / "p.safetensors")]
    for commands in (light, heavy, projecting):
        code, seen, err = watched(*commands)
        assert code == 0, err
        check(seen, out, home)
        assert seen["torch"] == (commands is not light)
    no_leftovers(tmp_path)


def test_what_fails_or_is_refused_leaves_nothing_either(faces, tiny_run, tmp_path, watched):
    broken = tmp_path / "broken"
    broken.mkdir()
    for number in range(20):
        (broken / f"{number}.png").write_bytes(b"no image")
    out = tmp_path / "out" / "deep"
    for command, expected in [
        (("dataset", "build", broken, out / "pack"), 1),
        (("dataset", "build", tmp_path / "none", out / "pack"), 2),
        (("train", faces, "--out", out, "--size", 48), 2),
        (("train", faces, "--out", out, "--batch-size", 5000, "--dry-run"), 2),
        (("sample", faces / "000.png", "--out", out / "x.png"), 2),
        (("sample", tiny_run.path, "--seeds", "x", "--out", out / "x.png"), 2),
        (("evaluate", tiny_run.path, tmp_path / "none", "--out", out), 2),
    ]:
        code, seen, err = watched(command)
        assert (code, len(err.splitlines())) == (expected, 1), err
        if expected == 2:
            assert set(seen["written"]) <= {os.devnull}
    no_leftovers(tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.name == "deep" and any(path.iterdir())]
