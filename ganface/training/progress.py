"""What a training says of itself: the live display, and the lines of stats.jsonl."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from torch import Tensor

from ganface.config.settings import TrainConfig
from ganface.io.stats import StatsFile
from ganface.methods.gan import STATISTICS
from ganface.methods.gan_verdict import EARLY, judge, relevant
from ganface.system.device import Compute
from ganface.training.checkpoint import Training, require_finite
from ganface.training.diagnostics import DIAGNOSTICS, HELD_OUT
from ganface.training.distributed import Processes
from ganface.training.schedule import learning_rates_at
from ganface.training.writer import HostCopy, Writer

PLAIN_SECONDS = 10  # off a terminal, at most one line in so many seconds


def share_figures(training: Training, processes: Processes) -> None:
    """Let all processes have the same statistics, and the same strength of augmentation."""
    processes.all_reduce_mean(training.sums)
    processes.all_reduce_mean(training.players.strength)


def take_means(training: Training, processes: Processes) -> Tensor:
    """STATISTICS' means over the updates since the last call; their sums start anew."""
    share_figures(training, processes)
    means = training.sums / training.summed
    training.sums.zero_()
    training.summed = 0
    return means


class Reporter:
    """Writes and shows the lines of stats.jsonl."""

    def __init__(
        self,
        stats: StatsFile,
        display: Display,
        writer: Writer,
        config: TrainConfig,
        compute: Compute,
        training: Training,
    ) -> None:
        self._stats = stats
        self._history = relevant(stats.lines)
        self._display = display
        self._writer = writer
        self._config = config
        self._compute = compute
        self._training = training
        self._last = time.monotonic(), training.step
        self._figures: HostCopy | None = None

    def tick(self, figures: HostCopy, score: Future[float] | None) -> None:
        """Report the updates since the last tick, of which `figures` are the means and findings.

        `score`: of G_ema, if it was scored now, by a job before this one.
        """
        # The device is still at work on them. To wait for those before them keeps the times
        # honest, and leaves it enough to do.
        if self._figures:
            self._figures.wait()
        training, config = self._training, self._config
        now, (then, step_then) = time.monotonic(), self._last
        self._last = now, training.step
        rate = (training.step - step_then) * config.images_per_step / (now - then)
        line = {
            "step": training.step,
            "images_seen": training.step * config.images_per_step,
            "seconds": round(training.seconds, 3),
            "images_per_second": round(rate, 1),
        }

        lr_D, lr_G = learning_rates_at(training.step, config)
        constants = {"precision": self._compute.precision, "lr": lr_G, "lr_D": lr_D}

        def report(copies: dict[str, Tensor]) -> None:
            require_finite({"means": copies["means"]}, line["step"])
            whole = {**line, **_named(STATISTICS, copies["means"].tolist())}
            if "findings" in copies:
                require_finite({"findings": copies["findings"][len(HELD_OUT) :]}, line["step"])
                whole |= _named(DIAGNOSTICS, copies["findings"].tolist())
            if "strength" in copies:
                whole |= _named(["strength"], [copies["strength"].item()])
            if score:
                whole |= _named(["score"], [score.result()])
            self._history = relevant([*self._history, whole])
            verdict = judge(self._history)
            whole |= {"verdict": str(verdict), **constants}
            self._stats.write(whole)
            self._display.tick(whole)

        self._figures = figures
        self._writer.submit(figures, report)


def _named(names: Sequence[str], values: Sequence[float]) -> dict[str, float | None]:
    """JSON knows neither NaN nor infinity: what is not there is null."""
    return {
        name: value if math.isfinite(value) else None
        for name, value in zip(names, values, strict=True)
    }


class Display:
    """Shows a training on stderr: live on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, first_step: int, steps: int) -> None:
        self._console = console
        self._first_step = first_step
        self._steps = steps
        self._began = self._printed = time.monotonic()
        self._stats: dict[str, Any] = {}
        self._picture: Path | None = None
        self._bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            BarColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        self._task = self._bar.add_task("train", total=steps, completed=first_step)
        self._live = None
        if console.is_terminal:
            self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=4)

    def __enter__(self) -> Display:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def step(self, step: int) -> None:
        if self._live:
            self._bar.update(self._task, completed=step)

    def tick(self, stats: dict[str, Any]) -> None:
        first = not self._stats
        if stats["verdict"] != self._stats.get("verdict", str(EARLY)):
            self.note(f"step {stats['step']}: {stats['verdict']}")
        self._stats = stats
        now = time.monotonic()
        if self._live or not (first or now - self._printed >= PLAIN_SECONDS):
            return
        self._printed = now
        step = stats["step"]
        done = step - self._first_step
        left = (now - self._began) / done * (self._steps - step)
        self._console.print(
            f"step {step}/{self._steps} ({step / self._steps:.1%}), {_clock(left)} left, "
            f"{self._describe()}",
            highlight=False,
            soft_wrap=True,
        )

    def picture(self, path: Path) -> None:
        self._picture = path

    def milestone(self, path: Path) -> None:
        self._picture = path
        self.note(f"drew {path}")

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _describe(self) -> str:
        s = self._stats
        return (
            f"{s['images_per_second']:.0f} images/s, loss_D {s['loss_D']:.3f}, "
            f"loss_G {s['loss_G']:.3f}, D(x) {s['D_x']:.2f}, D(G(z)) {s['D_Gz']:.2f}, "
            f"{s['precision']}"
        )

    def _draw(self) -> Group:
        lines = [self._bar.get_renderable()]
        if self._stats:
            lines += [Text(self._describe()), Text(self._stats["verdict"])]
        if self._picture:
            lines.append(Text(f"last picture: {self._picture}", style="dim"))
        return Group(*lines)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
