"""The program: its commands, and its errors as exit codes.

Each command imports what it needs when it runs, torch above all. In the modules of the commands
annotations are objects, not texts (no `from __future__ import annotations`): typer needs them, and
would have to compile each text.
"""

import sys
from typing import Annotated, NoReturn

import typer

from ganface import __version__
from ganface.cli import dataset
from ganface.cli.evaluate import evaluate
from ganface.cli.info import info
from ganface.cli.interpolate import interpolate
from ganface.cli.plot import plot
from ganface.cli.sample import sample
from ganface.cli.train import train
from ganface.errors import UserError, describe_out_of_memory, is_out_of_memory
from ganface.io.console import guard_streams, one_line, say
from ganface.system.signals import exit_on_signals

app = typer.Typer(
    name="ganface",
    help="Train a GAN on a folder of anime faces and watch it learn.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help is there in half the time, and cuts nothing off
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(dataset.app, name="dataset")
for command in (train, sample, interpolate, evaluate, plot, info):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ganface {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks of errors. May stand anywhere.")
    ] = False,
) -> None:
    """Train a GAN on a folder of anime faces and watch it learn."""


def main() -> NoReturn:
    """Run a command. A user's error becomes one line and an exit code, ours keeps its traceback."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    guard_streams()
    exit_on_signals()
    try:
        sys.exit(app([a for a in arguments if a != "--debug"], standalone_mode=False) or 0)
    except (UserError, typer.TyperException, OSError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not is_out_of_memory(error):
            raise
        if debug:
            import traceback

            traceback.print_exception(error)
        code, message = explain(error)
    if message:
        say(f"ganface: {one_line(message)}")
    sys.exit(code)


def explain(error: Exception) -> tuple[int, str]:
    """The exit code for an error, and what to say of it."""
    if isinstance(error, (MemoryError, RuntimeError)):
        return 1, describe_out_of_memory(error)
    if isinstance(error, UserError):
        return error.exit_code, str(error)
    if isinstance(error, typer.TyperException):
        return 2, error.format_message()
    return 1, ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
