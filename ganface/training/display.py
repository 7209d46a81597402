"""A training on stderr: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
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

from ganface.errors import CannotWriteError
from ganface.io.console import clock
from ganface.methods.verdict import EARLY
from ganface.pictures.plot import tone_of
from ganface.training.followers import Follower

COLOURS = {"good": "green", "open": "dim", "bad": "bold yellow"}  # of what a verdict is to a reader
PLAIN_SECONDS = 10  # off a terminal, at most one line in so many seconds


class Display:
    """Shows a training on stderr: live on a terminal, plain lines elsewhere."""

    def __init__(
        self,
        console: Console,
        first_step: int,
        steps: int,
        figures: str,
        minutes: float | None = None,
        followers: Sequence[Follower] = (),
    ) -> None:
        """steps, minutes: whichever end first. figures: a format of what a line of stats.jsonl
        holds. followers: are told the same, and closed at the end."""
        self._followers = followers
        self._figures = figures
        self._console = console
        self._first_step = first_step
        self._most = self._steps = steps
        self._minutes = minutes
        self._began = self._printed = time.monotonic()
        self._stats: dict[str, Any] = {}
        self._picture: Path | None = None
        self._bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            BarColumn(bar_width=None),  # as wide as the terminal leaves it
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            expand=True,
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
        for follower in self._followers:
            try:
                follower.close()
            except CannotWriteError as unwritten:  # all else is written
                self.note(str(unwritten))

    def step(self, step: int) -> None:
        if self._live:
            self._bar.update(self._task, completed=step)

    def tick(self, stats: dict[str, Any]) -> None:
        for follower in self._followers:
            follower.tick(stats)
        first = not self._stats
        if stats["verdict"] != self._stats.get("verdict", str(EARLY)):
            verdict = stats["verdict"]
            self.note(f"step {stats['step']}: {verdict}", colour_of(verdict))
        self._stats = stats
        if self._minutes:
            rate = stats["step"] / stats["seconds"]
            self._steps = min(self._most, max(stats["step"], round(rate * 60 * self._minutes)))
            self._bar.update(self._task, total=self._steps)
        now = time.monotonic()
        if self._live or not (first or now - self._printed >= PLAIN_SECONDS):
            return
        self._printed = now
        step = stats["step"]
        done = step - self._first_step
        left = (now - self._began) / done * (self._steps - step)
        self._console.print(
            f"step {step}/{self._steps} ({step / self._steps:.1%}), {clock(left)} left, "
            f"{self._describe()}",
            highlight=False,
            soft_wrap=True,
        )

    def picture(self, path: Path) -> None:
        self._picture = path

    def milestone(self, step: int, path: Path) -> None:
        for follower in self._followers:
            follower.milestone(step, path)
        self._picture = path
        self.note(f"drew {path}")

    def note(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    def _describe(self) -> str:
        rate = f"{self._stats['images_per_second']:.0f} images/s"
        return f"{rate}, {self._figures.format(**self._stats)}, {self._stats['precision']}"

    def _draw(self) -> Group:
        lines = [self._bar.get_renderable()]
        if self._stats:
            verdict = self._stats["verdict"]
            lines += [Text(self._describe()), Text(verdict, style=colour_of(verdict))]
        if self._picture:
            lines.append(Text(f"last picture: {self._picture}", style="dim"))
        return Group(*lines)


def colour_of(verdict: str) -> str:
    """Rich's style of a verdict; off a terminal, and with NO_COLOR, rich shows none."""
    return COLOURS[tone_of(verdict.partition(":")[0])]
