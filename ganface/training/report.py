"""The lines of stats.jsonl."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from torch import Tensor

from ganface.io.stats import StatsFile
from ganface.methods.base import Method, TrainState
from ganface.training.checkpoint import require_finite
from ganface.training.config import TrainConfig
from ganface.training.display import Display
from ganface.training.distributed import Processes
from ganface.training.writer import HostCopy, Writer


def share_figures(state: TrainState, processes: Processes) -> None:
    """Let all processes have the same sums of metrics, and the same of what else changes."""
    for name in sorted(state.tensors):
        processes.all_reduce_mean(state.tensors[name])


def take_means(state: TrainState, processes: Processes) -> Tensor:
    """The metrics' means over the updates since the last call; their sums start anew."""
    share_figures(state, processes)
    means = state.tensors["sums"] / state.summed
    state.tensors["sums"].zero_()
    state.summed = 0
    return means


class Reporter:
    """Writes and shows the lines of stats.jsonl."""

    def __init__(
        self,
        stats: StatsFile,
        display: Display,
        writer: Writer,
        config: TrainConfig,
        method: Method,
        state: TrainState,
    ) -> None:
        self._stats = stats
        self._history = method.relevant(stats.lines)
        self._display = display
        self._writer = writer
        self._config = config
        self._method = method
        self._state = state
        self._last = time.monotonic(), state.step
        self._figures: HostCopy | None = None
        newest = stats.lines[-1] if stats.lines else {}
        # Of a run that goes on, the one that it would still have
        self._verdict = newest.get("verdict") if method.metrics[0] in newest else None

    def tick(self, figures: HostCopy, score: Future[float] | None) -> None:
        """Report the updates since the last tick, of which `figures` are the means and diagnostics.

        `score`: of G_ema, if it was scored now, by a job before this one.
        """
        # The device is still at work on them. To wait for those before them keeps the times
        # honest, and leaves it enough to do.
        if self._figures:
            self._figures.wait()
        state, config, method = self._state, self._config, self._method
        now, (then, step_then) = time.monotonic(), self._last
        self._last = now, state.step
        rate = (state.step - step_then) * config.images_per_step / (now - then)
        line: dict[str, Any] = {
            "step": state.step,
            "images_seen": state.step * config.images_per_step,
            "seconds": round(state.seconds, 3),
            "images_per_second": round(rate, 1),
        }

        decay, rates = config.optimizer.decay_at(state.step), method.rates()
        constants: dict[str, Any] = {"precision": method.compute.precision}
        constants |= {"lr": decay * rates.get("G", config.optimizer.lr)}
        constants |= {f"lr_{name}": decay * r for name, r in rates.items() if name != "G"}

        def report(copies: dict[str, Tensor]) -> None:
            means, diagnostics = copies.pop("means"), copies.pop("diagnostics", None)
            require_finite({"means": means}, line["step"])
            whole = {**line, **_named(method.metrics, means.tolist())}
            if diagnostics is not None:
                figures = dict(zip(method.diagnostics, diagnostics, strict=True))
                needed = {n: f for n, f in figures.items() if n not in method.may_be_missing}
                require_finite(needed, line["step"])
                whole |= _named(method.diagnostics, diagnostics.tolist())
            whole |= _named([*copies], [figure.item() for figure in copies.values()])
            if score:
                whole |= _named(["score"], [score.result()])
            self._history.append(whole)
            # Judging takes about a millisecond, and diagnostics and scores change most
            if diagnostics is not None or score or self._verdict is None:
                self._history = method.relevant(self._history)
                self._verdict = str(method.judge(self._history))
            whole |= {"verdict": self._verdict, **constants}
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
