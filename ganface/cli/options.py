"""Settings -> command-line options: a command gets one for each field of a settings class."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ganface.config.settings import Settings


def with_settings(*classes: type[Settings]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each setting of `classes`.

    The command itself takes them as one argument, `given`: those that the user typed, by name.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        parameters = [p for p in signature.parameters.values() if p.name != "given"]
        names = []
        for settings in classes:
            for field in dataclasses.fields(settings):
                option = typer.Option(help=field.metadata["help"])
                parameters.append(
                    inspect.Parameter(
                        field.name,
                        inspect.Parameter.KEYWORD_ONLY,
                        default=field.default,
                        annotation=Annotated[field.type, option],
                    )
                )
                names.append(field.name)

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


def pick(settings: type[Settings], given: dict[str, Any]) -> dict[str, Any]:
    """Those of `given` that are settings of this class."""
    return {f.name: given[f.name] for f in dataclasses.fields(settings) if f.name in given}
