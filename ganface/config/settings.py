"""What a group of settings is: each setting once, with its default, its check and its help text.

The command line is made from these classes (see `ganface.cli.options`), a run stores them in its
`config.json`, and whoever builds one in Python gets the same checks.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from ganface.errors import UserError

if TYPE_CHECKING:
    from typing_extensions import Self

Check = Callable[[Any], str | None]  # what is wrong with a value, or None


def at_least(low: float) -> Check:
    return lambda value: None if low <= value < math.inf else f"must be at least {low}, and finite"


def between(low: float, high: float) -> Check:
    return lambda value: None if low <= value <= high else f"must lie between {low} and {high}"


a_rate = between(1e-8, 1)


def one_of(choices: tuple[str, ...]) -> Check:
    return lambda value: None if value in choices else f"must be one of {', '.join(choices)}"


def optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def any_value(_: object) -> None:
    return None


MOST_IN_RANGE = 1_000_000  # numbers, such as seeds


def parse_integers(flag: str, text: str, low: int = 0) -> tuple[int, ...]:
    """Read "0-3,9" as (0, 1, 2, 3, 9). Raises UserError, which names `flag`."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            shown = text or "''"
            raise UserError(f"{flag} {shown}: write numbers and ranges, such as 0-63,99")
        start, end = int(first), int(last or first)
        if end < start:
            raise UserError(f"{flag} {text}: the range {part.strip()} runs backwards")
        if start < low or end >= 2**63:
            raise UserError(f"{flag} {text}: {part.strip()} is not between {low} and 2⁶³ - 1")
        if end - start >= MOST_IN_RANGE:
            raise UserError(f"{flag} {text}: {part.strip()} are more than {MOST_IN_RANGE:,}")
        numbers += range(start, end + 1)
    return tuple(numbers)


def setting(
    default: Any,
    help: str,
    check: Check = any_value,
    may_change: bool = False,
    before: Any = None,
    choices: tuple[str, ...] | None = None,
    flag: bool = True,
) -> Any:
    """A field of a settings class.

    `may_change`: a resumed run may be given another value. `before`: what runs did that know
    nothing of this setting, if that is not its default. `choices`: the texts that it may be, where
    its type does not say so. `flag`: whether the command line has it.
    """
    metadata = {
        "help": help,
        "check": one_of(choices) if choices else check,
        "may_change": may_change,
        "before": before,
        "choices": choices,
        "flag": flag,
    }
    return dataclasses.field(default=default, metadata=metadata)


def flag_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def as_flags(settings: dict[str, Any]) -> list[str]:
    """The words of a command line that give these settings, by name."""
    words: list[str] = []
    for name, value in settings.items():
        flag = flag_of(name)
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif value is not None:
            words += [flag, str(value)]
    return words


def is_of_type(value: object, annotation: Any) -> bool:
    """Whether a value, which a file of anybody's may hold, is of a setting's type."""
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    kinds = get_args(annotation) or (annotation,)  # float | None has two
    if isinstance(value, bool):  # which Python counts among the integers
        return bool in kinds
    return isinstance(value, (*kinds, int) if float in kinds else kinds)


@dataclass(frozen=True)
class Settings:
    """Raises UserError if a value is not of its field's type, or fails its check."""

    TITLE: ClassVar[str]  # of the group, in --help

    def __post_init__(self) -> None:
        types = self.types()
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not is_of_type(value, types[field.name]):
                raise UserError(f"{flag_of(field.name)} {value}: not of the right type")
            problem = field.metadata["check"](value)
            if problem:
                raise UserError(f"{flag_of(field.name)} {value}: {problem}")

    @classmethod
    @cache
    def types(cls) -> dict[str, Any]:
        """Each setting's type, also where `from __future__ import annotations` made it a text."""
        return get_type_hints(cls)

    @classmethod
    def flags(cls) -> dict[str, dataclasses.Field]:
        """The settings that the command line has, by name."""
        return {f.name: f for f in dataclasses.fields(cls) if f.metadata["flag"]}

    @classmethod
    def before(cls) -> dict[str, Any]:
        """What a file means that an older ganface wrote, which knew nothing of some setting."""
        fields = dataclasses.fields(cls)
        return {f.name: f.metadata["before"] for f in fields if f.metadata["before"] is not None}

    @classmethod
    def stored(cls, settings: dict[str, Any]) -> "Self":
        """The settings that a file holds. Raises UserError for one that is not known here."""
        unknown = settings.keys() - {f.name for f in dataclasses.fields(cls)}
        if unknown:
            raise UserError(f"unknown setting {min(unknown)}")
        return cls(**{**cls.before(), **settings})

    def differing(self, usual: "Self") -> dict[str, Any]:
        """Those of its settings that are not as in `usual`, by name."""
        return {
            name: getattr(self, name)
            for name in self.flags()
            if getattr(self, name) != getattr(usual, name)
        }


def changed_settings(groups: Iterable[Settings], new: dict[str, Any]) -> list[str]:
    """The settings in `new` that differ from those of `groups` and would change what is made by
    them, a line each."""
    return [
        f"{flag_of(name)} was {getattr(group, name)}, now {new[name]}"
        for group in groups
        for name, field in group.flags().items()
        if not field.metadata["may_change"] and name in new and new[name] != getattr(group, name)
    ]
