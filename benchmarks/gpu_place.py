"""Where a step of scripts/gpu_check works, on what, how much, and the commands that it starts."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import own_environment


@dataclass(frozen=True)
class Amounts:
    """How much each step does."""

    faces: int
    side: int  # of the faces that are drawn
    sizes: tuple[int, ...]  # of the packs, the usual one first
    width: int
    batch: int
    updates: int  # where an update is timed, once warm
    course: int  # updates of the whole course


GPU = Amounts(8_000, 96, (64, 32, 128), 64, 64, 300, 50_000)
CPU = Amounts(120, 40, (32,), 4, 8, 4, 20)


@dataclass(frozen=True)
class Result:
    """What the report shows of a step."""

    says: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[object, ...], ...] = ()
    figures: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a step works, on what, and for how long."""

    work: Path
    on_gpu: bool
    limit: float  # seconds

    @property
    def amounts(self) -> Amounts:
        return GPU if self.on_gpu else CPU

    @property
    def device(self) -> str:
        return "cuda" if self.on_gpu else "cpu"

    @property
    def faces(self) -> Path:
        return self.work / "faces"

    def pack(self, size: int | None = None) -> Path:
        return self.work / f"faces-{size or self.amounts.sizes[0]}.safetensors"

    @property
    def labelled(self) -> Path:
        """The pack of the faces with their factors as labels."""
        return self.work / "labelled.safetensors"

    @property
    def precisions(self) -> tuple[str, ...]:
        return ("bf16", "fp32", "fp16") if self.on_gpu else ("fp32",)

    def new(self, name: str) -> Path:
        """A path at which nothing is."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def train(self, *options: object) -> str:
        return ganface("train", self.pack(), *self.shape, *options)

    @property
    def shape(self) -> tuple[object, ...]:
        amounts = self.amounts
        shape = ("--width", amounts.width, "--batch-size", amounts.batch, "--device", self.device)
        return shape if self.on_gpu else (*shape, "--size", amounts.sizes[0], "--compile", "off")


def python(*arguments: object) -> str:
    """What this Python prints when run so. Raises RuntimeError if it fails."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=own_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " ".join(map(str, arguments))
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def ganface(*arguments: object) -> str:
    return python("-m", "ganface", *arguments)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
