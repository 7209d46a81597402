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

    from ganface.dataset.build import Report


class Guarded:
    """A stream that loses, without an error, what it cannot write for reasons that are no fault."""

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

    Nothing depends on stderr: work goes on when its terminal is gone, or the disk of a log is full.
    Who reads stdout may have had enough, as `head` has.
    """
    for name, forgiven in (("stdout", BrokenPipeError), ("stderr", OSError)):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        stream.reconfigure(errors="backslashreplace")  # names of files may be in any alphabet
        setattr(sys, name, Guarded(stream, forgiven))


def stderr(quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def one_line(text: str) -> str:
    """Names of files, and files of strangers, may hold line breaks and codes for terminals."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))


def show_result(result: dict[str, Any], as_json: bool, text: str) -> None:
    """The result is the one thing that goes to stdout."""
    print(json.dumps(result) if as_json else text, flush=True)


def as_text(table: Table) -> str:
    """The table as plain lines, none of them cut off."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=1000)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def show_report(report: Report) -> None:
    """How many files were used and why others were not, as a table on stderr."""
    from rich.table import Table

    table = Table("images", "", box=None, pad_edge=False)
    table.add_row("used", str(report.used))
    for reason, count in report.counts.items():
        table.add_row(f"left out: {reason}", str(count))
    stderr().print(table)


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[Iterable, int], Iterable]]:
    """Yield track(items, total), which passes the items on and shows how far it is."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = stderr()
    columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield lambda items, total: progress.track(items, total=total)
