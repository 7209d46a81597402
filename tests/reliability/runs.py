"""A short training with all that a run can hold, and what it came to."""

import json
import os
import sys
from collections.abc import Callable

from conftest import TINY, call, tree

from ganface.io.run import Run
from ganface.io.tensors import check_tensors, read_tensors
from ganface.pictures.png import open_png

STEPS, EVERY = 60, 7
OPTIONS = (*TINY, "--steps", STEPS, "--checkpoint-every", EVERY, "--milestones", "10,25,40")
OPTIONS += ("--seeds", "0-3", "--evaluate-every", 20, "--augment", "adaptive")
TIMES = {"seconds", "images_per_second"}


def command(pack_file, run, *more):
    return ("train", pack_file, "--out", run.path, *OPTIONS, *more)


def train(pack_file, run, *more):
    return call(*command(pack_file, run, *more))


def forked(work: Callable[[], int]) -> int:
    """The number of a process that does `work`, and exits with what that returns."""
    child = os.fork()
    if child == 0:
        os._exit(work())
    return child


def ended(work: Callable[[], int]) -> tuple[int, str]:
    """Do `work` in a process of its own: its exit code, and what it said on stderr."""
    reader, writer = os.pipe()

    def told() -> int:
        os.dup2(writer, 2)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        try:
            return work()
        finally:
            sys.stderr.flush()

    child = forked(told)
    os.close(writer)
    with open(reader) as stream:
        err = stream.read()
    return exit_code(child), err


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def content(run: Run) -> dict[str, object]:
    """All that a run came to, but for times and rates."""
    found = tree(run.path)
    lines = map(json.loads, found["stats.jsonl"].splitlines())
    found["stats.jsonl"] = [{k: v for k, v in each.items() if k not in TIMES} for each in lines]
    for path in run.checkpoints().values():
        meta, tensors = read_tensors(path, "checkpoint")
        for key in ("seconds", "sha256"):
            del meta[key]
        name = path.relative_to(run.path).as_posix()
        found[name] = meta, {n: t.tolist() for n, t in tensors.items()}
    return found


def check_whole(run: Run) -> None:
    """Every file of the run is whole, whatever happened."""
    for path in run.path.rglob("*"):
        if path.suffix == ".safetensors":
            check_tensors(path)
        elif path.suffix == ".png":
            open_png(path)
        elif path.name in ("config.json", "stats.jsonl"):
            text = path.read_text()
            for line in [text] if path.suffix == ".json" else text.splitlines():
                json.loads(line)
