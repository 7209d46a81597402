"""What a command prints: its result on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ganface.dataset.build import Report


def stderr(quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=True, quiet=quiet)


def show_result(result: dict[str, Any], as_json: bool, text: str) -> None:
    """The result is the one thing that goes to stdout."""
    typer.echo(json.dumps(result) if as_json else text)


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
