"""Two at once: on one run directory, to one cache, to one pack."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PATIENCE, TINY, tree
from processes import start

from ganface.io.lock import locked

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")

HOLD = "import sys; from pathlib import Path; from ganface.io.lock import locked\n"
HOLD += "with locked(Path(sys.argv[1]), Path('it')): print('held', flush=True); input()"


PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@pytest.fixture
def holder():
    """holder(path): a process that holds this lock until it ends."""
    processes = []

    def hold(path):
        command = [sys.executable, "-c", HOLD, path]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline().strip() == b"held"
        return process

    yield hold
    for process in processes:
        process.kill()
        process.communicate()


def end(process):
    process.communicate(b"\n")
    assert process.wait(PATIENCE) == 0


def test_of_two_trainings_of_one_run_the_second_is_refused(pack_file, tmp_path, invoke):
    run = tmp_path / "run"
    first = start("train", pack_file, "--out", run, *TINY, "--steps", 100_000, **PIPES)
    while not (run / "stats.jsonl").exists():
        time.sleep(0.02)
        assert first.poll() is None
    before = tree(run / "checkpoints")
    for more in (["--resume"], ["--resume", "--steps", "1"]):
        line = invoke("train", pack_file, "--out", run, *more).refused()
        who = f"process {first.pid} on {socket.gethostname()}"
        assert line == f"ganface: {run}: in use by {who}"
    assert tree(run / "checkpoints") == before
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert invoke("train", pack_file, "--out", run, "--resume", "--steps", 2).code == 0
    assert not (run / ".lock").exists()


def test_of_many_ingestions_to_one_cache_one_does_the_work(faces, tmp_path):
    cache = tmp_path / "cache"
    options = ("--cache", cache, *TINY, "--steps", 1)
    train = [start("train", faces, "--out", tmp_path / str(i), *options, **PIPES) for i in range(3)]
    said = [process.communicate(timeout=PATIENCE)[1] for process in train]
    assert [process.returncode for process in train] == [0, 0, 0]
    assert len(tree(cache)) == 2  # the pack and its report
    assert sum("used" in err for err in said) == 1


def test_who_waits_for_a_pack_says_for_whom_and_takes_what_that_one_made(
    faces, tmp_path, holder, invoke
):
    cache = tmp_path / "cache"
    options = ("--cache", cache, *TINY, "--steps", 1)
    assert invoke("train", faces, *options, "--out", tmp_path / "a").code == 0
    (pack,) = cache.glob("*.safetensors")
    made = pack.read_bytes()
    pack.unlink()
    other = holder(cache / f".{pack.name}.lock")
    second = start("train", faces, *options, "--out", tmp_path / "b", **PIPES)
    line = second.stderr.readline()
    assert line == f"{pack}: waiting for process {other.pid} on {socket.gethostname()}\n"
    pack.write_bytes(made)
    stamp = pack.stat().st_mtime_ns
    end(other)
    assert "used" not in second.communicate(timeout=PATIENCE)[1]
    assert second.returncode == 0
    assert pack.stat().st_mtime_ns == stamp


def test_two_that_would_build_one_pack_do_not_write_over_each_other(
    faces, tmp_path, holder, invoke
):
    out = tmp_path / "out" / "pack"
    other = holder(out.parent / ".pack.lock")
    line = invoke("dataset", "build", faces, out, "--size", 16).refused()
    assert line == f"ganface: {out}: in use by process {other.pid} on {socket.gethostname()}"
    end(other)
    assert invoke("dataset", "build", faces, out, "--size", 16).code == 0
    assert "exists already" in invoke("dataset", "build", faces, out, "--size", 16).refused()


@pytest.mark.parametrize("text", ["process 1 on nowhere\n", "", "\0\xff half of it"])
def test_a_lock_that_a_dead_process_left_blocks_nobody(tmp_path, text):
    path = tmp_path / ".lock"
    path.write_text(text)
    with locked(path, tmp_path):
        assert path.read_text() == f"process {os.getpid()} on {socket.gethostname()}\n"
    assert not path.exists()


def test_only_one_at_a_time_ever_holds_a_lock(tmp_path, tries, figure):
    """Each adds 1 to a number in a file, which goes wrong as soon as two do it at once."""
    code = """
import sys, time
from pathlib import Path
from ganface.io.lock import locked
lock, number = map(Path, sys.argv[1:3])
for _ in range(int(sys.argv[3])):
    with locked(lock, lock, wait=True):
        text = number.read_text()
        time.sleep(0.001)
        number.write_text(str(int(text) + 1))
"""
    lock, number = tmp_path / "lock", tmp_path / "number"
    number.write_text("0")
    each = len(tries(10, 100))
    command = [sys.executable, "-c", f"import ganface.io.lock as l; l.POLL = 0.001\n{code}"]
    processes = [
        subprocess.Popen([*command, lock, number, str(each)], stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    assert [process.wait(PATIENCE) for process in processes] == [0] * 4
    assert int(number.read_text()) == 4 * each
    figure(f"{4 * each} times held by 4 processes, never by two at once")


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, invoke, pack_file):
    import errno

    from ganface.io import lock

    def refuse(_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock_file", refuse)
    result = invoke("train", pack_file, "--out", tmp_path / "run", *TINY, "--steps", 1)
    assert re.search(r"No locks available", result.failed())
    assert Path(tmp_path / "run").exists()
