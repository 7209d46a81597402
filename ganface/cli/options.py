"""Settings -> command-line options: a command gets one for each field of its settings classes."""

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from ganface.config.settings import Settings


class GroupedCommand(TyperCommand):
    """A command whose --help shows its options in groups, in the order in which they come."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record:
                is_argument = parameter.param_type_name == "argument"
                panel = getattr(parameter, "rich_help_panel", None) or "Options"
                panels.setdefault("Arguments" if is_argument else panel, []).append(record)
        for name, records in panels.items():
            with formatter.section(name):
                formatter.write_dl(records)


def with_settings(
    *groups: type[Settings], **shown: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each setting of `groups`.

    shown: by name, what --help is to call the default where the command has one of its own.
    The command itself takes them as one argument, `given`: those that the user typed, by name.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        parameters = [p for p in signature.parameters.values() if p.name != "given"]
        names = []
        for group in groups:
            for name, field in group.flags().items():
                if name in names:
                    continue  # two methods may have the same setting
                choices = field.metadata["choices"]
                kind = Literal[choices] if choices else group.types()[name]
                option = typer.Option(help=field.metadata["help"], rich_help_panel=group.TITLE)
                parameters.append(
                    inspect.Parameter(
                        name,
                        inspect.Parameter.KEYWORD_ONLY,
                        default=shown.get(name, field.default),
                        annotation=Annotated[kind, option],
                    )
                )
                names.append(name)

        def run(ctx: typer.Context, **values: Any) -> None:
            settings = {name: values.pop(name) for name in names}
            typed = {n: v for n, v in settings.items() if _was_typed(ctx, n)}
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
