"""A long training takes no more memory, files or time per update at its end than before."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import linear_regression

import pytest
from conftest import TINY

from ganface.io.run import Run

STEPS = 100_000
pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")


def measure(process: Path) -> tuple[int, int, float]:
    """Bytes of resident memory, open files, and seconds of the processor's time so far."""
    pages = int((process / "statm").read_text().split()[1])
    user, system = (process / "stat").read_text().rpartition(") ")[2].split()[11:13]
    seconds = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list((process / "fd").iterdir())), seconds


def halves(xs: tuple, ys: tuple) -> list[tuple[tuple, tuple]]:
    middle = len(xs) // 2
    return [(xs[:middle], ys[:middle]), (xs[middle:], ys[middle:])]


@pytest.mark.long
def test_a_long_training_stays_as_it_was(pack_file, tmp_path, figure):
    run = Run(tmp_path / "run")
    options = ("--steps", STEPS, "--evaluate-every", 1000, "--seeds", "0-8")
    command = ["train", pack_file, "--out", run.path, *TINY, *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "ganface", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    measured: list[tuple[int, int, int, float]] = []  # step, bytes, files, seconds
    while process.poll() is None:
        time.sleep(5)
        try:
            done = json.loads(run.stats.read_text().splitlines()[-1])["step"]
            measured.append((done, *measure(Path(f"/proc/{process.pid}"))))
        except (OSError, ValueError, IndexError):
            continue  # it has just begun, or just ended
    assert process.returncode == 0

    warm = [each for each in measured if each[0] > STEPS / 5 and each[1]]  # 0 at the very end
    at, memory, opened, seconds = zip(*warm, strict=True)
    lines = [json.loads(line) for line in run.stats.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(10, STEPS + 1, 10))
    # Of the processor's time, since other work would make the clock's longer
    marks = [linear_regression(*half).slope * 1000 for half in halves(at, seconds)]
    slope = linear_regression(at, memory).slope * 100_000 / 2**20
    figure(
        f"{STEPS} updates: {memory[0] / 2**20:.0f} to {memory[-1] / 2**20:.0f} MiB resident, "
        f"{slope:+.1f} MiB per 100,000 updates; {min(opened)} to {max(opened)} files open; "
        f"{marks[0]:.2f} and {marks[1]:.2f} ms of processor time per update in the first and "
        "second half"
    )
    assert memory[-1] - memory[0] < 64 * 2**20
    assert max(opened) < min(opened) + 6  # a picture, a checkpoint and a folder may be open at once
    assert marks[1] < 1.5 * marks[0]
