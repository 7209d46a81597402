"""SIGKILL at any instant: there is always a good checkpoint, and the end is the undisturbed one."""

import json
import os
import random
import shutil
import signal
import sys
import time
from functools import partial

import pytest
from runs import EVERY, content, exit_code, forked, train

from ganface.io.run import Run
from ganface.io.tensors import check_tensors

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def killed_at_an_instant(work, seconds):
    """Do `work` in a process that is killed after so many seconds; whether it came to its end."""
    child, deadline = forked(work), time.monotonic() + seconds
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(0.001)
    return exit_code(child) == 0


def killed_at_an_event(work, number, within=""):
    """Do `work` in a process that kills itself as it opens, flushes, renames or removes a file that
    is being written, of a path that has `within` in it, for the n-th time.
    """
    left, current = number, ""

    def die():
        nonlocal left
        left -= within in current
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, arguments):
        nonlocal current
        if event in ("open", "os.rename", "os.remove") and ".tmp" in str(arguments[0]):
            current = str(arguments[0])
            die()

    def watched():
        sync = os.fsync
        os.fsync = lambda number: (die(), sync(number))
        sys.addaudithook(hook)
        return work()

    return exit_code(forked(watched)) == 0


def last_good(run):
    """The step of the newest checkpoint, which must be whole; 0 if there is none yet."""
    steps = list(run.checkpoints())
    for path in run.checkpoints().values():
        check_tensors(path)
    return max(steps, default=0)


def reported(run):
    """The last step that is known to have been done."""
    if not run.stats.exists():
        return 0
    steps = [0]
    for line in run.stats.read_text().splitlines():
        try:
            steps.append(json.loads(line)["step"])
        except ValueError:
            continue
    return max(steps)


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_never_was(
    pack_file, tmp_path, undisturbed, tries, figure
):
    expected = content(undisturbed)
    dice = random.Random(0)
    run, rounds, lost = Run(tmp_path / "run"), 0, []
    inside = {"a file": 0, "a checkpoint": 0}
    work = partial(train, pack_file, run, "--resume")
    began = time.monotonic()
    assert exit_code(forked(work)) == 0
    seconds = time.monotonic() - began
    shutil.rmtree(run.path)
    while len(lost) < len(tries(6, 100)):
        if len(lost) % 3 == 0:
            ended = killed_at_an_instant(work, dice.uniform(0, seconds))
        elif len(lost) % 3 == 1:
            ended = killed_at_an_event(work, dice.randrange(1, 40))
        else:
            ended = killed_at_an_event(work, dice.randrange(1, 12), within="checkpoints/")
        assert reported(run) - last_good(run) <= EVERY
        if ended:
            assert content(run) == expected
            rounds += 1
            shutil.rmtree(run.path)
        else:
            lost.append(reported(run) - last_good(run))
            inside["a file"] += any(run.path.rglob(".*.tmp"))
            inside["a checkpoint"] += any((run.path / "checkpoints").glob(".*.tmp"))
    assert work() == 0
    assert content(run) == expected
    figure(
        f"{len(lost)} kills, {inside['a file']} of them inside the write of a file and "
        f"{inside['a checkpoint']} of a checkpoint; {rounds + 1} runs came to their end, 0 "
        f"differences; at most {max(lost)} reported updates lost, with a checkpoint every {EVERY}"
    )
