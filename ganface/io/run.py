"""The run directory: its names, its lock, and MODEL (directory, checkpoint, snapshot) -> file."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganface.errors import UserError
from ganface.io.atomic import remove_leftovers, write_text
from ganface.io.console import say
from ganface.io.folders import check_writable
from ganface.io.lock import is_held, locked
from ganface.io.tensors import check_tensors

LOCK = ".lock"
RUNS_NAMED = 12  # in an error, at most
STEP = re.compile(r"step-(\d{6,})$")


@dataclass(frozen=True)
class Run:
    """The files of one training."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def stats(self) -> Path:
        return self.path / "stats.jsonl"

    @property
    def reals(self) -> Path:
        return self.path / "reals.png"

    @property
    def latest(self) -> Path:
        return self.path / "latest.png"

    @property
    def timeline(self) -> Path:
        return self.path / "timeline.png"

    @property
    def timeline_gif(self) -> Path:
        return self.path / "timeline.gif"

    @property
    def page(self) -> Path:
        return self.path / "index.html"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def generator(self) -> Path:
        return self.path / "generator.safetensors"

    @property
    def best(self) -> Path:
        return self.path / "best.safetensors"

    @property
    def cache(self) -> Path:
        """For the pack, where the user's cache folder cannot be written to."""
        return self.path / "cache"

    def grid(self, step: int) -> Path:
        return self.path / "grids" / f"step-{step:06d}.png"

    def sheet(self, name: str, step: int) -> Path:
        """A picture of that name that a method draws at a milestone."""
        return self.path / name / f"step-{step:06d}.png"

    def checkpoint(self, step: int) -> Path:
        return self.path / "checkpoints" / f"step-{step:06d}.safetensors"

    def snapshot(self, step: int) -> Path:
        return self.path / "snapshots" / f"step-{step:06d}.safetensors"

    def grids(self) -> dict[int, Path]:
        return _by_step(self.path / "grids", ".png")

    def checkpoints(self) -> dict[int, Path]:
        return _by_step(self.path / "checkpoints", ".safetensors")

    def newest_checkpoint(self) -> Path | None:
        return next(reversed(self.checkpoints().values()), None)

    def snapshots(self) -> dict[int, Path]:
        return _by_step(self.path / "snapshots", ".safetensors")

    def holds_training(self) -> bool:
        return self.config.is_file() or bool(self.checkpoints())

    def exists(self) -> bool:
        """Whether a training wrote here. Raises UserError if something else is in the way."""
        if self.holds_training():
            return True
        begins = (LOCK, self.cache.name, f".{self.config.name}.")
        if self.path.is_dir() and all(e.name.startswith(begins) for e in self.path.iterdir()):
            return False  # empty, or a run that is about to begin, or was killed as it began
        if self.path.exists():
            raise UserError(f"{self.path}: exists and is no run directory; give another --out")
        return False

    def begun(self, resume: bool) -> bool:
        """Whether the run has begun.

        Raises UserError if it has and is not to be resumed, or if it could not be written.
        """
        there = self.exists()
        check_writable(self.path)
        if there and not resume:
            raise UserError(
                f"{self.path}: holds a run already; add --resume, or give another --out"
            )
        return there

    def create(self) -> None:
        """Make the folders, and remove what a killed process left half written."""
        for name in ("grids", "checkpoints", "snapshots"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.path / name)
        remove_leftovers(self.path)

    def is_running(self) -> bool:
        """Whether a process trains here now."""
        return is_held(self.path / LOCK)

    def lock(self) -> AbstractContextManager[None]:
        """Hold the run directory against other processes.

        Raises UserError, which names the holder, if another process has it.
        """
        return locked(self.path / LOCK, self.path)


def _by_step(folder: Path, suffix: str) -> dict[int, Path]:
    """The files of `folder` named step-NNNNNN with that suffix, in order of their steps."""
    matches = ((STEP.match(path.stem), path) for path in folder.glob(f"step-*{suffix}"))
    return dict(sorted((int(match[1]), path) for match, path in matches if match))


