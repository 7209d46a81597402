"""What the rows of the bench share: how much to measure, whole commands, images to measure on."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SIZE, Z_DIM, WIDTH, BATCH = 64, 100, 64, 64
SHAPE = ("--size", SIZE, "--z-dim", Z_DIM, "--width", WIDTH, "--batch-size", BATCH)  # for both
RECIPE = ("--preset", "dcgan")  # the reference's
SOURCE_SIZE = 96  # of the faces that are drawn, so that there is something to reduce


@dataclass(frozen=True)
class Amounts:
    """How much is measured."""

    faces: int  # images to train on and to ingest
    steps: int  # of one training
    skip: int  # so many of them are its warm-up; both in tens, as stats.jsonl is
    reference_steps: int
    reference_skip: int
    training_pairs: int
    help_pairs: int
    ingestion_pairs: int
    samples: int
    sampling_pairs: int
    batches: int  # drawn to see the memory grow
    small_pack: int
    large_pack: int
    memory_pairs: int
    train_options: tuple[str, ...] = ()  # for every ganface training


# A training's window of 100 steps holds one latest.png, as any 100 steps do.
FULL = Amounts(
    faces=8_000,  # enough for one epoch: the reference starts its workers anew in each
    steps=120,
    skip=20,
    reference_steps=120,
    reference_skip=20,
    training_pairs=3,
    help_pairs=20,
    ingestion_pairs=5,
    samples=10_000,
    sampling_pairs=3,
    batches=20_000,
    small_pack=10_000,
    large_pack=1_000_000,
    memory_pairs=3,
)
# Too short to earn back a compilation.
QUICK = Amounts(
    faces=832,
    steps=20,
    skip=10,
    reference_steps=13,
    reference_skip=3,
    training_pairs=1,
    help_pairs=5,
    ingestion_pairs=1,
    samples=640,
    sampling_pairs=1,
    batches=2_000,
    small_pack=10_000,
    large_pack=100_000,
    memory_pairs=1,
    train_options=("--compile", "off"),
)
# On a GPU a hundred steps pass in no time
GPU_STEPS = {"steps": 2000, "skip": 1000, "reference_steps": 2000, "reference_skip": 1000}


# ---------------------------------------------------------------------------- whole commands


@dataclass(frozen=True)
class Finished:
    out: str
    seconds: float
    peak: float  # MiB of its largest process, but no less than our own; 0 if the system is silent


def own_environment() -> dict[str, str]:
    """The variables of a process that is to import this tree's ganface."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def run(*command: object) -> Finished:
    """Run this Python with these arguments, on this tree's ganface. If it fails, so do we."""
    words = [sys.executable, *map(str, command)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(words, stdout=out, stderr=err, cwd=ROOT, env=own_environment())
        peak = 0.0
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        else:
            process.wait()
        seconds = time.perf_counter() - began
        if process.returncode:
            err.seek(0)
            sys.exit(f"{shlex.join(words)} ended with {process.returncode}:\n{err.read()}")
        out.seek(0)
        return Finished(out.read(), seconds, peak)


def ganface(*arguments: object) -> Finished:
    return run("-m", "ganface", *arguments)


def show_run(*command: object) -> None:
    """Run this Python with these arguments, in sight. If it fails, so do we."""
    done = subprocess.run([sys.executable, *map(str, command)], env=own_environment(), check=False)
    if done.returncode:
        sys.exit(done.returncode)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------- what is needed


class Bench:
    """The folder to work in, and what several rows need in it, made when first asked for."""

    def __init__(self, work: Path, data: Path | None, device: str, amounts: Amounts) -> None:
        self.work = work
        self.device = run("-c", BEST_DEVICE).out.strip() if device == "auto" else device
        self.amounts = replace(amounts, **GPU_STEPS) if self.on_gpu else amounts
        self._data = data
        self._made = 0

    @property
    def on_gpu(self) -> bool:
        return self.device == "cuda"

    def new(self, name: str) -> Path:
        """A path in the working folder at which nothing is yet."""
        self._made += 1
        return self.work / f"{name}-{self._made}"

    @cached_property
    def images(self) -> Path:
        """A folder with one subfolder of images, as ImageFolder wants it."""
        images = self._data
        if images is None:
            count = self.amounts.faces
            images = self.new("faces")
            note(f"  drawing {count} faces")
            ganface("dataset", "demo", images, "--count", count, "--size", SOURCE_SIZE)
        folder = self.new("images")
        folder.mkdir()
        (folder / "all").symlink_to(images, target_is_directory=True)
        for path in images.rglob("*"):
            if path.is_file():
                path.read_bytes()  # so that nobody is the first to read it from the disk
        return folder

    @cached_property
    def pack(self) -> Path:
        path = self.new("pack").with_suffix(".safetensors")
        ganface("dataset", "build", self.images, path, "--size", SIZE)
        return path

    def train(self, data: Path, *options: object) -> tuple[Path, Finished]:
        """Train with ganface; return the run directory, which is the caller's to remove."""
        path = self.new("run")
        options = (*SHAPE, *RECIPE, "--device", self.device, *self.amounts.train_options, *options)
        return path, ganface("train", data, "--out", path, *options)

    def reference(self, *options: object) -> Finished:
        script = HERE / "reference_dcgan.py"
        return run(script, self.images, *SHAPE, "--device", self.device, *options)


BEST_DEVICE = """
import torch
there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
print(next(name for name in there if there[name]))
"""
