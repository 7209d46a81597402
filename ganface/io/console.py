"""What a command prints: its result on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Track = Callable[[Iterable, int], Iterable]  # track(items, total) yields the items, shows progress


def untracked(items: Iterable, total: int) -> Iterable:  # noqa: ARG001
    """The `Track` that shows nothing."""
    return items


class Guarded:
    """A stream that drops what it cannot write for a `forgiven` error, and raises no error then."""

    def __init__(self, stream: IO[str], forgiven: type[OSError]) -> None:
        self._stream = stream
        self._forgiven = forgiven

    def write(self, text: str) -> int:
        with suppress(self._forgiven):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(self._forgiven):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_streams() -> None:
    """From now on there is a stdout and a stderr that take any text, whoever closed them.

    What cannot be written to stderr is lost: work goes on when the terminal is gone, or the disk of
    a log is full. So is what goes to a stdout whose reader has ended, as `head` does.
    """
    for name, forgiven in (("stdout", BrokenPipeError), ("stderr", OSError)):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        stream.reconfigure(errors="backslashreplace")  # names of files may be in any alphabet
        setattr(sys, name, Guarded(stream, forgiven))


def say(text: str) -> None:
    """Print a line on stderr as it is. Rich would read brackets in names of files as markup."""
    print(text, file=sys.stderr)


def stderr(quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def one_line(text: str) -> str:
    """The text on one line, with what cannot be printed escaped.

    Names of files, and files that others made, may hold line breaks and terminal codes.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))


def clock(seconds: float) -> str:
    """3_725 -> 1:02:05, hours first."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def show_result(result: dict[str, Any], as_json: bool, text: str) -> None:
    """Print a command's result on stdout, as JSON or as `text`. Nothing else goes there."""
    print(json.dumps(result) if as_json else text, flush=True)


def as_text(table: Table) -> str:
    """The table as plain lines, none of them cut off."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=1000)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def show_counts(title: str, counts: dict[str, int]) -> None:
    """How many there are of each, as a table on stderr."""
    from rich.table import Table

    table = Table(title, "", box=None, pad_edge=False)
    for name, count in counts.items():
        table.add_row(name, str(count))
    stderr().print(table)


@contextmanager
def progress_bar(text: str) -> Iterator[Track]:
    """Yield track(items, total), which passes the items on and shows how far it is.

    Off a terminal nothing is shown.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = stderr()
    bar = BarColumn(bar_width=None)  # as wide as the terminal leaves it
    columns = (TextColumn(text), bar, MofNCompleteColumn(), TimeRemainingColumn())
    shown = console.is_terminal
    with Progress(*columns, console=console, disable=not shown, expand=True) as progress:
        yield lambda items, total: progress.track(items, total=total)