def find_discriminator(model: Path) -> Path:
    """Of a run directory the newest checkpoint; or the file. Raises UserError if there is none."""
    if not model.is_dir():
        return model
    checkpoint = Run(model).newest_checkpoint()
    if checkpoint is None:
        raise UserError(f"{model}: has no checkpoint, which alone keeps D")
    return checkpoint


def find_model(path: Path, step: int | None = None, best: bool = False) -> Path:
    """The model file that MODEL means: of a run directory its latest snapshot, that of `step` or
    the one with the `best` score; or the file itself.

    Raises UserError if there is none, or not the one that was asked for.
    """
    if best and step is not None:
        raise UserError(f"--step {step}: does not go with --best")
    if path.is_file():
        if best:
            raise UserError(f"--best: {path} is one file; give its run directory")
        if step is not None:
            raise UserError(f"--step {step}: {path} is one file; give its run directory")
        return path
    run = Run(path)
    if not path.is_dir():
        raise UserError(f"{path}: there is no such file or run directory")
    if not run.holds_training():
        raise UserError(f"{path}: not a run directory; {_runs_below(path)}")
    if step is not None:
        snapshots = run.snapshots()
        if step not in snapshots:
            there = ", ".join(map(str, snapshots)) or "none yet"
            raise UserError(f"--step {step}: {path} has no snapshot of it; there are: {there}")
        return snapshots[step]
    if best:
        if not run.best.is_file():
            raise UserError(f"--best: {path} has no score yet; see train --evaluate-every")
        return run.best
    if run.generator.is_file():
        return run.generator
    newest = next(reversed(run.snapshots().values()), None)
    if newest is None:
        raise UserError(f"{path}: has no generator yet; its first comes with the first picture")
    say(f"{run.generator}: is gone; {newest} takes its place")
    return newest


def _runs_below(path: Path) -> str:
    """What to give in place of a folder that is no run: the runs in it, if there are some."""
    runs = sorted(str(each) for each in path.iterdir() if Run(each).holds_training())
    if not runs:
        return "give one, a checkpoint or a snapshot"
    more = f" and {len(runs) - RUNS_NAMED} more" if len(runs) > RUNS_NAMED else ""
    return f"it holds runs, give one of them: {', '.join(runs[:RUNS_NAMED])}{more}"


def find_models(
    path: Path, step: int | None = None, best: bool = False, all_steps: bool = False
) -> list[Path]:
    """The file that `find_model` finds or, of `all_steps`, every snapshot of the run, in order."""
    latest = find_model(path, step, best)
    if not all_steps:
        return [latest]
    if best or step is not None:
        raise UserError(f"{'--best' if best else f'--step {step}'}: does not go with --all-steps")
    if not path.is_dir():
        raise UserError(f"--all-steps: {path} is one file; give its run directory")
    return list(Run(path).snapshots().values()) or [latest]


def write_config(run: Run, config: dict[str, Any]) -> None:
    sealed = {**config, "sha256": _digest(config)}
    write_text(run.config, json.dumps(sealed, indent=2) + "\n")


def read_config(run: Run) -> dict[str, Any]:
    """What `write_config` wrote: settings in `build` and `train`, `versions`, and more.

    If it is lost, or not as it was written, the newest whole checkpoint's, which are the same; that
    is said on stderr. Raises UserError if there is none.
    """
    try:
        config = json.loads(run.config.read_text("utf-8"))
        if config.pop("sha256") != _digest(config):
            raise ValueError("changed since it was written")
        if not all(isinstance(config[name], dict) for name in ("build", "train", "versions")):
            raise ValueError("no settings of a run")
        return config
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        for path in reversed(run.checkpoints().values()):
            with suppress(UserError):
                config = check_tensors(path, "checkpoint")
                what = "damaged" if run.config.exists() else "is missing"
                say(f"{run.config}: {what}; the checkpoints' settings hold")
                return config
        raise UserError(f"{run.config}: damaged, or of another ganface ({error})") from error


def _digest(config: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
