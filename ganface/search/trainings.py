"""Trainings as processes of their own, some at a time."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen

import torch

from ganface.io.run import Run
from ganface.search.draws import Draw
from ganface.system.signals import StopRequest

WIDTH = 32
POLL = 0.1  # seconds between two looks at which trainings have ended


@dataclass(frozen=True)
class Trainings:
    """Trains draws on one pack, each in a run directory of its own."""

    folder: Path
    pack: Path
    budget: int  # updates of each
    jobs: int  # at a time
    seed: int
    device: torch.device

    def run(self, draw: Draw) -> Run:
        return Run(self.folder / draw.name)

    def log(self, draw: Draw) -> Path:
        """What the training said."""
        return self.folder / f"{draw.name}.log"

    def last_words(self, draw: Draw) -> str:
        """The last line of its log: of a training that failed, why."""
        lines = self.log(draw).read_text("utf-8", "replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return last.removeprefix("ganface: ")

    def train(self, draws: Sequence[Draw], stop: StopRequest) -> Generator[tuple[Draw, int]]:
        """Yield each draw with the exit code of its training, when that has ended.

        Once `stop` is asked for, or the iterator is closed, those that go on are told to end, and
        waited for: they save a checkpoint.
        """
        waiting = deque(draws)
        running: list[tuple[Draw, Popen[bytes]]] = []
        try:
            while waiting or running:
                ended = next((each for each in running if each[1].poll() is not None), None)
                if stop.number:
                    return
                if ended:
                    running.remove(ended)
                while waiting and len(running) < self.jobs:
                    draw = waiting.popleft()
                    running.append((draw, self._start(draw)))
                if ended:  # the next one begins before what is done with this one
                    yield ended[0], ended[1].returncode
                else:
                    time.sleep(POLL)
        finally:
            for _, child in running:
                child.terminate()
            for _, child in running:
                child.wait()

    def _start(self, draw: Draw) -> Popen[bytes]:
        command = [sys.executable, "-m", "ganface", "train", str(self.pack), *draw.flags]
        command += ["--out", str(self.run(draw).path), "--resume", "--device", self.device.type]
        command += ["--steps", str(self.budget), "--milestones", str(self.budget)]
        command += ["--width", str(WIDTH), "--seed", str(self.seed), "--seeds", "0-15"]
        command += ["--evaluate-every", "0", "--keep", "1"]
        threads = max(1, torch.get_num_threads() // self.jobs)
        self.folder.mkdir(exist_ok=True)
        with open(self.log(draw), "ab") as log:
            return Popen(
                command,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            )
