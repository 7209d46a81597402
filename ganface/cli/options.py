"""Settings -> command-line options: a command gets one for each field of its settings classes."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from ganface.config.settings import Settings

HELP = ("-h", "--help")


class HelpfulGroup(TyperGroup):
    """Commands whose help is shown where none of them is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or [HELP[-1]])


class GroupedCommand(TyperCommand):
    """A command whose --help shows its options in groups, in the order in which they come."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                is_argument = parameter.param_type_name == "argument"
                panel = getattr(parameter, "rich_help_panel", None) or "Options"
                panels.setdefault("Arguments" if is_argument else panel, []).append(record)
        for name, records in panels.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def with_settings(
    *groups: type[Settings], first: Sequence[str] = (), **shown: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each setting of `groups`.

    first: settings that --help has before all others, among the command's own options.
    shown: by name, what --help is to call the default where the command has one of its own.
    The command itself takes them as one argument, `given`: those that the user typed, by name.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        settings: dict[str, inspect.Parameter] = {}
        for group in groups:
            for name, field in group.flags().items():
                if name in settings:
                    continue  # two methods may have the same setting
                choices = field.metadata["choices"]
                kind = Literal[choices] if choices else group.types()[name]
                panel = None if name in first else group.TITLE
                option = typer.Option(help=field.metadata["help"], rich_help_panel=panel)
                settings[name] = inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=shown.get(name, field.default),
                    annotation=Annotated[kind, option],
                )
        own = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in signature.parameters.values()
            if parameter.name != "given"
        ]
        others = [parameter for name, parameter in settings.items() if name not in first]
        parameters = [*(settings[name] for name in first), *own, *others]

        def run(ctx: typer.Context, **values: Any) -> None:
            chosen = {name: values.pop(name) for name in settings}
            typed = {n: v for n, v in chosen.items() if _was_typed(ctx, n)}
            command(**values, given=typed)

        context = inspect.Parameter(
            "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        run.__signature__ = signature.replace(parameters=[context, *parameters])  # type: ignore[attr-defined]
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate


def _was_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def pick(groups: Iterable[type[Settings]], given: dict[str, Any]) -> dict[str, Any]:
    """Those of `given` that are settings of these groups."""
    names = {name for group in groups for name in group.flags()}
    return {name: value for name, value in given.items() if name in names}
