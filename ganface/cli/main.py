"""The program: its commands, and its errors as exit codes.

Each command imports what it needs when it runs, torch above all. In the modules of the commands
annotations are objects, not texts (no `from __future__ import annotations`): typer needs them, and
would have to compile each text.
"""

import sys
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from ganface import __version__
from ganface.cli.mistakes import describe_mistake
from ganface.cli.options import HELP, GroupedCommand, HelpfulGroup
from ganface.errors import UserError, describe_out_of_memory, is_out_of_memory
from ganface.io.console import guard_streams, one_line, say
from ganface.system.signals import exit_on_signals

# Each is a function of its name in the module of its name, or that module's `app`
COMMANDS = {
    "train": "Train a generator, and draw the same faces as it learns.",
    "sample": "Draw faces: one grid, or a file for each.",
    "interpolate": "Walk from face to face, or along directions in latent space.",
    "directions": "Find what moves hair, eyes or background in latent space.",
    "project": "Find where real faces lie in latent space.",
    "evaluate": "Say how good the faces are, beside real ones.",
    "compare": "Set models side by side: faces and, with images, figures.",
    "judge": "Say how real D finds images, the realest first.",
    "lecture": "Show the whole lecture, on your images, as a page.",
    "page": "Make a page that draws faces in any browser, offline.",
    "export": "Write the generator as an ONNX file, for other programs.",
    "plot": "Draw how a training went, as one chart.",
    "watch": "Show a training as a page, kept up to date while it goes on.",
    "info": "Say what a file made here holds, and check that it is whole.",
    "dataset": "Make packs of images, and drawn faces.",
}
PLAIN: dict[str, Any] = {
    "rich_markup_mode": None,  # plain help is there in half the time, and cuts nothing off
    "pretty_exceptions_enable": False,
}


class Commands(HelpfulGroup):
    """Only the command that is run is imported, with its options: that is most of the start."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=text) for name, text in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, rest


def load_command(name: str) -> Any:
    module = import_module(f"ganface.cli.{name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, **PLAIN)
        app.command(name, cls=GroupedCommand)(getattr(module, name))
    command = typer.main.get_command(app)
    command.name = name
    return command


app = typer.Typer(
    name="ganface",
    cls=Commands,
    help="Train a generator on a folder of anime faces and watch it learn.",
    context_settings={"help_option_names": HELP},
    **PLAIN,
)


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
    """Train a generator on a folder of anime faces and watch it learn."""


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


def explain(
    error: UserError | typer.TyperException | OSError | MemoryError | RuntimeError,
) -> tuple[int, str]:
    """The exit code for an error, and what to say of it."""
    if isinstance(error, (MemoryError, RuntimeError)):
        return 1, describe_out_of_memory(error)
    if isinstance(error, UserError):
        return error.exit_code, str(error)
    if isinstance(error, typer.TyperException):
        return 2, describe_mistake(error)
    return 1, ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
