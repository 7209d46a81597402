"""A long training takes no more memory, files or time per update at its end than before."""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import linear_regression, median

import pytest
from conftest import TINY

from ganface.run import Run

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")


def measure(process: Path) -> tuple[int, int]:
    """Bytes of resident memory, and open files."""
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list((process / "fd").iterdir()))


def test_a_long_training_stays_as_it_was(pack_file, tmp_path, tries, figure):
    steps = len(tries(1500, 100_000))
    run = Run(tmp_path / "run")
    options = ("--steps", steps, "--evaluate-every", 1000, "--seeds", "0-8")
    command = ["train", pack_file, "--out", run.path, *TINY, *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "ganface", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    measured: list[tuple[int, int, int]] = []  # step, bytes, files
    while process.poll() is None:
        time.sleep(steps / 20_000)
        try:
            done = json.loads(run.stats.read_text().splitlines()[-1])["step"]
            measured.append((done, *measure(Path(f"/proc/{process.pid}"))))
        except (OSError, ValueError, IndexError):
            continue  # it has just begun, or just ended
    assert process.returncode == 0

    warm = [each for each in measured if each[0] > steps / 5 and each[1]]  # 0 at the very end
    at, memory, opened = zip(*warm, strict=True)
    lines = [json.loads(line) for line in run.stats.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(10, steps + 1, 10))
    seconds = [(b["seconds"] - a["seconds"]) / 10 for a, b in pairwise(lines)]
    parts = [seconds[i * len(seconds) // 5 : (i + 1) * len(seconds) // 5] for i in range(1, 5)]
    times = [median(part) * 1000 for part in parts]
    slope = linear_regression(at, memory).slope * 100_000 / 2**20
    figure(
        f"{steps} updates: {memory[0] / 2**20:.0f} to {memory[-1] / 2**20:.0f} MiB resident, "
        f"{slope:+.1f} MiB per 100,000 updates; {min(opened)} to {max(opened)} files open; "
        f"{', '.join(f'{each:.2f}' for each in times)} ms per update in the second to last fifths"
    )
    assert memory[-1] - memory[0] < 64 * 2**20
    assert max(opened) < min(opened) + 6  # a picture, a checkpoint and a folder may be open at once
    assert times[-1] < 2 * times[0]
