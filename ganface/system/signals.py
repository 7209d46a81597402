"""The signals that ask a process to end: from a keyboard, a queue, a terminal that closes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


def heard() -> list[signal.Signals]:
    """Those of NAMES that are not ignored; `nohup` starts a process with SIGHUP ignored."""
    there = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    return [number for number in there if signal.getsignal(number) != signal.SIG_IGN]


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    sys.exit(128 + number)


def exit_on_signals() -> None:
    """From now on a signal ends the process as SystemExit does: files half written are removed."""
    for number in heard():
        signal.signal(number, _exit)


@contextmanager
def deferred() -> Iterator[None]:
    """Signals that come within the block act after it. It starts processes with them blocked."""
    came: list[int] = []
    previous = {number: signal.getsignal(number) for number in heard()}
    try:
        for number in previous:
            signal.signal(number, lambda number, _: came.append(number))
        if os.name == "posix":
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, previous)
        try:
            yield
        finally:
            if os.name == "posix":
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)


class StopRequest:
    """The first signal is noted, for the training loop to stop after the current update.

    A Ctrl-C after it stops at once. Other signals after it change nothing: a terminal that closes
    sends SIGHUP twice, and a service manager may send SIGHUP along with SIGTERM.
    """

    def __init__(self) -> None:
        self.number = 0
        self._previous: dict[signal.Signals, Any] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        self._previous = {number: signal.getsignal(number) for number in heard()}
        for number in self._previous:
            signal.signal(number, self._note)
        try:
            yield
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.number = self.number or number
        if signal.SIGINT in self._previous:
            signal.signal(signal.SIGINT, self._previous[signal.SIGINT])
