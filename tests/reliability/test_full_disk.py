"""The disk is full: one clear line, nothing half written, and with room again all goes on."""

import os
import random
import shutil
import subprocess
import sys
from functools import partial

import pytest
from conftest import call, tree
from runs import check_whole, content, ended, train

from ganface.io.run import Run

resource = pytest.importorskip("resource")
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def limited(work, size):
    """Do `work` in a process that can write no file of more than `size` bytes: code, stderr."""

    def with_limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return work()

    return ended(with_limit)


def the_line(err):
    """The one line of an error; before it there may be what `train` says as it goes."""
    assert "Traceback" not in err
    line = err.splitlines()[-1]
    assert line.startswith("ganface: ")
    assert "cannot be written (" in line
    return line


def file_in(line):
    return line.partition(": cannot")[0].rpartition("/")[2]


def test_a_training_whose_files_may_not_grow_is_stopped_and_goes_on(
    pack_file, tmp_path, undisturbed, tries, figure
):
    expected, dice = content(undisturbed), random.Random(0)
    sizes = sorted({path.stat().st_size for path in undisturbed.path.rglob("*") if path.is_file()})
    stopped = set()
    for number in tries(2, 30):
        run = Run(tmp_path / str(number))
        limits = sorted(dice.choice(sizes) - 1 - dice.randrange(50) for _ in range(2))
        for limit in limits:  # more room the second time
            before = tree(run.path)
            work = partial(train, pack_file, run, "--resume")
            code, err = limited(work, max(limit, 0))
            if code:
                assert code == 1
                stopped.add(file_in(the_line(err)))
            check_whole(run)
            kept = [name for name in before if name.startswith(("checkpoints", "snapshots"))]
            assert all(tree(run.path)[name] == before[name] for name in kept)
            assert not any(run.path.rglob("*.tmp"))
        assert train(pack_file, run, "--resume") == 0
        assert content(run) == expected
    figure(f"{2 * len(tries(2, 30))} tries, stopped at {', '.join(sorted(stopped))}; 0 losses")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a few KiB; skipped where that is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size, remount=False):
        options = f"size={size}" + (",remount" if remount else "")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("may not mount")
        return folder

    yield mount
    subprocess.run(["umount", folder], capture_output=True)


def test_a_training_on_a_disk_that_fills_up_goes_on_once_there_is_room(
    pack_file, undisturbed, small_disk, tries, figure
):
    expected, dice = content(undisturbed), random.Random(1)
    stopped = set()
    needed = sum(path.stat().st_size for path in undisturbed.path.rglob("*") if path.is_file())
    for _ in tries(1, 20):
        room = 4096 * dice.randrange(1, needed // 4096)
        run = Run(small_disk(room) / "run")
        code, err = ended(partial(train, pack_file, run, "--resume"))
        assert code == 1
        stopped.add(file_in(the_line(err)))
        check_whole(run)
        assert not any(run.path.rglob("*.tmp"))
        small_disk(4 * needed, remount=True)
        assert train(pack_file, run, "--resume") == 0
        assert content(run) == expected
        subprocess.run(["umount", run.path.parent], check=True)
    figure(f"{len(tries(1, 20))} tries, stopped at {', '.join(sorted(stopped))}; 0 losses")


@pytest.mark.parametrize("limit", [0, 3000, 100_000, 300_000])
def test_an_ingestion_whose_pack_does_not_fit_leaves_nothing(faces, tmp_path, limit):
    out = tmp_path / "out" / "pack.safetensors"
    code, err = limited(lambda: call("dataset", "build", faces, out, "--size", 32), limit)
    assert code == 1
    assert the_line(err).startswith(f"ganface: {out}: cannot be written (")
    assert tree(tmp_path / "out") == {}


def test_drawn_faces_that_do_not_fit_are_whole_or_not_there(tmp_path):
    out = tmp_path / "faces"
    code, err = limited(lambda: call("dataset", "demo", out, "--count", 3, "--size", 256), 3000)
    assert code == 1
    assert the_line(err).startswith(f"ganface: {out}")
    assert tree(out) == {}


@pytest.mark.parametrize(
    "command",
    [
        ("sample", "--seeds", "0-8", "--out", "faces.png"),
        ("sample", "--images", "--out", "faces"),
        ("interpolate", "--frames", 3, "--out", "walk.gif"),
        ("interpolate", "--frames", 3, "--out", "walk.webp"),
        ("interpolate", "--frames", 3, "--out", "walk.mp4"),
        ("plot", "--out", "plot.png"),
    ],
    ids=lambda command: " ".join(map(str, command)),
)
def test_a_picture_that_does_not_fit_is_not_there(tiny_run, home, command):
    name, *options = command
    code, err = limited(lambda: call(name, tiny_run.path, *options), 500)
    assert code == 1
    the_line(err)
    assert tree(home) == {}


def test_a_result_that_nobody_can_take_is_an_error(tiny_run):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ganface", "info", tiny_run.path],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "ganface: No space left on device\n"
