"""What is wrong with a command line, in one line: what, where, and what to do.

typer's own texts would do in part, but for values they are those of the library that checks them.
"""

import re
from typing import Any

import typer

from ganface.errors import did_you_mean

OURS = {  # for typer's own texts: as other lines, they begin with what is wrong
    r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)": r"\1: more than this takes",
    r"Missing (?:argument|option|parameter) '(.*)'": r"\1: is missing",
    r"Option '(.*)' requires an argument": r"\1: needs a value",
    r"Option '(.*)' does not take a value": r"\1: takes no value",
    r"No such (option|command):? '?([^ ']+)'?": r"\2: no such \1",
    r"\(Possible options: (.*)\)": r"(did you mean \1?)",
}


def describe_mistake(error: typer.TyperException) -> str:
    """What to tell the user of a command line that typer refused."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    given = _values(error)
    if parameter is not None and given:
        return f"{_name(parameter)} {given[0]}: {_what_fits(parameter, given[0])}"
    what, _, hint = error.format_message().rstrip(".").partition(". Did ")
    for theirs, ours in OURS.items():
        what = re.sub(theirs, ours, what)
    message = f"{what} (did {hint})" if hint else what
    if context is None:
        return message
    for kind in ("option", "command"):
        if f": no such {kind}" in what:
            return f"{message}; {context.command_path} -h lists all {kind}s"
    return f"{message}; {_as_phrase(context.get_usage())}; {context.command_path} -h says more"


def _values(error: typer.TyperException) -> list[Any]:
    """The values that do not fit: there is one, if it is a value that is wrong at all."""
    found = getattr(error.__cause__, "errors", None)  # of what typer checks values with
    return [each["input"] for each in found()] if found else []


def _name(parameter: Any) -> str:
    """As it is typed; of an argument, what --help calls it."""
    option = parameter.param_type_name == "option"
    return str(parameter.opts[0] if option else parameter.metavar or parameter.name)


def _what_fits(parameter: Any, value: object) -> str:
    kind = parameter.type_descriptor
    if kind.is_choice:
        choices = [str(choice) for choice in kind.choices]
        return f"must be one of {', '.join(choices)}{did_you_mean(str(value), choices)}"
    low, high = parameter.min, parameter.max
    number = "a whole number" if "int" in str(kind.annotation) else "a number"
    if low is None:
        return f"must be {number}"
    return f"must be {number}" + (f" from {low} to {high}" if high is not None else f" from {low}")


def _as_phrase(usage: str) -> str:
    """ "Usage: ganface train [OPTIONS] {DATA}", as part of a sentence."""
    text = " ".join(usage.split()).replace("Usage: ", "usage: ")
    return text.replace("{", "").replace("}", "")
